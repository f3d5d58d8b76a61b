"""smbtorture against one node, case by case, beside the ledger cases.csv. conformance/run smbtorture is the way in.

    conformance/run smbtorture                       every case of the ledger that has a result; exit 1 on a difference
    conformance/run smbtorture smb2.read             only these suites or cases
    conformance/run smbtorture --update SUITE...     writes what was seen into the ledger; reasons stay
    conformance/run smbtorture --try SUITE...        runs and compares with Samba's column, changes nothing
    conformance/run smbtorture --suites              the suites, and how many cases of each have a result

The ledger's columns: suite, case, embedded, rados, samba, reason, section. A result is pass, fail or skip ("-": not run);
samba is what smbd 4.17 does in the same configuration: one share, a plain user, no --target. Every fail has a reason, and a
case that is expected to fail and passes is a difference too. A case that behaves differently from the ledger is run once more,
alone, before that is believed.

Suites run side by side, --jobs at a time, each worker with servers of its own; most of the time a suite waits.
One server a bed; BEDS says how they differ from the server's defaults, CASES and SUITES what runs where. A server or smbtorture
that dies, or a case without a result in its time, costs that case alone: both are started again and the rest goes on.
"""
import argparse
import collections
import concurrent.futures
import csv
import json
import os
import pathlib
import re
import selectors
import signal
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / 'tests/system'))
from bed import NET_NAME, USERS, Bed  # noqa: E402

LEDGER = HERE / 'cases.csv'
COLUMNS = ['suite', 'case', 'embedded', 'rados', 'samba', 'reason', 'section']
RAN = ('pass', 'fail', 'skip')
CASE_SECONDS = 120
EVENT = re.compile(r'^(test|success|successful|failure|error|skip|knownfail|xfail): (.*)$')
RESULT = {'success': 'pass', 'successful': 'pass', 'failure': 'fail', 'error': 'fail', 'skip': 'skip', 'knownfail': 'fail',
          'xfail': 'fail'}

# The server's defaults but for what is said here. On every bed the plain user has all rights to the roots of the shares, though
# not by inheritance to what is in them: the cases remove files whose descriptor leaves them nothing.
BEDS = {
    'default': '',
    'old write times': 'write_time_delay_ms = 2000',
    'kerberos': '',  # with a KDC, and smbtorture in a mount namespace of its own, whose /etc/hosts knows the server's name
}
REALM = 'KERBEROS.MICROSOFTONLINE.COM'
# What needs another bed, share, user or time than is usual; a case goes before its suite. The reasons are smbtorture's:
# - smb2.timestamps of 4.17 wants the write times of Windows before 1809 (docs/decisions/0005).
# - What lets a session expire has tickets that end.
# - persistent-open-* and replay5 want persistence, and a share that is continuously available.
# - Three cases give a file to Everyone, which takes SeRestorePrivilege.
# - smb2.maxfid opens 65,520 files, which takes a sanitized build too long: --whole has them all.
# - bug14788 asks on a share to whose root the user has no rights.
CLOSED = 'scaleout'
Place = collections.namedtuple('Place', 'bed share user seconds torture',
                               defaults=('default', 'scratch', 'alice', CASE_SECONDS, ()))
PLACES = {
    'smb2.acls.ACCESSBASED': Place(share='hideunread'),
    'smb2.acls.SDFLAGSVSCHOWN': Place(user='admin'),
    'smb2.create.acldir': Place(user='admin'),
    'smb2.create.aclfile': Place(user='admin'),
    'smb2.compound_find.compound_find_close': Place(seconds=300),
    'smb2.durable-v2-open.persistent-open-lease': Place(share='profiles'),
    'smb2.durable-v2-open.persistent-open-oplock': Place(share='profiles'),
    **{f'smb2.ioctl.bug14788.{case}': Place(torture=(f'noperm_share={CLOSED}',))
       for case in ('NETWORK_INTERFACE', 'VALIDATE_NEGOTIATE')},
    'smb2.maxfid': Place(seconds=600, torture=('maxopenfiles=8192',)),
    **{f'smb2.session.{case}': Place(bed='kerberos')
       for case in ('expire1n', 'expire1s', 'expire1e', 'expire2s', 'expire2e', 'expire_disconnect')},
    'smb2.replay.replay5': Place(share='profiles'),
    'smb2.timestamps': Place(bed='old write times'),
}
# No tests: explorers, benchmarks and tools that hold on to files for others.
NOT_TESTS = ('smb2.scan', 'smb2.bench', 'smb2.hold-oplock', 'smb2.hold-sharemode', 'smb2.check-sharemode', 'smb2.set-sparse-ioctl',
             'smb2.zero-data-ioctl', 'smb2.durable-open-disconnect', 'smb2.timestamp_resolution')


