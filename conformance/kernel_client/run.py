"""The SMB client of the Linux kernel, in a small VM, against a server of its own that is killed under it.

    conformance/run kernel-client            every mount of ROUNDS
    conformance/run kernel-client --short    the first one alone, as ./dev test runs it
    conformance/run kernel-client --round NAME...

The VM boots Debian's own kernel (initramfs.py) with KVM or, where that does not work, in emulation (vm.py): a judge of
correctness, not of speed. Server and VM live in a network namespace of this run. The first round mounts a continuously
available share as a user does, sealed and with persistent handles; the client holds leases and caches. A tree is copied
there and back, fio writes and verifies while the server gets SIGKILL and is started again five times, one handle with a
lock is held all the while, and file_cases.cc asks what programs expect of a file system. Last line: SKIPPED and why when
qemu is not installed, else the counts.
"""
import argparse
import os
import pathlib
import queue
import random
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(ROOT / 'tests/system'))
from bed import USERS, Bed  # noqa: E402
from initramfs import KERNELS, Unavailable, prepare  # noqa: E402
from vm import QEMU, Vm  # noqa: E402

CACHE = ROOT / 'build/kernel-client'
ADDRESSES = ('10.77.0.1', '10.77.1.1')
INSIDE = 'HOLDFAST_KERNEL_CLIENT_NAMESPACE'
ROUND_SECONDS = 1200
STALL_SECONDS = 0.5
ALL = ('tree', 'verify', 'files', 'neighbours', 'acl')
# What a mount needs so that programs may call fsync at the moment of a kill, and wait for a server that is away for long.
PERSISTENT = 'persistenthandles,nostrictsync,hard'
# name, share, mount options, cases
ROUNDS = [
    ('sealed, persistent handles', 'profiles', 'vers=3.1.1,seal,persistenthandles',
     ('tree', 'kills', 'forgotten', 'files', 'neighbours', 'acl')),
    ('the same with fsync', 'profiles', f'vers=3.1.1,seal,{PERSISTENT}', ('kills', 'build')),
    ('3.1.1 signed', 'scratch', 'vers=3.1.1,sign', (*ALL, 'build', 'listing')),
    ('3.1.1 no cache', 'scratch', 'vers=3.1.1,cache=none', ALL),
    ('3.1.1 loose cache', 'scratch', 'vers=3.1.1,cache=loose', ('tree', 'verify')),
    ('3.1.1 socket of its own', 'scratch', 'vers=3.1.1,nosharesock', ('tree', 'verify')),
    ('3.1.1 small requests', 'profiles', f'vers=3.1.1,seal,{PERSISTENT},rsize=16384,wsize=16384', ('tree', 'kills')),
    ('3.1.1 two channels', 'profiles', f'vers=3.1.1,multichannel,max_channels=2,{PERSISTENT}', ('tree', 'kills')),
    ('3.1.1 required encryption', 'secure', 'vers=3.1.1,seal', ('tree', 'verify')),
    ('3.0.2 sealed, persistent handles', 'profiles', f'vers=3.0.2,seal,{PERSISTENT}', ('tree', 'kills', 'files')),
    ('3.0 sealed', 'scratch', 'vers=3.0,seal', ALL),
    ('2.1', 'scratch', 'vers=2.1', ('tree', 'verify', 'acl')),  # no fallocate in the client below 3.0
    ('2.0.2', 'scratch', 'vers=2.0', ('tree', 'verify')),
    ('resilient handles', 'profiles', 'vers=3.1.1,resilienthandles', ('tree', 'verify')),
]


def enter_namespace():
    """Starts this program again where it has loopback and two addresses, and no way out."""
    command = ['unshare', '--net', '--']
    if os.geteuid() != 0:
        command[1:1] = ['--user', '--map-root-user']
    os.execvpe(command[0], [*command, sys.executable, __file__, *sys.argv[1:]], dict(os.environ, **{INSIDE: '1'}))


def make_network():
    def ip(*words):
        subprocess.run(['ip', *words], check=True)
    ip('link', 'set', 'lo', 'up')
    for number, address in enumerate(ADDRESSES):
        ip('link', 'add', f'net{number}', 'type', 'veth', 'peer', 'name', f'peer{number}')
        ip('address', 'add', f'{address}/24', 'dev', f'net{number}')
        ip('link', 'set', f'net{number}', 'up')
        ip('link', 'set', f'peer{number}', 'up')


def file_cases():
    """file_cases.cc and its parts as a static program: the VM has no libraries for it."""
    program = CACHE / 'file_cases'
    sources = sorted(HERE.glob('*.cc'))
    changed = max(path.stat().st_mtime for path in (*sources, *HERE.glob('*.h')))
    if not program.exists() or program.stat().st_mtime < changed:
        program.parent.mkdir(parents=True, exist_ok=True)
        part = program.with_suffix(f'.{os.getpid()}')
        subprocess.run(['g++', '-std=c++20', '-O1', '-static', '-Wall', '-Wextra', f'-I{ROOT}', *sources, '-o', part],
                       check=True)
        os.replace(part, program)
    return program.read_bytes()


def compiler():
    """What turns C into a program, by its paths here."""
    cc1 = subprocess.run(['g++', '-print-prog-name=cc1'], check=True, capture_output=True, text=True).stdout.strip()
    return cc1, 'as', 'ld'


