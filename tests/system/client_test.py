"""Our client (conformance/cases) against servers of its own: every dialect and cipher, admission, compounds, waits,
load, limits, hostile peers; and the server killed at every stage of every request that changes a persistent handle.

client_test.py [--binary-dir DIR] [--jobs N] [group...]
"""
import argparse
import concurrent.futures
import os
import queue
import re
import subprocess
import sys
import threading
import time

from bed import NET_NAME, ROOT, USERS, Bed

NETWORK = f'127.{os.getpid() >> 8 & 0x7F}.{os.getpid() & 0xFF}'  # several runs do not meet
BASE = 65
START_LIMIT = 120    # seconds for one run of the cases

LIMITS = '''
[limits]
max_connections = 8
max_sessions_per_connection = 4
max_channels_per_session = 2
max_trees_per_session = 3
max_opens_per_session = 16
max_credits = 256
max_transact_bytes = 1048576
'''



def second_address(text):
    """The configuration with a second address to listen on, 32 above the first."""
    return re.sub(r'^listen = \["(\d+\.\d+\.\d+)\.(\d+):(\d+)"\]',
                  lambda m: f'listen = ["{m[1]}.{m[2]}:{m[3]}", "{m[1]}.{int(m[2]) + 32}:{m[3]}"]', text, flags=re.M)


# name, suites of conformance/cases, with a KDC, change of the configuration
GROUPS = [
    ('dialects', 'Signed.*:EncryptedSession.*:EncryptedShare.*', True, None),
    ('required encryption', 'RequiredEncryption.*', False,
     lambda text: text.replace('require_signing = true', 'require_signing = true\nrequire_encryption = true')),
    ('signing offered', 'SigningOffered.*', False,
     lambda text: text.replace('require_signing = true', 'require_signing = false')),
    ('sign-in', 'SignIn.*', False, None),
    ('expiry', 'Expiry.*', True, None),
    ('admission', 'Admission.*:ValidateNegotiate.*:Negotiate.*:Smb1Negotiate.*:Ipc.*', False, None),
    ('requests', 'Compound.*:Waiting.*:Handle.*:Caching.*:Control.*', False, None),
    ('load', 'Load.*', False, None),
    ('fslogix', 'Fslogix.*:SignInStorm.*', False, None),
    ('neighbours', 'Neighbour.*', False, None),
    ('limits', 'Limits.*', False, lambda text: text + LIMITS),
    ('hostile', 'Hostile.*', False, None),
    ('channels', 'Channels.*', False, lambda text: second_address(text)),
    ('single channel', 'SingleChannel.*', False,
     lambda text: text.replace('require_signing', 'multichannel = false\nrequire_signing', 1)),
]

STAGES = ('received', 'executed', 'sent')


def stages(command, nth=1):
    return [f'{command}.{stage}:{nth}' for stage in STAGES]


