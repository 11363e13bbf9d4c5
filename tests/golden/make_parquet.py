#!/usr/bin/env python3
"""pip install pyarrow==26.0.1 polars==2.1.0 duckdb==2.0.1 numpy==2.4.6

Small Parquet files of three writers, and the cells that are in them: every type, encoding, page
version and compression that our reader takes, with and without missing values, in one page and
in many, in one row group and in several. A cell is a JSON number (times: microseconds), true or
false, a text, or null. tests/unit/frame_parquet.c compares.
"""
import datetime as dt
import decimal
import os
import uuid

import duckdb
import numpy as np
import polars
import pyarrow as pa
import pyarrow.parquet as pq

import golden_file as golden

OUT = os.path.join(golden.HERE, "parquet")
WHY = "a value is copied, widened or, a decimal, rounded once"
EPOCH = dt.datetime(1970, 1, 1)
rng = np.random.default_rng(20240229)


def micros(t):
    if t.tzinfo:
        t = t.astimezone(dt.timezone.utc).replace(tzinfo=None)
    return (t - EPOCH) // dt.timedelta(microseconds=1)


def cell(v, kind):
    if v is None or isinstance(v, float) and v != v:
        return None
    if kind == "time":
        if isinstance(v, dt.datetime):
            return micros(v)
        return (v - EPOCH.date()).days * 86_400_000_000
    if isinstance(v, dt.time):
        return v.hour * 3600 + v.minute * 60 + v.second + v.microsecond / 1e6
    if kind == "number":
        return float(v)
    if isinstance(v, bytes):
        return v.decode()
    return str(v) if isinstance(v, uuid.UUID) else v


def times(n, step, kind):
    return [None if i % 7 == 3 else kind(i * step - 40000) for i in range(n)]


def day(i):
    return dt.date(1970, 1, 1) + dt.timedelta(days=i)


def moment(i):
    return EPOCH + dt.timedelta(microseconds=i * 1_234_567)


def gaps(values, every=5):
    return [None if i % every == 2 else v for i, v in enumerate(values)]