# ---- the ledger -----------------------------------------------------------------------------------------------------

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


def suite_of(case):
    return '.'.join(case.split('.')[:2])


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


def selected(cases, wanted):
    """Those of `cases` that are named or lie below a name; all when nothing is named."""
    for word in wanted:
        if not any(c == word or c.startswith(word + '.') for c in cases):
            sys.exit(f'{word}: no such suite or case here')
    return [c for c in cases if not wanted or any(c == w or c.startswith(w + '.') for w in wanted)]


# ---- servers --------------------------------------------------------------------------------------------------------

class Servers:
    """The beds that one worker uses, started when first needed."""

    def __init__(self, options, worker):
        self.options = options
        self.worker = worker
        self.beds = {}
        self.faults = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for name, bed in self.beds.items():
            self.look_at_log(name)
            bed.__exit__()

    def get(self, name):
        if name not in self.beds:
            parts = [int(x) for x in self.options.base.split('.')]
            parts[2] += self.worker
            parts[3] += list(BEDS).index(name)
            bed = Bed('.'.join(map(str, parts)), kdc=name == 'kerberos', binary_dir=self.options.binary_dir)
            bed.__enter__()
            self.beds[name] = bed
            if BEDS[name]:
                key = BEDS[name].split(' = ')[0]
                bed.configure(lambda text: BEDS[name] + '\n' + re.sub(f'(?m)^{key} = .*\n', '', text))
            for share in {place.share for place in PLACES.values()} | {'scratch'}:
                self.set_root(bed, share, '-a', 'ACL:S-1-5-11:0/0/0x001f01ff')
            self.set_root(bed, CLOSED, '-S', 'ACL:S-1-5-32-544:0/0/0x001f01ff')
        return self.beds[name]

    @staticmethod
    def set_root(bed, share, *change):
        auth = bed.dir / 'auth.admin'
        auth.write_text(f"username = admin\npassword = {USERS['admin']}\n")
        command = ['smbcacls', f'//{bed.address}/{share}', '', '-s', os.devnull, '-A', auth, f'--option=smb ports={bed.port}',
                   '--numeric', *change]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f'smbcacls on the root of {share}: {done.stdout}{done.stderr}')

    def look_at_log(self, name):
        found = self.beds[name].faults()
        self.faults += [f'{name}: {line}' for line in found if f'{name}: {line}' not in self.faults]

    def revive(self, name):
        """Whether the server of the bed had died; then it serves again."""
        if name not in self.beds or self.beds[name].alive():
            return False
        self.look_at_log(name)
        self.beds[name].start()
        return True


# ---- smbtorture -----------------------------------------------------------------------------------------------------

class Torture:
    """Runs cases in as few processes as it can: a new one only behind a death or a case that does not end."""

    def __init__(self, servers):
        self.servers = servers
        self.tmp = tempfile.TemporaryDirectory(prefix='holdfast-torture.')

    def run(self, suite, place, cases):
        """case -> (result, reason)"""
        found, left = {}, list(cases)
        while left:
            bed = self.servers.get(place.bed)
            done, running, why = Process(self.tmp.name, bed, suite, place, left).run()
            if self.servers.revive(place.bed):
                why = f'the server died: {why}'
                # It may have been answered in time and still have been the one.
                done[running or (list(done) or left)[-1]] = ('fail', why)
            elif running is not None:
                done[running] = ('fail', why)
            found.update({c: done[c] for c in left if c in done})
            rest = [c for c in left if c not in found]
            if rest and len(rest) == len(left):
                found[rest[0]] = ('fail', f'smbtorture would not run it: {why}')
                rest = rest[1:]
            left = rest
        return found