# The case of suite Persist, and where the server dies in it. A number behind a colon: at the n-th pass. Behind a plus:
# where it dies again when the client comes back.
CRASHES = {
    'CreateOfANewFile': stages('CREATE') + ['create.before_persist', 'create.persisted', 'volume.create.inode_written',
                                            'volume.create.dirent_written', 'CREATE.executed+CREATE.executed',
                                            'create.before_persist+create.persisted', 'CREATE.sent+CREATE.sent'],
    'CreateInADirectoryOfItsOwn': ['CREATE.executed:2', 'create.before_persist:2', 'volume.create.inode_written:2'],
    'CreateThatOpens': ['CREATE.executed:2', 'create.before_persist:2', 'create.persisted:2'],
    'CreateThatOverwrites': ['CREATE.executed:2', 'create.before_persist:2', 'create.truncated', 'create.persisted:2',
                             'volume.truncate.size_written', 'volume.truncate.data_removed'],
    'Write': stages('WRITE', 2) + ['write.data_stored:2', 'write.data_stored', 'WRITE.executed:2+reconnect.attached',
                                  'WRITE.received:2+WRITE.executed', 'write.data_stored:2+write.data_stored'],
    'DuplicateExtents': stages('IOCTL') + ['write.data_stored:2', 'IOCTL.executed+IOCTL.executed'],
    'Lock': stages('LOCK') + ['lock.persisted', 'lock.persisted+reconnect.attached', 'LOCK.received+lock.persisted'],
    'SharedLock': ['LOCK.executed', 'lock.persisted'],
    'Unlock': stages('LOCK', 2) + ['lock.persisted:2'],
    'EndOfFileShrinks': stages('SET_INFO') + ['setinfo.stored', 'volume.truncate.size_written',
                                              'volume.truncate.data_removed'],
    'EndOfFileGrows': ['SET_INFO.executed', 'setinfo.stored'],
    'BasicInformation': ['SET_INFO.executed', 'setinfo.stored'],
    'Rename': stages('SET_INFO') + ['volume.rename.reserved', 'volume.rename.committed', 'volume.rename.finished',
                                    'rename.committed', 'rename.recorded', 'rename.committed+SET_INFO.executed'],
    'RenameThatReplaces': ['SET_INFO.executed', 'volume.rename.reserved', 'volume.rename.committed',
                           'volume.rename.replaced_marked', 'rename.committed', 'rename.recorded'],
    'Disposition': ['SET_INFO.executed', 'disposition.persisted'],
    'Close': stages('CLOSE') + ['close.before_remove', 'close.removed', 'close.before_remove+close.removed'],
    'CloseThatDeletes': stages('CLOSE') + ['close.before_remove', 'close.removed', 'volume.unlink.pending',
                                           'volume.unlink.marked', 'volume.unlink.dirent_removed',
                                           'volume.purge.data_removed', 'volume.purge.inode_removed'],
}


class Failed(Exception):
    pass


def environment(bed, kdc=False):
    env = dict(os.environ, HOLDFAST_ADDRESS=bed.address, HOLDFAST_PORT=str(bed.port), HOLDFAST_NAME=NET_NAME)
    for number, user in enumerate(('alice', 'bob'), 1):
        env[f'HOLDFAST_USER{number}'] = user
        env[f'HOLDFAST_PASSWORD{number}'] = USERS[user]
    if kdc:
        env['HOLDFAST_CCACHE'] = bed.ccache('alice')
        env['HOLDFAST_REPLAY_CACHE'] = str(bed.config.parent / 'state/replay-cache')
        env['KRB5_CONFIG'] = str(bed.dir / 'cluster/kdc/krb5.conf')
    return env


class Cases:
    """A run of the case program."""

    def __init__(self, program, bed, suites, kdc=False):
        self.process = subprocess.Popen([program, f'--gtest_filter={suites}', '--gtest_color=no'],
                                        env=environment(bed, kdc), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, text=True, errors='replace')
        self.lines = []
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        for line in self.process.stdout:
            self.lines.append(line)

    def running(self):
        return self.process.poll() is None

    def wait(self, limit):
        try:
            self.process.wait(limit)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            self.lines.append(f'still running after {limit} s\n')
        self.reader.join(10)
        return self.process.returncode

    def count(self):
        passed = re.search(r'\[  PASSED  \] (\d+) test', ''.join(self.lines))
        return int(passed.group(1)) if passed else 0

    def complaint(self):
        text = ''.join(line for line in self.lines if not line.startswith(('[ RUN', '[       OK', '[----')))
        return text[-4000:]


def check_server(bed, may_be_dead=False):
    faults = bed.faults()
    if faults:
        raise Failed('the server complains:\n' + '\n'.join(faults[:5]) + '\n' + bed.log()[-3000:])
    if not may_be_dead and not bed.alive():
        raise Failed('the server died:\n' + bed.log()[-3000:])


def run_group(options, address, group):
    name, suites, kdc, change = group
    with Bed(address, kdc=kdc, binary_dir=options.binary_dir) as bed:
        if change:
            bed.configure(change)
        cases = Cases(options.program, bed, suites, kdc)
        status = cases.wait(240)
        try:
            check_server(bed)
        except Failed as failure:
            raise Failed(f'{failure}\n{cases.complaint()}') from None
        if status != 0 or cases.count() == 0:
            raise Failed(f'exit status {status}\n{cases.complaint()}')
        measured = [line.strip() for line in cases.lines if 'users at work' in line]
        return ', '.join([f'{cases.count()} cases', *measured])


