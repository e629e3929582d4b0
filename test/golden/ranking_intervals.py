"""Makes ranking-intervals.json: bootstrap intervals of AUROC and average precision, label by
label and averaged over the labels: numpy's percentiles over scikit-learn's scores by weights
of the frames. The weights are in the file, so that ours are over the same.

    python3 test/golden/ranking_intervals.py > test/golden/ranking-intervals.json

Made with Python 3.11; the versions of the packages are in the file.
"""

import json

import numpy as np
import sklearn
from sklearn.metrics import average_precision_score, f1_score, roc_auc_score

random = np.random.default_rng(20230717)


def ends(values):
    """2.5th and 97.5th percentile of what is defined; None where nothing is."""
    defined = np.asarray(values)[~np.isnan(values)]
    return np.percentile(defined, [2.5, 97.5]).tolist() if len(defined) else None


def auroc(truth, score, weights):
    has_both = 0 < truth.sum() < len(truth)
    return roc_auc_score(truth, score, sample_weight=weights) if has_both else np.nan


def average_precision(truth, score, weights):
    if not truth.any():
        return np.nan
    return average_precision_score(truth, score, sample_weight=weights)


def mean(values):
    defined = np.asarray(values)[~np.isnan(values)]
    return defined.mean() if len(defined) else np.nan


def case(frames, rates, groups, decimals):
    rates = np.asarray(rates)
    truth = (random.random((frames, len(rates))) < rates).astype(int)
    # One that a single frame has: many draws of frames would not define it.
    truth[0, 1] = 1
    truth[1:, 1] = 0
    score = 1 / (1 + np.exp(-(1.5 * (truth - 0.5) + random.normal(size=truth.shape))))
    # Few decimals make ties, between frames with the label and without too.
    score = np.round(score, decimals)
    group = np.sort(random.integers(0, groups, frames)) if groups else np.arange(frames)
    names, group = np.unique(group, return_inverse=True)
    # Few digits, so that the file stays small; none is 0.
    draws = np.round(random.exponential(size=(80, len(names))) + 0.001, 3)
    found = {"auroc": [], "averagePrecision": []}
    weighted = []
    for row in draws:
        weights = row[group]
        for name, measure in (("auroc", auroc), ("averagePrecision", average_precision)):
            found[name].append(
                [measure(truth[:, l], score[:, l], weights) for l in range(len(rates))]
            )
        options = {"average": "weighted", "zero_division": 0, "sample_weight": weights}
        weighted.append(f1_score(truth, score >= 0.5, **options))
    return {
        "probabilities": score.tolist(),
        "targets": truth.tolist(),
        "groups": group.tolist() if groups else None,
        "draws": draws.tolist(),
        "labels": {
            name: [ends(column) for column in np.asarray(rows).T] for name, rows in found.items()
        },
        "macro": {name: ends([mean(row) for row in rows]) for name, rows in found.items()},
        "weightedF1": ends(weighted),
    }


print(
    json.dumps(
        {
            "madeWith": {"numpy": np.__version__, "scikit-learn": sklearn.__version__},
            "cases": [
                case(60, [0.4, 0.0, 0.1, 0.0, 1.0], 0, 1),
                case(70, [0.4, 0.0, 0.15], 16, 2),
                case(50, [0.5, 0.0, 0.3], 0, 6),
            ],
        },
        separators=(",", ":"),
    )
)
