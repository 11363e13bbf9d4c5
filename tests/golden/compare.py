#!/usr/bin/env python3
"""Our numbers against those that scikit-learn gave (tests/golden/*.json), without scikit-learn.

  compare.py [--lib FILE] [FILE.json...]
  compare.py --show ...    also the largest difference of each case

The library is asked through its public interface (tools/checks_ours.py). A case is a model's
coefficients and predictions, what a step makes of rows, or one metric of some rows.
"""
import glob
import json
import math
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(os.path.dirname(HERE)), "tools")]
import checks_ours as ours  # noqa: E402
import golden_file as golden  # noqa: E402

TASK = {"classify": ours.CLASSIFY, "regress": ours.REGRESS}


def flat(value):
    return [x for v in value for x in flat(v)] if isinstance(value, list) else [value]


def distance(got, want, kind, scale):
    """Of two numbers in the measure of the tolerance; texts and gaps: 0 or infinite."""
    if got == want or want != want and got != got:
        return 0.0
    if got is None or want is None or isinstance(got, str) or isinstance(want, str) or kind == "exact":
        return math.inf
    d = abs(got - want)
    return d if kind == "abs" else d / max(abs(want), scale)


def worst(got, want, tolerance, scale=0.0):
    """(largest distance, allowed); a difference in number is infinite. A relative difference is
    taken of the larger of the number and `scale`."""
    kind, _, size = tolerance.partition(" ")
    if len(got) != len(want):
        return math.inf, 0.0
    far = max((distance(g, w, kind, scale) for g, w in zip(got, want)), default=0.0)
    return (math.inf if math.isnan(far) else far), float(size or 0)


def fitted(case):
    """The model, and the rows it is asked about."""
    columns = golden.table(case["data"])
    y = columns.pop(case["target"])
    if case.get("hundredths"):
        y = [float(round(100 * v)) for v in y]
    if case.get("ranks"):
        columns = {k: golden.ranks(v) for k, v in columns.items()}
    if "columns" in case:
        columns = {k: columns[k] for k in case["columns"]}
    new = set(case["rows"])
    rows = [i for i in range(len(y)) if case["fit"] == "all" or i not in new]
    model = ours.Model(list(golden.take(columns, rows).items()), [y[i] for i in rows], case["pipeline"],
                       TASK[case["task"]])
    return model, list(golden.take(columns, case["rows"]).items())


def linear(case):
    model, cols = fitted(case)
    state = model.learned(case["pipeline"].split("; ")[-1].partition("(")[0])
    predicted, want = model.predict(cols), case["expected"]
    if predicted and isinstance(predicted[0], list) and len(predicted[0]) == 2:
        predicted = [p[1] for p in predicted]
    for what, got in (("coefficients", state["coef"]), ("intercept", state["intercept"]),
                      ("predictions", predicted)):
        w = want[{"coefficients": "coef", "predictions": "predicted"}.get(what, what)]
        scale = max(map(abs, w)) if what == "coefficients" else 0.0
        yield what, *worst(flat(got), w, case["tolerance"], scale)


def tree(case):
    model, cols = fitted(case)
    pairs = [(g, w) for g, w in zip(model.predict(cols), case["expected"]) if w is not None]
    yield "predictions", *worst(flat([g for g, _ in pairs]), flat([w for _, w in pairs]), case["tolerance"])


def step(case):
    model, cols = fitted(case)
    got = model.transform(cols)
    for name, want in case["expected"].items():
        yield name, *worst(got.get(name, []), want, case["tolerance"])


def metric(case):
    given = case["given"]
    n = len(given["w"])
    arrays = {k: (ours.ints if k in ("k", "label") else ours.doubles)(v)
              for k, v in given.items() if isinstance(v, list)}
    place = {k: ours.pointer(a, ours.c.c_int32 if k in ("k", "label") else ours.c.c_double)
             for k, a in arrays.items()}
    classes = {"n_classes": given["n_classes"], "positive": given["n_classes"] - 1} if "n_classes" in given else {}
    for (text, weighted), want in zip(case["metrics"], case["expected"]):
        put = {k: v for k, v in place.items() if k != "w" or weighted}
        got = ours.ask(text, task=TASK["classify" if classes else "regress"], n=n, **classes, **put)
        yield text + (", weighted" if weighted else ""), *worst([got], [want], case["tolerance"], 1e-3)


def imported(case):
    """Raw scores of the one output in strict mode, or predictions; of two classes the second."""
    width = len(case["expected"][0]) if isinstance(case["expected"][0], list) else 1
    model = ours.Imported(os.path.join(HERE, case["model"]), TASK["regress"], raw=case["raw"])
    got, want = model.predict(list(case["columns"].items())), flat(case["expected"])
    if width == 1 and len(got) == 2 * len(want):
        got = got[1::2]
    yield "scores", *worst(got, want, case["tolerance"], 1e-3)


KINDS = {"linear": linear, "tree": tree, "step": step, "metric": metric, "import": imported}


def main(args):
    lib, show, passed, failed = None, "--show" in args, 0, 0
    args = [a for a in args if a != "--show"]
    if "--lib" in args[:-1]:
        at = args.index("--lib")
        lib = args[at + 1]
        del args[at:at + 2]
    ours.use(lib)
    for path in args or sorted(glob.glob(os.path.join(HERE, "*.json"))):
        with open(path, encoding="utf-8") as f:
            cases = json.load(f)["cases"]
        for case in cases:
            try:
                found = list(KINDS[case["kind"]](case))
            except Exception as e:  # noqa: BLE001 - a case that cannot run has failed
                found = [(f"{type(e).__name__}: {e}", math.inf, 0.0)]
            for what, far, allowed in found:
                good = far <= allowed
                passed, failed = passed + good, failed + (not good)
                if not good or show:
                    print(f"{'ok' if good else 'FAILED'} {os.path.basename(path)}: {case['name']}: {what}: "
                          f"{far:.2g} away, {case['tolerance']} is allowed")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