def run_crash(options, bed, case, fault):
    """One case, with the server killing itself at `fault` and started again."""
    points = fault.split('+')
    bed.restart({'HOLDFAST_FAULT': points[0]})
    cases = Cases(options.program, bed, f'Persist.{case}')
    for point, then in zip(points, points[1:] + [None]):
        while bed.alive() and cases.running():
            time.sleep(0.005)
        if bed.alive():
            cases.wait(10)
            raise Failed(f'{point} was not reached\n{cases.complaint()}')
        bed.start({'HOLDFAST_FAULT': then} if then else None)
    status = cases.wait(START_LIMIT)
    check_server(bed)
    if status != 0 or cases.count() != 1:
        raise Failed(f'exit status {status}\n{cases.complaint()}\nserver:\n{bed.log()[-1500:]}')


def run_outages(options, bed):
    """The cases ask for the server's death themselves, by an ECHO."""
    armed = {'HOLDFAST_FAULT': 'ECHO.received'}
    bed.restart(armed)
    cases = Cases(options.program, bed, 'Outage.*')
    end = time.monotonic() + START_LIMIT
    deaths = 0
    while cases.running() and time.monotonic() < end:
        if not bed.alive():
            deaths += 1
            bed.start(armed)
        time.sleep(0.01)
    status = cases.wait(1)
    check_server(bed, may_be_dead=True)
    if status != 0 or cases.count() == 0 or deaths == 0:
        raise Failed(f'exit status {status}\n{cases.complaint()}')
    return f'{cases.count()} cases, {deaths} deaths'


class Report:
    def __init__(self):
        self.lock, self.passed, self.failed = threading.Lock(), 0, 0

    def run(self, name, work):
        started = time.monotonic()
        try:
            detail, well = work() or '', True
        except Failed as failure:
            detail, well = str(failure), False
        except Exception as problem:  # the bed itself: a server that does not start, a KDC that is missing
            detail, well = f'{type(problem).__name__}: {problem}', False
        with self.lock:
            self.passed += well
            self.failed += not well
            seconds = time.monotonic() - started
            print(f"{'passed' if well else 'FAILED'} {name:24} {seconds:6.1f} s  {detail}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--binary-dir', default=str(ROOT / 'build/dev'))
    parser.add_argument('--program', help='protocol_cases (default: of the binary directory)')
    parser.add_argument('--jobs', type=int, default=2, help='servers at a time')
    parser.add_argument('--fault', action='append', help='with a group crash:CASE: only these fault points')
    parser.add_argument('group', nargs='*', help='dialects, sign-in, ..., outages, crash:CASE (default: all)')
    options = parser.parse_args()
    options.program = options.program or options.binary_dir + '/conformance/cases/protocol_cases'

    addresses = queue.Queue()
    for i in range(options.jobs):
        addresses.put(f'{NETWORK}.{BASE + i}')
    report = Report()

    def with_address(name, work):
        address = addresses.get()
        try:
            report.run(name, lambda: work(address))
        finally:
            addresses.put(address)

    def crash_group(case, faults):
        def work(address):
            with Bed(address, binary_dir=options.binary_dir) as bed:
                problems = []
                for fault in faults:
                    try:
                        run_crash(options, bed, case, fault)
                    except Failed as failure:
                        problems.append(f'killed at {fault}: {failure}')
                if problems:
                    raise Failed('\n'.join(problems))
                return f'killed at {len(faults)} points'
        return work

    def outages(address):
        with Bed(address, binary_dir=options.binary_dir) as bed:
            return run_outages(options, bed)

    work = [(g[0], lambda address, g=g: run_group(options, address, g)) for g in GROUPS]
    work.append(('outages', outages))
    work += [(f'crash:{case}', crash_group(case, options.fault or faults)) for case, faults in CRASHES.items()]
    unknown = set(options.group) - {name for name, _ in work}
    if unknown:
        parser.error(f"no group {', '.join(sorted(unknown))}")
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for name, job in work:
            if not options.group or name in options.group:
                pool.submit(with_address, name, job)
    print(f'{report.passed} passed, {report.failed} failed')
    return 1 if report.failed else 0


if __name__ == '__main__':
    sys.exit(main())
