#!/usr/bin/env python3
"""pip install scikit-learn==1.9.1 numpy==2.4.6 scipy==1.17.1

Metrics of scikit-learn on random rows with many equal scores, with weights (0 among them) and
without. The rows are in the file. Top-k accuracy is left out: among equal scores scikit-learn takes
the later classes.
"""
import numpy as np
import scipy
import sklearn
from sklearn import metrics as m

import golden_file as golden

assert scipy and sklearn.__version__ == "1.9.1", sklearn.__version__
WHY = "sums of a few dozen terms in another order"

# ours, scikit-learn's function of (y, what is predicted), what it looks at, takes weights
BINARY = [
    ("accuracy", m.accuracy_score, "label"), ("error", m.zero_one_loss, "label"),
    ("balanced_accuracy", m.balanced_accuracy_score, "label"), ("f1", m.f1_score, "label"),
    ("f_beta(beta=2)", lambda y, p, **w: m.fbeta_score(y, p, beta=2, **w), "label"),
    ("precision", m.precision_score, "label"), ("recall", m.recall_score, "label"),
    ("specificity", lambda y, p, **w: m.recall_score(y, p, pos_label=0, **w), "label"),
    ("jaccard", m.jaccard_score, "label"), ("mcc", m.matthews_corrcoef, "label"),
    ("kappa", m.cohen_kappa_score, "label"), ("hamming", m.hamming_loss, "label"),
    ("auc", m.roc_auc_score, "score"), ("ap", m.average_precision_score, "score"),
    ("brier", m.brier_score_loss, "score"), ("d2_brier", m.d2_brier_score, "score"),
    ("log_loss", m.log_loss, "proba"), ("d2_log_loss", m.d2_log_loss_score, "proba"),
]
MULTI = [
    ("accuracy", m.accuracy_score, "label"), ("balanced_accuracy", m.balanced_accuracy_score, "label"),
    ("f1", lambda y, p, **w: m.f1_score(y, p, average="macro", **w), "label"),
    ("f1(average=micro)", lambda y, p, **w: m.f1_score(y, p, average="micro", **w), "label"),
    ("precision(average=weighted)", lambda y, p, **w: m.precision_score(y, p, average="weighted", **w), "label"),
    ("recall(average=weighted)", lambda y, p, **w: m.recall_score(y, p, average="weighted", **w), "label"),
    ("jaccard", lambda y, p, **w: m.jaccard_score(y, p, average="macro", **w), "label"),
    ("mcc", m.matthews_corrcoef, "label"), ("kappa", m.cohen_kappa_score, "label"),
    ("log_loss", m.log_loss, "proba"), ("d2_log_loss", m.d2_log_loss_score, "proba"),
    ("auc", lambda y, p, **w: m.roc_auc_score(y, p, multi_class="ovr", **w), "proba"),
    ("auc(multi=ovr, average=weighted)",
     lambda y, p, **w: m.roc_auc_score(y, p, multi_class="ovr", average="weighted", **w), "proba"),
    ("auc(multi=ovo)", lambda y, p: m.roc_auc_score(y, p, multi_class="ovo"), "proba"),
]
VALUES = [
    ("mae", m.mean_absolute_error), ("mse", m.mean_squared_error), ("rmse", m.root_mean_squared_error),
    ("median_ae", m.median_absolute_error), ("r2", m.r2_score), ("explained_variance", m.explained_variance_score),
    ("max_error", lambda y, p: m.max_error(y, p)), ("mape", m.mean_absolute_percentage_error),
    ("msle", m.mean_squared_log_error), ("rmsle", m.root_mean_squared_log_error),
    ("poisson_deviance", m.mean_poisson_deviance), ("gamma_deviance", m.mean_gamma_deviance),
    ("tweedie_deviance(power=1.5)", lambda y, p, **w: m.mean_tweedie_deviance(y, p, power=1.5, **w)),
    ("tweedie_deviance(power=3)", lambda y, p, **w: m.mean_tweedie_deviance(y, p, power=3, **w)),
    ("pinball(alpha=0.9)", lambda y, p, **w: m.mean_pinball_loss(y, p, alpha=0.9, **w)),
    ("d2_tweedie(power=1.5)", lambda y, p, **w: m.d2_tweedie_score(y, p, power=1.5, **w)),
    ("d2_absolute", m.d2_absolute_error_score),
    ("ndcg", lambda y, p: m.ndcg_score([y], [p])), ("ndcg(k=7)", lambda y, p: m.ndcg_score([y], [p], k=7)),
    ("dcg", lambda y, p: m.dcg_score([y], [p])),
]


def weights(rng, n):
    return rng.choice([0.0, 0.5, 1.0, 2.0, 3.25], n)


def value(f, y, p, w):
    try:
        return float(f(y, p) if w is None else f(y, p, sample_weight=w))
    except TypeError:
        return None  # takes no weights


def of_classes(rng, n, k, table):
    z = np.round(rng.normal(size=(n, k)) * 1.5, 0)
    y = np.array([rng.choice(k, p=np.exp(r) / np.exp(r).sum()) for r in z])
    proba = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    label = np.where(rng.random(n) < 0.6, y, rng.integers(0, k, n))
    w = weights(rng, n)
    for ours, f, what in table:
        p = {"label": label, "score": proba[:, -1], "proba": proba}[what]
        for how in (None, w):
            v = value(f, y, p, how)
            if v is not None:
                yield ours, how is not None, v
    yield {"n_classes": k, "k": y.tolist(), "label": label.tolist(), "proba": proba.ravel().tolist(), "w": w.tolist()}


def of_values(rng, n):
    y = np.round(rng.gamma(2, 3, n), 0) + 1
    p = np.round(y * rng.uniform(0.6, 1.5, n), 0) + 1
    w = weights(rng, n)
    for ours, f in VALUES:
        for how in (None, w):
            v = value(f, y, p, how)
            if v is not None:
                yield ours, how is not None, v
    yield {"y": y.tolist(), "pred": p.tolist(), "w": w.tolist()}


def case(name, found):
    *values, given = list(found)
    return {"name": name, "kind": "metric", "given": given,
            "metrics": [[ours, weighted] for ours, weighted, _ in values],
            "expected": [v for _, _, v in values], "tolerance": "rel 1e-12", "why": WHY}


if __name__ == "__main__":
    cases = []
    for seed in range(3):
        rng = np.random.default_rng(seed)
        cases.append(case(f"two classes, seed {seed}", of_classes(rng, 60 + seed, 2, BINARY)))
        cases.append(case(f"four classes, seed {seed}", of_classes(rng, 90 + seed, 4, MULTI)))
        cases.append(case(f"values, seed {seed}", of_values(rng, 50 + seed)))
    golden.write("metrics", cases)
