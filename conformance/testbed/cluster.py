"""A cluster for tests on this machine: `./dev cluster up|down|status|kill|start|drain`.

Everything lives in DIR: configuration, data, users, keys, logs, pids. `up` prints the facts of the cluster as
key=value lines for a shell's eval. One node with the embedded engine; several nodes need the rados engine.
"""
import argparse
import fcntl
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
NET_NAME = 'fs.example.test'
USERS = {'alice': 'P@ssw0rd-alice', 'bob': 'P@ssw0rd-bob', 'admin': 'P@ssw0rd-admin'}
SHARES = ('profiles', 'secure', 'scaleout', 'scratch', 'hideunread')
START_SECONDS = 60


class Problem(Exception):
    """The environment or the command line does not allow it: exit status 2."""


def config_text(node, directory, address, port, with_kdc, require_signing):
    keytab = f'keytab = "{directory}/kdc/service.keytab"\n' if with_kdc else ''
    return f'''# Written by ./dev cluster up.
server_name = "NODE{node}"
net_name = "{NET_NAME}"
listen = ["{address}:{port}"]
state_directory = "{directory}/node{node}/state"
engine = "embedded"
engine_directory = "{directory}/node{node}/data"
require_signing = {str(require_signing).lower()}
metrics_listen = "{address}:{9000 + node}"

[auth]
{keytab}ntlm = true
ntlm_users = "{directory}/users"

[[share]]
name = "profiles"
path = "profiles"
comment = "Profile containers, continuously available"
continuous_availability = true

[[share]]
name = "secure"
path = "secure"
comment = "Continuously available, encryption required"
continuous_availability = true
encryption = "required"

[[share]]
name = "scaleout"
path = "scaleout"
comment = "Continuously available, shown as scale-out"
continuous_availability = true
presentation = "scale-out"
ca_timeout_ms = 60000

[[share]]
name = "scratch"
path = "scratch"
comment = "Not continuously available"

[[share]]
name = "hideunread"
path = "hideunread"
comment = "Shows only what a user may read"
access_based_enumeration = true
'''


