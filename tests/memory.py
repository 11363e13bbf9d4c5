#!/usr/bin/env python3
"""--memory is held: peak resident memory of whole runs under a limit

  memory.py PROGRAM [ROWS]

Makes a table of 29 columns and runs verbs and learners on it under limits from too little to plenty.
A run either succeeds or ends with exit 6 and an error that says so; either way its peak is at most the
limit and 5 %. At least one run of each kind but convert, which streams, must have been refused and one
must have succeeded, else the limits test nothing."""
import os
import subprocess
import sys
import tempfile

LIMITS = [64, 80, 96, 112, 128, 160, 224, 320]
SLACK = 1.05


def peak_of(args):
    """Exit code, MiB, what was said on stderr."""
    with tempfile.TemporaryFile() as said:
        p = subprocess.Popen(args, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=said)
        _, status, used = os.wait4(p.pid, 0)
        p.returncode = os.waitstatus_to_exitcode(status)
        said.seek(0)
        return p.returncode, used.ru_maxrss / 1024, said.read().decode("utf-8", "replace")


def main():
    program, rows = os.path.abspath(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else "150000"
    passed = failed = 0
    with tempfile.TemporaryDirectory() as folder:
        table, model, out = (os.path.join(folder, n) for n in ("t.csv", "m.tide", "out.csv"))
        subprocess.run([program, "make", "higgs_like", "--rows", rows, "--digits", "7", "-o", table, "-q"], check=True)
        train = ["train", table, "--target", "y", "--task", "classify", "--cv", "1", "-o", model, "-q"]
        jobs = {"look": ["look", table, "-q"], "convert": ["convert", table, out, "-q"],
                "train gbdt": train + ["--learner", "gbdt", "--trees", "5"],
                "train logistic": train + ["--learner", "logistic"],
                "train forest": train + ["--learner", "forest", "--trees", "3"]}
        for name, args in jobs.items():
            ended = set()
            for limit in LIMITS:
                code, mib, said = peak_of([program] + args + ["--memory", f"{limit}M", "--threads", "2"])
                ended.add(code)
                good = mib <= SLACK * limit and (code == 0 or code == 6 and "memory" in said)
                passed, failed = passed + good, failed + (not good)
                print(f"{'ok    ' if good else 'FAILED'} {name:15} limit {limit:4} MiB, peak {mib:6.1f} MiB, exit {code}"
                      + ("" if code == 0 else ": " + said.strip().split("\n")[0][:120]))
            if ended != {0, 6} and name != "convert":
                print(f"FAILED {name}: exits {sorted(ended)}, expected some 0 and some 6")
                failed += 1
    print(f"{passed} passed, {failed} failed")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