class Process:
    """One smbtorture and what it says."""

    def __init__(self, tmp, bed, suite, place, cases):
        self.place = place
        auth, only = pathlib.Path(tmp) / 'auth', pathlib.Path(tmp) / 'cases'
        auth.write_text(f'username = {place.user}\npassword = {USERS[place.user]}\n')
        only.write_text('\n'.join(cases) + '\n')
        host, prefix, self.environment = bed.address, [], os.environ
        if place.bed == 'kerberos':
            hosts = pathlib.Path(tmp) / 'hosts'
            hosts.write_text(f'127.0.0.1 localhost\n{bed.address} {NET_NAME}\n')
            host = NET_NAME
            prefix = ['unshare', '--mount', 'sh', '-c', 'mount --bind "$0" /etc/hosts && exec "$@"', hosts]
            self.environment = dict(os.environ, KRB5_CONFIG=str(bed.dir / 'cluster/kdc/krb5.conf'))
            auth.write_text(f'username = {place.user}@{REALM}\npassword = {USERS[place.user]}\n')
        self.command = [*prefix, 'smbtorture', f'//{host}/{place.share}', '-s', os.devnull, '-A', auth, f'--smb-ports={bed.port}',
                        '--format=subunit', '--fullname', f'--basedir={tmp}', '--seed=42', '--option=torture:progress=no',
                        '--option=torture:user2name=bob', f"--option=torture:user2password={USERS['bob']}",
                        *(f'--option=torture:{option}' for option in place.torture), f'--load-list={only}', suite]
        if place.bed == 'kerberos':
            self.command += ['--use-kerberos=required', f'--realm={REALM}']
        self.done, self.running, self.since, self.detail = {}, None, time.monotonic(), None

    def run(self):
        """(case -> (result, reason), the case it ended in, why it ended)"""
        process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                   start_new_session=True, env=self.environment)
        os.set_blocking(process.stdout.fileno(), False)
        selector = selectors.DefaultSelector()
        selector.register(process.stdout, selectors.EVENT_READ)
        buffer, why = b'', ''
        while True:
            if time.monotonic() - self.since > self.place.seconds:
                why = f'no result in {self.place.seconds} s'
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
            for line in lines:
                self.take(line.decode('utf-8', 'replace').rstrip('\r'))
        end_group(process)
        return self.done, self.running, why or f'smbtorture ended with {process.returncode}'

    def take(self, line):
        if self.detail is not None:
            if line == ']':
                name, result, text = self.detail
                self.detail = None
                self.finish(name, result, ' | '.join(filter(None, (x.strip() for x in text))))
            else:
                self.detail[2].append(line)
            return
        event = EVENT.match(line)
        if not event:
            return
        word, name = event.groups()
        if word == 'test':
            self.running, self.since = name, time.monotonic()
        elif name.endswith(' ['):
            self.detail = (name[:-2], RESULT[word], [])
        else:
            self.finish(name, RESULT[word], '')

    def finish(self, name, result, reason):
        if self.done.get(name, ('',))[0] != 'fail':       # set-up and case may both report: the worse one stays
            self.done[name] = (result, reason)
        self.running, self.since = None, time.monotonic()


def end_group(process):
    for how in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, how)
            process.wait(2)
            break
        except (ProcessLookupError, subprocess.TimeoutExpired):
            continue
    process.wait()
    process.stdout.close()


# ---- a run ----------------------------------------------------------------------------------------------------------

def place_of(case, whole):
    place = PLACES.get(case) or PLACES.get(suite_of(case)) or Place()
    if not whole:
        return place
    return place._replace(torture=tuple(o for o in place.torture if not o.startswith('maxopenfiles')), seconds=2 * place.seconds)


def run_suite(suite, places, expected, servers):
    """case -> (result, reason). `expected` decides what is run a second time."""
    started, found, torture = time.monotonic(), {}, Torture(servers)
    for place, members in places.items():
        found.update(torture.run(suite, place, members))
        for case in members:
            if case in expected and found[case][0] != expected[case]:
                found.update(torture.run(suite, place, [case]))
    counts = collections.Counter(result for result, _ in found.values())
    print(f"{suite:32} {counts['pass']:3} passed {counts['fail']:3} failed {counts['skip']:3} skipped "
          f'{time.monotonic() - started:6.1f} s', flush=True)
    return found


def run_cases(cases, expected, options):
    """case -> (result, reason), and what the servers' logs complain of."""
    suites = collections.defaultdict(lambda: collections.defaultdict(list))
    for case in cases:
        suites[suite_of(case)][place_of(case, options.whole)].append(case)
    # What has many cases mostly takes longest: it comes first, lest one worker is left alone with it at the end.
    left = collections.deque(sorted(suites, key=lambda suite: -sum(map(len, suites[suite].values()))))
    seen, faults = {}, []

    def work(worker):
        with Servers(options, worker) as servers:
            while left:
                suite = left.popleft()
                seen.update(run_suite(suite, suites[suite], expected, servers))
        faults.extend(servers.faults)

    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for done in [pool.submit(work, worker) for worker in range(min(options.jobs, len(suites)))]:
            done.result()
    return seen, faults


