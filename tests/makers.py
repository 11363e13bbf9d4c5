#!/usr/bin/env python3
"""tests/makers.py PROGRAM - the texts that `tidemill make` writes, beside their definitions

csv-mixed, csv-wide, csv-quoted and csv-bad are written here a second time, from the definitions in
src/frame/make_csv.c and Python's own hash, formats and exponential, and compared byte for byte: first
rows, rows of another seed, and rows around the broken ones of csv-bad. Then the files are read back,
plain and compressed.
"""
import gzip
import json
import math
import os
import subprocess
import sys
import tempfile

MASK = 2**64 - 1
NAMES = "red blue green violet orange crimson indigo magenta turquoise chartreuse ultramarine cornflowerblue".split()
passed = failed = 0


def mix(z):
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 & MASK
    z = (z ^ z >> 27) * 0x94D049BB133111EB & MASK
    return z ^ z >> 31


def h(s, i, j):
    return mix(mix(s + 0x9E3779B97F4A7C15 * (i + 1) & MASK) + 0xD1B54A32D192ED03 * (j + 1) & MASK)


def u(s, i, j):
    return (h(s, i, j) >> 11) * 2.0**-53


def z(s, i, j):
    v = h(s, i, j)
    return (sum(v >> k & 0xFFFF for k in (0, 16, 32, 48)) - 131070) / math.sqrt((65536**2 - 1) / 3)


def text(s, i, word):
    if u(s, i, 11) >= 0.05:
        return word
    half = len(word) // 2
    return '"' + word[:half] + "," * (u(s, i, 12) < 1 / 40) + '""' * (u(s, i, 13) < 1 / 400) + word[half:] + '"'


def mixed(s, i, fault=None):
    cells = ["%d" % (1000 * u(s, i, 0)), "12x4" if fault == 2 else "%d" % (1e6 * u(s, i, 1)),
             "%.2f" % (1000 * abs(z(s, i, 2))), "%.3f" % (10 * z(s, i, 3)), "%.6f" % u(s, i, 4),
             "%.5g" % math.exp(3 * z(s, i, 5)), repr(u(s, i, 6)),
             "%.1f" % (100 * z(s, i, 7)) if u(s, i, 8) >= 0.05 else "",
             "\xff" * (fault == 3) + text(s, i, NAMES[int(12 * u(s, i, 9))])]
    if fault != 0:
        cells.append(text(s, i, "k%05d" % (5000 * u(s, i, 10)**2)))
    return ",".join(cells + ["more"] * (fault == 1)) + "\n"


def bad(s, i):
    return mixed(s, i, i // 100003 % 4 if i % 100003 == 17 else None)


def wide(s, i):
    return ",".join("%.4f" % z(s, i, j) for j in range(30)) + "\n"


def quoted(s, i):
    topic, out = int(20 * u(s, i, 1)), []
    for w in range(50 + int(151 * u(s, i, 0))):
        r = math.floor(math.exp(u(s, i, 1001 + 2 * w) * math.log(50001)) - 1)
        token = r if u(s, i, 1000 + 2 * w) < 0.8 else 50 + (20 * r + topic) % 49950
        out.append(("" if w == 0 else "\n" if w % 10 == 9 else " ") + '""' * (w % 50 == 49) + f"w{token}")
    return f'{i},"{"".join(out)}",t{topic}\n'


def check(what, good, *more):
    global passed, failed
    passed, failed = passed + good, failed + (not good)
    if not good:
        print("FAILED", what, *more)


def main(program):
    def run(*words):
        return subprocess.run([program, *words, "-q"], capture_output=True, check=True).stdout
    names = b"small,large,price,delta,share,scale,exact,holes,name,key\n"
    for kind, seed, row, head, more in (
            ("csv-mixed", 32, mixed, names, []), ("csv-mixed", 7, mixed, names, ["--seed", "7"]),
            ("csv-wide", 33, wide, (",".join(f"x{j}" for j in range(30)) + "\n").encode(), ["--set", "columns=30"]),
            ("csv-quoted", 33, quoted, b"id,text,label\n", [])):
        n = 200 if kind == "csv-quoted" else 3000
        want = head + "".join(row(seed, i) for i in range(n)).encode("latin-1")
        check(f"{kind}, seed {seed}", run("make", kind, "--rows", str(n), *more) == want)
    with tempfile.TemporaryDirectory() as folder:
        path, packed = os.path.join(folder, "t.csv"), os.path.join(folder, "t.csv.gz")
        made = [json.loads(run("make", "csv-bad", "--rows", "500100", "--threads", threads, "-o", out, "--json"))
                for threads, out in (("1", path), ("2", packed))]
        with open(path, "rb") as f, gzip.open(packed) as g:
            data = f.read()
            check("gzip holds the same text, for any number of threads", g.read() == data)
        lines = data.split(b"\n")
        check("csv-bad has its rows", len(lines) == 500102 and made[0]["rows"] == 500100 and made[0]["columns"] == 10)
        for k in range(5):
            rows = range(100003 * k + 15, 100003 * k + 20)
            check(f"csv-bad, fault {k}", all(lines[i + 1] + b"\n" == bad(32, i).encode("latin-1") for i in rows))
        run("make", "csv-mixed", "--rows", "20000", "-o", path)
        look = json.loads(run("look", path, "--json"))
        check("look reads csv-mixed", '"rows": 20000' in json.dumps(look), json.dumps(look)[:300])
        table = run("convert", path, "-", "--columns", "exact,key").decode().split("\n")
        check("cells come back", table[1:20001] == [f'{u(32, i, 6)!r},' + mixed(32, i).rstrip("\n").split(",")[-1].strip('"')
                                                    if u(32, i, 11) >= 0.05 else line for i, line in enumerate(table[1:20001])])
        run("make", "csv-quoted", "--rows", "500", "-o", packed)
        table = run("convert", packed, "-", "--columns", "text,label", "--to", "jsonl").decode().splitlines()
        want = [quoted(33, i).split(",", 1)[1].rsplit('",', 1) for i in range(500)]
        check("texts come back", [(c["text"], c["label"]) for c in map(json.loads, table)]
              == [(t[1:].replace('""', '"'), label.strip()) for t, label in want])
    print(f"{passed} passed, {failed} failed")
    return failed != 0


if __name__ == "__main__":
    sys.exit(main(os.path.abspath(sys.argv[1])))
