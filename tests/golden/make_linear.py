#!/usr/bin/env python3
"""pip install scikit-learn==1.9.1 numpy==2.4.6 scipy==1.17.1

Ridge and logistic regression of scikit-learn on the carried tables: coefficients, intercepts and
predictions of rows that were not fitted on. The pipelines mean the same as ours: numbers to mean
0 and deviation 1 (divisor n), a column of 0 and 1 for every level of a category, not scaled.
Coefficients stand in byte order of our column names ("column" or "column=level").
"""
import numpy as np
import scipy
import sklearn
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

import golden_file as golden

assert scipy and sklearn.__version__ == "1.9.1", sklearn.__version__
RIDGE = "two direct solvers on standardised columns; coefficients of near copies lose digits with the condition"
LOGISTIC = "both run to convergence; a probability near 0 multiplies what is left"
ONEHOT = "num: scale:standard; cat: encode:onehot; "


def frame(columns, names):
    return np.array([columns[n] for n in names], dtype=object).T


def prepared(columns, target):
    """(names of numbers, names of categories, transformer, names of what comes out)."""
    names = [n for n in columns if n != target]
    cat = [n for n in names if isinstance(columns[n][0], str)]
    num = [n for n in names if n not in cat]
    steps = ColumnTransformer([("num", StandardScaler(), [names.index(n) for n in num]),
                               ("cat", OneHotEncoder(handle_unknown="ignore", sparse_output=False),
                                [names.index(n) for n in cat])])
    return names, num, cat, steps


def case(data, target, task, params, ours):
    columns = golden.table(data)
    n = len(columns[target])
    fit, new = golden.parts(n)
    fit_on = "all" if data.startswith("churn") else "others"
    if fit_on == "all":
        fit, new = list(range(n)), list(range(0, n, 40))
    names, num, cat, steps = prepared(columns, target)
    learner = Ridge(solver="svd", **params) if task == "regress" else LogisticRegression(
        solver="newton-cholesky", tol=1e-13, max_iter=10_000, **params)
    pipe = make_pipeline(steps, learner)
    pipe.fit(frame(golden.take(columns, fit), names), golden.take(columns, fit)[target])
    made = num + [f"{c}={level}" for c, levels in
                  zip(cat, steps.named_transformers_["cat"].categories_ if cat else []) for level in levels]
    order = sorted(range(len(made)), key=lambda j: made[j].encode())
    x = frame(golden.take(columns, new), names)
    coef = np.atleast_2d(learner.coef_)[:, order]
    predicted = pipe.predict(x) if task == "regress" else pipe.predict_proba(x)
    if task == "classify" and predicted.shape[1] == 2:
        predicted = predicted[:, 1]
    return {"name": f"{type(learner).__name__} {params} of {target} in {data}", "kind": "linear",
            "data": data, "target": target, "task": task, "fit": fit_on, "rows": new,
            "pipeline": ONEHOT + ours, "made": [made[j] for j in order],
            "expected": {"coef": coef.ravel().tolist(),
                         "intercept": np.atleast_1d(learner.intercept_).tolist(),
                         "predicted": predicted.ravel().tolist()},
            "tolerance": "rel 1e-11" if task == "regress" else "rel 1e-9",
            "why": RIDGE if task == "regress" else LOGISTIC}


if __name__ == "__main__":
    cases = []
    for data, target in (("concrete.csv", "compressive_strength"), ("diabetes.csv.gz", "target"),
                         ("wine.csv.gz", "alcohol"), ("iris.csv.gz", "sepal_length"),
                         ("breast_cancer.csv.gz", "worst_area"),
                         ("churn_train.csv.gz", "number_customer_service_calls")):
        for l2 in (0.1, 1, 100):
            cases.append(case(data, target, "regress", {"alpha": l2}, f"ridge(l2={l2})"))
    for data, target in (("breast_cancer.csv.gz", "target"), ("iris.csv.gz", "target"),
                         ("wine.csv.gz", "target"), ("churn_train.csv.gz", "churn")):
        for l2 in (0.1, 1, 100):
            cases.append(case(data, target, "classify", {"C": 1 / l2}, f"logistic(l2={l2})"))
    golden.write("linear", cases)
