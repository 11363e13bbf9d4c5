"""What tidemill itself answers to the rows of tests/conformance/checks.csv.

answers() maps a row's name to a function of the row; it asks the library through its public
interface (ctypes), and the program tests/conformance/checks/check_numbers.c for internal functions
that have no door of their own. Nothing here computes an expected value: Python only brings the
data into place and picks the numbers out of what the library says.
"""
import ctypes as c
import csv
import gzip
import json
import math
import os
import re
import subprocess

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
FIXTURES = os.path.join(ROOT, "tests", "conformance", "fixtures")
BUILDS = ("build-gcc", "build")
NAN = math.nan


def default_lib():
    for folder in BUILDS:
        path = os.path.join(ROOT, folder, "src", "libtidemill.so")
        if os.path.exists(path):
            return path
    raise SystemExit("checks: no build/src/libtidemill.so (build first, or name it by --lib)")


# ---- the library ------------------------------------------------------------------------

class TextList(c.Structure):
    _fields_ = [("items", c.POINTER(c.c_char_p)), ("n", c.c_int)]


class Error(c.Structure):
    _fields_ = [("size", c.c_uint32), ("status", c.c_int), ("code", c.c_int),
                ("line", c.c_int64), ("column", c.c_int64), ("row", c.c_int64),
                ("offset", c.c_int64), ("file", c.c_char * 256), ("field", c.c_char * 128),
                ("place", c.c_char * 128), ("message", c.c_char * 640),
                ("option", c.c_char * 48), ("value", c.c_char * 160)]


class ColumnIn(c.Structure):
    _fields_ = [("name", c.c_char_p), ("f64", c.POINTER(c.c_double)),
                ("i64", c.POINTER(c.c_int64)), ("text", c.POINTER(c.c_char_p)),
                ("type", c.c_int32),
                ("f32", c.POINTER(c.c_float)), ("stride", c.c_int64)]


class Problem(c.Structure):
    _fields_ = [("target", c.c_char_p), ("task", c.c_int32), ("positive", c.c_char_p),
                ("weight", c.c_char_p), ("id", c.c_char_p), ("drop", TextList),
                ("group", c.c_char_p)]


class TrainOptions(c.Structure):
    _fields_ = [("learner", c.c_char_p), ("set", TextList), ("pipeline", c.c_char_p),
                ("holdout", c.c_double), ("cv", c.c_int32), ("folds", c.c_int32),
                ("metric", c.c_char_p), ("seed", c.c_uint64),
                ("own_loss", c.c_void_p), ("snapshot", c.c_void_p)]


class ImportOptions(c.Structure):
    _fields_ = [("size", c.c_uint32), ("sums", c.c_int32), ("raw", c.c_int32),
                ("target", c.c_char_p), ("names", TextList), ("classes", TextList),
                ("trees", c.c_char_p)]


class MetricIn(c.Structure):
    _fields_ = [("task", c.c_uint32), ("n", c.c_int64), ("n_classes", c.c_int32),
                ("positive", c.c_int32), ("y", c.POINTER(c.c_double)),
                ("pred", c.POINTER(c.c_double)), ("k", c.POINTER(c.c_int32)),
                ("label", c.POINTER(c.c_int32)), ("proba", c.POINTER(c.c_double)),
                ("w", c.POINTER(c.c_double)), ("n_features", c.c_int32)]


class MetricOut(c.Structure):
    _fields_ = [("value", c.c_double), ("lo", c.c_double), ("hi", c.c_double),
                ("defined", c.c_int32), ("method", c.c_char * 24), ("reason", c.c_char * 160)]


class LookOptions(c.Structure):
    _fields_ = [("target", c.c_char_p), ("task", c.c_int32), ("seed", c.c_uint64)]


class ReportStyle(c.Structure):
    _fields_ = [("size", c.c_uint32), ("format", c.c_int32), ("colours", c.c_int32),
                ("ascii", c.c_int32), ("width", c.c_int32), ("charts", c.c_int32),
                ("chart", c.c_char_p)]


class ShapOptions(c.Structure):
    _fields_ = [("interactions", c.c_int32), ("background", c.c_void_p), ("on_scores", c.c_int32)]


class ExplainOptions(c.Structure):
    _fields_ = [("top", c.c_int32), ("repeats", c.c_int32), ("sample", c.c_int32),
                ("seed", c.c_uint64)]


SINK = c.CFUNCTYPE(c.c_int, c.c_void_p, c.c_void_p, c.c_size_t)
CLASSIFY, REGRESS, ANOMALY = 1, 2, 3
FORMAT_JSON = 2


class Library:
    def __init__(self, path):
        self.path = path
        self.so = c.CDLL(path)
        self.so.tide_scores_values.restype = c.POINTER(c.c_double)
        self.so.tide_scores_label.restype = c.c_char_p
        self.so.tide_frame_name.restype = c.c_char_p
        self.so.tide_frame_number.restype = c.c_double
        self.so.tide_shap_values.restype = c.POINTER(c.c_double)
        for name in ("tide_frame_rows", "tide_frame_text", "tide_scores_rows", "tide_shap_rows"):
            getattr(self.so, name).restype = c.c_int64
        self.err = Error()
        self.ctx = c.c_void_p()
        self.call("tide_ctx_new", c.byref(self.ctx))

    def call(self, name, *args):
        self.err = Error(size=c.sizeof(Error))
        if getattr(self.so, name)(*args, c.byref(self.err)):
            raise RuntimeError(f"{name}: {self.err.message.decode()}")

    def report(self, report):
        """The JSON object of a report, which is freed."""
        parts = []
        sink = SINK(lambda _, data, n: parts.append(c.string_at(data, n)) or 0)
        style = ReportStyle(size=c.sizeof(ReportStyle), format=FORMAT_JSON)
        try:
            self.call("tide_report_write", report, c.byref(style), sink, None)
        finally:
            self.so.tide_report_free(report)
        return json.loads(b"".join(parts))


LIB = None


def use(path=None):
    """Opens the library and the program beside it."""
    global LIB
    LIB = Library(os.path.abspath(path or default_lib()))


def doubles(values):
    return (c.c_double * max(1, len(values)))(*[NAN if v is None else v for v in values])


def ints(values):
    return (c.c_int32 * max(1, len(values)))(*[int(v) for v in values])


class Frame:
    """Columns (name, values): numbers with None for missing, or texts (categories)."""

    def __init__(self, columns):
        self.handle, self.keep = c.c_void_p(), []
        cols = (ColumnIn * len(columns))()
        for col, (name, values) in zip(cols, columns):
            col.name = name.encode()
            if any(isinstance(v, str) for v in values):
                texts = (c.c_char_p * len(values))(*[None if v is None else v.encode() for v in values])
                self.keep.append(texts)
                col.text = c.cast(texts, c.POINTER(c.c_char_p))
            else:
                numbers = doubles(values)
                self.keep.append(numbers)
                col.f64 = c.cast(numbers, c.POINTER(c.c_double))
        LIB.call("tide_frame_new", LIB.ctx, c.c_int64(len(columns[0][1])), len(columns), cols,
                 c.byref(self.handle))

    def __del__(self):
        LIB.so.tide_frame_free(self.handle)


def read_frame(handle):
    """{name: values} of a frame, texts for categories, None for missing."""
    n, out = LIB.so.tide_frame_rows(handle), {}
    for j in range(LIB.so.tide_frame_columns(handle)):
        name = LIB.so.tide_frame_name(handle, j).decode()
        if LIB.so.tide_frame_type(handle, j) >= 5:
            out[name] = [cell_text(handle, i, j) for i in range(n)]
        else:
            values = [LIB.so.tide_frame_number(handle, c.c_int64(i), j) for i in range(n)]
            out[name] = [None if math.isnan(v) else v for v in values]
    LIB.so.tide_frame_free(handle)
    return out


