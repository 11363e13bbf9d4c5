#!/usr/bin/env python3
"""Tables of pyarrow and polars through our frame and back: every type, slices, several batches.

  arrow_roundtrip.py LIB     LIB is libtidemill.so; needs pyarrow and polars (pip install
                             pyarrow==26.0.1 polars==2.1.0), and skips what is not there

A frame has fewer types than Arrow: what comes back is compared with the values that went in,
cast to ours (integers to int64, floats to double, decimals to the nearest double, times to
microseconds, texts to category or text).
"""
import ctypes as c
import datetime as dt
import decimal
import sys

passed = failed = 0


class Stream(c.Structure):
    _fields_ = [(n, c.c_void_p) for n in ("get_schema", "get_next", "get_last_error", "release", "private_data")]


class Error(c.Structure):
    _fields_ = [("size", c.c_uint32), ("status", c.c_int), ("code", c.c_int), ("line", c.c_int64),
                ("column", c.c_int64), ("row", c.c_int64), ("offset", c.c_int64), ("file", c.c_char * 256),
                ("field", c.c_char * 128), ("place", c.c_char * 128), ("message", c.c_char * 640),
                ("option", c.c_char * 48), ("value", c.c_char * 160)]


class Ours:
    """A table that went through a frame; pyarrow and polars ask for its stream."""

    def __init__(self, lib, ctx, address):
        self.lib, self.frame = lib, c.c_void_p()
        err = Error()
        if lib.tide_frame_from_arrow_stream(ctx, c.c_void_p(address), None, c.byref(self.frame), c.byref(err)):
            raise ValueError(err.message.decode())

    def stream(self):
        out = Stream()
        assert self.lib.tide_frame_to_arrow_stream(self.frame, c.byref(out), None) == 0
        return out

    def free(self):
        self.lib.tide_frame_free(self.frame)


def capsule(stream):
    new = c.pythonapi.PyCapsule_New
    new.restype, new.argtypes = c.py_object, [c.c_void_p, c.c_char_p, c.c_void_p]
    return new(c.addressof(stream), b"arrow_array_stream", None)


def address_of(holder):
    get = c.pythonapi.PyCapsule_GetPointer
    get.restype, get.argtypes = c.c_void_p, [c.py_object, c.c_char_p]
    return get(holder, b"arrow_array_stream")


def check(what, got, want):
    global passed, failed
    if got == want:
        passed += 1
        return
    failed += 1
    at = next((i for i, (a, b) in enumerate(zip(got, want)) if a != b), min(len(got), len(want)))
    print(f"FAILED {what}: value {at} is {got[at:at + 1]}, not {want[at:at + 1]}; {len(got)} of {len(want)}")


def plain(values):
    """Values as ours hold them."""
    out = []
    for v in values:
        if isinstance(v, dt.datetime) and v.tzinfo:
            v = v.astimezone(dt.timezone.utc).replace(tzinfo=None)
        elif isinstance(v, dt.date) and not isinstance(v, dt.datetime):
            v = dt.datetime(v.year, v.month, v.day)
        elif isinstance(v, dt.timedelta):
            v = v / dt.timedelta(seconds=1)
        elif isinstance(v, dt.time):
            v = v.hour * 3600 + v.minute * 60 + v.second + v.microsecond / 1e6
        elif isinstance(v, decimal.Decimal):
            v = float(v)
        elif isinstance(v, float) and v != v:
            v = None
        out.append(v)
    return out


