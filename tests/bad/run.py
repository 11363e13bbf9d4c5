#!/usr/bin/env python3
"""Runs the catalogue of bad inputs: tests/bad/cases.tsv, one line a case or several.

  run.py [--bin FOLDER] [--only REGEX] [--slow FACTOR] [--show]

Columns, by tabs: id, make, run, exit, code, regex, wall_s, rss_mib, after. Missing ones and
"-" take the default.
  id     C04/TPD: three executions of row C04; T.two is another execution by the same verb
  make   a shell line that lays out the folder; gen.py is on PATH as `gen`
  run    a shell line; by default that of the letter: $T train, $P predict, $D look (A: all three)
  exit   the exit code
  code   the code in brackets of the line on stderr; w:CODE is a warning's
  regex  must match the whole line between "tidemill: " and " [code]"
  wall_s, rss_mib   2 seconds; 64 MiB above an idle run
  after  a shell test; $OUT and $ERR hold what was shown
Besides: no death by signal, the form of the line, no file left after an error, and the same
bytes the second time. Models of $FIX are trained once, at the start.
"""
import argparse
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
COLUMNS = ["id", "make", "run", "exit", "code", "regex", "wall_s", "rss_mib", "after"]
SHORT = {
    "T": "$T",
    "P": "$P",
    "D": "$D",
}
VERBS = {
    "T": "tidemill train data.csv --target b -q",
    "P": "tidemill predict ab.tide data.csv -q",
    "D": "tidemill look data.csv -q",
}
LINE = re.compile(r"tidemill: (warning: )?((?![A-Z][a-z]+ )[^\n]*?)( \(hint: [^\n]+\))? \[([a-z0-9-]+)\]")
FORBIDDEN = re.compile(r"failed to|\binvalid\b|\bplease\b|[\x00-\x08\x0b-\x1f\x7f]", re.I)
TIMES = re.compile(r'("[a-z_]+_s": )[-\d.e+]+|("peak_memory_bytes": )\d+|\bin \d[\d.]* ?(?:ms|s|us|min)\b')


def expand(path):
    """Executions of the file: dicts of the columns, ids single."""
    with open(path, encoding="utf-8") as f:
        for number, line in enumerate(f, 1):
            line = line.rstrip("\n")
            if not line or line.startswith("#"):
                continue
            cells = line.split("\t")
            if len(cells) > len(COLUMNS):
                sys.exit(f"{path}:{number}: {len(cells)} columns")
            row = {k: (cells[i] if i < len(cells) and cells[i] != "-" else "")
                   for i, k in enumerate(COLUMNS)}
            row["line"] = number
            name, _, letters = row["id"].partition("/")
            letters, _, variant = letters.partition(".")
            for letter in ("TPD" if letters == "A" and not row["run"] else letters):
                yield dict(row, id=f"{name}/{letter}" + (f".{variant}" if variant else ""),
                           run=row["run"] or SHORT[letter])


