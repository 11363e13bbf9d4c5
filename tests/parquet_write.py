#!/usr/bin/env python3
"""Parquet files of ours as pyarrow reads them: types, every cell, missing, statistics, groups.

  parquet_write.py TIDEMILL     the program; needs pyarrow (pip install pyarrow==26.0.1), and
                                skips without it
"""
import csv
import datetime as dt
import os
import subprocess
import sys
import tempfile

passed = failed = 0
WORDS = ["red", "blue", "Ökö", "a longer word than twelve bytes"]


def check(what, got, want):
    global passed, failed
    if got == want:
        passed += 1
        return
    failed += 1
    print(f"FAILED {what}: {str(got)[:200]}, not {str(want)[:200]}")


def rows(n):
    for i in range(n):
        yield {"int": None if i % 7 == 3 else (i * 7919) % 100003 - 50000,
               "number": None if i % 11 == 5 else ((i * 104729) % 9973 - 5000) / 8,
               "bool": None if i % 13 == 1 else i % 3 == 0,
               "word": None if i % 5 == 4 else WORDS[i * i % 4],
               "text": f"row {i} of a text that is not a category, {i * 31 % 977}",
               "time": None if i % 17 == 2 else dt.datetime(1969, 12, 30) + dt.timedelta(minutes=i * 37),
               "full": i}


def shown(v):
    if v is None:
        return ""
    if isinstance(v, bool):
        return "true" if v else "false"
    return v.isoformat() if isinstance(v, dt.datetime) else str(v)


def with_pyarrow(program, folder, n, kind):
    import pyarrow as pa
    import pyarrow.parquet as pq
    given = list(rows(n))
    source, out = os.path.join(folder, "t.csv"), os.path.join(folder, "t.parquet")
    with open(source, "w", newline="", encoding="utf-8") as f:
        w = csv.writer(f, lineterminator="\n")
        w.writerow(given[0])
        w.writerows([shown(v) for v in row.values()] for row in given)
    subprocess.run([program, "convert", source, out, "-q", "--compression", kind], check=True)
    file = pq.ParquetFile(out, page_checksum_verification=True)
    table, what = file.read(), f"{n} rows, {kind}"
    kinds = {"int": pa.int64(), "number": pa.float64(), "bool": pa.bool_(), "word": pa.string(),
             "text": pa.string(), "time": pa.timestamp("us"), "full": pa.int64()}
    check(what + ", types", {f.name: f.type for f in table.schema}, kinds)
    for name in kinds:
        want = [row[name] for row in given]
        check(f"{what}, {name}", table[name].to_pylist(), want)
        at = 0
        for g in range(file.metadata.num_row_groups):
            chunk = file.metadata.row_group(g).column(list(kinds).index(name))
            part = want[at:at + chunk.num_values]
            there = [v for v in part if v is not None]
            at += chunk.num_values
            s = chunk.statistics
            check(f"{what}, {name}, codec", chunk.compression,
                  {"none": "UNCOMPRESSED", "gzip": "GZIP"}.get(kind, "ZSTD"))
            check(f"{what}, {name}, missing", s.null_count, len(part) - len(there))
            if name in ("int", "number", "bool", "time", "full", "word"):
                order = (lambda v: v.encode()) if name == "word" else None
                check(f"{what}, {name}, range", (s.min, s.max), (min(there, key=order), max(there, key=order)))
    check(what + ", groups", file.metadata.num_row_groups, -(-n // (1 << 20)))
    dictionary = pq.read_table(out, read_dictionary=["word"])["word"].to_pylist()
    check(what + ", dictionary", dictionary, [row["word"] for row in given])
    kept = pq.read_table(out, filters=[("int", ">", 49000)]).num_rows
    check(what + ", rows kept by a filter", kept, sum(1 for r in given if (r["int"] or 0) > 49000))


def main(args):
    if len(args) != 1:
        sys.exit(__doc__)
    skipped = 0
    try:
        import pyarrow  # noqa: F401
        with tempfile.TemporaryDirectory() as folder:
            for n, kind in ((1000, "none"), (1000, "gzip"), (70000, "auto"), ((1 << 20) + 5000, "zstd")):
                with_pyarrow(args[0], folder, n, kind)
    except ModuleNotFoundError as e:
        print(f"skipped: {e}")
        skipped = 1
    print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
