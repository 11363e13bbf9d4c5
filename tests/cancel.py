#!/usr/bin/env python3
"""tests/cancel.py PROGRAM [TIMES] - Ctrl-C during a long fit

SIGINT at a random moment of a fit that would take long. Time from the signal to the end of the
process: p99 of TIMES (default 200) within 100 ms, best of three rounds; exit 130; the output
untouched; OUT.partial a whole model or absent. When the machine is loaded beyond its cores the
bound is three times that.

Then while a file is synced by a slow disk (build/tests/slow_fsync.so): one SIGINT while the columns of
a table are kept, and two while a table is written, end the program and leave no file behind.
"""
import os
import random
import signal
import subprocess
import sys
import tempfile
import time


def one_round(program, times, seed):
    """p99 in seconds and the number of faults."""
    rng, waits, failed, partial = random.Random(seed), [], 0, 0
    with tempfile.TemporaryDirectory() as folder:
        table, out = os.path.join(folder, "t.csv"), os.path.join(folder, "m.tide")
        subprocess.run([program, "make", "higgs_like", "--rows", "20000", "-o", table, "-q"], check=True,
                       capture_output=True)
        for i in range(times):
            learner = ["gbdt", "gbdt", "logistic", "tree", "auto"][i % 5]
            more = ["--trees", "100000", "--patience", "0", "--cv", "1"] if learner == "gbdt" else ["--cv", "100"]
            with open(out, "wb") as f:
                f.write(b"old")
            p = subprocess.Popen([program, "train", table, "--target", "y", "--learner", learner, "-o", out, "-q", *more],
                                 stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
            time.sleep(rng.uniform(0.15, 0.9))
            began = time.monotonic()
            p.send_signal(signal.SIGINT)
            text = p.communicate()[1].decode()
            waits.append(time.monotonic() - began)
            whole = True
            if os.path.exists(out + ".partial"):
                partial += 1
                whole = subprocess.run([program, "show", out + ".partial", "-q"], capture_output=True).returncode == 0
                os.remove(out + ".partial")
            if p.returncode != 130 or open(out, "rb").read() != b"old" or not whole:
                failed += 1
                print(f"{learner}: exit {p.returncode}, partial whole {whole}: {text.strip()[-200:]}")
    waits.sort()
    p99 = waits[int(len(waits) * 0.99) - 1]
    print(f"median {1000 * waits[len(waits) // 2]:.1f} ms, p99 {1000 * p99:.1f} ms, most {1000 * waits[-1]:.1f} ms; "
          f"{partial} partial models")
    return p99, failed


def in_sync(program, build):
    """Faults of programs that are interrupted while fsync blocks."""
    failed, slow = 0, {**os.environ, "LD_PRELOAD": os.path.join(build, "tests", "slow_fsync.so")}
    with tempfile.TemporaryDirectory() as folder:
        table = os.path.join(folder, "t.csv")
        subprocess.run([program, "make", "moons", "--rows", "20000", "-o", table, "-q"], check=True)
        for signals, words in ((1, ["look", table, "--cache"]), (2, ["make", "moons", "-o", table])):
            p = subprocess.Popen([program, *words, "-q"], env=slow, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
            while p.poll() is None and not any(os.path.getsize(os.path.join(folder, n)) for n in os.listdir(folder)
                                               if n.endswith(".tmp")):
                time.sleep(0.01)
            time.sleep(0.2)  # the file is small: it is written, and the sync has begun
            began = time.monotonic()
            for _ in range(signals):
                p.send_signal(signal.SIGINT)
                time.sleep(0.02)
            p.communicate()
            took, left = time.monotonic() - began, sorted(os.listdir(folder))
            if p.returncode != 130 or left != ["t.csv"] or took > 0.7:
                failed += 1
                print(f"{words[0]} in fsync: exit {p.returncode} after {1000 * took:.0f} ms, files {left}")
    return failed


def main(program, times=200):
    bound, best, failed, rounds = 0.1, 9.0, 0, 0
    while rounds < 3 and best > bound and not failed:
        rounds += 1
        p99, failed = one_round(program, times, rounds)
        best = min(best, p99)
        bound = 0.1 if os.getloadavg()[0] <= (os.cpu_count() or 1) else 0.3
    failed += best > bound
    print(f"p99 {1000 * best:.1f} ms, bound {1000 * bound:.0f} ms")
    failed += in_sync(program, os.path.dirname(os.path.dirname(program)))
    print(f"{rounds * times + 3 - failed} passed, {failed} failed")
    return failed != 0


if __name__ == "__main__":
    sys.exit(main(os.path.abspath(sys.argv[1]), *(int(x) for x in sys.argv[2:3])))
