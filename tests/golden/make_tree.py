#!/usr/bin/env python3
"""pip install scikit-learn==1.9.1 numpy==2.4.6 scipy==1.17.1

Decision trees of scikit-learn: predictions of rows that were not fitted on, at several depths.
Where two splits are as good, scikit-learn takes one by chance: each tree is fitted with 200
seeds, and a row for which these do not all say the same is null and not compared. A column becomes
the ranks of its distinct values, since scikit-learn's trees would round it to float32; numbers to predict are whole hundredths, so
that sums are exact and equal splits are equal.
"""
import numpy as np
import scipy
import sklearn
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

import golden_file as golden

assert scipy and sklearn.__version__ == "1.9.1", sklearn.__version__
SEEDS = 200


def case(data, target, task, depth, min_rows):
    columns = golden.table(data)
    y = columns.pop(target)
    if task == "regress":
        y = [float(round(100 * v)) for v in y]
    fit, new = golden.parts(len(y))
    kind = DecisionTreeRegressor if task == "regress" else DecisionTreeClassifier
    X = np.array([golden.ranks(v) for v in columns.values()]).T
    said = []
    for seed in range(SEEDS):
        tree = kind(max_depth=depth or None, min_samples_leaf=min_rows, random_state=seed)
        tree.fit(X[fit], [y[i] for i in fit])
        p = tree.predict(X[new]) if task == "regress" else tree.predict_proba(X[new])
        said.append(p.reshape(len(new), -1))
    sure = [all(np.allclose(p[i], said[0][i], rtol=1e-12, atol=0) for p in said) for i in range(len(new))]
    expected = [said[0][i].tolist() if sure[i] else None for i in range(len(new))]
    return {"name": f"tree of {target} in {data}, depth {depth or 'free'}, {min_rows} rows a leaf: "
                    f"{sum(sure)} of {len(new)} rows certain",
            "kind": "tree", "data": data, "target": target, "task": task, "fit": "others", "ranks": True, "hundredths": task == "regress", "rows": new,
            "pipeline": f"tree(depth={depth}, min_rows={min_rows})",
            "expected": expected, "tolerance": "rel 1e-12",
            "why": "the same splits, so the same shares; means are added up in another order"}


if __name__ == "__main__":
    golden.write("tree", [case(data, target, task, depth, min_rows)
                          for data, target, task in (("concrete.csv", "compressive_strength", "regress"),
                                                     ("wine.csv.gz", "target", "classify"),
                                                     ("breast_cancer.csv.gz", "target", "classify"))
                          for depth, min_rows in ((1, 1), (2, 1), (4, 5), (8, 5), (0, 1), (0, 10))])
