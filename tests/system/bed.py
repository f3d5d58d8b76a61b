"""A server of its own for each system test: `with Bed(base, port) as bed`. Everything is gone afterwards."""
import argparse
import pathlib
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / 'conformance/testbed'))
from cluster import NET_NAME, USERS, Cluster, Problem, alive  # noqa: E402,F401


class Bed:
    def __init__(self, base, port=445, kdc=False, binary_dir=None, signing_optional=False):
        self.options = argparse.Namespace(nodes=1, engine='embedded', net='loopback', port=port, base=base,
                                          binary_dir=binary_dir or str(ROOT / 'build/dev'), no_kdc=not kdc,
                                          signing_optional=signing_optional)
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix='holdfast-test.'))
        self.address, self.port = base, port

    def __enter__(self):
        self.cluster = Cluster(self.dir / 'cluster')
        self.cluster.up(self.options)
        return self

    def __exit__(self, *_):
        self.cluster.down(remove=True)
        shutil.rmtree(self.dir, ignore_errors=True)

    def restart(self, environment=None):
        self.cluster.kill('1')
        self.cluster.start_node('1', environment)

    def start(self, environment=None):
        self.cluster.start_node('1', environment)

    @property
    def config(self):
        return pathlib.Path(self.cluster.facts['nodes']['1']['config'])

    def configure(self, change):
        """Restarts with another configuration: `change` gets the text and answers the new one."""
        self.config.write_text(change(self.config.read_text()))
        self.restart()

    def alive(self):
        node = self.cluster.facts['nodes']['1']
        return alive(node['pid'], node['config'])

    def pid(self):
        return self.cluster.facts['nodes']['1']['pid']

    def faults(self):
        """Lines of the server's log that no peer may cause: of sanitizers, of CHECKs, of exceptions."""
        marks = ('ERROR: AddressSanitizer', 'runtime error:', 'CHECK failed', 'ended in an exception', 'SUMMARY:')
        return [line for line in self.log().splitlines() if any(mark in line for mark in marks)]

    def log(self):
        return (self.dir / 'cluster/node1/log').read_text(errors='replace')

    def ccache(self, user):
        out = subprocess.run([ROOT / 'tests/kdc/kdc', 'ccache', self.dir / 'cluster/kdc', user], check=True,
                             capture_output=True, text=True)
        return out.stdout.strip()

    def smbclient(self, share, commands, user='alice', kerberos=False, options=(), check=True, cwd=None):
        """Runs smbclient's commands; answers what it printed."""
        if kerberos:
            target = f'//{NET_NAME}/{share}'
            import os
            env = dict(os.environ, KRB5_CONFIG=str(self.dir / 'cluster/kdc/krb5.conf'), KRB5CCNAME=self.ccache(user))
            login = ['--use-kerberos=required', '-I', self.address]
        else:
            target, env = f'//{self.address}/{share}', None
            auth = self.dir / f'auth.{user}'
            auth.write_text(f'username = {user}\npassword = {USERS[user]}\n')
            login = ['-A', str(auth)]
        result = subprocess.run(['smbclient', target, '-p', str(self.port), '-s', '/dev/null', '-t', '300', *login, *options,
                                 '-c', commands], stdin=subprocess.DEVNULL, capture_output=True, text=True, env=env, cwd=cwd)
        output = result.stdout + result.stderr
        if check and (result.returncode or 'NT_STATUS_' in output):
            raise AssertionError(f'smbclient {share}: {commands!r}: status {result.returncode}\n{output[-3000:]}')
        return output
