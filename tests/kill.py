#!/usr/bin/env python3
"""tests/kill.py BUILD [KILLS] - a process that saves models is killed at random moments

After each kill -9 the file is the old model or the new one, byte for byte, and opens. Counted:
kills between the first write and the rename (a temporary file was left beside the target).
The default of 300 kills needs 200 such; more rounds are run until both are reached. Then trainings with
snapshots are killed: what they leave opens and goes on to the predictions of one left alone.
"""
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def snapshots(program, folder, rng, kills=8):
    """The numbers of kills after which the snapshot was whole and not; some must have left one."""
    table, part = os.path.join(ROOT, "data", "concrete.csv"), os.path.join(folder, "s.tide.partial")
    fit = [program, "train", table, "--target", "compressive_strength", "--learner", "gbdt", "--set", "trees=400",
           "--set", "patience=0", "--cv", "1", "-q"]

    def scores(model):
        return subprocess.run([program, "predict", model, table, "-q"], check=True, capture_output=True).stdout

    whole, end = os.path.join(folder, "whole.tide"), os.path.join(folder, "end.tide")
    began = time.monotonic()
    subprocess.run([*fit, "-o", whole], check=True, capture_output=True)
    lasted, want, good, bad, left = time.monotonic() - began, scores(whole), 0, 0, 0
    for _ in range(kills):
        p = subprocess.Popen([*fit, "--snapshot", "3", "-o", part[:-8]], stdout=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL)
        time.sleep(rng.uniform(0.3, 1) * lasted)
        p.kill()
        p.wait()
        if not os.path.exists(part):
            continue
        left += 1
        done = subprocess.run([program, "train", table, "--target", "compressive_strength", "--continue", part,
                               "-o", end, "-q"], capture_output=True, text=True)
        same = done.returncode == 0 and scores(end) == want
        good, bad = good + same, bad + (not same)
        if not same:
            print(f"a snapshot does not go on to the same end: {done.stderr.strip()[-200:]}")
        os.remove(part)
    print(f"{left} of {kills} killed trainings left a snapshot")
    return good, bad + (left == 0)


def main(build, kills=300):
    program, loop = os.path.join(build, "src", "tidemill"), os.path.join(build, "tests", "save_loop")
    seed = random.randrange(1 << 30)
    rng, passed, failed, between = random.Random(seed), 0, 0, 0
    with tempfile.TemporaryDirectory(dir=build) as folder:
        a, b, out = (os.path.join(folder, x) for x in ("a.tide", "b.tide", "out.tide"))
        table = os.path.join(ROOT, "data", "penguins.csv")
        for path, trees in ((a, "40"), (b, "80")):
            subprocess.run([program, "train", table, "--target", "species", "--learner", "gbdt", "--trees", trees,
                            "--cv", "1", "-o", path, "-q"], check=True, capture_output=True)
        old, new = open(a, "rb").read(), open(b, "rb").read()
        shutil.copy(a, out)
        rounds = 0
        while (rounds < kills or between < 2 * kills // 3) and rounds < 10 * kills and failed < 10:
            rounds += 1
            slow = rounds % 5 != 0  # the others write at full speed, so that renames are met too
            p = subprocess.Popen([loop, a, b, out] + ["slow"] * slow, stdout=subprocess.PIPE)
            p.stdout.readline()
            time.sleep(rng.uniform(0, 0.2 if slow else 0.012))
            p.kill()
            p.wait()
            p.stdout.close()
            names = set(os.listdir(folder)) - {"a.tide", "b.tide", "out.tide"}
            between += any(os.path.getsize(os.path.join(folder, n)) > 0 for n in names)
            now = open(out, "rb").read()
            if now in (old, new):
                passed += 1
            else:
                failed += 1
                print(f"seed {seed}, kill {rounds}: {len(now)} bytes that are neither model")
        subprocess.run([program, "train", table, "--target", "species", "--learner", "gbdt", "--trees", "3",
                        "--cv", "1", "-o", out, "-q"], check=True, capture_output=True)
        left = set(os.listdir(folder)) - {"a.tide", "b.tide", "out.tide"}
        if left:
            failed += 1
            print(f"the next save leaves {sorted(left)}")
        good, bad = snapshots(program, folder, rng)
        passed, failed = passed + good, failed + bad
    print(f"{rounds} kills, {between} of them between the first write and the rename")
    print(f"{passed} passed, {failed} failed")
    return failed != 0 or passed == 0 or between < 2 * kills // 3


if __name__ == "__main__":
    sys.exit(main(os.path.abspath(sys.argv[1]), *(int(x) for x in sys.argv[2:3])))
