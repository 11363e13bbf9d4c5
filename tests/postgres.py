#!/usr/bin/env python3
"""Queries on a real PostgreSQL server, which this starts for itself and stops.

  postgres.py LIB     LIB is libtidemill.so; Debian's postgresql package, or all is skipped

The server runs as the user postgres when this is root (initdb refuses root), in a folder of its
own, on a Unix socket alone, and is ended by its process number.
"""
import ctypes as c
import glob
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

passed = failed = 0


class Error(c.Structure):
    _fields_ = [("size", c.c_uint32), ("status", c.c_int), ("code", c.c_int), ("line", c.c_int64),
                ("column", c.c_int64), ("row", c.c_int64), ("offset", c.c_int64), ("file", c.c_char * 256),
                ("field", c.c_char * 128), ("place", c.c_char * 128), ("message", c.c_char * 640),
                ("option", c.c_char * 48), ("value", c.c_char * 160)]


def check(what, good, *more):
    global passed, failed
    passed, failed = passed + good, failed + (not good)
    if not good:
        print("FAILED", what, *more)


def user():
    return ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []


def start(binaries, folder):
    """The server's process; its socket lies in the folder."""
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.STDOUT}
    data = os.path.join(folder, "data")
    subprocess.run(user() + [f"{binaries}/initdb", "-D", data, "-A", "trust", "-U", "tester", "-E", "UTF8",
                             "--locale=C", "--no-sync"], check=True, **quiet)
    subprocess.Popen(user() + [f"{binaries}/postgres", "-D", data, "-k", folder, "-c", "listen_addresses=",
                               "-c", "fsync=off"], **quiet)
    for _ in range(300):
        try:
            with open(os.path.join(data, "postmaster.pid"), encoding="utf-8") as f:
                lines = f.read().split("\n")
            if len(lines) > 7 and lines[7].strip() == "ready":
                return int(lines[0])
        except OSError:
            pass
        time.sleep(0.1)
    raise RuntimeError("the server did not start")


class Table:
    def __init__(self, lib, ctx, source):
        self.lib, self.frame, self.err = lib, c.c_void_p(), Error()
        self.status = lib.tide_frame_read(ctx, source.encode(), None, c.byref(self.frame), c.byref(self.err))
        self.said = self.err.message.decode()

    def cells(self):
        """[(name, type, texts)]; None is missing."""
        lib, f, out = self.lib, self.frame, []
        buf = c.create_string_buffer(10000)
        for j in range(lib.tide_frame_columns(f)):
            texts = [buf.value.decode() if lib.tide_frame_text(f, i, j, buf, 10000) >= 0 else None
                     for i in range(lib.tide_frame_rows(f))]
            out.append((lib.tide_frame_name(f, j).decode(),
                        lib.tide_type_name(lib.tide_frame_type(f, j)).decode(), texts))
        lib.tide_frame_free(f)
        return out


TYPES = """
SELECT i::int2 AS i2, i * 70000 AS i4, i * 5000000000 AS i8, i / 4.0::float4 AS f4, i / 3.0::float8 AS f8,
  (i * 1234567890123456789.012345)::numeric AS n, (i * i = 4) AS b, (CASE i % 2 WHEN 0 THEN 'even' ELSE 'Ögg' END) AS t,
  'pad'::char(5) AS c, 'v'::varchar AS v, 'nm'::name AS nm, date '2000-01-01' + i * 400 AS d,
  timestamp '1999-12-31 23:59:59.5' + i * interval '1 day' AS ts,
  timestamptz '2024-06-01 12:00:00+02' AS tz, '00112233-4455-6677-8899-aabbccddeeff'::uuid AS id,
  nullif(i, -1) AS gap, (repeat('x', 30 + i)) AS txt
FROM generate_series(-2, 3) AS s(i) -- with a comment at its end"""


