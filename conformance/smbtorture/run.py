"""smbtorture against one node, case by case, beside the ledger cases.csv.

    conformance/smbtorture/run.py --ledger             every suite of the ledger; exit 1 on a difference
    conformance/smbtorture/run.py --ledger smb2.read   only these suites or cases
    conformance/smbtorture/run.py --update SUITE...    writes what was seen into the ledger; reasons stay

The ledger's columns: suite, case, embedded, rados, samba, reason, section. A result is pass, fail or skip ("-": not run);
samba is what smbd 4.17 does in the same configuration: one share, a plain user, no --target. Every fail has a reason, and a
case that is expected to fail and passes is a difference too. smbtorture runs as a plain user on the share `scratch`;
cases of SHARES run on another one. Signing is optional, as in smbd's configuration: with a mandatory signature smbtorture
calls every unsigned refusal of a session that is gone ACCESS_DENIED.
"""
import argparse
import csv
import json
import pathlib
import re
import selectors
import os
import signal
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / 'tests/system'))
from bed import USERS, Bed  # noqa: E402

LEDGER = HERE / 'cases.csv'
COLUMNS = ['suite', 'case', 'embedded', 'rados', 'samba', 'reason', 'section']
# These look whether the share is continuously available, and then demand that every handle is persistent.
SHARES = {'smb2.durable-v2-open.persistent-open-oplock': 'profiles', 'smb2.durable-v2-open.persistent-open-lease': 'profiles'}
CASE_SECONDS = 120
EVENT = re.compile(r'^(test|success|successful|failure|error|skip|knownfail|xfail): (.*)$')
RESULT = {'success': 'pass', 'successful': 'pass', 'failure': 'fail', 'error': 'fail', 'skip': 'skip', 'knownfail': 'fail',
          'xfail': 'fail'}


def read_ledger():
    with open(LEDGER, newline='') as f:
        return {row['case']: row for row in csv.DictReader(f)}


def write_ledger(rows):
    tmp = LEDGER.with_suffix('.part')
    with open(tmp, 'w', newline='') as f:
        out = csv.DictWriter(f, COLUMNS, lineterminator='\n')
        out.writeheader()
        for case in sorted(rows):
            out.writerow(rows[case])
    os.replace(tmp, LEDGER)


