#!/usr/bin/env python3
"""The figures of tests/conformance/checks.csv, reproduced.

  checks.py --ours [NAME...]   every row that our program can answer (needs the built library);
                               the others stand in tests/conformance/checks_later.txt with the
                               name that is missing, and it is an error when that name exists
  checks.py --peer [NAME...]   every row of Python on scikit-learn (needs scikit-learn, scipy);
                               lists the rows that differ
  checks.py --peer --export    writes the generated data that --ours needs as tables of 17 digits
                               to tests/conformance/fixtures
  --lib FILE                   the library for --ours (default build-gcc, then build)
"""
import csv
import json
import math
import os
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
TABLE = os.path.join(ROOT, "tests", "conformance", "checks.csv")
LATER = os.path.join(ROOT, "tests", "conformance", "checks_later.txt")
csv.field_size_limit(1 << 24)


def rows(names):
    with open(TABLE, encoding="utf-8", newline="") as f:
        table = list(csv.DictReader(f))
    return [r for r in table if not names or any(n in r["name"] for n in names)]


def flat(value):
    """Numbers and texts of nested lists, arrays and dicts in order."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, dict):
        return [x for v in value.values() for x in flat(v)]
    if isinstance(value, (list, tuple)):
        return [x for v in value for x in flat(v)]
    return [value]


def number(x):
    if isinstance(x, str) and x in ("nan", "inf", "-inf"):
        return float(x)
    return float(x) if isinstance(x, (bool, int, float)) else x


def difference(got, expected, tolerance):
    """None when `got` is within tolerance of `expected`, else a sentence."""
    got, want = [number(x) for x in flat(got)], [number(x) for x in flat(expected)]
    if len(got) != len(want):
        return f"{len(got)} values, expected {len(want)}"
    kind, t = (tolerance.split() + ["0"])[:2]
    t = float(t)
    for i, (a, b) in enumerate(zip(got, want)):
        if isinstance(a, str) or isinstance(b, str) or a is None or b is None:
            same = a == b
        elif math.isnan(b) or math.isnan(a):
            same = math.isnan(a) and math.isnan(b)
        elif math.isinf(b) or kind == "exact":
            same = a == b
        elif kind == "abs":
            same = abs(a - b) <= t
        elif kind == "rel":
            same = abs(a - b) <= t * abs(b)
        elif kind == "max":
            same = a <= b * (1 + t)
        elif kind == "min":
            same = a >= b * (1 - t)
        else:
            return f"unknown tolerance {tolerance!r}"
        if not same:
            return f"value {i}: {a!r}, expected {b!r} ({tolerance})"
    return None


def inputs(data):
    """Names and arrays that a row's procedure sees."""
    import numpy as np
    from sklearn import datasets

    loaders = {"iris": datasets.load_iris, "wine": datasets.load_wine, "digits": datasets.load_digits,
               "breast_cancer": datasets.load_breast_cancer, "diabetes": datasets.load_diabetes}
    if data in loaders:
        b = loaders[data]()
        return {"X": b.data, "y": b.target}
    if data.startswith("gen "):
        space = peer_space()
        exec(data[4:].replace("\\n", "\n"), space)
        return {k: v for k, v in space.items() if k not in peer_space.names}
    if not data.startswith("{"):
        return {}

    def array(v):
        if not isinstance(v, list):
            return v
        try:
            return np.array([[math.nan if x is None else x for x in r] if isinstance(r, list) else
                             (math.nan if r is None else r) for r in v])
        except ValueError:
            return v

    return {k: array(v) for k, v in json.loads(data).items()}