def compare_with_samba(results, ledger):
    """Suite by suite what both do, and what smbd passes and we do not."""
    print(f"\n{'suite':32} {'Holdfast':>9} {'Samba':>6}")
    suites = collections.defaultdict(collections.Counter)
    behind = []
    for case, result in sorted(results.items()):
        samba = ledger[case]['samba'] if case in ledger else '-'
        suites[suite_of(case)]['ours'] += result == 'pass'
        suites[suite_of(case)]['samba'] += samba == 'pass'
        if samba == 'pass' and result != 'pass':
            behind.append((case, result))
    for suite, counts in suites.items():
        mark = '  fewer' if counts['ours'] < counts['samba'] else ''
        print(f"{suite:32} {counts['ours']:9} {counts['samba']:6}{mark}")
    for case, result in behind:
        print(f'  smbd passes {case}, here: {result}')


def update(ledger, seen):
    for case, (result, reason) in sorted(seen.items()):
        row = ledger.setdefault(case, dict.fromkeys(COLUMNS, ''))
        row.update(suite=suite_of(case), case=case, embedded=result, rados=row['rados'] or '-', samba=row['samba'] or '-')
        if result == 'fail':
            print(f'  {case}: {reason}')
            row['reason'] = row['reason'] or 'TO EXPLAIN: ' + reason
        elif result == 'pass':
            row['reason'], row['section'] = '', ''
    write_ledger(ledger)


def main():
    parser = argparse.ArgumentParser(prog='conformance/run smbtorture', description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('what', nargs='*', help='suites or cases')
    mode = parser.add_mutually_exclusive_group()
    parser.set_defaults(mode='ledger')
    for name in ('ledger', 'update', 'try', 'suites'):
        mode.add_argument('--' + name, dest='mode', action='store_const', const=name)
    parser.add_argument('--whole', action='store_true', help='nothing is made smaller for a slow build')
    parser.add_argument('--json')
    parser.add_argument('--binary-dir')
    parser.add_argument('--jobs', type=int, default=6)
    parser.add_argument('--base', default='127.0.0.71', help='address of the first bed of the first worker; the others follow it')
    options = parser.parse_args()
    ledger = read_ledger()
    if options.mode == 'suites':
        for suite in sorted({suite_of(case) for case in ledger}):
            rows = [row for row in ledger.values() if row['suite'] == suite]
            print(f"{suite:32} {sum(row['embedded'] in RAN for row in rows):3} of {len(rows):3}")
        return 0
    if options.mode == 'ledger':
        cases = selected([case for case, row in ledger.items() if row['embedded'] in RAN], options.what)
        expected = {case: ledger[case]['embedded'] for case in cases}
    else:
        cases = selected([c for c in listed_cases() if c.startswith('smb2.') and not c.startswith(NOT_TESTS)], options.what)
        expected = {}
    seen, differences = run_cases(cases, expected, options)
    if options.mode == 'ledger':
        differences += [f"{case}: the ledger says {expected[case]}, seen {result}{': ' + reason if reason else ''}"
                        for case, (result, reason) in sorted(seen.items()) if result != expected[case]]
        differences += [f'{case}: fails without a reason in the ledger' for case in cases
                        if expected[case] == 'fail' and (not ledger[case]['reason'] or 'TO EXPLAIN' in ledger[case]['reason'])]
    elif options.mode == 'update':
        update(ledger, seen)
    else:
        for case, (result, reason) in sorted(seen.items()):
            if result == 'fail':
                print(f'  {case}: {reason}')
    compare_with_samba({case: result for case, (result, _) in seen.items()}, ledger)
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps(
            {'cases': {c: {'result': r, 'reason': why} for c, (r, why) in sorted(seen.items())}, 'differences': differences},
            indent=1))
    for difference in differences:
        print(difference)
    print(f"{sum(v[0] == 'pass' for v in seen.values())} of {len(seen)} cases pass; {len(differences)} differences from the ledger")
    return 1 if differences else 0


if __name__ == '__main__':
    sys.exit(main())
