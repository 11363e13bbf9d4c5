#!/bin/bash
# data/remake.sh - writes the carried tables again from the packages that LICENSES.md names.
# Needs Debian's r-base-core r-cran-palmerpenguins r-cran-modeldata and PYTHON (default
# python3) with scikit-learn. Not part of ./check; the files are committed.
set -euo pipefail
cd "$(dirname "$0")"
Rscript - <<'R'
w <- function(d, f) write.csv(d, f, row.names = FALSE, na = "", quote = FALSE)
w(palmerpenguins::penguins, "penguins.csv")
e <- new.env()
data(list = c("mlc_churn", "concrete"), package = "modeldata", envir = e)
w(e$mlc_churn, "churn.csv")
w(e$concrete, "concrete.csv")
R
"${PYTHON:-python3}" - <<'PY'
import gzip
import os
import zlib
from sklearn import datasets as d

def packed(name, text):
    with open(f"{name}.csv.gz", "wb") as f, gzip.GzipFile("", "wb", 9, f, 0) as z:
        z.write(text.encode())


# the reference split: row i is a test row when crc32 of its number is a multiple of 5
with open("churn.csv", encoding="utf-8") as f:
    head, *rows = f.read().splitlines(keepends=True)
is_test = [zlib.crc32(str(i).encode()) % 5 == 0 for i in range(len(rows))]
packed("churn_train", head + "".join(r for r, t in zip(rows, is_test) if not t))
packed("churn_test", head + "".join(r for r, t in zip(rows, is_test) if t))
os.remove("churn.csv")

for name, load in (("iris", d.load_iris), ("wine", d.load_wine), ("breast_cancer", d.load_breast_cancer),
                   ("digits", d.load_digits), ("diabetes", d.load_diabetes)):
    b = load()
    names = [str(n).replace(" (cm)", "").replace(" ", "_") for n in b.feature_names]
    kinds = getattr(b, "target_names", None)
    text = ",".join(names + ["target"]) + "\n"
    for x, y in zip(b.data, b.target):
        label = str(kinds[int(y)]) if kinds is not None and name != "digits" else repr(float(y)).removesuffix(".0")
        text += ",".join([repr(float(v)).removesuffix(".0") for v in x] + [label]) + "\n"
    packed(name, text)
PY
