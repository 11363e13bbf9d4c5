#!/usr/bin/env python3
"""Runs the test programs of a Meson build and adds up their cases.

  units.py BUILD [CASE...] [--suite NAME] [--only WORD]... [--jobs N] [--build]

Each program ends with "N passed, N failed" (and may add ", N skipped"); one that ends
otherwise counts as one failed case. Shows the output of failing programs only; the last
line is the sum. --only keeps the programs whose name holds one of the words;
--build builds these first, and no more. CASE words pick cases inside the programs."""
import argparse
import json
import os
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

TALLY = re.compile(r"^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$", re.M)


def run(test, cases):
    begin = time.monotonic()
    env = dict(os.environ, **test["env"])
    try:
        done = subprocess.run(test["cmd"] + cases, env=env, stdin=subprocess.DEVNULL, cwd=test["workdir"],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              timeout=test["timeout"] * int(env.get("UNITS_PATIENCE", "1")))
        text, code = done.stdout.decode("utf-8", "replace"), done.returncode
    except subprocess.TimeoutExpired as late:
        text = (late.stdout or b"").decode("utf-8", "replace") + "\ntook too long\n"
        code = -1
    except OSError as error:
        text, code = f"cannot be run: {error}\n", -1
    found = TALLY.findall(text)
    counts = [int(n or 0) for n in found[-1]] if found else [0, 0, 0]
    if code and not counts[1]:
        counts[1] = 1
        text += f"ended with status {code}\n"
    elif not found:
        counts[1] = 1
        text += "ended without a tally\n"
    return test["name"], counts, text, time.monotonic() - begin


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("build")
    parser.add_argument("cases", nargs="*")
    parser.add_argument("--suite", default="unit")
    parser.add_argument("--only", action="append", default=[])
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--build", dest="make", action="store_true")
    args = parser.parse_args()
    if args.make:  # sources that came or went make the first call fail and the second configure
        fresh = ["ninja", "-C", args.build, "tests/fresh.stamp"]
        if subprocess.run(fresh, stdout=subprocess.DEVNULL).returncode:
            subprocess.run(fresh, check=True)
    listed = subprocess.run(["meson", "introspect", "--tests", args.build], check=True,
                            capture_output=True, text=True).stdout
    tests = [t for t in json.loads(listed)
             if any(s.split(":")[-1] == args.suite for s in t["suite"]) and
             (not args.only or any(w in t["name"] for w in args.only))]
    if args.make and tests:
        programs = sorted({os.path.relpath(t["cmd"][0], args.build) for t in tests})
        subprocess.run(["ninja", "-C", args.build, *programs], check=True)
    total = [0, 0, 0]
    with ThreadPoolExecutor(max(args.jobs, 1)) as pool:
        for name, counts, text, seconds in pool.map(lambda t: run(t, args.cases), tests):
            total = [a + b for a, b in zip(total, counts)]
            state = "FAILED" if counts[1] else "ok"
            print(f"{state:6} {name:32} {sum(counts):5} cases {seconds:6.1f} s", flush=True)
            if counts[1]:
                print("    " + "\n    ".join(TALLY.sub("", text).strip().split("\n")[-60:]))
    print(f"{total[0]} passed, {total[1]} failed" + (f", {total[2]} skipped" if total[2] else ""))
    return 1 if total[1] or not total[0] else 0


if __name__ == "__main__":
    sys.exit(main())
