"""A small VM of qemu whose first process runs a job; the job's standard input and output are ours.

The VM has one network card on qemu's user-mode network: it reaches the addresses of this network namespace through
10.0.2.2, and nobody reaches it.
"""
import os
import pathlib
import queue
import shutil
import subprocess
import tempfile
import threading
import time

from initramfs import Cpio, Unavailable, prepare

QEMU = 'qemu-system-x86_64'
KVM_SECONDS = 20     # until the job starts, or KVM counts as unusable


class Vm:
    def __init__(self, cache, kernel, files, programs=(), memory=1024, processors=1):
        """`files`: what the job finds in /job, name to bytes; /job/main is started. `programs`: more of them, by their
        paths here."""
        if shutil.which(QEMU) is None:
            raise Unavailable(f'{QEMU} is not installed: ./dev setup')
        self.cache, self.memory, self.processors = cache, memory, processors
        self.kernel, base, self.package = prepare(cache / kernel)
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix='holdfast-vm.'))
        job = Cpio()
        for name, data in files.items():
            job.file(f'job/{name}', data, 0o755)
        for path in programs:
            if not job.program(path):
                raise Unavailable(f'{path} is not installed: ./dev setup')
        self.initrd = self.dir / 'initrd'
        self.initrd.write_bytes(base.read_bytes() + job.bytes())
        self.process = None

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.stop()
        shutil.rmtree(self.dir, ignore_errors=True)

    def start(self):
        """Boots, with KVM when that works here: nested virtualisation may offer it and yet stop at an instruction."""
        remembered = self.cache / 'no-kvm'
        if os.access('/dev/kvm', os.R_OK | os.W_OK) and not remembered.exists():
            self.boot('kvm', 'host')
            if self.wait_for_up(KVM_SECONDS):
                return
            self.stop()
            remembered.write_text('KVM did not bring the kernel up here; remove this file to try again\n')
        self.boot('tcg,thread=multi', 'max,la57=off')
        if not self.wait_for_up(120):
            raise Unavailable(f'the VM did not start: {self.words()}')

    def boot(self, accelerator, processor):
        self.accelerator = accelerator.split(',')[0]
        self.console = self.dir / 'console'
        command = [
            QEMU, '-machine', 'q35', '-accel', accelerator, '-cpu', processor, '-m', str(self.memory), '-smp',
            str(self.processors), '-nodefaults', '-no-user-config', '-display', 'none', '-monitor', 'none',
            '-no-reboot', '-kernel', self.kernel, '-initrd', self.initrd, '-append',
            'console=ttyS0 loglevel=5 panic=-1 mitigations=off cryptomgr.notests=1 audit=0 tsc=reliable no_timer_check '
            'random.trust_cpu=on net.ifnames=0',
            '-serial', f'file:{self.console}', '-device', 'virtio-serial-pci', '-device', 'virtio-rng-pci',
            '-chardev', 'stdio,id=talk,signal=off', '-device', 'virtserialport,chardev=talk,name=talk',
            '-netdev', 'user,id=net0,ipv6=off', '-device', 'virtio-net-pci,netdev=net0,romfile=']
        self.errors = self.dir / 'qemu.log'
        with open(self.errors, 'wb') as errors:
            # The VM goes when we are killed outright.
            self.process = subprocess.Popen(['setpriv', '--pdeathsig', 'KILL', *command], stdin=subprocess.PIPE,
                                            stdout=subprocess.PIPE, stderr=errors)
        self.lines = queue.Queue()
        threading.Thread(target=self.read, args=(self.process.stdout, self.lines), daemon=True).start()

    @staticmethod
    def read(stream, lines):
        for line in stream:
            lines.put(line.decode(errors='replace').rstrip('\r\n'))
        lines.put(None)

    def wait_for_up(self, seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if b'KVM internal error' in self.errors.read_bytes():
                return False
            try:
                line = self.lines.get(timeout=0.1)
            except queue.Empty:
                continue
            if line is None:
                return False
            if line.startswith('::up '):
                return True
        return False

    def next_line(self, seconds):
        """The job's next line; None when the VM has ended; queue.Empty when `seconds` pass without one."""
        return self.lines.get(timeout=max(seconds, 0.01))

    def say(self, text):
        self.process.stdin.write(text.encode() + b'\n')
        self.process.stdin.flush()

    def stop(self):
        if self.process is None:
            return
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process = None

    def words(self):
        """What the VM said last: the end of the kernel's log and of qemu's errors."""
        text = ''
        for path in (self.console, self.errors):
            if path.exists():
                text += path.read_text(errors='replace')[-2500:].replace('\r', '')
        return text.strip()
