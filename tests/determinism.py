#!/usr/bin/env python3
"""tests/determinism.py PROGRAM [LEARNER...] - the same model bytes, whatever may not matter

For every learner and task: threads 1, 2, 3, 7 x instruction sets of this machine x
OPENBLAS_CORETYPE Haswell, SkylakeX; shuffled columns; a constant, an identifier and a dropped
column more; file, gzip and stdin. SHA-256 of the saved model must be equal. The plain kernels
(base) must be equal where the learner states tolerance 0, else predictions lie within it.
"""
import csv
import gzip
import hashlib
import json
import os
import random
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
TABLES = {"churn_train.csv.gz": ("churn", "classify", 1500), "penguins.csv": ("species", "classify", 344),
          "concrete.csv": ("compressive_strength", "regress", 1030)}
SETTINGS = {"gbdt": ["--trees", "60"], "tree": []}


def read(name, most):
    path = os.path.join(ROOT, "data", name)
    opened = gzip.open(path, "rt", newline="") if name.endswith(".gz") else open(path, newline="")
    with opened as f:
        rows = list(csv.reader(f))
    return rows[0], rows[1:1 + most]


def write(path, head, rows):
    with open(path, "w", newline="") as f:
        csv.writer(f, lineterminator="\n").writerows([head] + rows)


class Runner:
    def __init__(self, program, folder):
        self.program, self.folder, self.passed, self.failed, self.absent = program, folder, 0, 0, set()

    def train(self, table, learner, target, task, threads="2", isa="avx2", more=(), env=(), stdin=None):
        """SHA-256 of the model, or None when this machine lacks the instruction set."""
        out = os.path.join(self.folder, "m.tide")
        args = [self.program, "train", table, "--target", target, "--task", task, "--learner", learner, "--cv", "1",
                "-o", out, "-q", "--threads", threads, *SETTINGS.get(learner, []), *more]
        environment = dict(os.environ, TIDEMILL_ISA=isa, **dict(env))
        if os.path.exists(out):
            os.remove(out)
        done = subprocess.run(args, capture_output=True, env=environment, stdin=stdin)
        if b"usage-environment" in done.stderr:
            self.absent.add(isa)
            return None
        if done.returncode:
            return f"exit {done.returncode}: {done.stderr.decode().strip()[-200:]}"
        with open(out, "rb") as f:
            return hashlib.sha256(f.read()).hexdigest()

    def equal(self, what, got, want):
        if got is None:
            return
        if got == want:
            self.passed += 1
        else:
            self.failed += 1
            print(f"{what}: {got}, not {want}")


def scores(program, folder, model, table, isa):
    out = os.path.join(folder, "p.csv")
    subprocess.run([program, "predict", model, table, "--proba", "-o", out, "-q"], check=True,
                   env=dict(os.environ, TIDEMILL_ISA=isa))
    with open(out, newline="") as f:
        rows = list(csv.reader(f))[1:]
    return [float(x) for r in rows for x in r if x.replace(".", "").replace("-", "").replace("e", "").isdigit()]


def check_base(run, what, args, want, tolerance):
    got = run.train(*args, isa="base")
    if tolerance == 0:
        run.equal(f"{what} base", got, want)
        return
    model = os.path.join(run.folder, "m.tide")
    a = scores(run.program, run.folder, model, args[0], "base")
    run.train(*args)
    b = scores(run.program, run.folder, model, args[0], "avx2")
    near = len(a) == len(b) and all(abs(x - y) <= tolerance * max(1, abs(y)) for x, y in zip(a, b))
    run.equal(f"{what} base within {tolerance}", near, True)


def check(run, name, learner, tolerance):
    target, task, most = TABLES[name]
    head, rows = read(name, most)
    path = lambda s: os.path.join(run.folder, s)
    table = path("table.csv")
    write(table, head, rows)
    what = f"{learner} on {name}"
    args = (table, learner, target, task)
    want = run.train(*args, threads="1")
    if want is None or want.startswith("exit"):
        run.equal(what, want, "a model")
        return
    for isa in ("avx2", "avx512"):
        for threads in ("1", "2", "3", "7"):
            for core in ("Haswell", "SkylakeX"):
                got = run.train(*args, threads=threads, isa=isa, env=[("OPENBLAS_CORETYPE", core)])
                run.equal(f"{what} threads {threads} {isa} {core}", got, want)
    check_base(run, what, args, want, tolerance)
    order = list(range(len(head)))
    random.Random(1).shuffle(order)
    write(table, [head[j] for j in order], [[r[j] for j in order] for r in rows])
    run.equal(f"{what} shuffled columns", run.train(*args), want)
    extra = [r + ["7", f"id{i:06d}", str(i % 17)] for i, r in enumerate(rows)]
    write(table, head + ["same_everywhere", "row_name", "left_out"], extra)
    run.equal(f"{what} constant, identifier and dropped column more",
              run.train(*args, more=["--drop", "left_out"]), want)
    write(table, head, rows)
    with open(table, "rb") as f, gzip.open(path("table.csv.gz"), "wb") as z:
        z.write(f.read())
    run.equal(f"{what} gzip", run.train(path("table.csv.gz"), *args[1:]), want)
    with open(table, "rb") as f:
        run.equal(f"{what} stdin", run.train("-", *args[1:], stdin=f), want)


def main(argv):
    program, wanted = os.path.abspath(argv[0]), argv[1:]
    listed = json.loads(subprocess.run([program, "list", "learner", "--json"], check=True, capture_output=True).stdout)
    entries = listed["learners"]
    with tempfile.TemporaryDirectory() as folder:
        run = Runner(program, folder)
        for entry in entries:
            for name, (_, task, _) in TABLES.items():
                if task in entry["tasks"] and (not wanted or entry["name"] in wanted):
                    check(run, name, entry["name"], entry["tolerance"])
    for isa in sorted(run.absent):
        print(f"this machine has no {isa}: its part of the grid was not run")
    print(f"{run.passed} passed, {run.failed} failed")
    return run.failed != 0 or run.passed == 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
