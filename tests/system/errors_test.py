"""What goes wrong around a server is said in one sentence that names the cause, with exit status 2 at the start and an
NTSTATUS at work, and nothing is lost: configuration, ports, keytabs, users, stores, volumes, a full disk.

errors_test.py [--binary-dir DIR] [--program protocol_cases] [case...]
"""
import argparse
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import time

from bed import NET_NAME, ROOT, USERS, Bed

ADDRESS = f'127.{os.getpid() >> 8 & 0x7F}.{os.getpid() & 0xFF}.70'  # several runs do not meet
CONFIG = '''server_name = "NODE1"
listen = ["{address}:{port}"]
state_directory = "{dir}/state"
engine = "embedded"
engine_directory = "{dir}/data"

[auth]
ntlm = true
ntlm_users = "{dir}/users"

[[share]]
name = "profiles"
path = "profiles"
continuous_availability = true
'''


class Place:
    """A directory with all that a server needs, and nothing wrong yet."""

    def __init__(self, options):
        self.options = options
        self.binary = pathlib.Path(options.binary_dir) / 'server'
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix='holdfast-errors.'))
        self.port = 446
        (self.dir / 'data').mkdir()
        subprocess.run([self.binary / 'holdfast', 'user', 'add', '--file', self.dir / 'users', 'alice'],
                       input=USERS['alice'] + '\n', text=True, check=True)
        self.config = self.dir / 'holdfast.toml'
        self.write(lambda text: text)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.dir)

    def write(self, change):
        self.config.write_text(change(CONFIG.format(address=ADDRESS, port=self.port, dir=self.dir)))

    def line_of(self, text):
        return 1 + next(i for i, line in enumerate(self.config.read_text().splitlines()) if text in line)

    def start(self):
        return subprocess.Popen([self.binary / 'holdfastd', '--config', self.config], stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors='replace')

    def run_once(self):
        """Starts the server, waits until it listens, and kills it: the store exists then."""
        process = self.start()
        try:
            wait_until_listening(process, ADDRESS, self.port)
        finally:
            process.kill()
            process.wait()
            process.stdout.close()

    def refused(self, *words):
        """The server must end with status 2 and one sentence that has all of `words`."""
        process = self.start()
        try:
            output = process.communicate(timeout=30)[0]
        except subprocess.TimeoutExpired:
            process.kill()
            output = process.communicate()[0]
            raise AssertionError(f'it started:\n{output[-2000:]}') from None
        sentence(process.returncode, output, 'holdfastd: ', words)

    def check_refused(self, *words):
        """The same of `holdfast volume check`."""
        done = subprocess.run([self.binary / 'holdfast', 'volume', 'check', '--directory', self.dir / 'data'],
                              capture_output=True, text=True, errors='replace', stdin=subprocess.DEVNULL, check=False)
        sentence(done.returncode, done.stdout + done.stderr, 'holdfast: ', words)


def sentence(status, output, prefix, words):
    said = [line for line in output.splitlines() if line.startswith(prefix)]
    if status != 2 or len(said) != 1:
        raise AssertionError(f'status {status}, said:\n{output[-2000:]}')
    missing = [word for word in words if str(word) not in said[0]]
    if missing:
        raise AssertionError(f'{missing} not in: {said[0]}')
    print(f'    {said[0][:160]}')


def wait_until_listening(process, address, port):
    end = time.monotonic() + 30
    while time.monotonic() < end:
        if process.poll() is not None:
            raise AssertionError(f'the server ended with {process.returncode}: {process.stdout.read()[-2000:]}')
        try:
            socket.create_connection((address, port), 1).close()
            return
        except OSError:
            time.sleep(0.01)
    raise AssertionError('the server does not listen')


# ---- configuration --------------------------------------------------------------------------------------------------

def configuration(place):
    def with_line(line, before='[auth]'):
        return lambda text: text.replace(before, f'{line}\n{before}', 1)

    cases = [
        ('an unknown key', with_line('colour = "blue"'), 'colour', ['colour', 'no such key']),
        ('an unknown key of a share', lambda t: t + 'color = 1\n', 'color', ['share', 'color', 'no such key']),
        ('a wrong type', with_line('require_signing = "yes"'), 'require_signing', ['require_signing', 'true or false']),
        ('a number out of range', with_line('worker_threads = 0'), 'worker_threads', ['worker_threads', '1 to 256']),
        ('an unknown word', with_line('max_dialect = "4.0"'), 'max_dialect', ['max_dialect', '3.1.1']),
        ('no address', lambda t: t.replace(f'{ADDRESS}:{place.port}', 'nowhere'), 'listen', ['listen', 'nowhere']),
        ('broken syntax', with_line('worker_threads = = 3'), 'worker_threads', []),
        ('an unfinished text', with_line('net_name = "x'), 'net_name', []),
    ]
    for _, change, mark, words in cases:
        place.write(change)
        place.refused(f'{place.config}:{place.line_of(mark)}', *words)
    place.write(lambda t: t.replace('name = "profiles"\n', ''))
    place.refused(place.config, 'share', 'name')
    place.write(lambda t: t.replace('ntlm = true', 'ntlm = false'))
    place.refused(place.config, 'auth.keytab', 'sign in')
    place.config.unlink()
    place.refused(place.config)
    place.config.write_bytes(b'\xff\xfe\x00garbage')
    place.refused(place.config)


