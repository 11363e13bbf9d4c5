"""What the make_*.py scripts share: tables as columns, and files of expected numbers.

A file holds {script, sha256, command, versions, cases}. sha256 is that of the script and of this
file, so that numbers and the script that made them cannot drift apart (tools/golden.py check).
A number is the shortest text that reads back as the same double (at most 17 digits). A case has
what our side needs (data or columns, pipeline or metric, ...), `expected`, `tolerance` ("rel T",
"abs T" or "exact") and `why`, the reason of that tolerance.
"""
import csv
import gzip
import hashlib
import json
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
MOST = 200_000


def sha256(script):
    h = hashlib.sha256()
    for name in (script, "golden_file.py"):
        with open(os.path.join(HERE, name), "rb") as f:
            h.update(f.read())
    return h.hexdigest()


def table(name):
    """{column: values} of data/NAME: floats with None, or texts with None."""
    path = os.path.join(ROOT, "data", name)
    with (gzip.open if name.endswith(".gz") else open)(path, "rt", encoding="utf-8", newline="") as f:
        head, *rows = csv.reader(f)
    out = {}
    for name, cells in zip(head, zip(*rows)):
        cells = [None if v in ("", "NA") else v for v in cells]
        try:
            out[name] = [None if v is None else float(v) for v in cells]
        except ValueError:
            out[name] = list(cells)
    return out


def take(columns, rows):
    return {k: [v[i] for i in rows] for k, v in columns.items()}


def ranks(values):
    """Numbers by the rank of their distinct values, from 0."""
    at = {v: float(i) for i, v in enumerate(sorted(set(values)))}
    return [at[v] for v in values]


def parts(n):
    """Rows to fit on and rows to predict: every third one is new."""
    return [i for i in range(n) if i % 3], [i for i in range(n) if i % 3 == 0]


def write(name, cases):
    """tests/golden/NAME.json, made by the running script."""
    script = os.path.basename(sys.argv[0])
    versions = {"python": "%d.%d" % sys.version_info[:2]}
    for module in ("sklearn", "numpy", "scipy"):
        if module in sys.modules:
            versions[module] = sys.modules[module].__version__
    head = {"script": script, "sha256": sha256(script), "command": f"python3 tests/golden/{script}",
            "versions": versions}
    text = json.dumps(head, indent=1)[:-2] + ',\n "cases": [\n  '
    text += ",\n  ".join(json.dumps(c, separators=(",", ":")) for c in cases) + "\n ]\n}\n"
    if len(text) > MOST:
        sys.exit(f"{name}: {len(text)} bytes, at most {MOST} are carried")
    with open(os.path.join(HERE, name + ".json"), "w", encoding="utf-8") as f:
        f.write(text)
    print(f"{name}.json: {len(cases)} cases, {len(text)} bytes")