def peer_space():
    space = {}
    exec("import numpy as np, math, json, itertools, scipy.stats as st, scipy.special as sp, "
         "scipy.optimize as so, scipy.linalg as sl", space)
    import importlib
    import pkgutil
    import sklearn
    from sklearn.experimental import enable_halving_search_cv, enable_iterative_imputer  # noqa: F401
    names = [m.name for m in pkgutil.iter_modules(sklearn.__path__)
             if not m.name.startswith("_") and m.name not in ("conftest", "tests", "externals", "experimental")]
    for module_name in names + ["feature_extraction.text"]:
        module = importlib.import_module("sklearn." + module_name)
        for name in getattr(module, "__all__", dir(module)):
            if not name.startswith("_"):
                space.setdefault(name, getattr(module, name, None))
    peer_space.names = set(space)
    return space


def peer(names):
    import warnings
    warnings.filterwarnings("ignore")
    base, passed, differ, broken, other = peer_space(), 0, [], [], 0
    for r in rows(names):
        if not r["procedure"].startswith("py "):
            other += 1
            continue
        space = dict(base)
        try:
            space.update(inputs(r["data"]))
            exec(r["procedure"][3:].replace("\\n", "\n"), space)
            why = difference(space["r"], json.loads(r["expected"]), r["tolerance"])
        except Exception as e:  # noqa: BLE001 - any failure of the peer is a finding
            broken.append(f"{r['name']}: {type(e).__name__}: {str(e)[:120]}")
            continue
        if why is None:
            passed += 1
        else:
            differ.append(f"{r['name']}: {why}; {r['source'].partition('versions may differ')[1]}")
    import sklearn
    print("\n".join(["differs " + x for x in differ] + ["cannot run " + x for x in broken]))
    print(f"scikit-learn {sklearn.__version__}: {passed} rows equal, {len(differ)} differ, "
          f"{len(broken)} cannot run, {other} are definitions in words")
    return 0


# Generated data of rows that --ours answers: a row that has it, and the names it leaves.
EXPORTS = {"polynomial": ("fit.polynomial.data", {"x": "X", "y": "y"})}


def export():
    for name, (row, keys) in EXPORTS.items():
        data = inputs(next(r["data"] for r in rows([]) if r["name"] == row))
        columns = {k: data[v].tolist() for k, v in keys.items()}
        path = os.path.join(ROOT, "tests", "conformance", "fixtures", name + ".csv")
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8", newline="") as f:
            out = csv.writer(f, lineterminator="\n")
            out.writerow(columns)
            out.writerows([f"{v:.17g}" for v in line] for line in zip(*columns.values()))
        print(f"wrote {os.path.relpath(path, ROOT)}")
    return 0


def ours(names, lib):
    sys.path.insert(0, os.path.join(ROOT, "tools"))
    import checks_ours
    answers = checks_ours.answers(lib)
    missing_later = checks_ours.later(LATER)
    passed, bad = 0, []
    for r in rows(names):
        name = r["name"]
        if name in answers:
            try:
                why = difference(answers[name](r), json.loads(r["expected"]), r["tolerance"])
            except Exception as e:  # noqa: BLE001 - every failure is reported by its row
                why = f"{type(e).__name__}: {e}"
            if name in missing_later:
                why = f"answered, but checks_later.txt waits for {missing_later[name]}"
            if why is None:
                passed += 1
            else:
                bad.append(f"{name}: {why}")
        elif name not in missing_later:
            bad.append(f"{name}: neither answered nor in checks_later.txt")
        elif checks_ours.exists(missing_later[name]):
            bad.append(f"{name}: '{missing_later[name]}' exists now, so this row must be answered")
    if not names:
        known = {r["name"] for r in rows([])}
        bad += [f"{n}: in checks_later.txt but not in checks.csv" for n in missing_later if n not in known]
    for line in bad:
        print(line)
    print(f"{passed} passed, {len(bad)} failed")
    return 1 if bad or not passed else 0


def main(args):
    lib = None
    if "--lib" in args[:-1]:
        at = args.index("--lib")
        lib = args[at + 1]
        del args[at:at + 2]
    if args == ["--peer", "--export"]:
        return export()
    if args[:1] == ["--peer"]:
        return peer(args[1:])
    if args[:1] == ["--ours"]:
        return ours(args[1:], lib)
    sys.exit(__doc__)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
