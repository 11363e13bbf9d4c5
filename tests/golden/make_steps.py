#!/usr/bin/env python3
"""pip install scikit-learn==1.9.1 numpy==2.4.6 scipy==1.17.1

StandardScaler, OneHotEncoder and SimpleImputer of scikit-learn on penguins, fitted on two thirds
of the rows and applied to the others. OneHotEncoder's column of missing cells is ours "=missing".
"""
import numpy as np
import scipy
import sklearn
from sklearn.impute import SimpleImputer
from sklearn.preprocessing import OneHotEncoder, StandardScaler

import golden_file as golden

assert scipy and sklearn.__version__ == "1.9.1", sklearn.__version__
EXACT = "values of the column itself"


def case(step, pipeline, names, tolerance, why, made=None):
    columns = golden.table("penguins.csv")
    fit, new = golden.parts(len(columns["species"]))
    is_text = isinstance(columns[names[0]][0], str)
    gap = None if is_text else np.nan
    X = np.array([[gap if v is None else v for v in columns[n]] for n in names],
                 dtype=object if is_text else float).T
    out = step.fit(X[fit]).transform(X[new])
    expected = {}
    for j, name in enumerate(made(step, names) if made else names):
        expected[name] = [None if v is None or v != v else v for v in out[:, j].tolist()]
    return {"name": f"{step} of {', '.join(names)}", "kind": "step", "data": "penguins.csv", "target": "species",
            "task": "classify", "fit": "others", "rows": new, "columns": names, "pipeline": pipeline, "expected": expected,
            "tolerance": tolerance, "why": why}


def levels(step, names):
    return [f"{n}=missing" if v is None else f"{n}={v}"
            for n, values in zip(names, step.categories_) for v in values]


if __name__ == "__main__":
    num = ["bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g", "year"]
    cat = ["island", "sex"]
    golden.write("steps", [
        case(StandardScaler(), "num: scale:standard; gbdt(trees=1)", num, "abs 1e-13",
             "mean and deviation are added up in another order"),
        case(OneHotEncoder(handle_unknown="ignore", sparse_output=False), "cat: encode:onehot; gbdt(trees=1)",
             cat, "exact", EXACT, levels),
        case(SimpleImputer(strategy="median"), "num: impute:median; gbdt(trees=1)", num, "exact", EXACT),
        case(SimpleImputer(strategy="most_frequent"), "num: impute:mode; gbdt(trees=1)", num, "exact", EXACT),
        case(SimpleImputer(strategy="most_frequent", missing_values=None), "cat: impute:mode; gbdt(trees=1)",
             cat, "exact", EXACT),
    ])