class Cluster:
    def __init__(self, directory):
        self.dir = pathlib.Path(directory).resolve()
        self.facts_file = self.dir / 'facts.json'
        self.facts = json.loads(self.facts_file.read_text()) if self.facts_file.exists() else None

    def need(self):
        if self.facts is None:
            raise Problem(f'{self.dir}: no cluster was started there')
        return self.facts

    def save(self):
        tmp = self.facts_file.with_suffix('.part')
        tmp.write_text(json.dumps(self.facts, indent=1))
        os.replace(tmp, self.facts_file)

    # ---- up ------------------------------------------------------------------------------------------------------

    def up(self, options):
        if options.engine != 'embedded':
            raise Problem(f'--engine {options.engine}: this build has the embedded engine only')
        if options.nodes != 1:
            raise Problem('--nodes: the embedded engine serves one node')
        if options.net != 'loopback':
            raise Problem('--net netns: one node needs no network of its own')
        if self.facts and any(alive(n['pid'], n['config']) for n in self.facts['nodes'].values()):
            raise Problem(f'{self.dir}: a cluster runs there already')
        binary = pathlib.Path(options.binary_dir or default_binary_dir()) / 'server'
        for name in ('holdfastd', 'holdfast'):
            if not (binary / name).exists():
                raise Problem(f'{binary}/{name} is not built: ./dev build')
        self.dir.mkdir(parents=True, exist_ok=True)
        self.facts = {'port': options.port, 'binary': str(binary), 'kdc': False, 'nodes': {}}
        try:
            for name, password in USERS.items():
                subprocess.run([binary / 'holdfast', 'user', 'add', '--file', self.dir / 'users', name]
                               + (['--administrator'] if name == 'admin' else []),
                               input=password + '\n', text=True, check=True)
            if not options.no_kdc:
                self.start_kdc()
            base = [int(x) for x in options.base.split('.')]
            for number in range(1, options.nodes + 1):
                address = '.'.join(map(str, base[:3] + [base[3] + number - 1]))
                node = self.dir / f'node{number}'
                for sub in ('state', 'data'):
                    (node / sub).mkdir(parents=True, exist_ok=True)
                config = node / 'config.toml'
                config.write_text(config_text(number, self.dir, address, options.port, self.facts['kdc'],
                                              not options.signing_optional))
                self.facts['nodes'][str(number)] = {'address': address, 'config': str(config), 'pid': 0}
                self.save()
                self.start_node(str(number))
        except BaseException:
            self.down(remove=False)
            raise

    def start_kdc(self):
        subprocess.run([ROOT / 'tests/kdc/kdc', 'start', self.dir / 'kdc', '--name', NET_NAME,
                        '--name', 'node1.example.test'],
                       check=True, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
        self.facts['kdc'] = True
        self.save()

    def start_node(self, number, environment=None):
        node = self.need()['nodes'].get(number)
        if node is None:
            raise Problem(f'no node {number}')
        if alive(node['pid'], node['config']):
            raise Problem(f'node {number} runs already')
        wait_until_gone(node['pid'])
        log = pathlib.Path(node['config']).with_name('log')
        env = dict(os.environ, **(environment or {}))
        if self.facts['kdc']:
            env['KRB5_CONFIG'] = str(self.dir / 'kdc/krb5.conf')
        with open(log, 'ab') as out:
            process = subprocess.Popen([pathlib.Path(self.facts['binary']) / 'holdfastd', '--config', node['config']],
                                       stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=env,
                                       start_new_session=True)
        node['pid'] = process.pid
        self.save()
        end = time.monotonic() + START_SECONDS
        while True:
            if process.poll() is not None:
                raise Problem(f'node {number} ended with status {process.returncode}:\n' + tail(log))
            try:
                socket.create_connection((node['address'], self.facts['port']), 1).close()
                return
            except OSError:
                if time.monotonic() > end:
                    raise Problem(f'node {number} does not answer:\n' + tail(log)) from None
                time.sleep(0.01)

    def print_facts(self):
        facts = self.need()
        print(f"PORT={facts['port']}")
        print(f"SHARES='{' '.join(SHARES)}'")
        print(f'NET_NAME={NET_NAME}')
        for number, name in enumerate(('alice', 'bob'), 1):
            print(f"USER{number}={name}\nPASSWORD{number}='{USERS[name]}'")
        print(f"ADMIN=admin\nADMIN_PASSWORD='{USERS['admin']}'")
        if facts['kdc']:
            print(f'KEYTAB={self.dir}/kdc/service.keytab\nKRB5_CONFIG={self.dir}/kdc/krb5.conf')
        for number, node in facts['nodes'].items():
            print(f"NODE{number}_ADDRESS={node['address']}\nNODE{number}_PID={node['pid']}")
            print(f"CONFIG{number}={node['config']}")

    # ---- the rest ------------------------------------------------------------------------------------------------

    def down(self, remove):
        if self.facts is None:
            return
        for node in self.facts['nodes'].values():
            end_process(node['pid'], node['config'], signal.SIGTERM)
        if self.facts['kdc'] or (self.dir / 'kdc').exists():
            subprocess.run([ROOT / 'tests/kdc/kdc', 'stop', self.dir / 'kdc'], check=False)
        self.facts_file.unlink(missing_ok=True)
        if remove:
            shutil.rmtree(self.dir)

    def status(self):
        facts = self.need()
        for number, node in facts['nodes'].items():
            state = 'running' if alive(node['pid'], node['config']) else 'stopped'
            print(f"node {number}  {node['address']}:{facts['port']}  pid {node['pid']}  {state}")

    def kill(self, number):
        node = self.need()['nodes'].get(number)
        if node is None:
            raise Problem(f'no node {number}')
        end_process(node['pid'], node['config'], signal.SIGKILL)


def default_binary_dir():
    """The newest of the builds that ./dev makes."""
    candidates = [ROOT / 'build' / preset for preset in ('release', 'dev')]
    built = [c for c in candidates if (c / 'server/holdfastd').exists()]
    return max(built, key=lambda c: (c / 'server/holdfastd').stat().st_mtime) if built else candidates[0]


def alive(pid, config):
    """Whether `pid` is still the server that was started with this configuration, and not a later namesake."""
    try:
        with open(f'/proc/{pid}/cmdline', 'rb') as f:
            words = f.read().split(b'\0')
        with open(f'/proc/{pid}/stat') as f:
            return f.read().rsplit(')', 1)[1].split()[0] != 'Z' and config.encode() in words
    except OSError:
        return False


def end_process(pid, config, how):
    if not pid or not alive(pid, config):
        return
    os.kill(pid, how)
    end = time.monotonic() + 10
    while alive(pid, config):
        if time.monotonic() > end:
            os.kill(pid, signal.SIGKILL)
        time.sleep(0.005)
    wait_until_gone(pid)


def wait_until_gone(pid):
    """A process that was killed holds its files and ports until the last of its threads has ended."""
    if not pid:
        return
    try:
        os.waitpid(pid, 0)
        return
    except ChildProcessError:
        pass  # reaped already, or somebody else's child
    end = time.monotonic() + 10
    while time.monotonic() < end:
        try:
            with open(f'/proc/{pid}/stat') as f:
                if f.read().rsplit(')', 1)[1].split()[0] not in 'ZX':
                    return  # a later process of that number
        except OSError:
            return
        time.sleep(0.005)


def tail(log):
    try:
        return ''.join(log.read_text(errors='replace').splitlines(keepends=True)[-15:])
    except OSError as e:
        return str(e)


def main():
    parser = argparse.ArgumentParser(prog='./dev cluster', description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest='command', required=True)
    up = commands.add_parser('up')
    up.add_argument('--nodes', type=int, default=1)
    up.add_argument('--engine', choices=('embedded', 'rados'), default='embedded')
    up.add_argument('--net', choices=('loopback', 'netns'), default='loopback')
    up.add_argument('--port', type=int, default=445)
    up.add_argument('--base', default='127.0.0.11', help='address of node 1')
    up.add_argument('--binary-dir', help='build directory (default: the newest of build/release and build/dev)')
    up.add_argument('--signing-optional', action='store_true')
    up.add_argument('--no-kdc', action='store_true', help='NTLM only')
    for name in ('down', 'status', 'facts'):
        commands.add_parser(name)
    for name in ('kill', 'start', 'drain'):
        commands.add_parser(name).add_argument('node')
    commands.choices['down'].add_argument('--rm', action='store_true', help='also delete DIR')
    for sub in commands.choices.values():
        sub.add_argument('--dir', required=True)
    options = parser.parse_args()
    try:
        pathlib.Path(options.dir).mkdir(parents=True, exist_ok=True)
        with open(pathlib.Path(options.dir) / 'lock', 'w') as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            cluster = Cluster(options.dir)
            if options.command == 'up':
                cluster.up(options)
                cluster.print_facts()
            elif options.command == 'down':
                cluster.down(options.rm)
            elif options.command == 'status':
                cluster.status()
            elif options.command == 'facts':
                cluster.print_facts()
            elif options.command == 'kill':
                cluster.kill(options.node)
            elif options.command == 'start':
                cluster.start_node(options.node)
            else:
                raise Problem('drain: there is no other node to take over')
    except Problem as problem:
        print(f'./dev cluster: {problem}', file=sys.stderr)
        return 2
    except subprocess.CalledProcessError as error:
        print(f'./dev cluster: {error}', file=sys.stderr)
        return 2
    return 0


if __name__ == '__main__':
    sys.exit(main())