class Runner:
    def __init__(self, bins, slow):
        self.slow = slow
        self.home = tempfile.mkdtemp(prefix="bad-")
        self.fix = os.path.join(self.home, "fix")
        os.mkdir(self.fix)
        tools = os.path.join(self.home, "bin")
        os.mkdir(tools)
        # a copy: cases that run as nobody could not enter every folder of a clone
        shutil.copy2(os.path.join(bins, "tidemill"), os.path.join(tools, "tidemill"))
        os.symlink(os.path.join(HERE, "gen.py"), os.path.join(tools, "gen"))
        keep = {k: v for k, v in os.environ.items()
                if k.endswith("SAN_OPTIONS") or k == "LD_LIBRARY_PATH"}
        self.env = dict(keep, PATH=f"{tools}:{os.environ['PATH']}", HOME=self.home, NO_COLOR="1",
                        LC_ALL="C.UTF-8", TERM="dumb", FIX=self.fix, DATA=os.path.join(ROOT, "data"),
                        PYTHONDONTWRITEBYTECODE="1", **VERBS)
        made = subprocess.run(["bash", "-ec", "gen fixtures"], cwd=self.fix, env=self.env,
                              stdin=subprocess.DEVNULL, capture_output=True)
        if made.returncode:
            sys.exit("fixtures: " + made.stderr.decode("utf-8", "replace"))
        self.idle = self.play(self.home, "tidemill list", {})[3]

    def play(self, folder, command, extra):
        """(exit, stdout, stderr, KiB, seconds) of a shell line in a folder."""
        out, err = os.path.join(self.home, f"o{id(extra)}"), os.path.join(self.home, f"e{id(extra)}")
        with open(out, "wb") as o, open(err, "wb") as e:
            t0 = time.monotonic()
            p = subprocess.Popen(["bash", "-c", command], cwd=folder, env=dict(self.env, **extra),
                                 stdin=subprocess.DEVNULL, stdout=o, stderr=e, start_new_session=True)
            limit = 60 * self.slow
            while True:
                pid, status, usage = os.wait4(p.pid, os.WNOHANG)
                if pid:
                    break
                if time.monotonic() - t0 > limit:
                    os.killpg(p.pid, signal.SIGKILL)
                    _, status, usage = os.wait4(p.pid, 0)
                    break
                time.sleep(0.002)
            wall = time.monotonic() - t0
            p.returncode = 0  # waited for by hand
        code = os.waitstatus_to_exitcode(status)
        with open(out, "rb") as o, open(err, "rb") as e:
            shown = o.read(1 << 26), e.read(1 << 22)
        return code, *shown, usage.ru_maxrss, wall

    def lay_out(self, case):
        folder = tempfile.mkdtemp(prefix="case-", dir=self.home)
        for name in os.listdir(self.fix):
            os.link(os.path.join(self.fix, name), os.path.join(folder, name))
        if case["make"]:
            made = subprocess.run(["bash", "-ec", case["make"]], cwd=folder, env=self.env,
                                  stdin=subprocess.DEVNULL, capture_output=True)
            if made.returncode:
                return folder, made.stderr.decode("utf-8", "replace") or "make ended with an error"
        return folder, None

    def once(self, case):
        """(problems, what was shown, for comparing)"""
        folder, trouble = self.lay_out(case)
        try:
            if trouble:
                return [f"make: {trouble}"], None
            before = set(os.listdir(folder))
            extra = {}
            code, out, err, kib, wall = self.play(folder, case["run"], extra)
            problems = check(case, code, err.decode("utf-8", "replace"), kib - self.idle, wall, self.slow)
            left = sorted(set(os.listdir(folder)) - before)
            if code not in (0, 1, 130) and left or any(".tmp" in n or n.startswith(".tide") for n in left):
                problems.append(f"left behind: {' '.join(left)}")
            if case["after"]:
                env = dict(self.env, OUT=os.path.join(self.home, f"o{id(extra)}"),
                           ERR=os.path.join(self.home, f"e{id(extra)}"))
                after = subprocess.run(["bash", "-c", case["after"]], cwd=folder, env=env,
                                       stdin=subprocess.DEVNULL, capture_output=True)
                if after.returncode:
                    problems.append(f"after: {case['after']}: {after.stderr.decode()}")
            for kind in "oe":
                os.unlink(os.path.join(self.home, f"{kind}{id(extra)}"))
            shown = TIMES.sub("", (out + b"\n" + err).decode("utf-8", "replace"))
            return problems, shown
        finally:
            subprocess.run(["chmod", "-R", "u+rwx", folder], capture_output=True)
            shutil.rmtree(folder, ignore_errors=True)

    def case(self, case):
        problems, first = self.once(case)
        if not problems and "twice" not in case["after"]:
            again, second = self.once(case)
            problems += again
            if first != second and not again:
                problems.append("the second run showed something else")
        return problems, first


def check(case, code, err, kib, wall, slow):
    problems = []
    wanted = int(case["exit"] or 0)
    if code != wanted:
        problems.append(f"exit {code}, not {wanted}")
    if code < 0 or code in (132, 134, 135, 136, 139):
        problems.append("died by a signal")
    limit = float(case["wall_s"] or 2) * slow
    if wall > limit:
        problems.append(f"{wall:.1f} s, the limit is {limit:g}")
    limit = float(case["rss_mib"] or 64)
    if kib / 1024 > limit and slow == 1:
        problems.append(f"{kib / 1024:.0f} MiB above idle, the limit is {limit:g}")
    if "json" in case["run"]:
        return problems
    lines = [line for line in err.split("\n") if line.startswith("tidemill: ")]
    for line in lines:
        if not LINE.fullmatch(line):
            problems.append(f"not of the form: {line[:300]}")
        elif FORBIDDEN.search(line):
            problems.append(f"words or bytes that messages do not have: {line[:300]!r}")
    errors = [line for line in lines if not line.startswith("tidemill: warning: ")]
    if len(errors) > 1 or (wanted in (0, 141) and errors):
        problems.append(f"{len(errors)} error lines")
    if case["code"]:
        is_warning = case["code"].startswith("w:")
        name = case["code"].removeprefix("w:")
        rx = re.compile(r"tidemill: " + (r"warning: " if is_warning else "") +
                        (case["regex"] or r".*") + r" \[" + name + r"\]", re.S)
        if not any(rx.fullmatch(line) for line in lines):
            problems.append(f"no line {rx.pattern}")
    if problems:
        problems.append("stderr: " + err[:700].rstrip())
    return problems


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--bin", default=os.path.join(ROOT, "build", "src"))
    parser.add_argument("--only", default="")
    parser.add_argument("--slow", type=float, default=float(os.environ.get("UNITS_PATIENCE", "1")))
    parser.add_argument("--show", action="store_true")
    args = parser.parse_args()
    cases = [c for c in expand(os.path.join(HERE, "cases.tsv")) if re.search(args.only, c["id"])]
    runner = Runner(os.path.abspath(args.bin), args.slow)
    failed = 0
    try:
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            for case, (problems, shown) in zip(cases, pool.map(runner.case, cases)):
                if args.show:
                    print(f"-- {case['id']}: {shown}")
                if not problems:
                    continue
                failed += 1
                print(f"FAILED {case['id']} (cases.tsv:{case['line']}): {case['run']}")
                for p in problems:
                    print("    " + p.replace("\n", "\n    "))
    finally:
        subprocess.run(["chmod", "-R", "u+rwx", runner.home], capture_output=True)
        shutil.rmtree(runner.home, ignore_errors=True)
    print(f"{len(cases) - failed} passed, {failed} failed")
    return 1 if failed or not cases else 0


if __name__ == "__main__":
    sys.exit(main())
