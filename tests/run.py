"""`./dev test [name...]`: builds, runs every part, prints a line for each and one at the end.

Three parts run at a time: the longest of them mostly wait. What measures stalls runs alone, at the end.

Parts are programs of GoogleTest (build/dev), or the scripts of tests/system and conformance, each against a server of its
own. A part that cannot run here says SKIPPED and why. Exit status 0 only when nothing failed.
"""
import argparse
import concurrent.futures
import os
import pathlib
import re
import signal
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
BUILD = ROOT / 'build/dev'
LOGS = ROOT / 'build/test-logs'

# name, what it shows, command (relative to the root), limit in seconds; what waits most comes early
PARTS = [
    ('repository', 'the maps tell the truth', ['python3', 'tests/repository_test.py'], 60),
    ('smbtorture', 'the ledger: nothing fails that it does not list, nothing passes that it lists as failing',
     ['python3', 'conformance/smbtorture/run.py', '--ledger'], 900),
    ('protocol', 'wire formats, crypto, security descriptors', ['build/dev/tests/protocol/protocol_test'], 300),
    ('auth', 'NTLM, Kerberos, PAC', ['build/dev/tests/auth/auth_test'], 300),
    ('engine', 'both engines, power cuts, SIGKILL', ['build/dev/tests/storage/engine/engine_test'], 300),
    ('threads', 'engine, signing and sign-in on many threads, under TSan (builds them)', ['tests/threads/run'], 900),
    ('volume', 'namespace, streams, crashes at every write', ['build/dev/tests/storage/volume/volume_test'], 300),
    ('files', 'MS-FSA semantics, persistent opens', ['build/dev/tests/storage/files/files_test'], 300),
    ('fuzz', 'every fuzz target over the inputs kept of it', ['build/dev/tests/fuzz/fuzz_test'], 120),
    ('server', 'pipes, information classes, pipeline', ['build/dev/tests/server/server_test'], 300),
    ('errors', 'bad configuration, busy port, full disk, missing keytab, damaged volume',
     ['python3', 'tests/system/errors_test.py'], 300),
    ('client', 'our client: dialects, ciphers, limits, credits, crashes at every stage',
     ['python3', 'tests/system/client_test.py'], 600),
    ('smbclient', 'smbclient by NTLM and Kerberos: a tree of 10,000 files, a file of 4 GiB',
     ['python3', 'tests/system/smbclient_test.py'], 900),
    ('kernel-client', 'the SMB client of Linux in a VM: a tree, fio and locks under five kills, leases of two mounts',
     ['conformance/run', 'kernel-client', '--short'], 600),
    ('demo', 'five kills under a VHDX', ['python3', 'conformance/testbed/demo.py', '--port', '4451', '--base', '127.0.0.81'], 300),
]
ALONE = {'demo'}
SIDE_BY_SIDE = 3


def run_part(name, command, limit):
    LOGS.mkdir(parents=True, exist_ok=True)
    log = LOGS / f'{name}.log'
    started = time.monotonic()
    with open(log, 'wb') as out:
        process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT,
                                   start_new_session=True)
        try:
            status = process.wait(limit)
        except subprocess.TimeoutExpired:
            for how in (signal.SIGTERM, signal.SIGKILL):
                try:
                    os.killpg(process.pid, how)
                    process.wait(10)
                    break
                except (subprocess.TimeoutExpired, ProcessLookupError):
                    continue
            status = f'no end within {limit} s'
    text = log.read_text(errors='replace')
    counted = re.findall(r'\[  PASSED  \] (\d+) test', text)
    detail = f'{counted[-1]} tests' if counted else (text.strip().splitlines() or [''])[-1][:120]
    if status == 0 and detail.startswith('SKIPPED'):
        return 'skipped', detail, time.monotonic() - started, log
    return ('passed' if status == 0 else 'failed'), detail if status == 0 else f'status {status}: {detail}', \
        time.monotonic() - started, log


def main():
    parser = argparse.ArgumentParser(prog='./dev test', description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('name', nargs='*')
    parser.add_argument('--list', action='store_true')
    parser.add_argument('--no-build', action='store_true')
    options = parser.parse_args()
    if options.list:
        for name, shows, _, _ in PARTS:
            print(f'{name:13} {shows}')
        return 0
    unknown = set(options.name) - {p[0] for p in PARTS}
    if unknown:
        print(f"./dev test: no part named {', '.join(sorted(unknown))}; ./dev test --list", file=sys.stderr)
        return 2
    started = time.monotonic()
    if not options.no_build:
        status = subprocess.call([ROOT / 'dev', 'build', 'dev'], stdin=subprocess.DEVNULL)
        if status:
            return status
    counts = {'passed': 0, 'failed': 0, 'skipped': 0}

    def report(name, result, detail, seconds, log):
        counts[result] += 1
        print(f'{result:8} {name:13} {seconds:6.1f} s  {detail}', flush=True)
        if result == 'failed':
            print(''.join('    ' + l for l in log.read_text(errors='replace').splitlines(keepends=True)[-40:]))
            print(f'    (all of it: {log})', flush=True)

    chosen = [part for part in PARTS if not options.name or part[0] in options.name]
    with concurrent.futures.ThreadPoolExecutor(SIDE_BY_SIDE) as lanes:
        running = {lanes.submit(run_part, name, command, limit): name
                   for name, _, command, limit in chosen if name not in ALONE}
        for part in concurrent.futures.as_completed(running):
            report(running[part], *part.result())
    for name, _, command, limit in chosen:
        if name in ALONE:
            report(name, *run_part(name, command, limit))
    print(f'in {time.monotonic() - started:.0f} s')
    print(f"{counts['passed']} passed, {counts['failed']} failed, {counts['skipped']} skipped")
    return 1 if counts['failed'] else 0


if __name__ == '__main__':
    sys.exit(main())
