"""`./dev bench`: Holdfast beside smbd, pair by pair, with the same client on the same disk.

    ./dev bench                 every row, 5 pairs; under 10 minutes
    ./dev bench --quick         3 short pairs, a listing of 10,000 entries; under 90 seconds
    ./dev bench ROW...          only rows whose name contains one of these words
    ./dev bench --record        also writes the results into docs/benchmarks.md

One release build of holdfastd and Debian's smbd run side by side on loopback, each with directories of its own on one file system; only one
of them works at a time. A row runs A B A B ...; what counts is the median of the pairs' ratios. docs/benchmarks.md says what each row is.
"""
import argparse
import json
import os
import pathlib
import platform
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGE = ROOT / 'docs/benchmarks.md'
MARK = '<!-- below: written by ./dev bench --record -->\n'
PASSWORD = 'P@ssw0rd-bench'
SMBD_USER = 'nobody'  # smbd wants an account of the system; this one is everywhere and owns nothing

# Name, arguments of smb_bench, whether it takes bytes (MB/s) or operations.
ROWS = [
    ('sequential read 1 MiB, signed', ['--row', 'sequential-read', '--depth', '4']),
    ('sequential read 1 MiB, AES-128-GCM', ['--row', 'sequential-read', '--depth', '4', '--seal']),
    ('sequential write 1 MiB, signed', ['--row', 'sequential-write', '--depth', '4', '--file-bytes', str(32 << 20)]),
    ('sequential write 1 MiB, AES-128-GCM', ['--row', 'sequential-write', '--depth', '4', '--seal', '--file-bytes', str(32 << 20)]),
    ('random read 4 KiB, depth 1', ['--row', 'random-read', '--depth', '1']),
    ('random read 4 KiB, depth 16', ['--row', 'random-read', '--depth', '16']),
    ('random write 4 KiB, depth 1', ['--row', 'random-write', '--depth', '1']),
    ('random write 4 KiB, depth 16', ['--row', 'random-write', '--depth', '16']),
    ('create + close, depth 1', ['--row', 'create', '--depth', '1']),
    ('create + close, depth 16', ['--row', 'create', '--depth', '16']),
    ('query directory', ['--row', 'list', '--depth', '1']),
    ('handle open + close, depth 1', ['--row', 'reopen', '--depth', '1']),
    ('handle open + close, depth 16', ['--row', 'reopen', '--depth', '16']),
]
# Rows whose files Holdfast opens persistently on the CA share: there every write and every open is durable when answered.
PERSISTENT = ('sequential-write', 'random-write', 'sequential-read', 'random-read')
SHARES = ['scratch', 'profiles']


class Problem(Exception):
    """The environment does not allow it: exit status 2."""


def wait_for(address, port, process, log):
    end = time.monotonic() + 30
    while True:
        if process.poll() is not None:
            raise Problem(f'{process.args[0]} ended with status {process.returncode}:\n{log.read_text()[-2000:]}')
        try:
            socket.create_connection((address, port), 1).close()
            return
        except OSError:
            if time.monotonic() > end:
                raise Problem(f'{process.args[0]} does not answer:\n{log.read_text()[-2000:]}') from None
            time.sleep(0.02)


def end(process):
    if process and process.poll() is None:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


class Holdfast:
    name, user = 'Holdfast', 'alice'

    def __init__(self, directory, address, port, build):
        self.dir, self.address, self.port, self.build = directory / 'holdfast', address, port, build
        self.process = None

    def start(self):
        for sub in ('state', 'data'):
            (self.dir / sub).mkdir(parents=True)
        subprocess.run([self.build / 'server/holdfast', 'user', 'add', '--file', self.dir / 'users', self.user],
                       input=PASSWORD + '\n', text=True, check=True)
        config = self.dir / 'config.toml'
        config.write_text(f'''server_name = "NODE1"
net_name = "NODE1"
listen = ["{self.address}:{self.port}"]
state_directory = "{self.dir}/state"
engine = "embedded"
engine_directory = "{self.dir}/data"
log_level = "warning"

[auth]
ntlm = true
ntlm_users = "{self.dir}/users"

[[share]]
name = "scratch"
path = "shared"

[[share]]
name = "fill"
path = "shared"

[[share]]
name = "profiles"
path = "shared"
continuous_availability = true
''')
        log = self.dir / 'log'
        with open(log, 'wb') as out:
            self.process = subprocess.Popen([self.build / 'server/holdfastd', '--config', config], stdin=subprocess.DEVNULL,
                                            stdout=out, stderr=out, start_new_session=True)
        wait_for(self.address, self.port, self.process, log)