def cell_text(handle, i, j):
    buf = c.create_string_buffer(4096)
    n = LIB.so.tide_frame_text(handle, c.c_int64(i), j, buf, c.c_size_t(4096))
    return None if n < 0 else buf.value.decode()


def names(p):
    return [f"x{j:03d}" for j in range(p)]


def columns(rows):
    """Named columns of a list of rows."""
    return list(zip(names(len(rows[0])), map(list, zip(*rows))))


class Model:
    """A pipeline fitted on named columns, the column "y" being the target."""

    def __init__(self, cols, y, pipeline, task, cv=1, metric=None, weight=None, seed=0):
        target = [("y", list(y))] if task != ANOMALY else []
        frame = Frame(cols + target + ([("w", list(weight))] if weight else []))
        problem = Problem(target=b"y" if target else None, task=task,
                          weight=b"w" if weight else None)
        options = TrainOptions(pipeline=pipeline.encode(), cv=cv, folds=int(task != ANOMALY),
                               metric=metric.encode() if metric else None, seed=seed)
        self.handle, report = c.c_void_p(), c.c_void_p()
        LIB.call("tide_train", LIB.ctx, frame.handle, None, c.byref(problem), c.byref(options),
                 c.byref(self.handle), c.byref(report))
        self.report = LIB.report(report)
        self.task = task

    def __del__(self):
        LIB.so.tide_model_free(self.handle)

    def learned(self, node):
        report = c.c_void_p()
        LIB.call("tide_model_show", LIB.ctx, self.handle, c.byref(report))
        return LIB.report(report)["learned"][node]

    def predict(self, cols):
        """Values of every row, or its probabilities (a list of lists)."""
        frame, scores = Frame(cols), c.c_void_p()
        LIB.call("tide_model_predict", LIB.ctx, self.handle, frame.handle, c.byref(scores))
        n, k = LIB.so.tide_scores_rows(scores), max(1, LIB.so.tide_scores_classes(scores))
        v = LIB.so.tide_scores_values(scores)[:n * k]
        LIB.so.tide_scores_free(scores)
        return v if self.task != CLASSIFY else [v[i * k:i * k + k] for i in range(n)]

    def transform(self, cols):
        frame, out = Frame(cols), c.c_void_p()
        LIB.call("tide_model_transform", LIB.ctx, self.handle, frame.handle, c.byref(out))
        return read_frame(out)

    def shap(self, cols, background=None, interactions=False):
        """Contributions of each row to its one margin, the bias last; of pairs a table a row."""
        frame, out = Frame(cols), c.c_void_p()
        other = Frame(background) if background else None
        options = ShapOptions(interactions=int(interactions), background=other and other.handle)
        LIB.call("tide_model_shap", LIB.ctx, self.handle, frame.handle, c.byref(options), c.byref(out))
        n, k = LIB.so.tide_shap_rows(out), LIB.so.tide_shap_columns(out) + 1
        if LIB.so.tide_shap_outputs(out) != 1:
            raise RuntimeError("a row has several margins")
        v = LIB.so.tide_shap_values(out)[:n * k * (k if interactions else 1)]
        LIB.so.tide_shap_free(out)
        lines = [v[i:i + k] for i in range(0, len(v), k)]
        return [lines[i:i + k] for i in range(0, n * k, k)] if interactions else lines

    def explain(self, cols, seed=1, repeats=2):
        """The series of every chart of the account, by its key."""
        frame, report = Frame(cols), c.c_void_p()
        options = ExplainOptions(top=len(cols), repeats=repeats, sample=1000, seed=seed)
        LIB.call("tide_model_explain", LIB.ctx, self.handle, frame.handle, c.byref(options),
                 c.byref(report))
        return {o["key"]: o["series"] for o in LIB.report(report)["charts"]}


class Imported(Model):
    """A model of another program."""

    def __init__(self, path, task, sums=1, raw=0):
        options = ImportOptions(size=c.sizeof(ImportOptions), sums=sums, raw=raw)
        self.handle, self.task = c.c_void_p(), task
        LIB.call("tide_model_import", LIB.ctx, path.encode(), c.byref(options), c.byref(self.handle))


def look(cols, target=None, task=0):
    frame, report = Frame(cols), c.c_void_p()
    options = LookOptions(target=target.encode() if target else None, task=task)
    LIB.call("tide_look", LIB.ctx, frame.handle, c.byref(options), c.byref(report))
    return LIB.report(report)


def look_columns(cols, **options):
    return {o["name"]: o for o in look(cols, **options)["by_column"]}


def ask(metric, interval=False, **given):
    out = MetricOut()
    LIB.call("tide_metric_value", LIB.ctx, metric.encode(), c.byref(MetricIn(**given)),
             int(interval), c.byref(out))
    return out if interval else out.value


def pointer(array, kind):
    return c.cast(array, c.POINTER(kind))


def of_values(metric, y, pred, interval=False, features=0):
    y, pred = doubles(y), doubles(pred)
    return ask(metric, interval, task=REGRESS, n=len(y), y=pointer(y, c.c_double),
               pred=pointer(pred, c.c_double), n_features=features)


def of_classes(metric, k, label, n_classes=None, positive=None):
    """Classes as numbers, or as anything that sorts."""
    level = sorted(set(k) | set(label)) if n_classes is None else range(n_classes)
    number = {v: i for i, v in enumerate(level)}
    k, label = ints([number[v] for v in k]), ints([number[v] for v in label])
    return ask(metric, task=CLASSIFY, n=len(k), n_classes=len(level),
               positive=len(level) - 1 if positive is None else positive,
               k=pointer(k, c.c_int32), label=pointer(label, c.c_int32))


def of_proba(metric, k, proba):
    """proba: rows of class probabilities, or the probability of class 1."""
    rows = [p if isinstance(p, list) else [1 - p, p] for p in proba]
    k, flat = ints(k), doubles([v for r in rows for v in r])
    return ask(metric, task=CLASSIFY, n=len(k), n_classes=len(rows[0]),
               positive=len(rows[0]) - 1, k=pointer(k, c.c_int32),
               proba=pointer(flat, c.c_double))


# ---- internal functions -----------------------------------------------------------------

