"""ours.py - what the benches of training share: our side by ctypes, tables, processes in turn."""
import ctypes as C
import json
import os
import re
import resource
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PROGRAM = os.environ.get("TIDEMILL", os.path.join(ROOT, "build", "src", "tidemill"))
LIBRARY = os.environ.get("TIDEMILL_LIB", os.path.join(ROOT, "build", "src", "libtidemill.so"))
FOLDER = os.path.join(tempfile.gettempdir(), "tidemill-bench")
ISA = {"auto": 0, "base": 1, "avx2": 2, "avx512": 3}


def clock():
    """Seconds by the clock and of the CPU."""
    u = resource.getrusage(resource.RUSAGE_SELF)
    return time.perf_counter(), u.ru_utime + u.ru_stime


# ------------------------------------------------------------------------------ the data ---

def make(kind, rows, seed, folder, target, aside=(), more=()):
    """Path before _x.npy (f32, rows by columns) and _y.npy of a generated table, made once."""
    import numpy as np
    at = os.path.join(folder, "_".join([kind, str(rows), str(seed)]))
    if os.path.exists(at + "_y.npy"):
        return at
    os.makedirs(folder, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as temp:
        path, head = os.path.join(temp, "t.npy"), os.path.join(temp, "head.csv")
        for n, to in ((rows, path), (1, head)):
            subprocess.run([PROGRAM, "make", kind, "--rows", str(n), "--seed", str(seed), "-q", "-o", to, *more],
                           check=True)
        with open(head, encoding="utf-8") as f:
            names = f.readline().strip().split(",")
        table = np.load(path, mmap_mode="r")
        keep = [j for j, n in enumerate(names) if n != target and n not in aside]
        np.save(at + "_x.npy", table[:, keep].astype(np.float32, order="C"))
        np.save(at + "_y.npy", table[:, names.index(target)].astype(np.float32))
    return at


# ------------------------------------------------------------------------------- our side ---

class Column(C.Structure):
    _fields_ = [("name", C.c_char_p), ("f64", C.c_void_p), ("i64", C.c_void_p), ("text", C.c_void_p),
                ("type", C.c_int32), ("f32", C.c_void_p), ("stride", C.c_int64)]


class List(C.Structure):
    _fields_ = [("items", C.POINTER(C.c_char_p)), ("n", C.c_int)]


class Problem(C.Structure):
    _fields_ = [("target", C.c_char_p), ("task", C.c_int32), ("positive", C.c_char_p),
                ("weight", C.c_char_p), ("id", C.c_char_p), ("drop", List), ("group", C.c_char_p),
                ("more", C.c_byte * 256)]


class Train(C.Structure):
    _fields_ = [("learner", C.c_char_p), ("set", List), ("pipeline", C.c_char_p), ("holdout", C.c_double),
                ("cv", C.c_int32), ("folds", C.c_int32), ("metric", C.c_char_p), ("seed", C.c_uint64),
                ("more", C.c_byte * 256)]


class Error(C.Structure):
    _fields_ = [("size", C.c_uint32), ("status", C.c_int), ("code", C.c_int), ("at", C.c_int64 * 4),
                ("file", C.c_char * 256), ("field", C.c_char * 128), ("place", C.c_char * 128),
                ("message", C.c_char * 640), ("option", C.c_char * 48), ("value", C.c_char * 160)]


def columns(x, **whole):
    """Columns of a matrix of f32 and of whole numbers by name; the second keeps their memory."""
    import numpy as np
    n, keep = x.shape[1], []
    c = (Column * (n + len(whole)))()
    for j in range(n):
        c[j].name = f"x{j:0{len(str(n - 1))}d}".encode()
        c[j].f32 = x.ctypes.data + 4 * j
        c[j].stride = n
    for j, (name, values) in enumerate(whole.items()):
        keep.append(np.ascontiguousarray(values, np.int64))
        c[n + j].name = name.encode()
        c[n + j].i64 = keep[-1].ctypes.data
    return c, keep


def fit_frames(new_frame, sets, threads=1, isa="auto", task=1, target="y", group=None, learner="gbdt", seed=1,
               detail=0):
    """A fit by the public calls. new_frame(lib, ctx, err, z) is called for the training table (z None) and for
    those to predict, and returns (status, frame, whatever has to live as long). Returns clocks before,
    between and after the table and the fit, a function to predict (rows by outputs, classes in their
    order), leaves of all trees (detail)."""
    import numpy as np
    lib = C.CDLL(LIBRARY)
    err = Error(size=C.sizeof(Error))
    lib.tide_scores_values.restype = C.POINTER(C.c_double)
    lib.tide_scores_rows.restype = C.c_int64
    lib.tide_scores_label.restype = C.c_char_p

    def must(status):
        if status:
            sys.exit("tidemill: " + err.message.decode())
    ctx = C.c_void_p()
    must(lib.tide_ctx_new(C.byref(ctx), C.byref(err)))
    must(lib.tide_ctx_set_threads(ctx, threads, C.byref(err)))
    must(lib.tide_ctx_set_isa(ctx, ISA[isa], C.byref(err)))
    texts = (C.c_char_p * len(sets))(*[s.encode() for s in sets])
    problem = Problem(target=target.encode(), task=task, group=group.encode() if group else None)
    train = Train(learner=learner.encode(), cv=1, seed=seed)
    train.set = List(texts, len(sets))
    model, report = C.c_void_p(), C.c_void_p()
    t0 = clock()
    status, frame, keep = new_frame(lib, ctx, err, None)
    must(status)
    t1 = clock()
    must(lib.tide_train(ctx, frame, None, C.byref(problem), C.byref(train), C.byref(model),
                        C.byref(report), C.byref(err)))
    t2 = clock()

    def predict(z):
        s = C.c_void_p()
        status, f, keep = new_frame(lib, ctx, err, z)
        must(status)
        must(lib.tide_model_predict(ctx, model, f, C.byref(s), C.byref(err)))
        k = lib.tide_scores_classes(s)
        out = np.ctypeslib.as_array(lib.tide_scores_values(s), (lib.tide_scores_rows(s), max(k, 1))).copy()
        return out[:, np.argsort([float(lib.tide_scores_label(s, q)) for q in range(k)])] if k else out
    leaves = 0
    if detail:
        with tempfile.TemporaryDirectory() as temp:
            path = os.path.join(temp, "m.tide")
            must(lib.tide_model_save(ctx, model, path.encode(), C.byref(err)))
            text = subprocess.run([PROGRAM, "show", path], capture_output=True, text=True).stdout
        found = re.search(r"(\d[\d,]*)\s+leaves", text)
        leaves = int(found[1].replace(",", "")) if found else 0
    return t0, t1, t2, predict, leaves


def fit(x, y, sets, threads=1, isa="auto", task=1, group=None, detail=0, learner="gbdt"):
    """As fit_frames, of a matrix of f32 and whole-number targets."""
    whole = {"y": y} if group is None else {"y": y, "query": group}

    def new_frame(lib, ctx, err, z):
        c, keep = columns(x, **whole) if z is None else columns(z)
        frame = C.c_void_p()
        rows = len(y) if z is None else len(z)
        return lib.tide_frame_new(ctx, C.c_int64(rows), len(c), c, C.byref(frame), C.byref(err)), frame, keep
    return fit_frames(new_frame, sets, threads, isa, task, group="query" if group is not None else None,
                      learner=learner, detail=detail)


# ----------------------------------------------------------------------- sides in turn ---

def result(t0, t1, t2, **more):
    """What one fit prints: a JSON line of its times and memory."""
    print(json.dumps({"wall": t2[0] - t0[0], "cpu": t2[1] - t0[1], "prep_wall": t1[0] - t0[0],
                      "prep_cpu": t1[1] - t0[1],
                      "mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, **more}))


def version():
    return subprocess.run([PROGRAM, "--version"], capture_output=True, text=True).stdout.split()[1]


def in_turn(script, sides, rounds, threads, busy=0, more=()):
    """Runs the script (its own options and more) for each side, `--one SIDE`, in every round; {side: [result of a round]}. The first
    round has `--detail 1`. busy: processes that keep a core busy meanwhile."""
    env = {k: v for k, v in os.environ.items() if not k.startswith(("OPENBLAS_", "MKL_"))}
    env.update(OMP_NUM_THREADS=str(threads), OMP_WAIT_POLICY="PASSIVE" if busy else "ACTIVE")
    if not busy:
        del env["OMP_WAIT_POLICY"]
    load = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(busy)]
    got = {}
    try:
        for r in range(rounds):
            for s in sides:
                line = subprocess.run([sys.executable, os.path.abspath(script), *sys.argv[1:], *more, "--one", s,
                                       "--detail", str(int(r == 0))], env=env, capture_output=True, text=True)
                if line.returncode:
                    sys.exit(f"{s}: {line.stderr.strip()[-400:]}")
                got.setdefault(s, []).append(json.loads(line.stdout.strip().splitlines()[-1]))
    finally:
        for b in load:
            b.kill()
    return got


def least(rounds):
    """The first round's figures with the least of the times of all."""
    return {**rounds[0], **{k: min(r[k] for r in rounds) for k in ("wall", "cpu", "prep_wall", "prep_cpu")}}


def ratio(peer, us, what):
    """Median of peer / ours over the rounds."""
    r = sorted(p[what] / u[what] for p, u in zip(peer, us))
    return (r[(len(r) - 1) // 2] + r[len(r) // 2]) / 2
