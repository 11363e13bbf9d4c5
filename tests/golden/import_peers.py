#!/usr/bin/env python3
"""200 generated models of XGBoost and LightGBM against our import of them, by hand:

  pip install xgboost==3.4.1 lightgbm==4.7.0 pandas numpy scipy
  import_peers.py [--bin build/tests] [--models 200] [--first 0] [--keep FOLDER]

For each model and 400 rows (missing values, zeros of both signs, values at and beside thresholds,
tiny numbers, codes that no training row had): the strict raw scores equal the peer's bit for bit,
the default ones lie within trees x 2^-53 x the sum of absolute leaves of the exact sum of leaves,
predictions are near the peer's, and single rows have the bits of the batch, in both modes. Of linear leaves
(linear_tree) the default scores are the peer's bit for bit, too. Prints one line for each model that differs, what the models held, and the tally.
"""
import argparse
import ctypes
import ctypes.util
import json
import math
import os
import subprocess
import sys
import tempfile

import lightgbm as lgb
import numpy as np
import pandas as pd
import xgboost as xgb

N_TRAIN, N_TEST = 300, 400
LIBM = ctypes.CDLL(ctypes.util.find_library("m"))
LIBM.logf.restype, LIBM.logf.argtypes = ctypes.c_float, [ctypes.c_float]  # numpy has a log of its own


def numbers(r, n, p, zeros):
    X = pd.DataFrame({f"x{j}": r.normal(size=n) * 10.0 ** r.integers(-2, 3) for j in range(p)})
    for j in range(p):
        if r.random() < .4:
            X.iloc[:, j] = np.round(X.iloc[:, j], int(r.integers(0, 2)))
        if zeros or r.random() < .3:
            X.loc[r.random(n) < .3, f"x{j}"] = 0.0
    return X


def spoil(r, X, share):
    for c in X.columns:
        if X[c].dtype.kind == "f" and r.random() < .7:
            X.loc[r.random(len(X)) < share, c] = np.nan
    return X


def table(r, i, zeros=False, categories="none"):
    """Training rows, and rows to predict: new ones, and rows made of odd values."""
    n, p = N_TRAIN + N_TEST, int(r.integers(1, 7))
    X = spoil(r, numbers(r, n, p, zeros), r.choice([0, .1, .3]))
    if categories == "names":
        for j in range(int(r.integers(1, 3))):
            names = [f"level {k}" for k in range(int(r.choice([2, 3, 8, 40])))]
            X[f"c{j}"] = pd.Categorical(r.choice(names, n), categories=names if r.random() < .5 else None)
        if r.random() < .5:
            X["k"] = pd.Categorical(r.choice([7, 1, 300, 20, 5], n))
        for c in X.columns:
            if X[c].dtype.name == "category" and r.random() < .5:
                X.loc[r.random(n) < .1, c] = np.nan
    elif categories == "codes":
        for j in range(int(r.integers(1, 3))):
            X[f"c{j}"] = r.integers(0, int(r.choice([2, 5, 30, 120])), n).astype(float)
            X.loc[r.random(n) < .1, f"c{j}"] = np.nan
    score = sum(np.nan_to_num((X[c].cat.codes if X[c].dtype.name == "category" else X[c]).to_numpy(float))
                * w for c, w in zip(X.columns, r.normal(size=len(X.columns))))
    score = (score - np.mean(score)) / (np.std(score) + 1e-9) + r.normal(size=n) * .5
    X = X[list(r.permutation(X.columns))]
    return X.iloc[:N_TRAIN], X.iloc[N_TRAIN:].reset_index(drop=True), score[:N_TRAIN]


def odd_values(r, X, thresholds, codes):
    """Values at thresholds, their neighbours as f32 and f64, zeros, tiny and large ones."""
    for c in X.columns:
        if X[c].dtype.kind != "f":
            continue
        pool = [0.0, -0.0, 1e-36, -1e-36, 1e-35, float(np.float32(1e-35)), 1e-40, -1e-46, 1e30, -1e30, 3e38,
                -3.4e38]
        for t in thresholds.get(c, [])[:200]:
            t32 = np.float32(t)
            lo, hi = float(np.nextafter(t32, np.float32(-np.inf))), float(np.nextafter(t32, np.float32(np.inf)))
            pool += [t, np.nextafter(t, -np.inf), np.nextafter(t, np.inf), float(t32), lo, hi, (lo + float(t32)) / 2,
                     np.nextafter((lo + float(t32)) / 2, -np.inf), np.nextafter((lo + float(t32)) / 2, np.inf)]
        if c in codes:
            pool = [v for k in range(140) for v in (k, k + .5, np.nextafter(k, -1), k + .999999999)]
            pool += [-1, -.5, -.99, -1e-9, 1e6, 16777216.0, 5e7] if codes[c] == "xgb" else [-1, -.5, -2, 1e6, 2e9]
        pool = [v for v in pool if np.isfinite(v)]
        at = r.random(len(X)) < .5
        X.loc[at, c] = r.choice(pool, int(at.sum()))
    return X


