"""`./dev demo`: a VHDX stays open and is written to while its server is killed five times; nothing is lost.

One node with the embedded engine and a continuously available share on 127.0.0.11; a real VHDX (qemu-img, ext4, files of
this machine in it) goes in with smbclient; four writers hold it open by one persistent handle; the server gets SIGKILL
and is started again five times; everything is read back and compared. Exit status 0 only if nothing failed.
"""
import argparse
import hashlib
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from cluster import NET_NAME, USERS, Cluster, Problem  # noqa: E402

MIB = 1 << 20
GUEST_MIB = 96       # the file system inside of the VHDX
WORK_MIB = 64        # what the writers may change, behind it


class Line:
    """One line of the terminal that is written over; plain lines where there is no terminal."""

    def __init__(self):
        self.live = sys.stdout.isatty()

    def show(self, text):
        if self.live:
            print(f'\r\033[K{text}', end='', flush=True)

    def say(self, text):
        print(f'\r\033[K{text}' if self.live else text, flush=True)


def make_vhdx(directory):
    """A VHDX whose first part is an ext4 file system with files of this machine; answers path and guest names.

    All blocks are allocated, in order: the guest's last bytes are the file's last bytes."""
    tree = directory / 'guest'
    tree.mkdir()
    names = []
    for source in sorted(pathlib.Path('/usr/bin').iterdir()):
        if source.is_file() and not source.is_symlink() and source.stat().st_size < 4 * MIB:
            shutil.copy(source, tree / source.name)
            names.append(source.name)
            if len(names) == 60:
                break
    raw = directory / 'guest.raw'
    with open(raw, 'wb') as f:
        f.truncate((GUEST_MIB + WORK_MIB) * MIB)
    subprocess.run(['mkfs.ext4', '-q', '-F', '-d', tree, raw, f'{GUEST_MIB}M'], check=True)
    vhdx = directory / 'profile_alice.vhdx'
    subprocess.run(['qemu-img', 'convert', '-q', '-f', 'raw', '-O', 'vhdx', '-S', '0', '-o', 'subformat=dynamic,block_size=8M',
                    raw, vhdx], check=True)
    raw.unlink()
    return vhdx, tree, names


