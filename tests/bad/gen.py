#!/usr/bin/env python3
"""gen WHAT [ARGUMENTS]: inputs of tests/bad/cases.tsv that a printf does not make.

  fixtures               ab.tide (a number from a number) and class.tide (three classes)
  rows N TAIL            header x,b and N good rows on data.csv, then TAIL as it is
  repeat TEXT N [END]    TEXT N times on stdout, then END
  wide N                 one header line and one row of N columns on stdout
  gzbomb MIB, zstbomb MIB   that many MiB of zeros, packed, on stdout
  flip FILE OFFSET       one byte of the file changed
  edit FILE STATEMENTS   a model file changed, with its sums made right again; arrays FILE lists
  prefixes, flips, mutants FILE N TABLE   predicts with many broken models; prints the exits met
  tcol FILE OFFSET BYTE...  bytes in the head of a column file, with its sum made right again
  tcolbomb FILE          a column file of 100,000,000 rows and no column
  argc0; nobody WORDS    tidemill without any argument; as a user without rights
"""
import hashlib
import json
import os
import random
import struct
import subprocess
import sys
import zlib


def fixtures():
    r = random.Random(7)
    with open("ab.csv", "w") as f:
        f.write("a,b\n")
        for i in range(60):
            f.write(f"{i},{2 * i + round(r.gauss(0, 8), 3)}\n")
    with open("class.csv", "w") as f:
        f.write("x,colour,kind\n")
        for i in range(150):
            k = i % 3
            f.write(f"{round(r.gauss(k, 0.5), 3)},{'rgb'[(i // 3) % 3]},{['ant', 'bee', 'cat'][k]}\n")
    for words in (["ab.csv", "--target", "b", "--learner", "ridge", "--cv", "1", "-o", "ab.tide"],
                  ["class.csv", "--target", "kind", "--learner", "gbdt", "--set", "trees=20", "--cv", "1",
                   "-o", "class.tide"]):
        subprocess.run(["tidemill", "train", *words, "-q"], check=True, stdout=subprocess.DEVNULL)
    for name in os.listdir("."):
        os.chmod(name, 0o444)


def foreign(path, old, new):
    """A model of XGBoost with one text changed."""
    with open(os.path.join(os.environ["DATA"], "penguins_xgboost.json"), encoding="utf-8") as f:
        text = f.read()
    assert old in text, old
    with open(path, "w", encoding="utf-8") as f:
        f.write(text.replace(old, new, 1))


def lightgbm(path, old, new):
    """A small model of LightGBM with one text changed."""
    tree = ("Tree=0\nnum_leaves=3\nnum_cat=0\nsplit_feature=0 1\nsplit_gain=2 1\nthreshold=2.5 0\n"
            "decision_type=2 2\nleft_child=1 -1\nright_child=-3 -2\nleaf_value=1 2 4\nis_linear=0\n"
            "shrinkage=1\n\n\n")
    known = old in tree
    tree = tree.replace(old, new, 1)
    text = ("tree\nversion=v4\nnum_class=1\nnum_tree_per_iteration=1\nlabel_index=0\nmax_feature_idx=1\n"
            "objective=regression\nfeature_names=x y\nfeature_infos=[-1:1] [0:2]\n"
            f"tree_sizes={len(tree)}\n\n{tree}end of trees\n")
    assert known or old in text, old
    with open(path, "w", encoding="utf-8") as f:
        f.write(text if known else text.replace(old, new, 1))


def rows(n, tail):
    with open("data.csv", "w") as f:
        f.write("x,b\n")
        for i in range(int(n)):
            f.write(f"{i % 997},{i % 7}\n")
        f.write(tail.encode().decode("unicode_escape"))


def out(data):
    sys.stdout.buffer.write(data)