# ---- environment ----------------------------------------------------------------------------------------------------

def busy_port(place):
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind((ADDRESS, place.port))
        taken.listen()
        place.refused(f'{ADDRESS}:{place.port}', 'in use')
    place.write(lambda t: t.replace(ADDRESS, '192.0.2.77'))
    place.refused(f'192.0.2.77:{place.port}')
    place.write(lambda t: t.replace('[auth]', f'metrics_listen = "{ADDRESS}:{place.port}"\n[auth]'))
    place.refused('metrics_listen', f'{ADDRESS}:{place.port}')


def keytab(place):
    def with_keytab(path):
        place.write(lambda t: t.replace('[auth]', f'[auth]\nkeytab = "{path}"'))
    path = place.dir / 'service.keytab'
    with_keytab(path)
    place.refused('keytab', path, 'No such file')
    path.write_bytes(b'')
    place.refused('keytab', path)
    path.write_bytes(b'no keytab at all')
    place.refused('keytab', path)
    with_keytab(place.dir)
    place.refused('keytab', place.dir)


def users(place):
    path = place.dir / 'users'
    text = path.read_text()
    path.write_text(text.replace('alice:', 'alice:x', 1))
    place.refused('users file', path, 'line')
    path.write_text('garbage\n')
    place.refused('users file', path, 'line 1')
    path.unlink()
    place.refused('users file', path, 'No such file')
    path.mkdir()
    place.refused('users file', path)
    if os.geteuid() != 0:  # root reads everything
        path.rmdir()
        path.write_text(text)
        path.chmod(0)
        place.refused('users file', path, 'Permission denied')


# ---- store and volume -----------------------------------------------------------------------------------------------

def store_place(place):
    data = place.dir / 'data'
    data.rmdir()
    data.write_text('a file')
    place.refused('engine_directory', data)
    place.check_refused(data)
    data.unlink()
    data.mkdir()
    (data / 'somebody').write_text('elses')
    place.refused('engine_directory', data, 'somebody')
    (data / 'somebody').unlink()
    place.write(lambda t: t.replace(f'{place.dir}/data', '/proc/holdfast'))
    place.refused('engine_directory', '/proc/holdfast')


def store_in_use(place):
    process = place.start()
    try:
        wait_until_listening(process, ADDRESS, place.port)
        first, place.port = place.port, 447
        place.write(lambda text: text)
        place.refused('engine_directory', place.dir / 'data', 'in use', f'pid {process.pid}')
        place.check_refused(place.dir / 'data', 'in use', f'pid {process.pid}')
        place.port = first
        assert process.poll() is None
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def damaged_store(place):
    place.run_once()
    data = place.dir / 'data'
    keep = place.dir / 'keep'
    shutil.copytree(data, keep)

    def again():
        shutil.rmtree(data)
        shutil.copytree(keep, data)

    (data / 'keys/CURRENT').write_text('garbage\n')
    place.refused('engine_directory', data / 'keys')
    place.check_refused(data / 'keys')
    again()
    next((data / 'keys').glob('MANIFEST-*')).write_bytes(b'garbage')
    place.refused('engine_directory', data / 'keys')
    again()
    (data / 'format').write_text('holdfast embedded store, format 77\n')
    place.refused('engine_directory', data, 'format 77')
    (data / 'format').write_text('')
    place.refused('engine_directory', data / 'format', 'damaged')
    again()
    place.run_once()


def damaged_table(place):
    """A flipped bit in every block of the key store's tables."""
    place.run_once()
    place.run_once()  # the second start turns the log into a table
    tables = sorted((place.dir / 'data/keys').glob('*.sst'))
    assert tables, 'no table was written'
    for table in tables:
        content = bytearray(table.read_bytes())
        for at in range(0, len(content), 64):
            content[at] ^= 0x40
        table.write_bytes(content)
    place.refused('data')
    place.check_refused('data')


def damaged_super(place):
    place.run_once()
    tool = pathlib.Path(place.options.binary_dir) / 'tests/system/damage_super'
    subprocess.run([tool, place.dir / 'data'], check=True)
    place.refused('volume', 'super', 'damaged')
    place.check_refused('super', 'damaged')