def everything(pa, n):
    def gaps(values, every=5):
        return [None if i % every == 3 else v for i, v in enumerate(values)]
    words = ["", "a", "Ökö", "日本", "a longer word than twelve bytes"]
    moments = [dt.datetime(1969, 12, 1) + dt.timedelta(milliseconds=i * 987654321) for i in range(n)]
    seconds = [t.replace(microsecond=0) for t in moments]
    whole = [(-1) ** i * (i * i * 7919 % 120) for i in range(n)]
    yield "null", pa.nulls(n)
    yield "bool", pa.array(gaps([i % 3 == 0 for i in range(n)]))
    for name in ("int8", "int16", "int32", "int64"):
        yield name, pa.array(gaps(whole), name)
        yield "u" + name, pa.array(gaps([abs(v) for v in whole]), "u" + name)
    for name in ("float16", "float32", "float64"):
        yield name, pa.array(gaps([v / 8 for v in whole], 4), name)
    yield "full", pa.array([v / 3 for v in whole], "float64")
    for name, t in (("string", pa.string()), ("large", pa.large_string()), ("view", pa.string_view())):
        yield name, pa.array(gaps([words[i % 5] for i in range(n)]), t)
        yield name + "_unique", pa.array(gaps([f"{words[i % 5]} {i}" for i in range(n)]), t)
    for key in (pa.int8(), pa.uint16(), pa.int32(), pa.uint32(), pa.int64()):
        yield f"dictionary_{key}", pa.array(gaps([words[i % 5] for i in range(n)])).dictionary_encode().cast(
            pa.dictionary(key, pa.string()))
    yield "dictionary_full", pa.array([words[i % 5] for i in range(n)]).dictionary_encode()
    yield "date32", pa.array(gaps([t.date() for t in moments]), pa.date32())
    yield "date64", pa.array(gaps([t.date() for t in moments]), pa.date64())
    for unit in ("s", "ms", "us", "ns"):
        yield "at_" + unit, pa.array(gaps(seconds if unit == "s" else moments), pa.timestamp(unit))
        yield "zone_" + unit, pa.array(gaps(seconds), pa.timestamp(unit, "America/Lima"))
        yield "span_" + unit, pa.array(gaps([dt.timedelta(seconds=v) for v in whole]), pa.duration(unit))
    yield "time32", pa.array(gaps([t.time().replace(microsecond=0) for t in moments]), pa.time32("s"))
    yield "time64", pa.array(gaps([t.time() for t in moments]), pa.time64("us"))
    yield "decimal128", pa.array(gaps([decimal.Decimal(v).scaleb(-2) for v in whole]), pa.decimal128(20, 2))
    yield "decimal256", pa.array(gaps([decimal.Decimal(v * 10**30).scaleb(-3) for v in whole]), pa.decimal256(60, 3))


def with_pyarrow(lib, ctx):
    import pyarrow as pa
    table = pa.table(dict(everything(pa, 40)))
    pieces = pa.concat_tables([table.slice(0, 9), table.slice(9, 0), table.slice(9, 30), table.slice(39)])
    shapes = {"whole": table, "slice": table.slice(5, 21), "odd slice": table.slice(3), "batches": pieces,
              "empty": table.slice(0, 0)}
    for what, given in shapes.items():
        stream = Stream()
        given.to_reader()._export_to_c(c.addressof(stream))
        ours = Ours(lib, ctx, c.addressof(stream))
        out = ours.stream()
        ours.free()
        back = pa.RecordBatchReader._import_from_c(c.addressof(out)).read_all()
        back.validate(full=True)
        for name in given.column_names:
            check(f"pyarrow, {what}, {name}", plain(back[name].to_pylist()), plain(given[name].to_pylist()))
        del back


def with_polars(lib, ctx):
    import polars as pl
    n = 50
    words = ["x", "yy", "", "a longer word than twelve bytes"]
    frame = pl.DataFrame({
        "i": pl.Series([None if i % 7 == 2 else i for i in range(n)], dtype=pl.Int32),
        "f": [i / 3 for i in range(n)], "s": [None if i % 9 == 1 else words[i % 4] for i in range(n)],
        "c": pl.Series([words[i % 3] for i in range(n)], dtype=pl.Categorical),
        "e": pl.Series([words[i % 2] for i in range(n)], dtype=pl.Enum(words)),
        "b": [None if i % 5 == 1 else i % 2 == 0 for i in range(n)],
        "d": [dt.date(2024, 1, 1) + dt.timedelta(days=i) for i in range(n)],
        "t": [dt.datetime(2024, 1, 1, 1, i) for i in range(n)],
        "m": pl.Series([decimal.Decimal(i).scaleb(-2) for i in range(n)], dtype=pl.Decimal(12, 2))})
    for what, given in {"whole": frame, "slice": frame.slice(11, 23),
                        "chunks": pl.concat([frame.slice(0, 20), frame.slice(20)], rechunk=False)}.items():
        held = given.__arrow_c_stream__()
        ours = Ours(lib, ctx, address_of(held))

        class Shown:
            def __arrow_c_stream__(self, requested_schema=None):
                self.kept = ours.stream()
                return capsule(self.kept)
        back = pl.DataFrame(Shown())
        ours.free()
        for name in given.columns:
            check(f"polars, {what}, {name}", plain(back[name].to_list()), plain(given[name].to_list()))


def main(args):
    global failed
    if len(args) != 1:
        sys.exit(__doc__)
    lib, ctx, skipped = c.CDLL(args[0]), c.c_void_p(), 0
    assert lib.tide_ctx_new(c.byref(ctx), None) == 0
    for run in (with_pyarrow, with_polars):
        try:
            run(lib, ctx)
        except ModuleNotFoundError as e:
            print(f"skipped {run.__name__}: {e}")
            skipped += 1
    print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