def repeat(text, n, end=""):
    unit = text.encode().decode("unicode_escape").encode("latin-1")
    block = unit * max(1, min(int(n), 1 << 16) // max(1, len(unit)))
    left = int(n) * len(unit)
    try:
        while left > 0:
            out(block[:left])
            left -= len(block)
        out(end.encode().decode("unicode_escape").encode("latin-1"))
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def wide(n):
    n = int(n)
    out(",".join(f"c{i}" for i in range(n)).encode() + b"\n" + b",".join([b"1"] * n) + b"\n")


def gzbomb(mib):
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    out(packer.compress(b"a,b\n"))
    block = b"\0" * (1 << 20) if mib.startswith("0") else b"1,2\n" * (1 << 18)
    for _ in range(int(mib)):
        out(packer.compress(block))
    out(packer.flush())


def zstbomb(mib):
    subprocess.run(f"(printf 'a,b\\n'; yes 1,2 | head -c {int(mib)}M) | zstd -19 -q -c", shell=True,
                   check=True)


def flip(path, offset):
    with open(path, "rb") as f:
        data = bytearray(f.read())
    offset = int(offset)
    data[offset if offset >= 0 else len(data) + offset] ^= 0xFF
    replace(path, bytes(data))


def tcol(path, offset, *values):
    with open(path, "rb") as f:
        data = bytearray(f.read())
    data[int(offset):int(offset) + len(values)] = bytes(int(v) for v in values)
    data[60:64] = struct.pack("<I", crc32c(bytes(data[:60])))
    replace(path, bytes(data))


def tcolbomb(path):
    header = b'{"tcol":"1.0","rows":100000000,"columns":[],"lines":false}'
    head = b"\x89TCOL\r\n\x1a" + struct.pack("<HHHHI", 1, 0, 0, 0, 0x01020304) + bytes(40)
    end = struct.pack("<QQQQII", 192, 64, 0, len(header), crc32c(b""), crc32c(header)) + bytes(20)
    with open(path, "wb") as f:
        f.write(head + struct.pack("<I", crc32c(head)) + header.ljust(64, b"\0") +
                end + struct.pack("<I", crc32c(end)))


def argc0():
    """The program with no argument at all, not even its name."""
    import ctypes
    libc = ctypes.CDLL(None)
    path = subprocess.run(["bash", "-c", "command -v tidemill"], capture_output=True, text=True).stdout.strip()
    none = (ctypes.c_char_p * 1)(None)
    libc.execv(path.encode(), none)


def nobody(*words):
    """tidemill as a user without rights."""
    def drop():
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)
    sys.exit(subprocess.run(["tidemill", *words], preexec_fn=drop if os.getuid() == 0 else None).returncode)


def replace(path, data):
    os.unlink(path)  # a fixture is a hard link
    with open(path, "wb") as f:
        f.write(data)


# ---- model files: taken apart, changed, put together with right sums ----

CASTAGNOLI = []
for _i in range(256):
    for _ in range(8):
        _i = _i >> 1 ^ (0x82F63B78 if _i & 1 else 0)
    CASTAGNOLI.append(_i)


def crc32c(data):
    c = 0xFFFFFFFF
    for b in data:
        c = CASTAGNOLI[(c ^ b) & 255] ^ c >> 8
    return c ^ 0xFFFFFFFF


PREAMBLE = struct.Struct("<8sHHHHIIIIQQQI")  # magic, versions, flags, mark, header, sections, 0, sizes, 0
SECTION = struct.Struct("<8sIIQQQII")        # kind, flags, instance, offset, size, count, crc, 0