def check_vhdx(vhdx, tree, names, directory):
    """The guest's files are what they were: through qemu-img and the file system's own tools."""
    raw = directory / 'back.raw'
    subprocess.run(['qemu-img', 'convert', '-q', '-f', 'vhdx', '-O', 'raw', vhdx, raw], check=True)
    subprocess.run(['e2fsck', '-fn', raw], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    for name in names:
        out = directory / 'one'
        subprocess.run(['debugfs', '-R', f'dump /{name} {out}', raw], check=True, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)
        if out.read_bytes() != (tree / name).read_bytes():
            raise SystemExit(f'demo: the guest file {name} has changed')
    raw.unlink()
    return len(names)


def sha256(path):
    digest = hashlib.sha256()
    with open(path, 'rb') as f:
        while piece := f.read(MIB):
            digest.update(piece)
    return digest.hexdigest()


class Drill:
    """The writers: a process that prints JSON lines."""

    def __init__(self, binary, arguments):
        self.process = subprocess.Popen([binary] + arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.latest, self.result, self.ready = {}, None, threading.Event()
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        for line in self.process.stdout:
            event = json.loads(line)
            kind = event.pop('event')
            if kind == 'ready':
                self.ready.set()
            elif kind == 'progress':
                self.latest = event
            else:
                self.result = event
        self.ready.set()

    def stop(self):
        try:
            self.process.stdin.write('stop\n')
            self.process.stdin.close()
        except BrokenPipeError:
            pass
        self.process.wait(300)
        self.reader.join(10)


def run(options, directory, line):
    port_options = argparse.Namespace(nodes=1, engine='embedded', net='loopback', port=options.port, base=options.base,
                                      binary_dir=options.binary_dir, no_kdc=True, signing_optional=False)
    cluster = Cluster(directory / 'cluster')
    started = time.monotonic()
    with open(os.devnull, 'w') as sink:
        keep, sys.stdout = sys.stdout, sink
        try:
            cluster.up(port_options)
        finally:
            sys.stdout = keep
    try:
        node = cluster.facts['nodes']['1']
        line.say(f"  server up on {node['address']}:{options.port} in {time.monotonic() - started:.1f} s")
        vhdx, tree, names = make_vhdx(directory)
        line.say(f'  made {vhdx.name}: {vhdx.stat().st_size // MIB} MiB, ext4 inside, {len(names)} files of this machine')
        auth = directory / 'auth'
        auth.write_text(f"username = alice\npassword = {USERS['alice']}\n")
        unc = f"//{node['address']}/profiles"
        smbclient = ['smbclient', unc, '-p', str(options.port), '-A', str(auth), '-s', '/dev/null']
        subprocess.run(smbclient + ['-c', f'put {vhdx} {vhdx.name}'], check=True, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)
        line.say('  copied in with smbclient')

        drill = Drill(pathlib.Path(cluster.facts['binary']).parent / 'conformance/drills/vhdx_drill', [
            '--address', node['address'], '--port', str(options.port), '--share', 'profiles', '--path', vhdx.name,
            '--mirror', str(vhdx), '--from', str(vhdx.stat().st_size - WORK_MIB * MIB), '--user', 'alice',
            '--password', USERS['alice'], '--server-name', NET_NAME])
        drill.ready.wait(30)
        if drill.result is not None:
            raise SystemExit(f"demo: the file could not be opened persistently: {drill.result.get('error')}")
        line.say('  open by a persistent handle, four writers at work')
        rows = []
        chance = random.Random(options.seed)
        for kill in range(1, options.kills + 1):
            end = time.monotonic() + 1.5 + chance.random()
            while time.monotonic() < end and drill.result is None:
                line.show(f"  {drill.latest.get('operations', 0)} operations, "
                          f"{drill.latest.get('bytes_written', 0) // MIB} MiB written, kill {kill - 1}/{options.kills}")
                time.sleep(0.1)
            before = drill.latest.get('operations', 0)
            cluster.kill('1')
            killed = time.monotonic()
            time.sleep(0.3)
            cluster.start_node('1')
            back = time.monotonic()
            while drill.result is None and len(drill.latest.get('stalls', [])) < kill and time.monotonic() - back < 120:
                time.sleep(0.05)
            stalls = drill.latest.get('stalls', [])
            stall = stalls[kill - 1] if len(stalls) >= kill else float('nan')
            after_back = stall - (back - killed)
            rows.append((kill, back - killed, stall, max(0.0, after_back)))
            line.say(f'  kill {kill}: SIGKILL after {before} operations, process back after {back - killed:.2f} s, '
                     f'handle back {max(0.0, after_back):.2f} s later (stall {stall:.2f} s)')
        time.sleep(1)
        drill.stop()
        r = drill.result or {'error': 'the drill ended without a result'}
        if 'error' in r:
            raise SystemExit(f"demo: {r['error']}")

        back_copy = directory / 'back.vhdx'
        subprocess.run(smbclient + ['-c', f'get {vhdx.name} {back_copy}'], check=True, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)
        same = sha256(back_copy) == r['expected_sha256'] == r['found_sha256']
        guest_files = check_vhdx(back_copy, tree, names, directory)
        line.say('')
        line.say(f"kills                     {len(rows)}")
        line.say(f"stall per kill            {', '.join(f'{s:.2f} s' for _, _, s, _ in rows)}"
                 f"  (after the process was back: {', '.join(f'{a:.2f} s' for *_, a in rows)})")
        line.say(f"operations                {r['operations']} ({r['writes']} writes, {r['bytes_written'] // MIB} MiB; "
                 f"{r['replayed']} sent again after a kill)")
        line.say(f"failed operations         {r['failed']}{'  ' + r['first_failure'] if r['failed'] else ''}")
        line.say(f"lost acknowledged bytes   {r['differing_bytes']}  (wrong reads on the way: {r['wrong_reads']})")
        line.say(f"SHA-256                   {r['found_sha256']}  {'equal' if same else 'DIFFERENT'}")
        line.say(f"guest file system         clean, {guest_files} files unchanged")
        well = (same and r['failed'] == 0 and r['differing_bytes'] == 0 and r['wrong_reads'] == 0
                and r['reconnects'] >= options.kills and len(rows) == options.kills)
        if options.json:
            pathlib.Path(options.json).write_text(json.dumps(
                {'well': well, 'kills': [dict(zip(('kill', 'process_s', 'stall_s', 'after_back_s'), row)) for row in rows],
                 'result': r}, indent=1))
        if options.keep:
            line.say(f"\ntry it:  smbclient {unc} -p {options.port} -U 'alice%{USERS['alice']}' -c ls")
            line.say(f"end it:  ./dev cluster down --rm --dir {directory / 'cluster'}")
        else:
            line.say("\ntry it:  ./dev demo --keep leaves the server running; then:  "
                     f"smbclient {unc} -p {options.port} -U 'alice%{USERS['alice']}' -c ls")
        return 0 if well else 1
    finally:
        if not options.keep:
            cluster.down(remove=True)


def main():
    parser = argparse.ArgumentParser(prog='./dev demo', description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--kills', type=int, default=5)
    parser.add_argument('--port', type=int, default=445)
    parser.add_argument('--base', default='127.0.0.11')
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('--keep', action='store_true', help='leave the server running')
    parser.add_argument('--json', help='write the figures to this file')
    parser.add_argument('--binary-dir')
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    directory = pathlib.Path(tempfile.mkdtemp(prefix='holdfast-demo.'))
    line = Line()
    try:
        status = run(options, directory, line)
    except Problem as problem:
        print(f'demo: {problem}', file=sys.stderr)
        status = 2
    except subprocess.CalledProcessError as error:
        print(f'demo: {error}', file=sys.stderr)
        status = 1
    finally:
        if not options.keep:
            shutil.rmtree(directory, ignore_errors=True)
    print('demo: ' + ('every handle held, every byte is there' if status == 0 else 'FAILED'))
    return status


if __name__ == '__main__':
    sys.exit(main())
