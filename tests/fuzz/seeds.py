#!/usr/bin/env python3
"""Seeds and dictionaries of the fuzz targets, from the tables of bad inputs and the program.

  seeds.py seeds PROGRAM    writes the first seeds into tests/fuzz/corpus/<target>/
  seeds.py dicts PROGRAM    writes tests/fuzz/<target>.dict; pipeline's comes from the
                            parameter tables that `PROGRAM list --json` prints
"""
import hashlib
import json
import os
import re
import struct
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
BAD = os.path.join(HERE, "..", "bad", "cases.tsv")


def put(target, name, data):
    folder = os.path.join(HERE, "corpus", target)
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, name), "wb") as f:
        f.write(data)


# ---- tables -------------------------------------------------------------------------------

def bad_tables():
    """(id, bytes) of the cases whose table is one printf."""
    with open(BAD, encoding="utf-8") as f:
        for line in f:
            field = line.rstrip("\n").split("\t")
            m = re.fullmatch(r"printf '([^']*)' >data\.csv", field[1]) if len(field) > 1 else None
            if m and "%" not in m[1]:
                made = subprocess.run(["printf", m[1]], check=True, capture_output=True)
                yield re.sub(r"\W+", "-", field[0]), made.stdout


CSV_TEXTS = [
    b"t,u,v\n2020-01-02T03:04:05Z,true,1\n2021-05-06 07:08:09,false,-2.5e3\n,,\n",
    b"a,b\n1e308,inf\n1e400,NaN\n", b"a;b\n1.234,5;2\n", b"a b  c\n1  2 3 \n",
    b'a,b\n"x""y","1\n2"\n', b"# remark\na,b\n1,?\n", b"a\n1\n\n2\n", b"a,b,c,d\n1\n1,2,3,4,5\n",
]
DIALECTS = [b"\0\0\0\5", b"\1\2\x08\1", b"\x21\4\1\x11", b"\x51\6\xcc\xff"]


def csv_seeds():
    for name, text in list(bad_tables()) + [("own%d" % i, t) for i, t in enumerate(CSV_TEXTS)]:
        if len(text) <= 400:
            for k, dialect in enumerate(DIALECTS):
                put("csv", f"{name}-{k}", dialect + text)


# ---- numbers ------------------------------------------------------------------------------

TEXTS = ["0", "-0.0", "0.1", ".5", "5.", "1e308", "1e309", "1e-320", "1e-400", "9007199254740993",
         "123456789012345678901234567890", "2.2250738585072011e-308", "4.9406564584124654e-324",
         "2.4703282292062327208e-324", "1.7976931348623159e308", "17976931348623157e292",
         "6929495644600919.5", "1" + "0" * 40 + "1", "0." + "0" * 30 + "12", "1e", "+", "1e+0001"]
INTEGERS = ["0", "-1", "+12", "007", "9223372036854775807", "-9223372036854775808",
            "9223372036854775808", "18446744073709551615", "18446744073709551616"]
DOUBLES = [0.1, 1e22, 5e-324, 2.0 ** 60, 1 / 3, 1e16, 123456.0, 9.5e-5, 2.2250738585072014e-308]


def number_seeds():
    for i, t in enumerate(TEXTS):
        put("number", f"point-{i}", b"\0" + t.encode())
        put("number", f"comma-{i}", b"\1" + t.replace(".", ",").encode())
    for i, t in enumerate(INTEGERS):
        put("number", f"integer-{i}", b"\2" + t.encode())
    for i, x in enumerate(DOUBLES):
        put("number", f"double-{i}", bytes([3 + 4 * i]) + struct.pack("<d", x))


# ---- models -------------------------------------------------------------------------------

def crc32c(data):
    crc = 0xFFFFFFFF
    for b in data:
        crc ^= b
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def slim(data, parts):
    """A model file without the sections of these parts, and with a short header."""
    size, n = struct.unpack_from("<II", data, 20)
    at = 64 + 48 * n
    header = json.loads(data[at:at + size])
    keep = [i for i in range(n) if header["arrays"][i].get("part") not in parts]
    header["arrays"] = [header["arrays"][i] for i in keep]
    header["about"] = {}
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    body, table, begin = b"", b"", 64 + 48 * len(keep)
    out = text
    for i in keep:
        entry = data[64 + 48 * i:112 + 48 * i]
        offset, length, count = struct.unpack_from("<QQQ", entry, 16)
        out += b"\0" * (-(begin + len(out)) % 64)
        table += entry[:16] + struct.pack("<QQQ", begin + len(out), length, count) + entry[40:]
        out += data[offset:offset + length]
    head = bytearray(data[:64])
    struct.pack_into("<II", head, 20, len(text), len(keep))
    struct.pack_into("<QQQ", head, 32, begin + len(out) + 32, 64, begin)
    struct.pack_into("<I", head, 60, crc32c(head[:60]))
    body = bytes(head) + table + out
    return body + hashlib.sha256(body).digest()


