"""The kernel and the root file system of the VM, from packages of this Debian.

A kernel package is downloaded with apt-get and unpacked, never installed: its scripts would change how this machine
boots. The cloud flavour is a third of the size and has all of cifs.
"""
import fcntl
import hashlib
import lzma
import os
import pathlib
import re
import shutil
import stat
import subprocess
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
# Series, and the package that names its newest kernel. 6.1 judges: in 6.12 a read that is under way when the connection
# ends fails with EAGAIN, and a send at that moment with EIO.
KERNELS = {'6.1': 'linux-image-cloud-amd64', '6.12': 'linux-image-6.12-cloud-amd64'}
# Loaded by the VM in this order, each behind what it needs. The ciphers are named because cifs asks for algorithms.
MODULES = ('virtio_pci', 'virtio_console', 'virtio_net', 'virtio_rng', 'aesni_intel', 'sha256_ssse3', 'sha256_generic',
           'sha512_ssse3', 'sha512_generic', 'md4', 'md5', 'hmac', 'cmac', 'ecb', 'ctr', 'ccm', 'gcm',
           'ghash_clmulni_intel', 'ghash_generic', 'seqiv', 'nls_utf8', 'cifs')
PROGRAMS = ('cp', 'diff', 'fio', 'getcifsacl')


class Unavailable(Exception):
    """This machine cannot make or run the VM, and why."""


class Cpio:
    """An archive in the format that the kernel unpacks: "newc", buffer-format.rst of its documentation."""

    def __init__(self):
        self.parts, self.names, self.inode = [], set(), 0

    def entry(self, name, mode, data=b''):
        self.inode += 1
        encoded = name.encode() + b'\0'
        fields = (self.inode, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(encoded), 0)
        head = b'070701' + b''.join(b'%08X' % field for field in fields) + encoded
        self.parts.append(head + b'\0' * (-len(head) % 4) + data + b'\0' * (-len(data) % 4))
        self.names.add(name)

    def folder(self, name):
        if name and name not in self.names:
            self.folder(name.rpartition('/')[0])
            self.entry(name, stat.S_IFDIR | 0o755)

    def file(self, name, data, mode=0o644):
        if name not in self.names:
            self.folder(name.rpartition('/')[0])
            self.entry(name, stat.S_IFREG | mode, data)

    def link(self, name, target):
        if name not in self.names:
            self.folder(name.rpartition('/')[0])
            self.entry(name, stat.S_IFLNK | 0o777, target.encode())

    def program(self, path, name=None):
        """A program and every library it loads, where the loader looks for them."""
        path = shutil.which(path, path=os.environ.get('PATH', '') + ':/usr/sbin:/sbin')
        if path is None:
            return False
        self.file('bin/' + (name or os.path.basename(path)), pathlib.Path(path).read_bytes(), 0o755)
        loaded = subprocess.run(['ldd', path], capture_output=True, text=True, stdin=subprocess.DEVNULL)
        for library in re.findall(r'(/\S+) \(0x', loaded.stdout):
            self.file(library.lstrip('/'), pathlib.Path(library).read_bytes(), 0o755)
        return True

    def bytes(self):
        self.entry('TRAILER!!!', 0)
        return b''.join(self.parts)


def run(command, **options):
    return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True,
                          **options).stdout


def kernel_package(series):
    """The name of the package with the newest kernel of the series."""
    meta = KERNELS[series]
    depends = subprocess.run(['apt-cache', 'depends', meta], stdin=subprocess.DEVNULL, capture_output=True, text=True)
    found = re.search(r'Depends: (linux-image-\S+)', depends.stdout)
    if not found:
        raise Unavailable(f'apt does not offer {meta} (apt-get update?)')
    return found.group(1)


