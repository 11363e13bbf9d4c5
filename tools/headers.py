#!/usr/bin/env python3
"""Compiles every header alone and twice: C17 by gcc and clang; public ones C2x and C++17 too.

Prints file: compiler: the first error, and "N passed, N failed" as its last line."""
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
FLAGS = ["-fsyntax-only", "-D_POSIX_C_SOURCE=200809L", "-Iinclude", "-Isrc", "-Itests", "-Wall",
         "-Wextra", "-Wpedantic", "-Wshadow", "-Wundef", "-Wno-unused-function", "-Werror"]
C_ONLY = ["-Wconversion", "-Wstrict-prototypes", "-Wno-unused-const-variable"]
PRIVATE = [("gcc", "c17"), ("clang", "c17")]
PUBLIC = PRIVATE + [("gcc", "c2x"), ("clang", "c2x"), ("g++", "c++17"), ("clang++", "c++17")]


def headers():
    for top in ("include", "src", "tests/support"):
        for where, dirs, files in os.walk(os.path.join(ROOT, top)):
            dirs.sort()
            for f in sorted(files):
                if f.endswith(".h"):
                    path = os.path.relpath(os.path.join(where, f), ROOT)
                    yield path, PUBLIC if top == "include" else PRIVATE


def compile_one(job):
    path, compiler, standard = job
    name = path.split("/", 1)[1]
    line = f"#include <{name}>\n" if path.startswith("include/") else f'#include "{name}"\n'
    cpp = standard.startswith("c++")
    command = [compiler, f"-std={standard}", *FLAGS, *([] if cpp else C_ONLY),
               "-x", "c++" if cpp else "c", "-"]
    run = subprocess.run(command, input=line * 2 + "typedef int not_empty;\n", cwd=ROOT, capture_output=True, text=True)
    return path, compiler, standard, run.returncode, run.stderr


def main():
    jobs = [(p, c, s) for p, ways in headers() for c, s in ways]
    failed = 0
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for path, compiler, standard, code, errors in pool.map(compile_one, jobs):
            if code:
                failed += 1
                first = next((e for e in errors.split("\n") if "error" in e), errors[:200])
                print(f"{path}: {compiler} -std={standard}: {first}")
    print(f"{len(jobs) - failed} passed, {failed} failed")
    return 1 if failed or not jobs else 0


if __name__ == "__main__":
    sys.exit(main())