# ---- XGBoost ----

XGB = [("binary:logistic", "binary"), ("reg:squarederror", "real"), ("count:poisson", "count"),
       ("multi:softprob", "multi"), ("multi:softmax", "multi"), ("reg:gamma", "positive"),
       ("reg:tweedie", "positive"), ("binary:logitraw", "binary"), ("binary:hinge", "binary"),
       ("rank:pairwise", "rank"), ("reg:logistic", "unit"), ("reg:absoluteerror", "real"),
       ("reg:pseudohubererror", "real"), ("survival:cox", "positive"), ("reg:squaredlogerror", "positive")]


def labels(r, kind, score, k):
    if kind == "binary":
        return (score > 0).astype(float)
    if kind == "multi":
        return np.digitize(score, np.quantile(score, np.arange(1, k) / k)).astype(float)
    if kind == "count":
        return np.floor(np.exp(score))
    if kind == "positive":
        return np.exp(score) + .01
    if kind == "unit":
        return 1 / (1 + np.exp(-score))
    if kind == "rank":
        return np.clip(np.round(score + 2), 0, 4)
    return score * 10 + 3


def xgb_model(i, r, folder):
    objective, kind = XGB[i // 2 % len(XGB)]
    cats = ["none", "names", "none", "codes"][int(r.integers(0, 4))]
    X, T, score = table(r, i, categories=cats)
    k = int(r.integers(3, 6))
    y = labels(r, kind, score, k)
    p = {"objective": objective, "max_depth": int(r.integers(1, 7)), "eta": float(r.choice([.1, .3, 1])),
         "seed": i, "tree_method": str(r.choice(["hist", "hist", "exact", "approx"])) if cats == "none" else "hist",
         "max_bin": int(r.choice([16, 256, 600])), "max_cat_to_onehot": int(r.choice([1, 4])), "nthread": 1}
    if kind == "multi":
        p["num_class"] = k
        if r.random() < .3 and cats == "none":
            p.update(multi_strategy="multi_output_tree", tree_method="hist")
    if r.random() < .3:
        p.update(booster="dart", rate_drop=.3, normalize_type=str(r.choice(["tree", "forest"])))
        if "multi_strategy" in p:
            del p["multi_strategy"]
    if r.random() < .25 and "multi_strategy" not in p:
        p.update(num_parallel_tree=3, subsample=.7, colsample_bytree=.8)
    if r.random() < .4 and objective not in ("survival:cox",):
        p["base_score"] = {"unit": .37, "binary": .63, "count": 1.7, "positive": 2.3}.get(kind, -.77)
    codes = {c: "xgb" for c in X.columns if c[0] == "c"} if cats == "codes" else {}
    types = None
    if codes:
        types = ["c" if c in codes else "float" for c in X.columns]
    d = xgb.DMatrix(X.to_numpy() if codes else X, y, enable_categorical=cats != "none", feature_types=types,
                    feature_names=list(X.columns))
    if kind == "rank":
        d.set_group([30] * (N_TRAIN // 30))
    b = xgb.train(p, d, int(r.integers(1, 31)))
    path = os.path.join(folder, f"m{i}." + str(r.choice(["json", "ubj"])))
    b.save_model(path)
    doc = json.loads(b.save_raw("json"))["learner"]["gradient_booster"]
    weights = doc.get("weight_drop") or doc.get("model", {}).get("weight_drop")
    model = doc.get("model") or doc["gbtree"]["model"]
    thresholds = {}
    for t in model["trees"]:
        for j, c, l, s in zip(t["split_indices"], t["split_conditions"], t["left_children"], t["split_type"]):
            if l >= 0 and not s:
                thresholds.setdefault(X.columns[j], []).append(c)
    T = odd_values(r, T, thresholds, codes)
    t = xgb.DMatrix(T.to_numpy() if codes else T, enable_categorical=cats != "none", feature_types=types,
                    feature_names=list(X.columns))
    leaf = b.predict(t, pred_leaf=True).astype(int).reshape(N_TEST, len(model["trees"]))
    margin = b.predict(t, output_margin=True).reshape(N_TEST, -1)
    value, K = b.predict(t), margin.shape[1]
    exact, size = np.zeros((N_TEST, K)), np.zeros((N_TEST, K))
    base = xgb_base(b, objective, K)
    for row in range(N_TEST if "multi_strategy" not in p else 0):
        parts = [[base[q]] for q in range(K)]
        for j, tree in enumerate(model["trees"]):
            v = np.float32(tree["split_conditions"][leaf[row, j]])
            if weights:
                v = np.float32(v * np.float32(weights[j]))
            parts[model["tree_info"][j]].append(float(v))
        exact[row], size[row] = [math.fsum(q) for q in parts], [math.fsum(map(abs, q)) for q in parts]
    if "multi_strategy" in p:
        exact, size = margin.astype(float), np.full((N_TEST, K), np.inf)
    if kind == "multi" and objective == "multi:softmax":
        value = None
    if objective == "binary:logitraw":
        value = None
    return path, T, margin.astype(float), exact, size, value, {**p, "categories": cats}, len(model["trees"])


def xgb_base(b, objective, K):
    """The raw base score: what a model without trees says."""
    empty = json.loads(b.save_raw("json"))
    text = empty["learner"]["learner_model_param"]["base_score"].strip("[]").split(",")
    out = []
    for v in text:
        v = np.float32(v)
        if objective in ("binary:logistic", "reg:logistic"):
            v = -LIBM.logf(float(np.float32(1) / v - np.float32(1)))
        elif objective in ("count:poisson", "reg:gamma", "reg:tweedie", "survival:cox"):
            v = LIBM.logf(float(v))
        out.append(float(v))
    return out if len(out) == K else out * K


# ---- LightGBM ----

LGB = [("binary", "binary"), ("regression", "real"), ("poisson", "count"), ("multiclass", "multi"),
       ("multiclassova", "multi"), ("gamma", "positive"), ("tweedie", "positive"), ("cross_entropy", "unit"),
       ("cross_entropy_lambda", "unit"), ("lambdarank", "rank"), ("regression_l1", "real"), ("huber", "real"),
       ("quantile", "real"), ("mape", "real"), ("fair", "real")]


def lgb_model(i, r, folder):
    objective, kind = LGB[i // 2 % len(LGB)]
    cats = ["none", "names", "none", "codes"][int(r.integers(0, 4))]
    zero = r.random() < .3
    X, T, score = table(r, i, zeros=zero, categories=cats)
    k = int(r.integers(3, 6))
    p = {"objective": objective, "num_leaves": int(r.choice([2, 4, 31])), "learning_rate": float(r.choice([.05, .3])),
         "min_data_in_leaf": int(r.choice([1, 5, 20])), "verbose": -1, "seed": i, "num_threads": 1,
         "zero_as_missing": bool(zero), "use_missing": bool(r.random() < .8), "max_bin": int(r.choice([15, 255])),
         "max_cat_to_onehot": int(r.choice([1, 4])), "min_data_per_group": 5, "cat_smooth": 1.0}
    if kind == "multi":
        p["num_class"] = k
    if objective == "binary" and r.random() < .5:
        p["sigmoid"] = .7
    if objective == "regression" and r.random() < .5:
        p["reg_sqrt"] = True
    boosting = str(r.choice(["gbdt", "gbdt", "dart", "rf", "goss"]))
    if boosting == "goss":
        p["data_sample_strategy"] = "goss"
    else:
        p["boosting"] = boosting
    if boosting == "rf":
        p.update(bagging_fraction=.6, bagging_freq=1, feature_fraction=.8)
    if objective not in ("regression_l1", "mape", "quantile") and not zero and r.random() < .5:  # it refuses these
        p.update(linear_tree=True, linear_lambda=float(r.choice([0, .1])))
    codes = {c: "lgb" for c in X.columns if c[0] == "c"} if cats == "codes" else {}
    d = lgb.Dataset(X, labels(r, kind, score, k), categorical_feature=list(codes) or "auto",
                    group=[30] * (N_TRAIN // 30) if kind == "rank" else None, free_raw_data=False)
    b = lgb.train(p, d, int(r.integers(1, 31)))
    path = os.path.join(folder, f"m{i}.txt")
    b.save_model(path)
    frame = b.trees_to_dataframe()
    thresholds = {c: [float(v) for v in g.dropna() if "||" not in str(v)]
                  for c, g in frame.groupby("split_feature")["threshold"] if c not in codes and c[0] == "x"}
    T = odd_values(r, T, thresholds, codes)
    b = lgb.Booster(model_file=path)
    margin = b.predict(T, raw_score=True).reshape(N_TEST, -1)
    leaf = b.predict(T, pred_leaf=True).astype(int).reshape(N_TEST, -1)
    K = margin.shape[1]
    leaves = [list(map(float, line[11:].split())) for line in open(path) if line.startswith("leaf_value=")]
    exact, size = np.zeros((N_TEST, K)), np.zeros((N_TEST, K))
    for row in range(N_TEST):
        parts = [[] for _ in range(K)]
        for j, v in enumerate(leaves):
            parts[j % K].append(v[leaf[row, j]])
        exact[row], size[row] = [math.fsum(q) for q in parts], [math.fsum(map(abs, q)) for q in parts]
    if "linear_tree" in p:
        exact, size = margin.astype(float), np.zeros((N_TEST, K))
    return path, T, margin, exact, size, b.predict(T), {**p, "categories": cats}, len(leaves)


# ---- comparing ----

def ours(program, path, csv, *more):
    out = subprocess.run([program, path, csv, *more], capture_output=True, text=True)
    if out.returncode:
        return None, out.stderr.strip()
    return np.array([[float.fromhex(v) for v in line.split()] for line in out.stdout.splitlines()]), ""


def write_csv(T, csv):
    with open(csv, "w", encoding="utf-8") as f:
        f.write(",".join(T.columns) + "\n")
        columns = [T[c].astype(object).tolist() for c in T.columns]
        for row in zip(*columns):
            f.write(",".join("" if v != v or v is None else repr(float(v)) if isinstance(v, float) else str(v)
                             for v in row) + "\n")


def compare(i, program, folder):
    r = np.random.default_rng([7, i])
    path, T, margin, exact, size, value, p, trees = (xgb_model if i % 2 == 0 else lgb_model)(i, r, folder)
    csv = path + ".csv"
    write_csv(T, csv)
    got, why = ours(program, path, csv)
    if got is None:
        return f"refused: {why}", p
    K = margin.shape[1]
    strict, default = got[:, :K], got[:, K:]
    bad = int((strict != margin).any(axis=1).sum())
    if bad:
        row = int(np.argmax((strict != margin).any(axis=1)))
        return f"strict differs in {bad} rows, first {row}: {strict[row]} and {margin[row]}", p
    with np.errstate(invalid="ignore"):
        far = np.abs(default - exact) > (trees + 1) * 2.0 ** -53 * size
    if far.any():
        return f"default out of bound in {int(far.any(axis=1).sum())} rows", p
    if value is not None:
        scores, why = ours(program, path, csv, "probabilities")
        if scores is None:
            return f"no predictions: {why}", p
        value = np.asarray(value, float).reshape(N_TEST, -1)
        if scores.shape[1] == 2 and value.shape[1] == 1:
            scores = scores[:, 1:]
        near = 1e-6
        if i % 2 == 0 and scores.shape == margin.shape and np.array_equal(value, margin) and np.isfinite(size).all():
            # XGBoost's value is a sum in f32, which large leaves that cancel leave little of
            near = 1e-6 + (trees + 1) * 2.0 ** -24 * size
        with np.errstate(invalid="ignore"):
            same = (scores == value) | (np.abs(scores - value) <= near + 2e-5 * np.abs(value))
        if not same.all():
            return f"predictions differ by {np.abs(scores - value).max()}", p
    return "", p


def attempt(i, program, folder):
    try:
        return compare(i, program, folder)
    except (xgb.core.XGBoostError, lgb.basic.LightGBMError) as e:
        return "the peer failed: " + str(e).splitlines()[0], {}


def traits(p):
    """What a model's parameters make it a test of."""
    if not p:
        return []
    yes = {"XGBoost": "max_depth" in p, "LightGBM": "num_leaves" in p, "dart": "dart" in (p.get("booster"), p.get("boosting")),
           "several outputs": "num_class" in p, "forest": "num_parallel_tree" in p or p.get("boosting") == "rf",
           "vector leaves": "multi_strategy" in p, "base_score given": "base_score" in p,
           "zero as missing": p.get("zero_as_missing"), "categories": p.get("categories", "none") != "none", "linear leaves": p.get("linear_tree")}
    return [k for k, v in yes.items() if v]


def main():
    a = argparse.ArgumentParser()
    a.add_argument("--bin", default="build/tests")
    a.add_argument("--models", type=int, default=200)
    a.add_argument("--first", type=int, default=0)
    a.add_argument("--keep")
    a = a.parse_args()
    program = os.path.join(a.bin, "import_margins")
    bad, held = 0, {}
    with tempfile.TemporaryDirectory() as folder:
        for i in range(a.first, a.first + a.models):
            what, p = attempt(i, program, a.keep or folder)
            for k in traits(p):
                held[k] = held.get(k, 0) + 1
            if what:
                bad += 1
                print(f"model {i}: {what}\n  {p}", flush=True)
    print("models by kind: " + ", ".join(f"{k} {n}" for k, n in sorted(held.items())))
    print(f"XGBoost {xgb.__version__}, LightGBM {lgb.__version__}")
    print(f"{a.models - bad} passed, {bad} failed")
    return bad > 0


if __name__ == "__main__":
    sys.exit(main())