class Model:
    def __init__(self, path):
        with open(path, "rb") as f:
            data = f.read()
        p = PREAMBLE.unpack_from(data)
        self.versions, self.flags, self.mark = list(p[1:4]), p[4], p[5]
        self.header = json.loads(data[p[11]:p[11] + p[6]])
        self.sections = []
        for i in range(p[7]):
            kind, flags, instance, at, size, count, _, _ = SECTION.unpack_from(data, 64 + 48 * i)
            self.sections.append([kind.rstrip(b"\0").decode(), flags, instance, count,
                                  bytearray(data[at:at + size])])
        self.raw_header = None   # bytes in the place of the JSON text
        self.tables = {}         # section number -> {field: value} as lies
        self.gap = b""           # put before the second section
        self.preamble = {}       # lies of the preamble
        self.tail = b""

    def build(self):
        text = self.raw_header or json.dumps(self.header, ensure_ascii=False,
                                             separators=(",", ":")).encode()
        n = len(self.sections)
        at = 64 + 48 * n
        body, table, header_at = bytearray(text), b"", at
        for i, (kind, flags, instance, count, data) in enumerate(self.sections):
            body += bytes(-(at + len(body)) % 64)
            if i == 1 and self.gap:
                body[-1:] = self.gap if len(self.gap) == 1 else body[-1:] + self.gap
            lie = self.tables.get(i, {})
            table += SECTION.pack(kind.encode(), lie.get("flags", flags), instance,
                                  lie.get("offset", at + len(body)), lie.get("size", len(data)),
                                  lie.get("count", count), crc32c(data), 0)
            body += data
        total = at + len(body) + 32
        head = PREAMBLE.pack(b"\x89TIDE\r\n\x1a", *self.versions, self.flags, self.mark,
                             self.preamble.get("header", len(text)), self.preamble.get("sections", n), 0,
                             self.preamble.get("total", total), 64, header_at, 0)
        head += struct.pack("<I", crc32c(head))
        whole = bytes(head) + table + bytes(body)
        return whole + hashlib.sha256(whole).digest() + self.tail

    def array(self, name, node=None):
        """(section number, description) of an array by its name."""
        counts = {}
        for i, (kind, _, instance, _, _) in enumerate(self.sections):
            counts[kind, instance] = i
        for a in self.header["arrays"]:
            if a["name"] == name and (node is None or a.get("node") == node):
                return counts[a["section"], a["instance"]], a
        raise KeyError(name)

    def poke(self, name, index, value):
        i, a = self.array(name)
        code = {"f64": "d", "f32": "f", "i64": "q", "i32": "i", "u32": "I", "u16": "H", "u8": "B"}[a["type"]]
        struct.pack_into("<" + code, self.sections[i][4], index * struct.calcsize(code), value)


def edit(path, expression):
    """The expression sees the model as m: "m.poke('left', 0, 0)"; statements are apart by ';'."""
    m = Model(path)
    exec(expression, {"m": m, "nan": float("nan"), "inf": float("inf"), "json": json})
    replace(path, m.build())


def exits(models, words, allowed):
    """Runs `tidemill predict m.tide ...` for each of the models; their exits, sorted, on stdout."""
    seen = {}
    for data in models:
        with open("m.tide", "wb") as f:
            f.write(data)
        done = subprocess.run(["tidemill", "predict", "m.tide", *words, "-q"], capture_output=True)
        seen[done.returncode] = seen.get(done.returncode, 0) + 1
        if done.returncode not in allowed:
            out(done.stderr)
    os.unlink("m.tide")
    print(" ".join(str(k) for k in sorted(seen)))


def prefixes(path, step, table):
    """Every step-th prefix of a model, and the last ones."""
    with open(path, "rb") as f:
        data = f.read()
    exits((data[:n] for n in [*range(0, len(data), int(step)), *range(len(data) - 5, len(data))]),
          [table], (4,))


def flips(path, step, table):
    with open(path, "rb") as f:
        data = f.read()
    exits((data[:n] + bytes([data[n] ^ 1 << n % 8]) + data[n + 1:] for n in range(0, len(data), int(step))),
          [table], (4,))


def mutants(path, n, table):
    """One to three numbers of the sections changed, with right sums."""
    r = random.Random(11)

    def one():
        m = Model(path)
        for _ in range(r.randint(1, 3)):
            data = r.choice([s[4] for s in m.sections if len(s[4])])
            at = r.randrange(len(data))
            data[at] = r.choice([0, 1, 127, 128, 255, data[at] ^ 1 << r.randrange(8)])
        return m.build()
    exits((one() for _ in range(int(n))), [table], (0, 4, 6))


def arrays(path):
    for a in Model(path).header["arrays"]:
        print(a)


if __name__ == "__main__":
    try:
        globals()[sys.argv[1]](*sys.argv[2:])
    except (KeyError, IndexError):
        sys.exit(__doc__)