class Judge:
    def __init__(self, options, bed):
        self.options, self.bed = options, bed
        self.random = random.Random(options.seed)
        self.passed = self.failed = 0

    def writes(self):
        """WRITEs the server has answered since it started."""
        with urllib.request.urlopen(f'http://{ADDRESSES[0]}:9001/metrics', timeout=10) as answer:
            text = answer.read().decode()
        return int(re.search(r'holdfast_requests_total\{command="WRITE"\} (\d+)', text).group(1))

    def kill(self):
        """SIGKILL in the middle of writing, and a new start.

        The process is stopped first, and dies where it was stopped, while its peer notices later, as with a machine
        that dies: a request whose send meets the reset is not repeated by the client, whatever the server does."""
        after = self.writes() + self.random.randint(3, 25)
        end = time.monotonic() + 60
        while self.writes() < after:
            if time.monotonic() > end:
                self.fail('no write reached the server within 60 s')
                break
            time.sleep(0.02)
        self.restart()

    def restart(self):
        os.kill(self.bed.pid(), signal.SIGSTOP)
        time.sleep(STALL_SECONDS)
        self.bed.restart()

    def fail(self, text):
        self.failed += 1
        print(f'FAILED {text}', flush=True)

    def run(self, rounds):
        settings = {'ADDRESS': ADDRESSES[0], 'USER': 'alice', 'PASSWORD': USERS['alice'],
                    'OTHER_USER': 'bob', 'OTHER_PASSWORD': USERS['bob'],
                    'ENTRIES': 200, 'FILES': 40 if self.options.short else 500,
                    'KILLS': self.options.kills, 'LEASES': 'N' if self.options.no_leases else 'Y'}
        main = '. /job/rounds.sh\n'
        for name, share, options, cases in rounds:
            main += f'round {shlex.quote(name)} {share} {options} {" ".join(cases)}\n'
        files = {'settings': ''.join(f'{k}={shlex.quote(str(v))}\n' for k, v in settings.items()).encode(),
                 'main': main.encode(), 'file_cases': file_cases()}
        for path in sorted((HERE / 'guest').iterdir()):
            files[path.name] = path.read_bytes()
        started = time.monotonic()
        programs = compiler() if any('build' in cases for *_, cases in rounds) else ()
        with Vm(CACHE, self.options.kernel, files, programs) as vm:
            print(f'{vm.package} by {vm.accelerator}, up after {time.monotonic() - started:.1f} s', flush=True)
            self.listen(vm, len(rounds))
        expected = sum(len(cases) for _, _, _, cases in rounds)
        if self.passed + self.failed < expected:
            self.fail(f'{expected} cases were to run, {self.passed + self.failed} did')
        faults = self.bed.faults()
        if faults or not self.bed.alive():
            self.fail('the server: ' + '\n'.join(faults[:5] or ['died']) + '\n' + self.bed.log()[-3000:])

    def listen(self, vm, rounds):
        """Follows the job to its end, which is the end of the VM."""
        end = time.monotonic() + ROUND_SECONDS * rounds
        ended = False
        while True:
            try:
                line = vm.next_line(end - time.monotonic())
            except queue.Empty:
                return self.fail(f'the VM is not done in time\n{vm.words()}')
            if line is None:
                if not ended:
                    self.fail(f'the VM ended before its job\n{vm.words()}')
                return None
            if line.startswith('::passed '):
                self.passed += 1
                print(f'passed {line[9:]}', flush=True)
            elif line.startswith('::failed '):
                self.fail(line[9:])
            elif line in ('::host kill', '::host restart'):
                (self.kill if line == '::host kill' else self.restart)()
                vm.say('done')
            elif line.startswith('::end '):
                ended = True
            else:
                print(f'    {line}', flush=True)


def main():
    parser = argparse.ArgumentParser(prog='conformance/run kernel-client', description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--short', action='store_true', help='the first round alone, with fewer files')
    parser.add_argument('--round', nargs='+', metavar='NAME', help='only rounds whose names contain one of these')
    parser.add_argument('--case', nargs='+', metavar='CASE',
                        help='only these cases: tree, kills, forgotten, verify, files, neighbours, acl, build, listing')
    parser.add_argument('--kernel', choices=list(KERNELS), default='6.1', help='series of the kernel (6.1)')
    parser.add_argument('--kills', type=int, default=5, metavar='N', help='SIGKILLs in a round with kills (5)')
    parser.add_argument('--no-leases', action='store_true', help='the client asks for no leases and caches nothing')
    parser.add_argument('--seed', type=int, default=1, help='for the moments of the kills (1)')
    parser.add_argument('--binary-dir', default=str(ROOT / 'build/dev'), help='(build/dev)')
    options = parser.parse_args()
    rounds = ROUNDS[:1] if options.short else ROUNDS
    if options.round:
        rounds = [r for r in ROUNDS if any(name in r[0] for name in options.round)]
        if not rounds:
            parser.error(f"no round {' '.join(options.round)}; there are: " + '; '.join(r[0] for r in ROUNDS))
    if options.case:
        rounds = [(*r[:3], [case for case in r[3] if case in options.case]) for r in rounds]
    if shutil.which(QEMU) is None:
        print(f'SKIPPED {QEMU} is not installed (./dev setup)')
        return 0
    if INSIDE not in os.environ:
        try:
            prepare(CACHE / options.kernel)    # the last step that needs a way out
        except Unavailable as problem:
            print(f'FAILED {problem}')
            return 1
        enter_namespace()
    make_network()
    with Bed(ADDRESSES[0], binary_dir=options.binary_dir) as bed:
        bed.configure(lambda text: text.replace(f'listen = ["{ADDRESSES[0]}:445"]',
                                                'listen = [' + ', '.join(f'"{a}:445"' for a in ADDRESSES) + ']'))
        judge = Judge(options, bed)
        try:
            judge.run(rounds)
        except Unavailable as problem:
            judge.fail(str(problem))
    print(f'{judge.passed} passed, {judge.failed} failed')
    return 1 if judge.failed else 0


if __name__ == '__main__':
    sys.exit(main())
