#!/usr/bin/env python3
"""pip install scikit-learn==1.9.1 numpy==2.4.6 scipy==1.17.1

Forests and extra trees of scikit-learn: the mean squared error of rows that were not fitted on (of
probabilities: summed over classes), its mean and standard deviation over eight seeds. Draws differ, so
ours must lie within three standard deviations.
"""
import numpy as np
import scipy
import sklearn
from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor, RandomForestClassifier, RandomForestRegressor

import golden_file as golden

assert scipy and sklearn.__version__ == "1.9.1", sklearn.__version__
SEEDS, TREES = 8, 100


def case(data, target, task, learner):
    columns = golden.table(data)
    y = columns.pop(target)
    fit, new = golden.parts(len(y))
    X = np.array(list(columns.values())).T
    if task == "regress":
        kind = RandomForestRegressor if learner == "forest" else ExtraTreesRegressor
        truth = np.array([[y[i]] for i in new])
        how = f"{learner}(trees={TREES}, columns=1, min_rows=1)"
    else:
        kind = RandomForestClassifier if learner == "forest" else ExtraTreesClassifier
        truth = np.array([[float(y[i] == k) for k in sorted(set(y))] for i in new])
        how = f"{learner}(trees={TREES})"
    scores = []
    for seed in range(SEEDS):
        m = kind(TREES, random_state=seed).fit(X[fit], [y[i] for i in fit])
        p = m.predict(X[new]) if task == "regress" else m.predict_proba(X[new])
        scores.append(float(((p.reshape(truth.shape) - truth) ** 2).sum(1).mean()))
    return {"name": f"{learner} of {target} in {data}", "kind": "score", "data": data, "target": target,
            "task": task, "fit": "others", "rows": new, "pipeline": how,
            "truth": truth.tolist(), "expected": float(np.mean(scores)),
            "tolerance": f"rel {3 * np.std(scores, ddof=1) / np.mean(scores):.0e}",
            "why": "three standard deviations over eight seeds of the peer"}


if __name__ == "__main__":
    golden.write("forest", [case(data, target, task, learner)
                            for data, target, task in (("concrete.csv", "compressive_strength", "regress"),
                                                       ("wine.csv.gz", "target", "classify"),
                                                       ("breast_cancer.csv.gz", "target", "classify"))
                            for learner in ("forest", "extra_trees")])
