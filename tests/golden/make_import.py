#!/usr/bin/env python3
"""pip install xgboost==3.2.0 lightgbm==4.7.0 pandas==3.1.1 numpy==2.4.6

Small models of XGBoost and LightGBM (tests/golden/import/) and what these programs say about 40
rows: raw scores, which strict imports must give bit for bit (where there is one output, through
the option raw), and predictions. import_peers.py is the wide comparison, by hand.

  make_import.py --seeds FOLDER    also writes smaller models there, for the fuzzers' corpora
"""
import os
import re
import sys

import lightgbm as lgb
import numpy as np
import pandas as pd
import xgboost as xgb

import golden_file as golden

FOLDER = os.path.join(golden.HERE, "import")
N, NEW = 120, 40
EXACT = "the source's own order and type of sums"
FLOAT = "links are taken in f64 here and in f32 there"
LINK = "exp of two libraries, each within 2 ulp"


def table(names, seed):
    r = np.random.default_rng(seed)
    n = N + NEW
    X = pd.DataFrame({"size": r.normal(size=n) * 10, "age": np.round(r.uniform(0, 90, n)), "rate": r.exponential(size=n)})
    X.loc[r.random(n) < .2, "size"] = np.nan
    X.loc[r.random(n) < .3, "rate"] = 0.0
    if names == "names":
        X["kind"] = pd.Categorical(r.choice(["ant", "bee", "cow", "dog", "eel"], n))
        X["shop"] = pd.Categorical(r.choice([3, 20, 100], n))
        X.loc[r.random(n) < .1, "kind"] = np.nan
    if names == "codes":
        X["code"] = r.integers(0, 40, n).astype(float)
    score = np.nan_to_num(X["size"]) / 10 + (X["age"] > 40) - X["rate"] + r.normal(size=n) * .3
    if names == "names":
        score += (X["kind"] == "bee") * 2.0 - (X["shop"] == 20)
    if names == "codes":
        score += (X["code"] % 3 == 1) * 2.0
    T = X.iloc[N:].reset_index(drop=True)
    T.loc[:7, "size"] = [0.0, -0.0, 1e-36, -1e-36, 1e30, -1e30, np.nan, 1e-35]
    T.loc[:5, "rate"] = [-0.0, 1e-36, -1e-36, np.nan, -1.0, 1e30]
    if names == "codes":
        T.loc[:7, "code"] = [-1.0, -.5, 41.0, 1e6, 2.5, 2.9999999999, np.nan, 1.0]
    return X.iloc[:N], T, score[:N].to_numpy()


def labels(kind, score):
    if kind == "classes":
        return np.digitize(score, [-.5, 1]).astype(float)
    return {"binary": (score > 0) * 1.0, "count": np.floor(np.exp(score)), "unit": 1 / (1 + np.exp(-score)),
            "real": 10 * score}[kind]


XGB = [
    ("logistic.json", "none", "binary", {"objective": "binary:logistic"}),
    ("poisson.ubj", "none", "count", {"objective": "count:poisson", "base_score": 1.7}),
    ("dart.ubj", "none", "real", {"objective": "reg:squarederror", "booster": "dart", "rate_drop": .5}),
    ("forest.json", "none", "real", {"objective": "reg:squarederror", "num_parallel_tree": 3, "subsample": .6}),
    ("softprob.ubj", "names", "classes", {"objective": "multi:softprob", "num_class": 3, "max_cat_to_onehot": 1}),
    ("codes.json", "codes", "unit", {"objective": "reg:logistic", "max_cat_to_onehot": 1}),
    ("vector.json", "none", "classes", {"objective": "multi:softprob", "num_class": 3,
                                        "multi_strategy": "multi_output_tree"}),
]
LGB = [
    ("binary.txt", "none", "binary", {"objective": "binary", "sigmoid": .7}),
    ("zero.txt", "none", "real", {"objective": "regression", "zero_as_missing": True, "reg_sqrt": True}),
    ("multiclass.txt", "names", "classes", {"objective": "multiclass", "num_class": 3}),
    ("one_vs_all.txt", "none", "classes", {"objective": "multiclassova", "num_class": 3}),
    ("codes.txt", "codes", "unit", {"objective": "cross_entropy_lambda"}),
    ("average.txt", "none", "count", {"objective": "poisson", "boosting": "rf", "bagging_freq": 1,
                                      "bagging_fraction": .6}),
    ("missing.txt", "none", "real", {"objective": "regression_l1", "use_missing": False, "boosting": "dart"}),
    ("linear.txt", "none", "unit", {"objective": "cross_entropy", "linear_tree": True, "linear_lambda": .01}),
]