class Smbd:
    name, user = 'smbd', SMBD_USER

    def __init__(self, directory, address, port):
        self.dir, self.address, self.port = directory / 'smbd', address, port
        self.process = None

    def start(self):
        for sub in ('private', 'lock', 'state', 'cache', 'pid', 'rpc', 'shared'):
            (self.dir / sub).mkdir(parents=True)
        shutil.chown(self.dir / 'shared', SMBD_USER)
        config = self.dir / 'smb.conf'
        config.write_text(f'''[global]
netbios name = NODE1
workgroup = WORKGROUP
server role = standalone server
interfaces = {self.address}/8
bind interfaces only = yes
smb ports = {self.port}
private dir = {self.dir}/private
lock directory = {self.dir}/lock
state directory = {self.dir}/state
cache directory = {self.dir}/cache
pid directory = {self.dir}/pid
ncalrpc dir = {self.dir}/rpc
passdb backend = tdbsam:{self.dir}/private/passdb.tdb
log file = {self.dir}/log
log level = 0
disable spoolss = yes
load printers = no
server min protocol = SMB2_02
server multi channel support = no
# Durable handles need these three; they also spare smbd the kernel's locks.
kernel oplocks = no
kernel share modes = no
posix locking = no

[scratch]
path = {self.dir}/shared
read only = no

# Where the large directory is made: without this option smbd reads all of it before each new name.
[fill]
path = {self.dir}/shared
read only = no
case sensitive = yes

[profiles]
path = {self.dir}/shared
read only = no
strict sync = yes
sync always = yes
''')
        subprocess.run(['pdbedit', '-s', config, '-a', '-t', '-u', SMBD_USER], input=f'{PASSWORD}\n{PASSWORD}\n', text=True, check=True,
                       stdout=subprocess.DEVNULL)
        log = self.dir / 'out'
        with open(log, 'wb') as out:
            self.process = subprocess.Popen(['smbd', '--foreground', '--no-process-group', '-s', str(config)],
                                            stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True)
        wait_for(self.address, self.port, self.process, log)


class Bench:
    def __init__(self, options):
        self.options = options
        self.client = options.build / 'conformance/bench/smb_bench'
        self.entries = 10_000 if options.quick else 100_000
        self.pairs = options.pairs or (3 if options.quick else 5)
        self.seconds = 0.35 if options.quick else 1.2
        self.seed = 0

    def run(self, server, share, arguments, seconds=None, warm_up=None, most=0):
        self.seed += 1
        seconds = self.seconds if seconds is None else seconds
        command = [self.client, '--address', server.address, '--port', str(server.port), '--share', share, '--user', server.user,
                   '--password', PASSWORD, '--server-pid', str(server.process.pid), '--entries', str(self.entries),
                   '--seconds', str(seconds), '--warm-up', str(seconds / 6 if warm_up is None else warm_up), '--seed', str(self.seed),
                   '--most', str(most), *arguments]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300)
        try:
            result = json.loads(done.stdout)
        except ValueError:
            raise Problem(f'smb_bench: {" ".join(map(str, arguments))}: {done.stdout}{done.stderr}') from None
        if 'error' in result:
            raise Problem(f'{server.name} {share} {" ".join(arguments)}: {result["error"]}')
        return result

    def arguments(self, server, share, arguments):
        """What differs between the two: how a handle that outlives its connection is asked for."""
        row = arguments[1]
        if share == 'profiles' and server.name == 'Holdfast' and row in PERSISTENT + ('reopen',):
            return arguments + ['--persistent']
        if row == 'reopen' and share == 'profiles':
            return arguments + ['--durable']
        return arguments

    def measure(self, servers):
        results = []
        for share in self.options.share or SHARES:
            for name, arguments in ROWS:
                title = f'{share}: {name}'
                if self.options.row and not any(word in title for word in self.options.row):
                    continue
                if name == 'query directory':
                    name = f'query directory, {self.entries:,} entries'
                pairs = []
                for _ in range(self.pairs):
                    pair = []
                    for server in servers:
                        if share == 'profiles':
                            os.sync()  # what others left dirty is not written at the cost of this row
                        pair.append(self.run(server, share, self.arguments(server, share, arguments)))
                    pairs.append(pair)
                row = Row(share, name, arguments[1], pairs)
                print(row.line(), flush=True)
                results.append(row)
        return results

    def prepare(self, servers):
        for server in servers:
            self.run(server, 'fill', ['--row', 'make-data', '--depth', '4'], 60, 0)
            made = self.run(server, 'fill', ['--row', 'make-listed', '--depth', '16'], 60, 0)
            if made['operations'] < self.entries:
                raise Problem(f'{server.name}: {made["operations"]} of {self.entries} entries were made within a minute')
        os.sync()