def missing_super(place):
    """A store without a volume: the check says so and makes none."""
    place.check_refused('super', 'missing')


def sound_volume(place):
    place.run_once()
    done = subprocess.run([place.binary / 'holdfast', 'volume', 'check', '--directory', place.dir / 'data'],
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0 and '0 findings' in done.stdout, done.stdout + done.stderr
    print(f'    {done.stdout.strip()}')


# ---- a full disk ----------------------------------------------------------------------------------------------------

# The engine keeps 64 MiB free of new data, so that names and records always find room.
DISK = '160m'


def full_disk(place):
    bed = Bed(ADDRESS, binary_dir=place.options.binary_dir)
    data = bed.dir / 'cluster/node1/data'
    data.mkdir(parents=True)
    mounted = subprocess.run(['mount', '-t', 'tmpfs', '-o', f'size={DISK}', 'holdfast-test', data],
                             capture_output=True, text=True, check=False)
    if mounted.returncode:
        shutil.rmtree(bed.dir)
        print(f'    SKIPPED: {mounted.stderr.strip()}')
        return
    with bed:
        try:
            fill_and_empty(place, bed, data)
        finally:
            bed.cluster.kill('1')
            subprocess.run(['umount', '-l', data], check=False)


def fill_and_empty(place, bed, data):
    def cases(name):
        env = dict(os.environ, HOLDFAST_ADDRESS=bed.address, HOLDFAST_PORT=str(bed.port), HOLDFAST_NAME=NET_NAME,
                   HOLDFAST_USER1='alice', HOLDFAST_PASSWORD1=USERS['alice'])
        done = subprocess.run([place.options.program, f'--gtest_filter=FullDisk.{name}'], env=env, text=True,
                              capture_output=True, errors='replace', stdin=subprocess.DEVNULL, check=False)
        if done.returncode or '[  PASSED  ] 1 test' not in done.stdout:
            raise AssertionError(done.stdout[-3000:] + done.stderr[-1000:] + bed.log()[-1000:])
        return done.stdout

    output = cases('NothingIsLostAndDeletingHelps')
    print('    ' + next(line for line in output.splitlines() if line.startswith('full after')))
    bed.restart()
    cases('StillThereAfterARestart')

    # The same by smbclient: the put that fails says so, those before it are whole.
    source = bed.dir / 'source'
    source.write_bytes(os.urandom(8 << 20))
    put = []
    while True:
        name = f'file{len(put)}'
        said = bed.smbclient('scratch', f'put {source} {name}', check=False)
        if 'NT_STATUS_DISK_FULL' in said:
            break
        assert 'NT_STATUS_' not in said and len(put) < 40, said
        put.append(name)
    assert put, 'not even one file fits'
    for name in put:
        bed.smbclient('scratch', f'get {name} {bed.dir}/back')
        assert (bed.dir / 'back').read_bytes() == source.read_bytes(), name
    bed.smbclient('scratch', f'rm {name}; rm file{len(put)}; put {source} again')
    bed.smbclient('scratch', f'get again {bed.dir}/back')
    assert (bed.dir / 'back').read_bytes() == source.read_bytes()
    assert not bed.faults(), bed.faults()
    bed.cluster.kill('1')
    checked = subprocess.run([place.binary / 'holdfast', 'volume', 'check', '--directory', data],
                             capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    print(f'    {len(put)} files put before the disk was full; {checked.stdout.strip()}')


CASES = [configuration, busy_port, keytab, users, store_place, store_in_use, damaged_store, damaged_table,
         damaged_super, missing_super, sound_volume, full_disk]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--binary-dir', default=str(ROOT / 'build/dev'))
    parser.add_argument('--program', help='protocol_cases (default: of the binary directory)')
    parser.add_argument('case', nargs='*', help=' '.join(case.__name__ for case in CASES))
    options = parser.parse_args()
    options.program = options.program or options.binary_dir + '/conformance/cases/protocol_cases'
    unknown = set(options.case) - {case.__name__ for case in CASES}
    if unknown:
        parser.error(f"no case {', '.join(sorted(unknown))}")
    passed = failed = 0
    for case in CASES:
        if options.case and case.__name__ not in options.case:
            continue
        started = time.monotonic()
        problem = None
        try:
            with Place(options) as place:
                case(place)
        except Exception as failure:
            problem = f'{type(failure).__name__}: {failure}'
        passed += problem is None
        failed += problem is not None
        print(f"{'FAILED' if problem else 'passed'} {case.__name__:16} {time.monotonic() - started:6.1f} s"
              + (f'  {problem}' if problem else ''), flush=True)
    print(f'{passed} passed, {failed} failed')
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
