#!/usr/bin/env python3
"""Console blocks of a document are tests: runs their commands and compares what they show.

  transcript.py [--bin FOLDER] [--accept] FILE.md...

Fenced `console` blocks hold `$ command` lines and what a pipe shows (stdout and stderr
together). The blocks of one file run as one shell session in an empty folder with the
repository's data/ linked in, NO_COLOR=1 and 80 columns. A command goes on with "> " lines
after a backslash or `<<`. Of the output, `...` alone on a line stands for any lines;
`# exit 3` after it states the status (otherwise 0). Times, rates, sizes, versions, hosts
and numbers of threads are masked on both sides. --accept rewrites what differs.
"""
import argparse
import difflib
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
MARK = "\x1e"
NUMBER = r"(?<![\w.])\d[\d,]*(?:\.\d+)?(?:e[-+]?\d+)?"
MASKS = [(re.compile(rx), to) for rx, to in [
    (r'("\w*(?:_s|_ns|_ms|_bytes|per_s|bytes|threads)": ?)[-\d.e+]+', r"\1N"),
    (r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?(\.\d+)?Z?", "DATE"),
    (NUMBER + r"(?: ?[kKMG])?(?: ?(?:rows|bytes|MB|GB|kB|MiB|GiB|B|examples|trials|requests))?"
     r"(?:/s\b| per second\b| a second\b)", "RATE"),
    (NUMBER + r" ?(?:B|kB|KB|MB|GB|KiB|MiB|GiB|bytes?)\b", "SIZE"),
    (NUMBER + r" ?(?:ns|us|µs|ms|s|seconds?|min|minutes?|h)\b(?!/)", "TIME"),
    (r"\b\d+ threads?\b", "THREADS"),
    (r"\b\d+\.\d+\.\d+(?:\.\d+)?(?::\d+)?\b", "VERSION"),
    (r"\blocalhost:\d+\b", "HOST"),
    (r"(?<!\w)" + re.escape(socket.gethostname()) + r"(?!\w)", "HOST"),
]]


class Case:
    """One command of a document: where it stands, what it shows, its status."""

    def __init__(self, line, command):
        self.line, self.command, self.expected, self.status = line, command, [], 0
        self.first = self.last = 0  # its output in the document: lines[first:last]
        self.status_line = False    # was "# exit N" written?


def parse(lines):
    cases, inside, case, goes_on = [], False, None, False
    for i, line in enumerate(lines):
        if line.startswith("```"):
            inside, case = (not inside and line.strip() == "```console"), None
        elif not inside:
            continue
        elif line.startswith("$ "):
            case = Case(i + 1, line[2:])
            cases.append(case)
            goes_on = line.endswith("\\") or "<<" in line
            case.first = case.last = i + 1
        elif case and goes_on and line.startswith("> "):
            case.command += "\n" + line[2:]
            case.first = case.last = i + 1
            goes_on = line.endswith("\\") or "<<" in case.command
        elif case:
            goes_on = False
            stated = re.fullmatch(r"# exit (\d+)", line)
            if stated:
                case.status, case.status_line = int(stated.group(1)), True
            else:
                case.expected.append(line)
            case.last = i + 1
    return cases


def session(cases, folder, bins):
    """[(output lines, status)] of the commands, run by one shell; None where it stopped."""
    script = ["set +e"]
    for c in cases:
        text = c.command.replace("'", "'\\''")
        script += [f"eval '{text}'", f"printf '{MARK}%d\\n' \"$?\""]
    path = os.path.join(folder, ".session")
    with open(path, "w", encoding="utf-8") as f:
        f.write("\n".join(script) + "\n")
    keep = {k: v for k, v in os.environ.items() if k.endswith("SAN_OPTIONS") or k == "LD_LIBRARY_PATH"}
    env = dict(keep, PATH=f"{bins}:{os.environ['PATH']}", HOME=folder, NO_COLOR="1", COLUMNS="80",
               LC_ALL="C.UTF-8", TERM="dumb", TMPDIR=folder)
    shell = subprocess.Popen(["bash", path], cwd=folder, env=env, stdin=subprocess.DEVNULL,
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                             start_new_session=True)
    try:
        out = shell.communicate(timeout=600)[0]
    except subprocess.TimeoutExpired:
        os.killpg(shell.pid, signal.SIGKILL)
        out = shell.communicate()[0]
    finally:
        try:
            os.killpg(shell.pid, signal.SIGTERM)  # what the session left in the background
        except ProcessLookupError:
            pass
    text = out.decode("utf-8", "replace").replace(folder + "/", "")
    parts = re.split(MARK + r"(\d+)\n", text)
    results = [(parts[i].rstrip("\n").split("\n") if parts[i].strip("\n") else [], int(parts[i + 1]))
               for i in range(0, len(parts) - 1, 2)]
    return results + [None] * (len(cases) - len(results))


def masked(line):
    plain = line
    for rx, to in MASKS:
        line = rx.sub(to, line)
    # where a mask applied, widths changed too: only the words count
    return line.rstrip() if line == plain else " ".join(line.split())


def trimmed(lines):
    """Without the blank lines at the end, which only set commands apart."""
    n = len(lines)
    while n and not lines[n - 1].strip():
        n -= 1
    return lines[:n]


def same(expected, shown):
    chunks, now = [[]], [masked(s) for s in shown]
    for line in trimmed(expected):
        if line.strip() == "...":
            chunks.append([])
        else:
            chunks[-1].append(masked(line))
    if len(chunks) == 1:
        return chunks[0] == now
    first, last = chunks[0], chunks[-1]
    if now[:len(first)] != first or len(now) < len(first) + len(last):
        return False
    end = len(now) - len(last)
    if now[end:] != last:
        return False
    at = len(first)
    for chunk in chunks[1:-1]:
        while now[at:at + len(chunk)] != chunk:
            at += 1
            if at + len(chunk) > end:
                return False
        at += len(chunk)
    return at <= end


def run_file(path, bins):
    with open(path, encoding="utf-8") as f:
        lines = f.read().split("\n")
    cases = parse(lines)
    folder = tempfile.mkdtemp(prefix="transcript-")
    try:
        os.mkdir(os.path.join(folder, "data"))
        carried = os.path.join(ROOT, "data")
        for name in sorted(os.listdir(carried)) if os.path.isdir(carried) else []:
            os.symlink(os.path.join(carried, name), os.path.join(folder, "data", name))
        results = session(cases, folder, bins)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return path, lines, cases, results


def report(path, case, result):
    print(f"{os.path.relpath(path)}:{case.line}: $ {case.command}")
    if result is None:
        print("    the session ended before this command did")
        return
    shown, status = result
    if status != case.status:
        print(f"    exit {status}, not {case.status}")
    if not same(case.expected, shown):
        for line in difflib.unified_diff(case.expected, shown, "expected", "shown", "", "", 2, ""):
            print("    " + line)


def accept(path, lines, cases, results):
    for case, result in reversed(list(zip(cases, results))):
        if result is None:
            continue
        shown, status = result
        if same(case.expected, shown) and status == case.status:
            continue
        blanks = case.expected[len(trimmed(case.expected)):]
        new = trimmed(case.expected) if same(case.expected, shown) else shown
        lines[case.first:case.last] = new + ([f"# exit {status}"] if status else []) + blanks
    with open(path, "w", encoding="utf-8") as f:
        f.write("\n".join(lines))
    print(f"{os.path.relpath(path)}: rewritten", file=sys.stderr)


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--bin", default=os.path.join(ROOT, "build", "src"))
    parser.add_argument("--accept", action="store_true")
    parser.add_argument("files", nargs="+")
    args = parser.parse_args()
    passed = failed = 0
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for path, lines, cases, results in pool.map(
                lambda f: run_file(f, os.path.abspath(args.bin)), args.files):
            bad = [(c, r) for c, r in zip(cases, results)
                   if r is None or r[1] != c.status or not same(c.expected, r[0])]
            if args.accept and bad:
                accept(path, lines, cases, results)
                continue
            for case, result in bad:
                report(path, case, result)
            failed += len(bad)
            passed += len(cases) - len(bad)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
