#!/usr/bin/env python3
"""The symbols that libtidemill.so promises: tools/symbols.txt, one a line, sorted.

  symbols.py check [LIB]   the library exports exactly these, all tide_, at most 120
  symbols.py write [LIB]   writes the list anew (a removed line breaks users: new soname)
"""
import os
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
LIST = os.path.join(ROOT, "tools", "symbols.txt")
LIMIT = 120


def exported(lib):
    out = subprocess.run(["nm", "-D", "--defined-only", "--format=posix", lib], check=True,
                         capture_output=True, text=True).stdout
    return sorted(line.split()[0] for line in out.splitlines() if line)


def check(lib):
    now = exported(lib)
    with open(LIST, encoding="utf-8") as f:
        promised = f.read().split()
    foreign = [s for s in now if not s.startswith("tide_")]
    problems = [[f"{lib}: {s} is exported and not tide_" for s in foreign],
                [f"tools/symbols.txt: {s} is no longer exported" for s in promised
                 if s not in now] +
                [f"tools/symbols.txt: {s} is new (tools/symbols.py write)" for s in now
                 if s not in promised],
                [f"{lib}: {len(now)} symbols, the limit is {LIMIT}"] if len(now) > LIMIT else []]
    for p in sum(problems, []):
        print(p)
    failed = sum(1 for p in problems if p)
    print(f"{len(problems) - failed} passed, {failed} failed")
    return 1 if failed or not now else 0


def main(args):
    if not args or args[0] not in ("check", "write") or len(args) > 2:
        sys.exit(__doc__)
    lib = args[1] if len(args) == 2 else os.path.join(ROOT, "build", "src", "libtidemill.so")
    if args[0] == "check":
        return check(lib)
    with open(LIST, "w", encoding="utf-8") as f:
        f.write("".join(s + "\n" for s in exported(lib)))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