TABLES = {
    "two": "x,y,c,t\n" + "".join(f"{i % 6 or ''},{i * i % 7}.5,{'rgb'[i % 3]},{'no' if i % 5 < 2 else 'yes'}\n"
                                 for i in range(24)),
    "three": "x,y,t\n" + "".join(f"{i % 9},{i * i % 7},{'abc'[i % 3]}\n" for i in range(20)),
    "number": "x,c,t\n" + "".join(f"{i % 11},{'uv'[i % 2]},{i * .5 + i % 3}\n" for i in range(20)),
    "bool": "b,d,t\n" + "".join(f"{'true' if i % 3 else 'false'},2020-01-{i % 9 + 1:02d},{i % 2}\n" for i in range(20)),
}
PIPELINES = {
    "baseline": "baseline", "tree": "tree(depth=2)", "gbdt": "gbdt(trees=2,leaves=3,min_rows=2)",
    "logistic": "impute:median;impute:mode;encode:onehot;scale:standard;logistic(max_iter=20)",
    "ridge": "impute:median(indicator=true);encode:onehot(drop=first);ridge",
    "steps": "impute:mode;encode:onehot(missing=zero);tree(leaves=3)",
    "quantiles": "gbdt(trees=2,leaves=3,min_rows=2,loss=quantile,quantile=[0.2,0.8])",
}


def tide_seeds(program):
    with tempfile.TemporaryDirectory() as folder:
        table, model = os.path.join(folder, "t.csv"), os.path.join(folder, "m.tide")
        for t, text in TABLES.items():
            with open(table, "w", encoding="utf-8") as f:
                f.write(text)
            for p, pipeline in PIPELINES.items():
                done = subprocess.run([program, "train", table, "--target", "t", "--pipeline", pipeline,
                                       "--cv", "1", "-o", model, "-q"], capture_output=True)
                if done.returncode:
                    continue
                with open(model, "rb") as f:
                    data = f.read()
                if t == "two":
                    put("tide", f"{t}-{p}", data)
                put("tide_struct", f"{t}-{p}", slim(data, ("golden", "profile")))


# ---- pipelines ----------------------------------------------------------------------------

def pipeline_seeds(listing):
    shapes = [22, 22 + 64, 22 + 96, 64 + 23]
    texts = list(PIPELINES.values()) + [e["name"] for e in listing["learners"]]
    texts += ["x: impute:median; ridge", "cat: encode:onehot | num: scale:standard | ridge(l2=0)",
              '"x": impute:median;tree(criterion=mae)', "all:impute:mode;baseline(value=median)",
              "gbdt(trees=1e3,rate=.5,loss=auto)", "ridge(l2=(1))", "tree(", "", ";", "impute:median"]
    for e in listing["learners"] + listing["steps"]:
        given = [f"{p['name']}={p['choices'][-1]}" if p["type"] == "choice" else
                 f"{p['name']}={'true' if p['type'] == 'bool' else p.get('min', 1)}"
                 for p in e.get("parameters", [])]
        texts.append(f"{e['name']}({','.join(given)})" + ("" if e in listing["learners"] else ";baseline"))
    for i, t in enumerate(texts):
        put("pipeline", f"text-{i}", bytes([shapes[i % 4]]) + t.encode())
    put("pipeline", "table-0", bytes([22 + 64]) + b"tree\0" + bytes(range(60, 200)))
    put("pipeline", "table-1", bytes([10]) + b"impute:median;impute:mode;encode:onehot;ridge\0" + b"\xff\0\xf9a" * 12)


# ---- dictionaries -------------------------------------------------------------------------

def quote(text):
    return '"' + "".join(c if " " <= c <= "~" and c not in '"\\' else
                         "".join(f"\\x{b:02x}" for b in c.encode("utf-8", "surrogateescape"))
                         for c in text) + '"'


def put_dict(target, what, words):
    with open(os.path.join(HERE, target + ".dict"), "w", encoding="ascii") as f:
        f.write(f"# {what}\n")
        f.writelines(quote(w) + "\n" for w in dict.fromkeys(words))