def fit_xgb(names, kind, extra, rounds):
    X, T, score = table(names, 3)
    p = {"max_depth": 3, "eta": .5, "seed": 1, "nthread": 1, "tree_method": "hist", **extra}
    types = ["c" if c == "code" else "float" for c in X] if names == "codes" else None
    matrix = [xgb.DMatrix(x.to_numpy() if types else x, y, enable_categorical=names != "none", feature_types=types,
                          feature_names=list(X)) for x, y in ((X, labels(kind, score)), (T, None))]
    b = xgb.train(p, matrix[0], rounds)
    return b, T, b.predict(matrix[1], output_margin=True), b.predict(matrix[1])


def fit_lgb(names, kind, extra, rounds):
    X, T, score = table(names, 4)
    p = {"num_leaves": 7, "learning_rate": .5, "min_data_in_leaf": 3, "min_data_per_group": 2, "cat_smooth": 1,
         "verbose": -1, "seed": 1, "num_threads": 1, "max_cat_to_onehot": 1, **extra}
    d = lgb.Dataset(X, labels(kind, score), categorical_feature=["code"] if names == "codes" else "auto")
    b = lgb.train(p, d, rounds)
    text = re.sub(r"\nparameters:.*end of parameters\n", "", b.model_to_string(), flags=re.S)
    again = lgb.Booster(model_str=text)
    return text, T, again.predict(T, raw_score=True), again.predict(T)


def save(b, path):
    if isinstance(b, str):
        with open(path, "w", encoding="utf-8") as f:
            f.write(b)
    else:
        b.save_model(path)


def column(v):
    if v.dtype.name == "category":
        return [None if x != x else str(x) for x in v.astype(object)]
    return [None if x != x else float(x) for x in v]


def cases(program, fit, models):
    out = []
    for file, names, kind, extra in models:
        b, T, margin, value = fit(names, kind, extra, 4)
        save(b, os.path.join(FOLDER, f"{program}_{file}"))
        given = {"kind": "import", "model": f"import/{program}_{file}", "columns": {c: column(T[c]) for c in T}}
        what = f"{program} {extra['objective']}, {file}"
        if margin.ndim == 1:
            out.append({"name": f"raw scores of {what}", **given, "raw": 1,
                        "expected": [float(v) for v in margin], "tolerance": "exact", "why": EXACT})
        out.append({"name": f"predictions of {what}", **given, "raw": 0,
                    "expected": np.asarray(value, float).reshape(NEW, -1).tolist(),
                    "tolerance": "rel 5e-6" if program == "xgboost" else "rel 1e-12",
                    "why": FLOAT if program == "xgboost" else LINK})
    return out


def seeds(folder):
    for program, fit, models in (("xgboost", fit_xgb, XGB), ("lightgbm", fit_lgb, LGB)):
        for file, names, kind, extra in models:
            b = fit(names, kind, {**extra, "max_depth": 2}, 2)[0]
            if isinstance(b, str):
                save(b, os.path.join(folder, "import_lightgbm", file))
                continue
            for target, ending in (("import_xgboost", ".json"), ("import_ubj", ".ubj")):
                save(b, os.path.join(folder, target, file.split(".")[0] + ending))


os.makedirs(FOLDER, exist_ok=True)
if sys.argv[1:2] == ["--seeds"]:
    seeds(sys.argv[2])
else:
    golden.write("import", cases("xgboost", fit_xgb, XGB) + cases("lightgbm", fit_lgb, LGB))