def whole(bits, signed, n):
    lo, hi = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
    if bits == 64:
        lo, hi = (lo + 1, hi) if signed else (lo, 2**63 - 1)
    return [lo, hi, 0, 1] + [int(v) for v in rng.integers(lo // 3, hi // 3, n - 4)]


def everything(n):
    """{name: (Arrow type, kind, values)}"""
    words = ["", "a", "Ökö", "日本", "long word with blanks, \"quotes\"", "b"]
    out = {}
    for bits in (8, 16, 32, 64):
        out[f"i{bits}"] = (getattr(pa, f"int{bits}")(), "int", gaps(whole(bits, True, n)))
        out[f"u{bits}"] = (getattr(pa, f"uint{bits}")(), "int", gaps(whole(bits, False, n), 6))
    real = [float(v) for v in rng.standard_normal(n) * 10.0 ** rng.integers(-30, 30, n)]
    out["f64"] = (pa.float64(), "number", gaps(real))
    out["f32"] = (pa.float32(), "number", gaps([float(np.float32(v)) for v in real], 4))
    half = [float(np.float16(v)) for v in rng.standard_normal(n)]
    half[:4] = [0.0, -0.0, 2.0**-24, 65504.0]
    out["f16"] = (pa.float16(), "number", half)
    out["truth"] = (pa.bool_(), "bool", gaps([i % 3 == 0 for i in range(n)]))
    out["word"] = (pa.string(), "text", gaps([words[i * i % 6] for i in range(n)]))
    out["large"] = (pa.large_string(), "text", [words[i % 5] for i in range(n)])
    out["bytes"] = (pa.binary(), "text", gaps([words[i % 4].encode() for i in range(n)], 3))
    out["unique"] = (pa.string(), "text", [f"row {i:03d} {'x' * (i % 9)}" for i in range(n)])
    out["day"] = (pa.date32(), "time", times(n, 1777, day))
    out["ms"] = (pa.timestamp("ms"), "time",
                 [None if t is None else t.replace(microsecond=t.microsecond // 1000 * 1000)
                  for t in times(n, 997, moment)])
    out["us"] = (pa.timestamp("us"), "time", times(n, 1013, moment))
    out["ns"] = (pa.timestamp("ns"), "time", times(n, 1021, moment))
    out["zone"] = (pa.timestamp("us", "Europe/Oslo"), "time",
                   [None if t is None else t.replace(tzinfo=dt.timezone.utc)
                    for t in times(n, 1031, moment)])
    out["clock_ms"] = (pa.time32("ms"), "number",
                       [dt.time(i % 24, i % 60, i % 59, i * 1000) for i in range(n)])
    out["clock_us"] = (pa.time64("us"), "number",
                       gaps([dt.time(i % 24, i % 60, i % 59, i) for i in range(n)]))
    for p, s in ((7, 2), (16, 5), (30, 10), (38, 0), (76, 40)):
        kind = pa.decimal128(p, s) if p <= 38 else pa.decimal256(p, s)
        digits = ["".join(str(d) for d in rng.integers(0, 10, p)) for _ in range(n)]
        out[f"dec{p}_{s}"] = (kind, "number", gaps(
            [decimal.Decimal((i % 2, tuple(int(c) for c in d), -s)) for i, d in enumerate(digits)]))
    out["none"] = (pa.null(), "number", [None] * n)
    out["id"] = (pa.uuid(), "text", [uuid.UUID(int=i * 2**99 + 7) for i in range(n)])
    return out


def pick(columns, names):
    return {k: columns[k] for k in names.split()} if names else columns


def arrow(columns):
    decimal.getcontext().prec = 80
    arrays = []
    for t, _, values in columns.values():
        if isinstance(t, pa.UuidType):
            storage = pa.array([v.bytes for v in values], pa.binary(16))
            arrays.append(pa.ExtensionArray.from_storage(t, storage))
        else:
            arrays.append(pa.array(values, t))
    return pa.table(arrays, names=list(columns))


cases = []


def case(name, columns):
    size = os.path.getsize(os.path.join(OUT, name + ".parquet"))
    assert size < 12000, (name, size)
    cells = [{"name": k, "kind": kind, "cells": [cell(v, kind) for v in values]}
             for k, (_, kind, values) in columns.items()]
    cases.append({"name": name, "kind": "cells", "columns": cells, "tolerance": "exact", "why": WHY})


def make(name, columns, **options):
    options = {"store_schema": False, "write_statistics": False, **options}
    pq.write_table(arrow(columns), os.path.join(OUT, name + ".parquet"), **options)
    case(name, columns)


def main():
    os.makedirs(OUT, exist_ok=True)
    for old in os.listdir(OUT):
        os.remove(os.path.join(OUT, old))
    every = everything(30)
    make("types_plain", every, compression="none", use_dictionary=False)
    make("types_dictionary", every, compression="snappy", data_page_version="2.0")
    make("integers_as_decimals", pick(every, "dec7_2 dec16_5"), store_decimal_as_integer=True)
    make("int96", pick(every, "us ns"), use_deprecated_int96_timestamps=True)
    some = pick(every, "i32 f64 truth word us dec30_10")
    for codec in ("none", "snappy", "gzip", "zstd", "lz4"):
        for version in ("1.0", "2.0"):
            make(f"codec_{codec}_{version[0]}", some, compression=codec, data_page_version=version,
                 write_page_checksum=codec in ("zstd", "none"))
    many = everything(260)
    for version in ("1.0", "2.0"):
        delta = {"i32": "DELTA_BINARY_PACKED", "i64": "DELTA_BINARY_PACKED", "u8": "DELTA_BINARY_PACKED",
                 "ms": "DELTA_BINARY_PACKED", "word": "DELTA_BYTE_ARRAY",
                 "unique": "DELTA_LENGTH_BYTE_ARRAY", "dec30_10": "DELTA_BYTE_ARRAY"}
        make(f"delta_{version[0]}", pick(many, "i32 u8 ms word unique"), use_dictionary=False,
             compression="zstd", data_page_version=version,
             column_encoding={k: delta[k] for k in "i32 u8 ms word unique".split()})
        make(f"delta_wide_{version[0]}", pick(every, "i64 dec30_10"), use_dictionary=False,
             column_encoding={k: delta[k] for k in ("i64", "dec30_10")}, data_page_version=version)
        split = pick(every, "f64 f32 f16 i32 i64 dec30_10")
        make(f"split_{version[0]}", split, use_dictionary=False, data_page_version=version,
             column_encoding={k: "BYTE_STREAM_SPLIT" for k in split})
        make(f"pages_{version[0]}", pick(many, "i16 truth word us"), data_page_size=48,
             write_batch_size=11, dictionary_pagesize_limit=64, data_page_version=version)
    make("groups", pick(many, "i16 f32 word bytes unique"), row_group_size=37, compression="zstd")
    make("fallback", pick(many, "i16 unique word"), dictionary_pagesize_limit=100, data_page_size=200,
         write_batch_size=10, row_group_size=100, compression="zstd")
    make("empty", {k: (t, kind, []) for k, (t, kind, _) in some.items()})
    make("required", pick(every, "f16 unique clock_ms"), compression="none")
    bare = {k: (t, kind, v) for k, (t, kind, v) in pick(every, "f64 word i32 us day truth").items()}
    polars.from_arrow(arrow(bare)).write_parquet(os.path.join(OUT, "polars.parquet"), statistics=False,
                                                 row_group_size=13)
    case("polars", bare)
    table = arrow(pick(every, "f64 f32 i8 u32 word us day truth dec16_5"))
    con = duckdb.connect()
    con.register("t", table)
    for codec in ("zstd", "lz4_raw"):
        name = f"duckdb_{codec}"
        con.execute(f"COPY (SELECT * FROM t) TO '{os.path.join(OUT, name)}.parquet' "
                    f"(FORMAT parquet, COMPRESSION {codec}, PARQUET_VERSION V2)")
        case(name, pick(every, "f64 f32 i8 u32 word us day truth dec16_5"))
    nested = pa.table({"a": list(range(9)), "b": [[i] * (i % 3) for i in range(9)],
                       "c": [{"x": i, "y": str(i)} for i in range(9)]})
    pq.write_table(nested, os.path.join(OUT, "nested.parquet"), store_schema=False)
    case("nested", {"a": (pa.int64(), "int", list(range(9)))})  # the columns that can be read
    golden.write("parquet", cases)


if __name__ == "__main__":
    main()