class Row:
    def __init__(self, share, name, kind, pairs):
        self.share, self.name, self.kind, self.pairs = share, name, kind, pairs
        self.by_bytes = pairs[0][0]['bytes'] >= (1 << 20) * pairs[0][0]['operations'] > 0
        self.rates = [[self.rate(r) for r in pair] for pair in pairs]
        ratios = [ours / theirs for ours, theirs in self.rates]
        self.ratio, self.low, self.high = statistics.median(ratios), min(ratios), max(ratios)

    def rate(self, r):
        return (r['bytes'] / 1e6 if self.by_bytes else r['units']) / r['seconds']

    def median(self, side):
        return statistics.median(rates[side] for rates in self.rates)

    def cpu(self, side, who):
        """Seconds for a GiB, or for 1,000 operations."""
        amount = [(p[side]['bytes'] / (1 << 30) if self.by_bytes else p[side]['units'] / 1000) for p in self.pairs]
        return statistics.median(p[side][who] / a for p, a in zip(self.pairs, amount))

    def latency(self, side):
        return statistics.median(p[side]['p50_us'] for p in self.pairs)

    def unit(self):
        return 'MB/s' if self.by_bytes else ('entries/s' if self.kind == 'list' else 'ops/s')

    def line(self):
        return (f'{self.share:8} {self.name:38} {self.median(0):9.0f} {self.median(1):9.0f} {self.unit():9} x {self.ratio:5.2f} '
                f'({self.low:.2f}-{self.high:.2f})  cpu {self.cpu(0, "server_cpu"):.3f} {self.cpu(1, "server_cpu"):.3f}  '
                f'client {self.cpu(0, "client_cpu"):.3f} {self.cpu(1, "client_cpu"):.3f}  p50 {self.latency(0):.0f} {self.latency(1):.0f} us')


def command_output(*command):
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return '?'


def machine(directory):
    cpu = next((line.split(':', 1)[1].strip() for line in open('/proc/cpuinfo') if line.startswith('model name')), '?')
    memory = int(re.search(r'MemTotal:\s+(\d+)', open('/proc/meminfo').read()).group(1)) >> 20
    disk = command_output('findmnt', '-n', '-o', 'SOURCE,FSTYPE,OPTIONS', '-T', str(directory))
    commit = command_output('git', '-C', str(ROOT), 'rev-parse', '--short', 'HEAD')
    if command_output('git', '-C', str(ROOT), 'status', '--porcelain', '--untracked-files=no', '--', ':!docs') not in ('', '?'):
        commit += ' with changes'
    return [('commit', commit), ('CPU', f'{cpu}, {os.cpu_count()} cores'), ('memory', f'{memory} GiB'), ('disk', ' '.join(disk.split())),
            ('sync of one 4 KiB write', f'{sync_milliseconds(directory):.1f} ms'), ('kernel', platform.release()),
            ('smbd', command_output('smbd', '--version'))]


def sync_milliseconds(directory):
    """What a durable write costs here at least: the median of 50 overwrites with fdatasync."""
    with tempfile.TemporaryFile(dir=directory) as f:
        f.write(bytes(1 << 20))
        os.fsync(f.fileno())
        times = []
        for i in range(50):
            begun = time.monotonic()
            os.pwrite(f.fileno(), os.urandom(4096), i * 4096)
            os.fdatasync(f.fileno())
            times.append(time.monotonic() - begun)
    return statistics.median(times) * 1000