def listed_cases():
    """All full names smbtorture knows; --list doubles the last component of a case."""
    text = subprocess.run(['smbtorture', '--list'], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                          stdin=subprocess.DEVNULL, text=True, check=True).stdout
    names = []
    for line in text.splitlines():
        parts = line.split('.')
        for n in range(len(parts) // 2, 0, -1):
            if parts[-n:] == parts[-2 * n:-n]:
                parts = parts[:-n]
                break
        names.append('.'.join(parts))
    return names


def suite_of(case):
    return '.'.join(case.split('.')[:2])


class Torture:
    """Runs cases in as few processes as it can: a new one only behind a crash or a case that does not end."""

    def __init__(self, bed):
        self.bed = bed
        self.tmp = tempfile.TemporaryDirectory(prefix='holdfast-torture.')
        self.auth = pathlib.Path(self.tmp.name) / 'auth'
        self.auth.write_text(f"username = alice\npassword = {USERS['alice']}\n")

    def run(self, suite, cases):
        found = {}
        for share in sorted({SHARES.get(case, 'scratch') for case in cases}):
            found.update(self.run_on(share, suite, [c for c in cases if SHARES.get(c, 'scratch') == share]))
        return found

    def run_on(self, share, suite, cases):
        found, left = {}, list(cases)
        while left:
            done, why = self.process(share, suite, left)
            found.update({c: done[c] for c in left if c in done})
            rest = [c for c in left if c not in found]
            if rest and len(rest) == len(left):
                found[rest[0]] = ('fail', f'smbtorture would not run it: {why}')
                rest = rest[1:]
            left = rest
        return found

    def process(self, share, suite, cases):
        only = pathlib.Path(self.tmp.name) / 'cases'
        only.write_text('\n'.join(cases) + '\n')
        command = ['smbtorture', f'//{self.bed.address}/{share}', '-s', os.devnull, '-A', self.auth,
                   f'--smb-ports={self.bed.port}', '--format=subunit', '--fullname', f'--basedir={self.tmp.name}', '--seed=42',
                   '--option=torture:progress=no', '--option=torture:user2name=bob',
                   f"--option=torture:user2password={USERS['bob']}", f'--load-list={only}', suite]
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                   start_new_session=True)
        os.set_blocking(process.stdout.fileno(), False)
        selector = selectors.DefaultSelector()
        selector.register(process.stdout, selectors.EVENT_READ)
        done, running, since, buffer, detail, why = {}, None, time.monotonic(), b'', None, ''

        def finish(name, result, reason):
            nonlocal running, since
            if done.get(name, ('',))[0] != 'fail':       # set-up and case may both report: the worse one stays
                done[name] = (result, reason)
            running, since = None, time.monotonic()

        while True:
            if time.monotonic() - since > CASE_SECONDS:
                why = f'no result in {CASE_SECONDS} s'
                break
            if not selector.select(0.5):
                if process.poll() is not None:
                    break
                continue
            data = process.stdout.read()
            if data is None:
                continue
            if not data:
                break
            *lines, buffer = (buffer + data).split(b'\n')
            for line in (l.decode('utf-8', 'replace').rstrip('\r') for l in lines):
                if detail is not None:
                    if line == ']':
                        finish(detail[0], detail[1], ' | '.join(filter(None, (x.strip() for x in detail[2]))))
                        detail = None
                    else:
                        detail[2].append(line)
                    continue
                event = EVENT.match(line)
                if not event:
                    continue
                word, name = event.groups()
                if word == 'test':
                    running, since = name, time.monotonic()
                elif name.endswith(' ['):
                    detail = (name[:-2], RESULT[word], [])
                else:
                    finish(name, RESULT[word], '')
        for how in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(process.pid, how)
                process.wait(2)
                break
            except (ProcessLookupError, subprocess.TimeoutExpired):
                continue
        process.wait()
        if not why:
            why = f'smbtorture ended with {process.returncode}'
        if running is not None:
            done[running] = ('fail', why)
        return done, why


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('what', nargs='*', help='suites or cases')
    mode = parser.add_mutually_exclusive_group(required=True)
    mode.add_argument('--ledger', action='store_true')
    mode.add_argument('--update', action='store_true')
    parser.add_argument('--json')
    parser.add_argument('--binary-dir')
    parser.add_argument('--base', default='127.0.0.71')
    options = parser.parse_args()
    ledger = read_ledger()
    if options.update:
        cases = [c for c in listed_cases() if any(c == w or c.startswith(w + '.') for w in options.what)]
    else:
        cases = [c for c, row in ledger.items() if row['embedded'] in ('pass', 'fail', 'skip')
                 and (not options.what or any(c == w or c.startswith(w + '.') for w in options.what))]
    suites = {}
    for case in cases:
        suites.setdefault(suite_of(case), []).append(case)

    seen, differences = {}, []
    with Bed(options.base, binary_dir=options.binary_dir, signing_optional=True) as bed:
        torture = Torture(bed)
        for suite, members in suites.items():
            started = time.monotonic()
            found = torture.run(suite, members)
            if options.ledger:
                # Once more alone, before a difference is believed: smbtorture itself is not always steady.
                for case in members:
                    if found[case][0] != ledger[case]['embedded']:
                        found.update(torture.run(suite, [case]))
            seen.update(found)
            counts = {r: sum(v[0] == r for v in found.values()) for r in ('pass', 'fail', 'skip')}
            print(f"{suite:32} {counts['pass']:3} passed {counts['fail']:3} failed {counts['skip']:3} skipped "
                  f'{time.monotonic() - started:6.1f} s', flush=True)
    for case, (result, reason) in sorted(seen.items()):
        row = ledger.setdefault(case, dict.fromkeys(COLUMNS, ''))
        if options.update:
            row.update(suite=suite_of(case), case=case, embedded=result, rados=row['rados'] or '-', samba=row['samba'] or '-')
            if result == 'fail':
                print(f'  {case}: {reason}')
                row['reason'] = row['reason'] or 'TO EXPLAIN: ' + reason
            else:
                row['reason'], row['section'] = '', ''
        elif result != row['embedded']:
            differences.append(f"{case}: the ledger says {row['embedded']}, seen {result}{': ' + reason if reason else ''}")
    if options.update:
        write_ledger(ledger)
    passed = sum(v[0] == 'pass' for v in seen.values())
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps(
            {'cases': {c: {'result': r, 'reason': why} for c, (r, why) in sorted(seen.items())}, 'differences': differences},
            indent=1))
    for difference in differences:
        print(difference)
    print(f'{passed} of {len(seen)} cases pass; {len(differences)} differences from the ledger')
    return 1 if differences else 0


if __name__ == '__main__':
    sys.exit(main())
