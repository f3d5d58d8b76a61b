"""smbclient against one node: NTLM and Kerberos, signed and encrypted, every verb of daily use, a tree of 10,000 files and
one file of 4 GiB, contents equal."""
import hashlib
import os
import random
import sys
import time

from bed import Bed

TREE_FILES = 10_000
LARGE_BYTES = 4 << 30


def digest_tree(top):
    """SHA-256 over names and contents of a tree, and the number of files."""
    total, count = hashlib.sha256(), 0
    for folder, folders, files in os.walk(top):
        folders.sort()
        for name in sorted(files):
            path = os.path.join(folder, name)
            with open(path, 'rb') as f:
                total.update(os.path.relpath(path, top).encode() + b'\0' + hashlib.sha256(f.read()).digest())
            count += 1
    return total.hexdigest(), count


def make_tree(top):
    chance = random.Random(7)
    for i in range(TREE_FILES):
        folder = top / f'd{i // 1000}' / f'Ordner {i // 100 % 10}'
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f'Datei {i} ä€.bin').write_bytes(chance.randbytes(chance.choice((0, 1, 100, 4096, 9000))))


def make_large(path):
    """4 GiB that no two MiB of which are alike, written sparsely where it is zero."""
    chance = random.Random(11)
    with open(path, 'wb') as f:
        f.truncate(LARGE_BYTES)
        for offset in range(0, LARGE_BYTES, 64 << 20):
            f.seek(offset)
            f.write(chance.randbytes(1 << 20))
        f.seek(LARGE_BYTES - 4096)
        f.write(chance.randbytes(4096))


def sha256(path):
    digest = hashlib.sha256()
    with open(path, 'rb') as f:
        while piece := f.read(8 << 20):
            digest.update(piece)
    return digest.hexdigest()


def verbs(bed, **how):
    """put, get, ls, rename, rm, mkdir, rmdir, allinfo on one small file."""
    source = bed.dir / 'source'
    source.write_bytes(os.urandom(123_457))
    out = bed.dir / 'out'
    bed.smbclient('scratch', f'mkdir verbs; put {source} verbs\\a.bin; rename verbs\\a.bin verbs\\B.bin', **how)
    info = bed.smbclient('scratch', 'allinfo verbs\\b.BIN', **how)
    assert 'stream: [::$DATA], 123457 bytes' in info, info
    listing = bed.smbclient('scratch', 'ls verbs\\*', **how)
    assert 'B.bin' in listing and '123457' in listing, listing
    bed.smbclient('scratch', f'get verbs\\b.bin {out}', **how)
    assert out.read_bytes() == source.read_bytes()
    bed.smbclient('scratch', 'rm verbs\\B.bin; rmdir verbs', **how)
    gone = bed.smbclient('scratch', 'ls verbs', check=False, **how)
    assert 'NT_STATUS_NO_SUCH_FILE' in gone or 'NT_STATUS_OBJECT_NAME_NOT_FOUND' in gone, gone


def main():
    with Bed('127.0.0.61', kdc=True) as bed:
        for kerberos in (False, True):
            for protection in ('sign', 'encrypt'):
                verbs(bed, kerberos=kerberos, options=(f'--client-protection={protection}',))
                print(f"verbs: {'Kerberos' if kerberos else 'NTLM'}, {protection}: equal", flush=True)
        for dialect in ('SMB2_02', 'SMB2_10', 'SMB3_00', 'SMB3_02', 'SMB3_11'):
            verbs(bed, options=(f'--option=client max protocol={dialect}', f'--option=client min protocol={dialect}'))
        print('verbs: every dialect: equal', flush=True)
        shares = bed.smbclient('secure', 'ls', check=False, options=('--option=client max protocol=SMB2_10',))
        assert 'ACCESS_DENIED' in shares, shares
        refused = bed.smbclient('scratch', 'ls', check=False, user='alice',
                                options=('--option=client max protocol=NT1', '--option=client min protocol=NT1'))
        assert 'NT_STATUS' in refused or 'failed' in refused, refused

        source, back = bed.dir / 'tree', bed.dir / 'back'
        back.mkdir()
        make_tree(source)
        started = time.monotonic()
        bed.smbclient('profiles', f'prompt OFF; recurse ON; mkdir tree; cd tree; lcd {source}; mput *')
        put = time.monotonic() - started
        started = time.monotonic()
        bed.smbclient('profiles', f'prompt OFF; recurse ON; cd tree; lcd {back}; mget *',
                      options=('--client-protection=encrypt',))
        assert digest_tree(back) == digest_tree(source)
        print(f'tree: {TREE_FILES} files put in {put:.1f} s, got in {time.monotonic() - started:.1f} s: equal', flush=True)

        large, copy = bed.dir / 'large', bed.dir / 'copy'
        make_large(large)
        started = time.monotonic()
        bed.smbclient('scratch', f'put {large} large.bin')
        put = time.monotonic() - started
        started = time.monotonic()
        bed.smbclient('scratch', f'get large.bin {copy}')
        got = time.monotonic() - started
        assert copy.stat().st_size == LARGE_BYTES and sha256(copy) == sha256(large)
        print(f'large: {LARGE_BYTES >> 30} GiB put in {put:.1f} s, got in {got:.1f} s: equal', flush=True)


if __name__ == '__main__':
    sys.exit(main())