def unpack_kernel(package, directory):
    """vmlinuz and modules/ of the package, into `directory`."""
    with tempfile.TemporaryDirectory(prefix='holdfast-kernel.') as tmp:
        try:
            run(['apt-get', '-qq', '-o', 'APT::Sandbox::User=root', 'download', package], cwd=tmp)
        except subprocess.CalledProcessError as problem:
            raise Unavailable(f'cannot download {package}: {problem.stderr.strip()[-300:]}') from None
        deb, = pathlib.Path(tmp).glob('*.deb')
        run(['dpkg-deb', '-x', deb, f'{tmp}/root'])
        root = pathlib.Path(tmp) / 'root'
        kernel, = root.glob('boot/vmlinuz-*')
        modules = {}
        for path in (*root.glob('lib/modules/*/kernel/**/*.ko*'), *root.glob('usr/lib/modules/*/kernel/**/*.ko*')):
            modules[path.name.split('.ko')[0].replace('-', '_')] = path
        (directory / 'modules').mkdir(parents=True)
        shutil.copy(kernel, directory / 'vmlinuz')
        order = []
        for name in MODULES:
            load(name, modules, order, directory / 'modules')
        if 'cifs' not in order:
            raise Unavailable(f'{package} has no module cifs')
        (directory / 'modules/order').write_text('\n'.join(order) + '\n')


def load(name, modules, order, target):
    """Copies a module and what it depends on, and appends their names to `order`. What is built in is not there."""
    if name in order or name not in modules:
        return
    data = modules[name].read_bytes()
    if modules[name].name.endswith('.xz'):
        data = lzma.decompress(data)
    depends = re.search(rb'\0depends=([^\0]*)', data)
    for other in (depends.group(1).decode().split(',') if depends else []):
        if other:
            load(other.replace('-', '_'), modules, order, target)
    (target / f'{name}.ko').write_bytes(data)
    order.append(name)


def tools():
    """The root file system without kernel and job: busybox, GNU's cp, fio, the scripts of guest/."""
    archive = Cpio()
    for name in ('proc', 'sys', 'dev', 'tmp', 'mnt', 'etc', 'job', 'run', 'var', 'root'):
        archive.folder(name)
    for name in PROGRAMS:
        if not archive.program(name):
            raise Unavailable(f'{name} is not installed: ./dev setup')
    if not archive.program('busybox'):
        raise Unavailable('busybox is not installed: ./dev setup')
    for applet in run(['busybox', '--list']).split():
        archive.link('bin/' + applet, 'busybox')
    archive.link('sbin', 'bin')
    archive.file('etc/passwd', b'root:x:0:0:root:/root:/bin/sh\n')
    archive.file('etc/group', b'root:x:0:\n')
    archive.file('etc/hosts', b'127.0.0.1 localhost\n')
    archive.link('etc/mtab', '/proc/self/mounts')
    archive.file('init', (HERE / 'guest/init').read_bytes(), 0o755)
    return archive


def prepare(cache):
    """Answers the paths of the kernel and of the archive; makes them when this machine has none, or older ones."""
    cache.mkdir(parents=True, exist_ok=True)
    with open(cache / 'lock', 'w') as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        directory = cache / 'kernel'
        if not (directory / 'package').exists():
            shutil.rmtree(directory, ignore_errors=True)
            package = kernel_package(cache.name)
            unpack_kernel(package, directory)
            (directory / 'package').write_text(package + '\n')
        recipe = hashlib.sha256()
        for path in (pathlib.Path(__file__), HERE / 'guest/init', directory / 'package'):
            recipe.update(path.read_bytes())
        base = cache / 'base.cpio'
        stamp = cache / 'base.stamp'
        if not base.exists() or not stamp.exists() or stamp.read_text() != recipe.hexdigest():
            archive = tools()
            for path in sorted((directory / 'modules').iterdir()):
                archive.file(f'modules/{path.name}', path.read_bytes())
            base.write_bytes(archive.bytes())
            stamp.write_text(recipe.hexdigest())
        return directory / 'vmlinuz', base, (directory / 'package').read_text().strip()