def load():
    return ' '.join(open('/proc/loadavg').read().split()[:3])


def page(rows, facts, pairs):
    out = ['## Results', '', f'Taken {time.strftime("%Y-%m-%d %H:%M", time.gmtime())} UTC, {pairs} pairs.', '']
    out += ['| | |', '|---|---|'] + [f'| {k} | {v} |' for k, v in facts]
    for share in SHARES:
        chosen = [r for r in rows if r.share == share]
        if not chosen:
            continue
        out += ['', f'### {share}', '',
                '| row | Holdfast | smbd | unit | ratio | ratios of the pairs | server CPU s: Holdfast | smbd | client CPU s | p50 µs: Holdfast | smbd |',
                '|---|---:|---:|---|---:|---|---:|---:|---:|---:|---:|']
        for r in chosen:
            out.append(f'| {r.name} | {r.median(0):,.0f} | {r.median(1):,.0f} | {r.unit()} | **{r.ratio:.2f}** | {r.low:.2f}-{r.high:.2f} | '
                       f'{r.cpu(0, "server_cpu"):.3f} | {r.cpu(1, "server_cpu"):.3f} | {r.cpu(0, "client_cpu"):.3f} / {r.cpu(1, "client_cpu"):.3f} | '
                       f'{r.latency(0):,.0f} | {r.latency(1):,.0f} |')
    return '\n'.join(out) + '\n'


def main():
    parser = argparse.ArgumentParser(prog='./dev bench', description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('row', nargs='*', help='words that the names of the rows contain, such as "4 KiB" or "scratch"')
    parser.add_argument('--quick', action='store_true')
    parser.add_argument('--record', action='store_true', help='write the results into docs/benchmarks.md')
    parser.add_argument('--pairs', type=int, choices=range(1, 21), metavar='1-20')
    parser.add_argument('--share', action='append', choices=SHARES)
    parser.add_argument('--base', default='127.0.0.91', help='address of both servers')
    parser.add_argument('--directory', default='/var/tmp', help='where both keep their data while it runs')
    parser.add_argument('--build', type=pathlib.Path, default=ROOT / 'build/release', help='build directory')
    parser.add_argument('--json', type=pathlib.Path, help='also write every single measurement there')
    options = parser.parse_args()
    directory = pathlib.Path(tempfile.mkdtemp(prefix='holdfast-bench.', dir=options.directory))
    directory.chmod(0o755)
    servers = [Holdfast(directory, options.base, 4460, options.build), Smbd(directory, options.base, 4461)]
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    begun = time.monotonic()
    try:
        if os.geteuid() != 0:
            raise Problem('smbd has to be started by root')
        for tool in ('smbd', 'pdbedit'):
            if not shutil.which(tool):
                raise Problem(f'{tool} is not installed: ./dev setup')
        before = load()
        for server in servers:
            server.start()
        bench = Bench(options)
        bench.prepare(servers)
        print(f'prepared in {time.monotonic() - begun:.0f} s; Holdfast, smbd; server CPU s and client CPU s each for a GiB or 1,000 operations')
        rows = bench.measure(servers)
        facts = machine(directory) + [('load average before, after', f'{before}; {load()}')]
        text = page(rows, facts, bench.pairs)
        if options.json:
            options.json.write_text(json.dumps([{'share': r.share, 'row': r.name, 'pairs': r.pairs} for r in rows], indent=1))
        if options.record:
            head = PAGE.read_text().split(MARK)[0]
            PAGE.write_text(head + MARK + text)
        below = [r for r in rows if r.ratio < 1]
        print(f'{len(rows)} rows in {time.monotonic() - begun:.0f} s, load {before}; {load()}; below 1.0: '
              + (', '.join(f'{r.share}: {r.name} ({r.ratio:.2f})' for r in below) or 'none'))
    except Problem as problem:
        print(f'./dev bench: {problem}', file=sys.stderr)
        return 2
    finally:
        for server in servers:
            end(server.process)
        shutil.rmtree(directory, ignore_errors=True)
    return 0


if __name__ == '__main__':
    sys.exit(main())