def questions(lib, ctx, dsn):
    t = Table(lib, ctx, f"postgres:{dsn}?{TYPES}")
    check("types are read", t.status == 0, t.said)
    if t.status == 0:
        got = {name: (kind, texts) for name, kind, texts in t.cells()}
        want = {"i2": ("int", ["-2", "-1", "0", "1", "2", "3"]),
                "i4": ("int", [str(i * 70000) for i in range(-2, 4)]),
                "i8": ("int", [str(i * 5000000000) for i in range(-2, 4)]),
                "b": ("bool", ["true", "false", "false", "false", "true", "false"]),
                "t": ("category", ["even", "Ögg"] * 3), "c": ("category", ["pad  "] * 6),
                "v": ("category", ["v"] * 6), "nm": ("category", ["nm"] * 6),
                "gap": ("int", ["-2", None, "0", "1", "2", "3"]),
                "tz": ("time", ["2024-06-01T10:00:00"] * 6),
                "id": ("category", ["00112233-4455-6677-8899-aabbccddeeff"] * 6),
                "txt": ("text", ["x" * (30 + i) for i in range(-2, 4)])}
        for name, (kind, texts) in want.items():
            check(name, got[name] == (kind, texts), got[name])
        for name, values in {"f4": [i / 4 for i in range(-2, 4)], "f8": [i / 3 for i in range(-2, 4)],
                             "n": [float(f"{i * 1234567890123456789012345}e-6") for i in range(-2, 4)]}.items():
            check(name, [float(v) for v in got[name][1]] == values and got[name][0] == "number", got[name])
        check("d", got["d"][0] == "time" and got["d"][1][:3] == ["1997-10-23", "1998-11-27", "2000-01-01"], got["d"])
        check("ts", got["ts"][1][2] == "1999-12-31T23:59:59.500000", got["ts"])
    t = Table(lib, ctx, f"postgres:{dsn}?SELECT i, i % 7 AS k FROM generate_series(1, 100000) AS s(i);")
    check("many rows", t.status == 0 and lib.tide_frame_rows(t.frame) == 100000, t.said)
    lib.tide_frame_free(t.frame)
    t = Table(lib, ctx, f"postgres:{dsn}?TABLE pg_class LIMIT 0")
    check("system types want a cast", t.status == 3 and "is not read" in t.said and "::text" in t.err.value.decode(), t.said)
    t = Table(lib, ctx, f"postgres:{dsn}?SELECT 1 AS one LIMIT 0")
    check("no rows", t.status == 0 and t.cells() == [("one", "int", [])], t.said)
    numbers = "SELECT v::numeric AS n FROM (VALUES ('NaN'), ('0.000000000000000000001'), ('-1e200'), ('0')) s(v)"
    t = Table(lib, ctx, f"postgres:{dsn}?{numbers}")
    check("numeric extremes", t.status == 0 and [v and float(v) for v in t.cells()[0][2]] == [None, 1e-21, -1e200, 0], t.said)
    for what, query, status, words in (
            ("the server's words", "SELECT nothing FROM nowhere", 3, 'says "relation "nowhere" does not exist"'),
            ("SQLSTATE", "SELECT 1/0 AS x", 3, "SQLSTATE 22012"),
            ("one statement only", "SELECT 1; DROP TABLE x", 3, "SQLSTATE 42601"),
            ("no way out of the copy", "SELECT 1) TO PROGRAM 'true' --", 3, "SQLSTATE 42601"),
            ("nothing is written", "WITH a AS (INSERT INTO t VALUES (1) RETURNING *) SELECT * FROM a", 3, "SQLSTATE"),
            ("types name the column", "SELECT 1 AS a, '{1}'::int[] AS b", 3, "'b' has the PostgreSQL type \"integer[]\""),
            ("infinite dates", "SELECT 'infinity'::date AS d", 3, "row 1 of 'd'"),
            ("infinite numbers", "SELECT 'inf'::float8 AS d", 3, "row 1 of 'd' is infinite"),
            ("twice one name", "SELECT 1 AS a, 2 AS a", 3, "'a'")):
        t = Table(lib, ctx, f"postgres:{dsn}?{query}")
        check(what, t.status == status and words in t.said, t.status, t.said)
    t = Table(lib, ctx, f"postgres:{dsn}")
    check("a query is wanted", t.status == 3 and "no query" in t.said, t.said)
    t = Table(lib, ctx, "postgres:host=/nowhere dbname=x?SELECT 1")
    check("no server", t.status == 3 and "/nowhere" in t.said, t.said)


def main(args):
    if len(args) != 1:
        sys.exit(__doc__)
    found = sorted(glob.glob("/usr/lib/postgresql/*/bin/initdb"))
    if not found:
        print("skipped: no PostgreSQL server is installed\n0 passed, 0 failed, 1 skipped")
        return 0
    lib, ctx = c.CDLL(os.path.abspath(args[0])), c.c_void_p()
    lib.tide_frame_rows.restype = lib.tide_frame_text.restype = c.c_int64
    lib.tide_frame_name.restype = lib.tide_type_name.restype = c.c_char_p
    lib.tide_frame_text.argtypes = [c.c_void_p, c.c_int64, c.c_int, c.c_char_p, c.c_size_t]
    assert lib.tide_ctx_new(c.byref(ctx), None) == 0
    folder, pid = tempfile.mkdtemp(prefix="tidepg"), 0
    try:
        if os.geteuid() == 0:
            shutil.chown(folder, "postgres")
        pid = start(os.path.dirname(found[-1]), folder)
        questions(lib, ctx, f"host={folder} user=tester dbname=postgres")
    finally:
        if pid:
            os.kill(pid, signal.SIGQUIT)
            for _ in range(100):
                if not os.path.exists(f"/proc/{pid}"):
                    break
                time.sleep(0.05)
        shutil.rmtree(folder, ignore_errors=True)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
