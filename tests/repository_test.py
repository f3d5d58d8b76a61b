"""Whether the maps of the repository tell the truth: folders named in docs/architecture.md exist and are all named,
section citations exist, dependencies point one way."""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
CODE = ('protocol', 'auth', 'storage', 'cluster', 'server', 'conformance')
# Which folders each folder may include.
MAY_INCLUDE = {
    'protocol': {'protocol'},
    'auth': {'auth', 'protocol'},
    'storage/async': {'storage/async', 'protocol'},
    'storage/engine': {'storage/engine', 'storage/async', 'protocol'},
    'storage/volume': {'storage/volume', 'storage/engine', 'storage/async', 'protocol'},
    'storage/files': {'storage/files', 'storage/volume', 'storage/engine', 'storage/async', 'protocol'},
    'cluster': {'cluster', 'storage', 'protocol'},
    'server': {'server', 'auth', 'cluster', 'storage', 'protocol'},
    'conformance': {'conformance', 'auth', 'storage/async', 'protocol'},
}
STORAGE_PROTOCOL = ('protocol/base', 'protocol/dtyp', 'protocol/fscc', 'protocol/erref')
problems = []


def check_includes():
    for top in CODE:
        for path in sorted((ROOT / top).rglob('*')):
            if path.suffix not in ('.h', '.cc'):
                continue
            name = str(path.relative_to(ROOT))
            rule = next((MAY_INCLUDE[f] for f in sorted(MAY_INCLUDE, key=len, reverse=True) if name.startswith(f + '/')), None)
            if rule is None:
                problems.append(f'{name}: lies in no folder with a rule')
                continue
            for number, line in enumerate(path.read_text().splitlines(), 1):
                m = re.match(r'#include "([^"]+)"', line)
                if not m or m.group(1).endswith('.pb.h'):
                    continue
                target = m.group(1)
                if not any(target.startswith(f + '/') for f in rule):
                    problems.append(f'{name}:{number}: includes {target}, which points the wrong way')
                elif top in ('storage', 'auth', 'cluster') and target.startswith('protocol/') \
                        and not target.startswith(STORAGE_PROTOCOL):
                    problems.append(f'{name}:{number}: {top} uses of protocol only base, dtyp, fscc and erref, not {target}')


def check_map():
    page = (ROOT / 'docs/architecture.md').read_text()
    for top in CODE + ('tests', 'docs'):
        if f'`{top}/' not in page and f'{top}/' not in page:
            problems.append(f'docs/architecture.md does not name {top}/')
    for named in re.findall(r'`((?:protocol|auth|storage|cluster|server|conformance|tests|docs)/[\w./-]*)`', page):
        if not (ROOT / named).exists():
            problems.append(f'docs/architecture.md names {named}, which does not exist')
    readme = (ROOT / 'README.md').read_text()
    for named in re.findall(r'\]\(([^)#:]+)\)', readme):
        if not (ROOT / named).exists():
            problems.append(f'README.md links to {named}, which does not exist')


def main():
    check_includes()
    check_map()
    for problem in problems:
        print(problem)
    print(f'{len(problems)} problems')
    return 1 if problems else 0


if __name__ == '__main__':
    sys.exit(main())