class Numbers:
    def __init__(self):
        self.process = None

    def __call__(self, name, *args):
        if not self.process:
            path = os.path.join(os.path.dirname(os.path.dirname(LIB.path)), "tests", "check_numbers")
            self.process = subprocess.Popen([path], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                            text=True)
        words = [name] + [repr(float(v)) for a in args for v in (a if isinstance(a, list) else [a])]
        self.process.stdin.write(" ".join(words) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if line.startswith("?") or not line.strip():
            raise RuntimeError(f"check_numbers: {line.strip() or 'ended'}")
        return [float(v) for v in line.split()]


numbers = Numbers()


# ---- data -------------------------------------------------------------------------------

SETS = {}


def data_set(name):
    """Columns and target of data/NAME.csv.gz, read by our reader; classes as the numbers that
    scikit-learn gives them."""
    if name not in SETS:
        handle = c.c_void_p()
        path = os.path.join(ROOT, "data", name + ".csv.gz")
        LIB.call("tide_frame_read", LIB.ctx, path.encode(), None, c.byref(handle))
        table = read_frame(handle)
        target = table.pop("target")
        if isinstance(target[0], str):
            level = sorted(set(target), reverse=name == "breast_cancer")
            target = [level.index(v) for v in target]
        SETS[name] = (list(zip(names(len(table)), table.values())), target)
    return SETS[name]


def fixture(name):
    """Columns of a table of numbers that `checks.py --peer --export` wrote."""
    with open(os.path.join(FIXTURES, name + ".csv"), encoding="utf-8", newline="") as f:
        head, *rows = csv.reader(f)
    return {h: [float(r[j]) for r in rows] for j, h in enumerate(head)}


def given(row):
    return json.loads(row["data"])


STANDARD = "num: scale:standard; "


def standardised(cols):
    """The columns as our own step standardises them."""
    y = [float(i % 2) for i in range(len(cols[0][1]))]
    table = Model(cols, y, STANDARD + "baseline", REGRESS).transform(cols)
    return [(n, table[n]) for n, _ in cols]


# ---- rows -------------------------------------------------------------------------------

ROWS = {}


def row(*wanted):
    def keep(fn):
        for name in wanted:
            assert name not in ROWS, name
            ROWS[name] = fn
        return fn
    return keep


def rows(table):
    """{name: function of the row's inputs by name}."""
    for name, fn in table.items():
        row(name)(lambda r, fn=fn: fn(**given(r)))


def fold_scores(data, pipeline, task, metric, cv=5, seed=0):
    cols, y = data_set(data)
    return Model(cols, y, pipeline, task, cv=cv, metric=metric, seed=seed).report["fold_scores"]


def mean_of_seeds(seeds, *args):
    """Of a method that draws: the mean over seeds of the mean over folds."""
    scores = [v for s in range(1, seeds + 1) for v in fold_scores(*args, seed=s)]
    return math.fsum(scores) / len(scores)


for _set in ("iris", "wine", "breast_cancer", "digits"):
    row(f"sup.cv5.{_set}.logistic")(
        lambda r: fold_scores(r["data"], STANDARD + "logistic(l2=1)", CLASSIFY, "accuracy"))
    row(f"sup.cv5.{_set}.random_forest")(
        lambda r: mean_of_seeds(8, r["data"], "forest(trees=100)", CLASSIFY, "accuracy"))


@row("sup.logistic.iris.log_loss_raw")
def _(r):
    cols, y = data_set("iris")
    return of_proba("log_loss", y, Model(cols, y, "logistic(l2=1)", CLASSIFY).predict(cols))


def cancer(pipeline="logistic(l2=1)", **options):
    cols, y = data_set("breast_cancer")
    return Model(cols, y, STANDARD + pipeline, CLASSIFY, **options)


def cancer_scores(model):
    cols, y = data_set("breast_cancer")
    return y, model.predict(cols)


def flat(values):
    return [v for x in values for v in (flat(x) if isinstance(x, list) else [x])]


def coefficients(model, learner="logistic"):
    state = model.learned(learner)
    return flat(state["coef"]), flat(state["intercept"])[0]


@row("sup.logistic.breast_cancer.coef_std")
def _(r):
    return coefficients(cancer())


@row("sup.logistic.unpenalised.intercept_only_identity")
def _(r):
    """So large a penalty leaves the intercept alone."""
    cols, y = data_set("breast_cancer")
    model = Model(cols[4:5], y, "logistic(l2=1e15)", CLASSIFY)
    return [coefficients(model)[1], of_proba("log_loss", y, model.predict(cols[4:5]))]


@row("anchor.breast_cancer_logit_in_sample")
def _(r):
    y, p = cancer_scores(cancer())
    return [of_proba(m, y, p) for m in ("log_loss", "auc", "ap", "brier")]


@row("anchor.breast_cancer_logit_confusion")
def _(r):
    y, p = cancer_scores(cancer())
    return numbers("confusion", len(y), 2, y, [float(q[1] > 0.5) for q in p])


@row("gd.solvers_agree.breast_cancer")
def _(r):
    """We have one solver. Three ways to state the same optimum: the rows, rows of weight 2 under
    twice the penalty, the rows in the opposite order."""
    cols, y = data_set("breast_cancer")
    back = [(n, v[::-1]) for n, v in cols]
    models = [cancer(), cancer("logistic(l2=2)", weight=[2.0] * len(y)),
              Model(back, y[::-1], STANDARD + "logistic(l2=1)", CLASSIFY)]
    return [of_proba("log_loss", *cancer_scores(m)) for m in models]


@row("gd.first_newton_step.breast_cancer")
def _(r):
    model = cancer("logistic(l2=1, max_iter=1)")
    coef, intercept = coefficients(model)
    y, p = cancer_scores(model)
    size = math.sqrt(math.fsum(v * v for v in coef))
    return [intercept, size, size * size / 2 + len(y) * of_proba("log_loss", y, p)]


@row("regu.logistic_l2_shrinks.breast_cancer")
def _(r):
    norms = []
    for l2 in (1000, 100, 10, 1, 0.1):
        coef, _ = coefficients(cancer(f"logistic(l2={l2})"))
        norms.append(math.sqrt(math.fsum(v * v for v in coef)))
    return norms


@row("imb.weight_equals_duplication")
def _(r):
    cols, y = data_set("breast_cancer")
    cols = standardised(cols)
    twice = list(range(len(y))) + [i for i, k in enumerate(y) if k == 0]
    a = coefficients(Model(cols, y, "logistic(l2=1)", CLASSIFY, weight=[2.0 - k for k in y]))
    b = coefficients(Model([(n, [v[i] for i in twice]) for n, v in cols], [y[i] for i in twice],
                           "logistic(l2=1)", CLASSIFY))
    return [a[1], b[1], float(max(abs(u - v) for u, v in zip(a[0], b[0])) < 1e-7)]


@row("imb.class_weight_balanced")
def _(r):
    """The class weights that a fit used, out of its optimum: with p the predicted probability,
    sum w (p - y) = 0 and sum w (p - y) x = -l2 coef."""
    y = given(r)["y"]
    x = [0.5, 1.5, -0.5, 2.0, 1.0, -1.0]
    model = Model([("x", x)], y, "logistic(weights=balanced)", CLASSIFY)
    (coef,), _ = coefficients(model)
    s, t = [0.0, 0.0], [0.0, 0.0]
    for k, v, p in zip(y, x, model.predict([("x", x)])):
        s[k] += p[1] - k
        t[k] += (p[1] - k) * v
    w0 = -coef * s[1] / (t[0] * s[1] - t[1] * s[0])
    return [w0, -w0 * s[0] / s[1]]


@row("imb.accuracy_paradox")
def _(r):
    d = given(r)
    y = [1] * d["n_pos"] + [0] * d["n_neg"]
    return [of_classes("accuracy", y, [0] * len(y), 2), of_proba("ap", y, [0.1] * len(y)),
            of_proba("auc", y, [0.1] * len(y))]


@row("task.logistic_vs_linear_on_binary")
def _(r):
    cols, y = data_set("breast_cancer")
    p = Model(cols, y, "ridge(l2=0)", REGRESS).predict(cols)
    return [sum(v < 0 for v in p), sum(v > 1 for v in p)]


@row("task.multilabel_binary_relevance")
def _(r):
    d = given(r)
    x = columns(d["X"])
    out = []
    for y in zip(*d["Y"]):
        coef, intercept = coefficients(Model(x, y, "logistic(l2=1)", CLASSIFY))
        out.append([coef[0], intercept])
    return out


@row("drift.domain_classifier_auc")
def _(r):
    cols, _ = data_set("iris")
    first = [(n, v[:100]) for n, v in cols]
    model = Model(first, [0] * 50 + [1] * 50, STANDARD + "logistic(l2=1)", CLASSIFY, cv=5)
    return model.report["metrics"]["auc"]["value"]


# regression

def ridge(cols, y, l2, **options):
    return Model(cols, y, f"ridge(l2={l2!r})", REGRESS, **options)


@row("reg.diabetes.ols")
def _(r):
    cols, y = data_set("diabetes")
    model = ridge(cols, y, 0)
    return [*coefficients(model, "ridge"), of_values("r2", y, model.predict(cols))]


for _name, _l2 in (("ols", 0), ("ridge1", 1)):
    row(f"reg.diabetes.cv5.{_name}")(
        lambda r, l2=_l2: fold_scores("diabetes", f"ridge(l2={l2})", REGRESS, "r2"))


@row("reg.diabetes.cv5.random_forest")
def _(r):
    return mean_of_seeds(5, "diabetes", "forest(trees=100, columns=1, min_rows=1)", REGRESS, "r2")


@row("regu.diabetes.ridge1_coef")
def _(r):
    return coefficients(ridge(*data_set("diabetes"), 1), "ridge")


@row("regu.diabetes.ridge_loocv")
def _(r):
    cols, y = data_set("diabetes")
    return [ridge(cols, y, l2, cv=len(y), metric="mse").report["metrics"]["mse"]["value"]
            for l2 in (.001, .01, .1, 1.0)]


@row(*["reg.nist." + n for n in ("norris", "pontius", "longley", "wampler1", "wampler2", "wampler3",
                                 "wampler4", "wampler5", "filip")])
def _(r):
    d = given(r)
    x = [v if isinstance(v, list) else [v] for v in d["x"]]
    coef, intercept = coefficients(ridge(powers_of([v[0] for v in x], d["degree"])
                                         if "degree" in d else columns(x), d["y"], 0), "ridge")
    return [intercept] + coef


def powers_of(x, degree):
    cols = [list(x)]
    while len(cols) < degree:
        cols.append([a * b for a, b in zip(cols[-1], x)])
    return list(zip(names(degree), cols))


def polynomial(degree, **options):
    d = fixture("polynomial")
    cols = powers_of(d["x"], degree)
    return ridge(cols, d["y"], 0, **options), cols, d["y"]


for _degree in (1, 4, 15):
    row(f"fit.polynomial.degree{_degree}")(
        lambda r, d=_degree: polynomial(d, cv=10, metric="mse")[0].report["metrics"]["mse"]["value"])


@row("fit.polynomial.train_mse_monotone")
def _(r):
    out = []
    for degree in range(1, 9):
        model, cols, y = polynomial(degree)
        out.append(of_values("mse", y, model.predict(cols)))
    return out


@row("fit.polynomial.verdicts")
def _(r):
    """The first word of the verdict, as the row names them."""
    out = []
    for degree in (1, 4, 15):
        verdict = polynomial(degree, cv=10, metric="mse")[0].report["verdict"].lower()
        out.append("underfit" if "underfit" in verdict else
                   "overfit" if "overfit" in verdict else "ok")
    return out


@row("fit.polynomial.data")
def _(r):
    d = fixture("polynomial")
    m = [numbers("moments", d[k]) for k in ("x", "y")]
    return [d["x"][0], d["x"][-1], d["y"][0], d["y"][-1]] + [v[0] * v[1] for v in m]


# trees

class Tree:
    """The first tree of a fitted model in the terms of its columns."""

    def __init__(self, model, learner="tree"):
        s = self.state = model.learned(learner)
        self.n_nodes = s["tree_node"][1]
        column = [s["column_feature"][j] for j in s["node_column"][:self.n_nodes]]
        self.feature = column
        self.threshold = [None if s["feature_kind"][f] else s["edge"][s["edge_off"][f] + t]
                          for f, t in zip(column, s["node_thr"][:self.n_nodes])]
        self.left, self.right = s["node_left"], s["node_right"]
        self.gain, self.cover = s["node_gain"], s["node_cover"]
        self.leaf, self.leaf_cover = s["leaf"], s["leaf_cover"]

    def child(self, number):
        """(is leaf, index)"""
        return (number >= self.n_nodes, number - self.n_nodes if number >= self.n_nodes else number)


def gini(share):
    return 1 - math.fsum(p * p for p in share)


def entropy(share):
    return -math.fsum(p * math.log2(p) for p in share if p > 0)


def root_split(data, criterion, impurity, with_rows):
    """Impurities of the children from the leaves' shares; the root's is what the gain adds."""
    tree = Tree(Model(*data_set(data), f"tree(depth=1, criterion={criterion})", CLASSIFY))
    left, right = [tree.child(n)[1] for n in (tree.left[0], tree.right[0])]
    child = [impurity(tree.leaf[i]) for i in (left, right)]
    rows = [tree.leaf_cover[i] for i in (left, right)]
    root = tree.gain[0] + (rows[0] * child[0] + rows[1] * child[1]) / (rows[0] + rows[1])
    return [tree.feature[0], tree.threshold[0], root] + child + ([rows[0]] if with_rows else [])


for _set in ("wine", "breast_cancer"):
    row(f"sup.tree.{_set}.root_split")(lambda r: root_split(r["data"], "gini", gini, True))
    row(f"sup.tree.{_set}.root_split_entropy")(
        lambda r: root_split(r["data"], "entropy", entropy, False))


@row("ens.importance.gini_depth2")
def _(r):
    model = Model(*data_set("wine"), "tree(depth=1)", CLASSIFY)
    tree = Tree(model)
    return [tree.feature[0], tree.gain[0]]


def preorder(model):
    """Nodes as scikit-learn lists them: feature, threshold, mean, rows; -2 at a leaf."""
    tree = Tree(model)
    feature, threshold, value, rows_ = [], [], [], []

    def visit(number):
        is_leaf, i = tree.child(number)
        at = len(feature)
        feature.append(-2 if is_leaf else tree.feature[i])
        threshold.append(-2.0 if is_leaf else tree.threshold[i])
        rows_.append(tree.leaf_cover[i] if is_leaf else tree.cover[i])
        value.append(flat([tree.leaf[i]])[0] + tree.state["base"][0] if is_leaf else 0)
        if not is_leaf:
            a = visit(tree.left[i])
            b = visit(tree.right[i])
            value[at] = (value[a] * rows_[a] + value[b] * rows_[b]) / rows_[at]
        return at

    visit(0)
    return [feature, threshold, value, rows_]


@row("uns.iforest.doc")
def _(r):
    """Called an anomaly, -1 as the peer has it, is a score of 0.5 or more."""
    signs = []
    for seed in range(5):
        model = Model(columns(given(r)["X"]), None, "isolation_forest", ANOMALY, seed=seed)
        signs.append([-1 if z >= 0.5 else 1 for z in model.predict(columns([[0.1], [0], [90]]))])
    assert all(s == signs[0] for s in signs), signs
    return signs[0]


@row("sup.tree.diabetes.depth2")
def _(r):
    return preorder(Model(*data_set("diabetes"), "tree(depth=2)", REGRESS))


@row("sup.tree.iris.depth2_accuracy")
def _(r):
    cols, y = data_set("iris")
    model = Model(cols, y, "tree(depth=2)", CLASSIFY)
    label = [p.index(max(p)) for p in model.predict(cols)]
    tree = Tree(model)
    return [of_classes("accuracy", y, label, 3), tree.n_nodes + len(tree.leaf)]


@row("sup.tree.iris.full_depth")
def _(r):
    cols, y = data_set("iris")
    p = Model(cols, y, "tree", CLASSIFY).predict(cols)
    return of_classes("accuracy", y, [q.index(max(q)) for q in p], 3)


@row("sup.tree.wine.ccp_path_first_last")
def _(r):
    """Pruned to its root the tree says the class shares, whose impurity the path ends with."""
    cols, y = data_set("wine")
    model = Model(cols, y, "tree(depth=2, ccp_alpha=1)", CLASSIFY)
    return [gini(model.predict(cols)[0])]


@row("fit.tree.diabetes.depth_sweep")
def _(r):
    cols, y = data_set("diabetes")
    return [[of_values("r2", y, Model(cols, y, f"tree(depth={d})", REGRESS).predict(cols))]
            for d in (1, 2, 3, 4)]


@row("fit.tree.diabetes.unpruned_gap")
def _(r):
    cols, y = data_set("diabetes")
    model = Model(cols, y, "tree", REGRESS, cv=5, metric="r2")
    scores = model.report["fold_scores"]
    return [of_values("r2", y, model.predict(cols)), float(math.fsum(scores) / 5 < 0.1)]


# boosting

BOOST = "gbdt(trees=1, rate=1, leaves=2, min_rows=1, min_hessian=0, patience=0, l2={l2})"


@row("ens.xgb.leaf_and_gain")
def _(r):
    """Log-loss at its start has these gradients: p = 1/2, so g = p - y and h = 1/4. Our gain is
    the sum of the scores, the row's is half of it less gamma."""
    d = given(r)
    y = [int(g < 0) for g in d["g"]]
    tree = Tree(Model([("left", [float(v) for v in d["left"]])], y, BOOST.format(l2=d["lam"]),
                      CLASSIFY), "gbdt")
    value = flat(tree.leaf)
    # left = 1 lies above the cut
    high, low = tree.child(tree.right[0])[1], tree.child(tree.left[0])[1]
    return [value[high], value[low], tree.gain[0] / 2 - d["gamma"]]


@row("ens.categorical_sorted_split")
def _(r):
    """Means of the categories are what a tree grown out says; the best gain is its root's."""
    d = given(r)
    cat = [("cat", [str(v) for v in d["cat"]])]
    y = [float(v) for v in d["y"]]
    means = Model(cat, y, "tree", REGRESS).predict([("cat", ["0", "1", "2", "3"])])
    return [means, Tree(Model(cat, y, "tree(depth=1)", REGRESS)).gain[0]]


class Legacy:
    """The stream of numpy's RandomState(0): MT19937, the polar method for normal numbers."""

    def __init__(self):
        import random
        word, state = 0, []
        for i in range(624):
            state.append(word)
            word = (1812433253 * (word ^ (word >> 30)) + i + 1) & 0xffffffff
        self.rng = random.Random()
        self.rng.setstate((3, tuple(state + [624]), None))
        self.uniform = self.rng.random

    def normal(self, n):
        """An even number of them: numpy keeps the second of a pair for the next call."""
        out = []
        while len(out) < n:
            u, v = 2 * self.uniform() - 1, 2 * self.uniform() - 1
            s = u * u + v * v
            if 0 < s < 1:
                f = math.sqrt(-2 * math.log(s) / s)
                out += [f * v, f * u]
        return out

    def bit(self):
        return self.rng.getrandbits(32) & 1


def hastie():
    """scikit-learn's make_hastie_10_2(random_state=0), made here: 12,000 x 10 numbers are too
    many for a fixture."""
    if "hastie" not in SETS:
        normal = Legacy().normal(120000)
        x = [normal[i:i + 10] for i in range(0, 120000, 10)]
        SETS["hastie"] = (columns(x), [int(sum(v * v for v in q) > 9.34) for q in x])
    return SETS["hastie"]


def classification():
    """scikit-learn's make_classification(n_samples=1000, n_features=4, n_informative=2,
    n_redundant=0, random_state=0, shuffle=False): four clouds about the corners of a square, two
    columns of noise, each class drawn anew for a hundredth of the rows."""
    rng = Legacy()
    normal = rng.normal(2000)
    x, y = [], []
    for k in range(4):
        corner = [2.0 * (k >> 1) - 1, 2.0 * (k & 1) - 1]
        a = [2 * rng.uniform() - 1 for _ in range(4)]
        for i in range(250 * k, 250 * (k + 1)):
            u, v = normal[2 * i:2 * i + 2]
            x.append([u * a[0] + v * a[2] + corner[0], u * a[1] + v * a[3] + corner[1]])
            y.append(k % 2)
    noise = rng.normal(2000)
    redrawn = [rng.uniform() < 0.01 for _ in y]
    y = [rng.bit() if q else k for k, q in zip(y, redrawn)]
    return columns([q + noise[2 * i:2 * i + 2] for i, q in enumerate(x)]), y


@row("ens.hastie.data")
def _(r):
    cols, y = hastie()
    total = math.fsum(m[0] * m[1] for m in (numbers("moments", v) for _, v in cols))
    return [[v[0] for _, v in cols[:3]], total, sum(y), sum(y[:2000])]


def shares_wrong(model, cols, y):
    return of_classes("error", y, [p.index(max(p)) for p in model.predict(cols)], 2)


@row("ens.adaboost_samme.hastie")
def _(r):
    """The weighted error of a round is what its vote says: alpha = ln((1 - e) / e)."""
    cols, y = hastie()
    fit = [(n, v[:2000]) for n, v in cols]
    new = [(n, v[2000:]) for n, v in cols]
    out = []
    for rounds in (1, 10, 50):
        model = Model(fit, y[:2000], f"adaboost(trees={rounds}, depth=1, rate=1)", CLASSIFY)
        alpha = flat(model.learned("adaboost")["vote"])
        assert len(alpha) == rounds, len(alpha)
        out.append([1 / (1 + math.exp(alpha[-1])), alpha[-1], shares_wrong(model, fit, y[:2000]),
                    shares_wrong(model, new, y[2000:])])
    return out


@row("ens.adaboost.doc_score")
def _(r):
    cols, y = classification()
    model = Model(cols, y, "adaboost(trees=100, depth=1, rate=1)", CLASSIFY)
    return 1 - shares_wrong(model, cols, y)


@row("ens.missing_direction")
def _(r):
    """Squared error at 0 has gradient -y and h = 1. Gradients of a whole table sum to 0, these do
    not: a far row makes up for them, the root splits it off by a column of its own, and the
    node below is the row's."""
    d = given(r)
    x, n = d["x"], len(d["x"])
    y = [-g for g in d["g"]] + [math.fsum(d["g"])]
    far = [("z", [0.0] * n + [1.0])]

    def fit(values):
        cols = [("x", values + [max(v for v in values if v is not None)])] + far
        model = Model(cols, y, BOOST.format(l2=d["lam"]).replace("leaves=2", "leaves=3"), REGRESS)
        tree = Tree(model, "gbdt")
        assert tree.n_nodes == 2 and tree.feature == [1, 0], tree.feature
        return model, tree

    gains = []
    for t in (1.5, 3.0, 4.5):
        for side in (0, 1):
            left = [side == 0 if v is None else v < t for v in x]
            gains.append([t, side, fit([0.0 if q else 1.0 for q in left])[1].gain[1] / 2])
    model, tree = fit(x)
    gap, low = model.predict([("x", [None, min(v for v in x if v is not None)]),
                              ("z", [0.0, 0.0])])
    return [gains, [tree.threshold[1], int(gap != low)]]


# preparation

def prepared(steps, fit, new, y=None):
    """Columns `new` after steps that were fitted on columns `fit`."""
    y = y or [float(i) for i in range(len(fit[0][1]))]
    return Model(fit, y, f"{steps}; baseline", REGRESS).transform(new)


@row("prep.standard_scaler.doc")
def _(r):
    cols = columns(given(r)["X"])
    model = Model(cols, [0.0, 1.0, 2.0, 3.0], "num: scale:standard; baseline", REGRESS)
    state = model.learned("scale:standard")
    out = model.transform([(n, [2.0]) for n, _ in cols])
    return [state["mean"], state["sd"], [[out[n][0] for n, _ in cols]]]


@row("prep.one_hot.doc")
def _(r):
    cols = [(n, [str(x) for x in v]) for n, v in columns(given(r)["X"])]
    out = prepared("cat: encode:onehot", cols, columns([["Female", "1"], ["Male", "4"]]))
    keys = [k for k in out if k.startswith(tuple(names(2)))]
    return [[out[k][i] for k in keys] for i in (0, 1)]


@row("imp.mode_tie")
def _(r):
    cols = [("x", [v[0] for v in given(r)["X"]])]
    return prepared("cat: impute:mode", cols, [("x", [None, "c"])])["x"][0]


@row("imp.indicator.doc")
def _(r):
    d = given(r)
    fit, new = columns(d["F"]), columns(d["X"])
    out = prepared("num: impute:median(indicator=yes)", fit, new)
    made = [k for k in out if k not in dict(fit)]
    which = [j for j, (n, _) in enumerate(fit) if any(k.startswith(n) for k in made)]
    return [which, [[bool(out[k][i]) for k in made] for i in range(3)]]


@row("imp.sentinel_detection")
def _(r):
    o = look_columns([("x", given(r)["x"])])["x"]
    return [o["sentinel"], o["sentinel_rows"], float("sentinel" in o)]


# exploring

@row("eda.iris.describe")
def _(r):
    o = list(look_columns(data_set("iris")[0]).values())

    def of(key):
        return [v[key] for v in o]
    return [of("mean"), of("sd"), of("min"), [of("q25"), of("median"), of("q75")], of("max")]


@row("eda.iris.shape_statistics")
def _(r):
    o = list(look_columns(data_set("iris")[0]).values())
    return [[v["skewness"] for v in o], [v["kurtosis"] for v in o]]


@row("eda.breast_cancer.outliers_iqr")
def _(r):
    return [o["outliers"] for o in look_columns(data_set("breast_cancer")[0]).values()]


@row("sel.diabetes.r_regression")
def _(r):
    cols, y = data_set("diabetes")
    o = look_columns(cols + [("y", y)], target="y", task=REGRESS)
    assert all(o[n]["association"] == "r" for n, _ in cols)
    return [o[n]["value"] for n, _ in cols]


@row("eda.iris.duplicates")
def _(r):
    return [look(data_set("iris")[0])["duplicate_rows"]]


@row("eda.iris.mutual_correlation_ratio")
def _(r):
    """The class as a column, each measurement in turn as the target."""
    cols, y = data_set("iris")
    kind = [("kind", ["abc"[k] for k in y])]
    out = []
    for name, v in cols:
        o = look_columns(kind + [(name, v)], target=name, task=REGRESS)["kind"]
        assert o["association"] == "eta", o
        out.append(o["value"] ** 2)
    return out


# explaining

# Rows (three columns, target, how often) that a tree grown on them splits as the rows' tree does.
GROWN = [(.1, .2, .6, 1, 10), (.4, .2, .8, 1, 10), (.1, .4, .6, 3, 10), (.3, .4, .6, 5, 1),
         (.4, .4, .6, 5, 29), (.6, .4, .6, -2, 13), (.6, .2, .6, -2, 12), (.6, .2, .8, 4, 8),
         (.6, .4, .8, 4, 7)]


def given_tree(r):
    """The row's tree, which our learner grows on GROWN, its row and its background."""
    d = given(r)
    table = [q[:4] for q in GROWN for _ in range(q[4])]
    model = Model(columns([q[:3] for q in table]), [float(q[3]) for q in table], "tree", REGRESS)
    feature, threshold, value, cover = preorder(model)
    is_leaf = [f == -2 for f in feature]

    def same(got, want, where):
        return all(abs(a - b) < 1e-12 for a, b, at in zip(got, want, where) if at)
    assert [max(f, -1) for f in feature] == d["feature"] and cover == d["cover"], (feature, cover)
    assert same(threshold, d["threshold"], [not v for v in is_leaf]), threshold
    assert same(value, d["value"], is_leaf), value
    return model, columns([d["x"]]), columns(d["background"])


def account(model, x, phi):
    value = model.predict(x)[0]
    return [phi[:-1], phi[-1], value, math.fsum(phi)]


@row("shap.tree.path_dependent")
def _(r):
    model, x, _ = given_tree(r)
    return account(model, x, model.shap(x)[0])


@row("shap.tree.interventional")
def _(r):
    model, x, background = given_tree(r)
    return account(model, x, model.shap(x, background=background)[0])


@row("shap.tree.interaction_01")
def _(r):
    model, x, _ = given_tree(r)
    pair = model.shap(x, interactions=True)[0]
    assert pair[0][1] == pair[1][0], pair
    return pair[0][1]


@row("shap.linear.diabetes_row0")
def _(r):
    cols, y = data_set("diabetes")
    phi = ridge(cols, y, 0).shap([(name, v[:1]) for name, v in cols])[0]
    # our columns stand in the order of their names, the row's in the table's
    by_name = dict(zip(sorted(name for name, _ in cols), phi))
    return [[by_name[name] for name, _ in cols], phi[-1]]


@row("explain.pdp_ice.tree")
def _(r):
    """Our grid is the values that the rows have: every row of the background comes once with each
    value of the row's grid. The dependence of one such row alone is its own curve."""
    model, _, background = given_tree(r)
    grid = given(r)["grid"]
    first, *others = [n for n, _ in background]

    def dependence(rows_):
        table = [(first, grid * len(rows_))]
        table += [(n, [v[i] for i in rows_ for _ in grid]) for n, v in background if n in others]
        series = model.explain(table)["pdp_" + first]
        assert series[first] == grid, series
        return series["mean"]

    n = len(background[0][1])
    return [list(zip(*[dependence([i]) for i in range(n)])), dependence(range(n))]


@row("explain.ale.linear")
def _(r):
    """Our edges are quantiles of the rows. Where in its group a row lies does not count, so each
    goes to an edge of its group (the lowest stays, being an edge), and the edges are the row's."""
    d = given(r)
    edges = d["edges"]
    x = [edges[0]] + [min(e for e in edges[1:] if v <= e) for v in d["x"][1:]]
    model = Model([("x", x)], [d["slope"] * v for v in x], "ridge(l2=0)", REGRESS)
    series = model.explain([("x", x)])["ale_x"]
    assert series["x"] == edges, series
    return series["effect"]


@row("sel.permutation_importance.identity")
def _(r):
    """The expectation itself, over both orders of two rows, which are equally likely: the least
    and the most that the error rises over many seeds. The model is exact, so that the rise of the
    root of the mean square is that root."""
    d = given(r)
    size = [math.sqrt(v) for v in d["var"]]
    table = columns([[s if i >> j & 1 else -s for j, s in enumerate(size)] for i in range(8)])

    def target(cols):
        return [math.fsum(b * v for b, v in zip(d["beta"], q)) for q in zip(*(v for _, v in cols))]
    model = Model(table, target(table), "ridge(l2=0)", REGRESS)
    two = columns([[-s for s in size], size])
    rise = {n: [] for n, _ in two}
    for seed in range(1, 65):
        series = model.explain(two + [("y", target(two))], seed=seed)["permutation"]
        for n, v in zip(series["column"], series["worse by"]):
            rise[n].append(v * v)
    return [(min(v) + max(v)) / 2 for v in rise.values()]


# metrics of values

def values_row(metric):
    return lambda t, p: of_values(metric, t, p)


rows({"reg." + name: values_row(metric) for name, metric in {
    "mean_absolute_error": "mae", "mean_squared_error": "mse", "root_mean_squared_error": "rmse",
    "r2_score": "r2", "explained_variance": "explained_variance",
    "mean_absolute_percentage_error": "mape", "median_absolute_error": "median_ae",
    "r2_score.worse_than_mean": "r2", "r2_score.constant_target_perfect": "r2(force_finite=yes)",
    "r2_score.constant_target_imperfect": "r2(force_finite=yes)", "mean_squared_log_error": "msle",
    "root_mean_squared_log_error": "rmsle", "smape": "smape",
    "adjusted_r2": "adjusted_r2(features=1)", "huber_loss_delta1": "huber(delta=1)",
    "max_error": "max_error", "pinball_0.1_under": "pinball(alpha=0.1)",
    "pinball_0.1_over": "pinball(alpha=0.1)", "pinball_0.9_under": "pinball(alpha=0.9)",
    "pinball_0.9_over": "pinball(alpha=0.9)", "poisson_deviance": "poisson_deviance",
    "gamma_deviance": "gamma_deviance", "tweedie_deviance_1.5": "tweedie_deviance(power=1.5)",
    "d2_tweedie_power1": "d2_tweedie(power=1)", "d2_absolute_error": "d2_absolute"}.items()})


@row("reg.mean_squared_error.multioutput_raw")
def _(r):
    d = given(r)
    return [of_values("mse", t, p) for t, p in zip(zip(*d["t"]), zip(*d["p"]))]


@row("reg.r2_score.multioutput_variance_weighted")
def _(r):
    """R2 of all cells, each target about its own mean."""
    d = given(r)
    t, p = [], []
    for a, b in zip(zip(*d["t"]), zip(*d["p"])):
        mean = numbers("moments", list(a))[1]
        t += [v - mean for v in a]
        p += [v - mean for v in b]
    return of_values("r2", t, p)


# metrics of classes

rows({"cls." + name: lambda t, p, m=metric: of_classes(m, t, p) for name, metric in {
    "accuracy": "accuracy", "balanced_accuracy": "balanced_accuracy", "matthews_corrcoef": "mcc",
    "cohen_kappa": "kappa", "cohen_kappa_quadratic": "kappa(weights=quadratic)",
    "zero_one_loss": "error", "geometric_mean_zero": "g_mean",
    "geometric_mean_corrected": "g_mean(correction=0.001)",
    **{f"{m}_{a}": f"{m}(average={a})" for m in ("precision", "recall", "f1")
       for a in ("macro", "micro", "weighted")},
    "fbeta_0.5_macro": "f_beta(average=macro, beta=0.5)",
    "fbeta_2_macro": "f_beta(average=macro, beta=2)"}.items()})


def each_class(metric):
    return lambda t, p: [of_classes(metric, t, p, 3, k) for k in range(3)]


rows({"cls.f1_per_class": each_class("f1(average=binary)"),
      "cls.jaccard_per_class": each_class("jaccard(average=binary)"),
      "cls.specificity_per_class": each_class("specificity(average=binary)"),
      "cls.likelihood_ratios": lambda t, p: [of_classes(m, t, p) for m in ("lr_plus", "lr_minus")],
      "cls.hamming_loss_multilabel": lambda t, p: of_classes("hamming", flat(t), flat(p)),
      "cls.jaccard_macro_multilabel": lambda t, p: numbers(
          "moments", [of_classes("jaccard", a, b) for a, b in zip(zip(*t), zip(*p))])[1],
      "cls.jaccard_binary": lambda t, p: of_classes("jaccard", t[0], p[0]),
      "cls.confusion_matrix": lambda t, p: numbers("confusion", len(t), 3, t, p),
      "cls.expected_cost_threshold":
          lambda cost_fp, cost_fn: numbers("cost_threshold", cost_fp, cost_fn)})


@row("cls.balanced_error_and_youden")
def _(r):
    d = given(r)
    t = [1] * (d["tp"] + d["fn"]) + [0] * (d["fp"] + d["tn"])
    p = [1] * d["tp"] + [0] * d["fn"] + [1] * d["fp"] + [0] * d["tn"]
    return [1 - of_classes("balanced_accuracy", t, p), of_classes("youden", t, p)]


# metrics of probabilities

rows({"proba.average_precision": lambda t, s: of_proba("ap", t, s),
      "proba.roc_auc": lambda t, s: of_proba("auc", t, s),
      "proba.roc_auc_equals_mann_whitney":
          lambda t, s: [of_proba("auc", t, s), numbers("roc", len(t), t, s)[1]],
      "proba.roc_auc_partial_fpr0.5": lambda t, s: of_proba("auc(max_fpr=0.5)", t, s),
      "proba.brier": lambda t, p: of_proba("brier", t, p),
      "proba.ece_equal_width_10": lambda t, p: of_proba("ece(bins=10, equal=width)", t, p),
      "proba.lift_gain_at_30pct":
          lambda t, s: [of_proba("gain(at=0.3)", t, s), of_proba("lift(at=0.3)", t, s)],
      "proba.top_2_accuracy": lambda t, p: of_proba("top_k(k=2)", t, p),
      "proba.log_loss":
          lambda t, p: of_proba("log_loss", [int(v == "spam") for v in t], p),
      "proba.log_loss_clip":
          lambda t, p: of_proba("log_loss(clip=2.220446049250313e-16)", t, p)})


@row("proba.ks_statistic")
def _(r):
    """The metric, and the largest gap between the two rates of the curve."""
    t, s = (given(r)[k] for k in "ts")
    tpr, fpr, _ = curve(t, s)
    return [of_proba("ks", t, s), max(a - b for a, b in zip(tpr, fpr))]


@row("proba.brier_decomposition")
def _(r):
    t, p = (given(r)[k] for k in "tp")
    part = [of_proba("brier_" + k, t, p) for k in ("reliability", "resolution", "uncertainty")]
    return part + [part[0] - part[1] + part[2], of_proba("brier", t, p)]


def curve(t, s):
    """True and false positive rate and score of every step, highest score first."""
    out = numbers("roc", len(t), t, s)[2:]
    tp, fp, at = out[0::3], out[1::3], out[2::3]
    return [v / tp[-1] for v in tp], [v / fp[-1] for v in fp], at


@row("proba.roc_curve")
def _(r):
    t, s = (given(r)[k] for k in "ts")
    tpr, fpr, at = curve([int(v == 2) for v in t], s)
    return [[0.0] + fpr, [0.0] + tpr, at]


@row("proba.precision_recall_curve")
def _(r):
    """Thresholds rise; the last point is precision 1 at recall 0."""
    t, s = (given(r)[k] for k in "ts")
    out = numbers("roc", len(t), t, s)[2:]
    steps = list(zip(out[0::3], out[1::3], out[2::3]))[::-1]
    return [[tp / (tp + fp) for tp, fp, _ in steps] + [1.0],
            [tp / steps[0][0] for tp, _, _ in steps] + [0.0], [at for _, _, at in steps]]


# ranking

rows({"rank.dcg": lambda t, s: of_values("dcg", t[0], s[0]),
      "rank.ndcg": lambda t, s: of_values("ndcg", t[0], s[0]),
      "rank.ndcg_second_scores":
          lambda t, s: [of_values(m, t[0], s[0]) for m in ("ndcg", "ndcg(k=4)")],
      "rank.ndcg_ties_averaged":
          lambda t, s: [of_values(m, t[0], s[0]) for m in ("ndcg(k=1)", "ndcg(k=1, ties=order)")]})


@row("rank.ndcg_exponential_gain")
def _(r):
    t = given(r)["rel_in_ranked_order"]
    s = list(range(len(t), 0, -1))
    return [of_values("dcg(gain=exponential)", t, s), of_values("dcg(gain=exponential)", t, t),
            of_values("ndcg(gain=exponential)", t, s)]


@row("rank.ap_mrr_recall_at_k")
def _(r):
    d = given(r)
    t, k, n = d["relevant_flags_in_ranked_order"], d["k"], d["n_relevant"]
    s = list(range(len(t), 0, -1))
    return [of_values(m, t, s) for m in (f"map(k={k}, relevant={n})", "mrr",
                                         f"recall_k(k={k}, relevant={n})", f"precision_k(k={k})")]


# intervals and tests

def votes(P, w):
    """Three models on two rows: soft means, their classes, the classes of a hard vote."""
    def vote(how, row):
        return numbers("voting", how, len(P), len(P[0][0]), *w, *(x for m in P for x in m[row]))
    soft, hard = ([vote(how, r) for r in range(len(P[0]))] for how in (0, 1))
    return soft + [[s.index(max(s)) for s in said] for said in (soft, hard)]


rows({"ens.voting.soft_hard": votes,
      "ens.majority_vote.condorcet":
          lambda p, n: [numbers("beta_inc", k // 2 + 1, k - k // 2, p) for k in n]})
rows({"ci.wilson_8_of_10": lambda k, n: numbers("wilson", k, n),
      "ci.clopper_pearson_8_of_10": lambda k, n: numbers("clopper_pearson", k, n),
      "ci.clopper_pearson_0_of_20": lambda k, n: numbers("clopper_pearson", k, n),
      "ci.auc_hanley_mcneil":
          lambda auc, n_pos, n_neg: numbers("hanley_mcneil", auc, n_pos, n_neg),
      "test.delong_paired": lambda t, a, b: numbers("delong", len(t), t, a, b),
      "test.mcnemar_exact": lambda b, c: numbers("mcnemar_exact", b, c)[1],
      "test.mcnemar_chi2_corrected": lambda b, c: numbers("mcnemar_corrected", b, c),
      "test.corrected_resampled_t": lambda d, train_fraction, test_fraction:
          numbers("corrected_t", test_fraction / train_fraction, len(d), d),
      "test.wilcoxon_signed_rank_exact": lambda d: numbers("wilcoxon", len(d), d),
      "test.friedman_three_models": lambda m: numbers("friedman", len(m), len(m[0]), *m)})


# folds

def fold_rows(k, y, n_classes):
    fold = numbers("folds", k, n_classes, y)
    return [[i for i, f in enumerate(fold) if f == v] for v in range(k)]


@row("split.stratified_kfold5.wine.sizes")
def _(r):
    y = data_set("wine")[1]
    return [[sum(y[i] == k for i in rows_) for k in range(3)] for rows_ in fold_rows(5, y, 3)]


@row("split.stratified_kfold5.wine.index_sums")
def _(r):
    return [sum(v) for v in fold_rows(5, data_set("wine")[1], 3)]


@row("split.kfold5.wine.index_sums")
def _(r):
    return [sum(v) for v in fold_rows(5, data_set("wine")[1], 0)]


@row("split.stratified_kfold.doc")
def _(r):
    return fold_rows(2, given(r)["y"], 2)


@row("split.group_kfold.doc")
def _(r):
    # equal groups come in an order that the seed draws; the row's is that of one version
    groups = given(r)["groups"]
    fold = numbers("group_folds", 2, 1, groups)
    parts = [[i for i, f in enumerate(fold) if f == v] for v in range(2)]
    return [[parts[1 - v], parts[v]] for v in range(2)]


# summaries and special functions

@row("online.welford")
def _(r):
    _, mean, _, _, sd = numbers("moments", given(r)["x"])
    return [mean, sd * sd]


@row("online.chan_merge")
def _(r):
    d = given(r)
    return numbers("merge", len(d["a"]), d["a"], d["b"])[1:3]


@row("maths.bessel_unbiased_variance")
def _(r):
    x = given(r)["x"]
    _, mean, _, sd0, sd1 = numbers("moments", x)
    return [mean, sd0 * sd0, sd1 * sd1] + numbers("quantile", 0.5, sorted(x))


@row("maths.confidence_interval_mean")
def _(r):
    """Student's interval of a mean of absolute errors against 0."""
    x = given(r)["x"]
    out = of_values("mae", x, [0.0] * len(x), interval=True)
    return [out.lo, out.hi]


@row("maths.special_functions")
def _(r):
    return [numbers("lgamma", 10.5), numbers("digamma", 2.5), numbers("beta_inc", 2, 3, .4),
            numbers("gamma_inc", 2.5, 1.7), numbers("erf", .7), numbers("norm_quantile", .01)]


# ---- rows that wait ---------------------------------------------------------------------

def answers(lib=None):
    if LIB is None:
        use(lib)
    return ROWS


def later(path):
    """{row: missing name}; a line is `ROW  kind:name`, # begins a remark."""
    out = {}
    with open(path, encoding="utf-8") as f:
        for i, line in enumerate(f, 1):
            words = line.split("#")[0].split()
            if not words:
                continue
            if len(words) != 2 or ":" not in words[1]:
                raise SystemExit(f"{path}:{i}: a line is: ROW kind:name")
            if words[0] in out:
                raise SystemExit(f"{path}:{i}: {words[0]} stands there twice")
            out[words[0]] = words[1]
    return out


KNOWN = {}


def known():
    """What the program and the library list: {"learner": names, ..., "verb": names}."""
    if KNOWN:
        return KNOWN
    program = os.path.join(os.path.dirname(LIB.path), "tidemill")
    listed = json.loads(subprocess.run([program, "list", "--json"], check=True,
                                       capture_output=True, text=True).stdout)
    for things in listed.values():
        for e in things if isinstance(things, list) else []:
            if not isinstance(e, dict):
                continue
            KNOWN.setdefault(e.get("kind", "verb"), set()).add(e["name"])
            for p in e.get("parameters", []):
                KNOWN.setdefault("param", set()).add(f"{e['name']}.{p['name']}")
                for choice in p.get("choices", []):
                    KNOWN["param"].add(f"{e['name']}.{p['name']}={choice}")
    if "learner" not in KNOWN or "step" not in KNOWN:
        raise SystemExit("checks: tidemill list --json names no learners and steps")
    return KNOWN


def declared():
    """Every function of the headers: one exists when its name holds the words asked for."""
    if "function" not in KNOWN:
        words = set()
        for folder, _, files in os.walk(os.path.join(ROOT, "src")):
            for name in files:
                if name.endswith(".h"):
                    with open(os.path.join(folder, name), encoding="utf-8") as f:
                        words |= set(re.findall(r"\w+(?=\()", f.read()))
        KNOWN["function"] = words
    return KNOWN["function"]


def verbs():
    if "verbs" not in KNOWN:
        program = os.path.join(os.path.dirname(LIB.path), "tidemill")
        text = subprocess.run([program, "help"], capture_output=True, text=True).stdout
        KNOWN["verbs"] = set(re.findall(r"^  (\w+) ", text, re.M))
    return KNOWN["verbs"]


def fact(name):
    """look.KEY: a key of what look says, of the table or of a column."""
    table = look([("a", [1.0, 2.0, 4.0, 4.0, None]), ("b", [1.0, 3.0, 2.0, 5.0, 1.0])])
    key = name.partition(".")[2]
    return key in table or any(key in o for o in table["by_column"])


def has_shap(learner):
    x = [("x", [float(i) for i in range(8)])]
    model = Model(x, [2.0 * v for v in x[0][1]], learner, REGRESS)
    try:
        model.shap(x)
    except RuntimeError as e:
        if "no trees" not in str(e):
            raise
        return False
    return True


def exists(name):
    """Is kind:name there? Kinds: those of `tidemill list` (learner, step, metric, maker),
    param (learner.name or learner.name=choice), verb, function (words of a name in a header of src),
    fact (look.KEY of what look reports), shap (learner whose contributions the library says)."""
    kind, _, what = name.partition(":")
    if kind == "verb":
        return what in verbs()
    if kind == "function":
        return any(what in name for name in declared())
    if kind == "fact":
        return fact(what)
    if kind == "shap":
        return has_shap(what)
    things = known().get(kind, set())
    # a family such as step:select is there with its first member
    return what in things or (kind == "step" and any(t.startswith(what + ":") for t in things))