def dicts(listing):
    put_dict("csv", "what means something to the reader of tables",
             ['"', '""', '","', "\n", "\r\n", "\r", ",", ";", "\t", "|", "  ", "#", "\0", "\ufeff", "\udcff",
              "\udcc0\udc80", "NA", "?", "nan", "null", "inf", "-inf", "true", "false", "1e308", "1e400",
              "1.234,5", "1,234.5", "2020-01-02", "2020-01-02T03:04:05Z", "12:30:00", "-0", "é",
              "9223372036854775808", "9007199254740993", "PK\x03\x04", "\x1f\udc8b"])
    put_dict("number", "pieces of numbers",
             ["e", "E", "e+", "e-", ".", ",", "-", "+", "308", "309", "-324", "-308", "0000", "9999",
              "inf", "nan", "9007199254740993", "18446744073709551615", "9223372036854775807",
              "17976931348623157", "22250738585072014", "49406564584124654", "5" + "0" * 20, "\0" * 6 + "\udcf0\x7f"])
    words = ["\udc89TIDE\r\n\x1a\n"]
    keys = ["tidemill", "required", "task", "seed", "partial", "target", "classes", "positive", "threshold",
            "weight", "id", "group", "columns", "pipeline", "parameters", "nodes", "arrays", "about", "name", "type",
            "missing", "levels", "lo", "hi", "width", "in", "section", "instance", "node", "part", "shape", "outputs"]
    kinds = ["DICT", "EDGES", "MAPS", "TREES", "NODES", "LEAVES", "COVER", "DENSE", "STEP", "VOCAB", "CALIB",
             "NODEW", "LEAVES64", "LINLEAF", "PROFILE", "GOLDEN"]
    types = ["f64", "f32", "i64", "i32", "u32", "u16", "u8", "bool", "int", "number", "time", "category", "text",
             "classify", "regress", "schema", "profile", "golden"]
    words += [f'"{k}":' for k in keys] + [f'"{k}"' for k in kinds + types]
    words += ["null", "true", "-1", "4294967295", "9223372036854775807", "1e308", "[]", "{}", "[[", "\\u0000"]
    for target in "tide", "tide_struct":
        put_dict(target, "the header's keys and words", words)
    words = [":", ";", "|", "(", ")", "=", ",", '"', "\\", "num:", "cat:", "all:", "x: ", "y:", "c: ", "t", "[", "]",
             "true", "false", "0", "1", "-1", "1e300", "nan", "inf", "\0"]
    for e in listing["learners"] + listing["steps"]:
        words.append(e["name"])
        for p in e.get("parameters", []):
            words += [p["name"] + "="] + [a + "=" for a in p.get("aliases", [])] + p.get("choices", [])
            words += [str(p[k]) for k in ("min", "max") if k in p]
    put_dict("pipeline", "made from `tidemill list --json` by seeds.py", words)


# ---- what a PostgreSQL server answers ------------------------------------------------------

PG_TYPES = 18  # fake_type of fuzz_postgres.c: bool int8 int2 int4 oid float4 float8 numeric date ...


def pg_value(kind, i):
    if i % 5 == 4:
        return struct.pack(">i", -1)
    v = {0: b"\1", 1: struct.pack(">q", -i), 2: struct.pack(">h", i), 3: struct.pack(">i", i * 7919),
         4: struct.pack(">I", i), 5: struct.pack(">f", i / 8), 6: struct.pack(">d", -i / 3),
         7: struct.pack(">HhHHHH", 2, 0, 0x4000 if i & 1 else 0, 2, i, 2500), 8: struct.pack(">i", 365 * i),
         9: struct.pack(">q", 86400 * 10**6 * i), 10: struct.pack(">q", i), 16: bytes(range(16))}
    v = v.get(kind, b"text %d" % (i % 3))
    return struct.pack(">i", len(v)) + v


def pg_message(data):
    return struct.pack(">H", len(data)) + data


def postgres_seeds():
    head = b"PGCOPY\n\xff\r\n\0" + bytes(8)
    for kind in range(PG_TYPES):
        rows = [struct.pack(">h", 2) + pg_value(kind, i) + pg_value(3, i) for i in range(6)]
        parts = [head + rows[0]] + rows[1:] + [b"\xff\xff"]
        put("postgres", "type%d" % kind, bytes([0, 2, kind, 3]) + b"".join(map(pg_message, parts)) + b"\0\0\0")
    for flags in (1, 2, 4, 8, 16):
        put("postgres", "flag%d" % flags, bytes([flags, 1, 17 if flags == 4 else 3]) + pg_message(head) + b"\0\0\0")


def main(args):
    if len(args) != 2 or args[0] not in ("seeds", "dicts"):
        sys.exit(__doc__)
    listing = json.loads(subprocess.run([args[1], "list", "--json"], check=True, capture_output=True).stdout)
    if args[0] == "dicts":
        dicts(listing)
        return
    csv_seeds()
    number_seeds()
    tide_seeds(args[1])
    pipeline_seeds(listing)
    postgres_seeds()


main(sys.argv[1:])
