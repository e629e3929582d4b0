"""Makes scores.json: what scikit-learn gives for small predictions with ties,
absent labels, a label every frame has, constant scores and uneven thresholds.
What is not defined is null.

    python3 test/golden/scores.py > test/golden/scores.json

Made with Python 3.11, numpy and scikit-learn; their versions are in the file.
"""

import json
import warnings

import numpy as np
import sklearn
from sklearn import metrics

warnings.filterwarnings("ignore")
random = np.random.default_rng(20181010)
clip = 1e-7


def case(name, probabilities, targets, thresholds):
    probabilities = np.asarray(probabilities, dtype=np.float64)
    targets = np.asarray(targets, dtype=np.int64)
    thresholds = np.asarray(thresholds, dtype=np.float64)
    predicted = (probabilities >= thresholds).astype(np.int64)
    present = np.flatnonzero(targets.any(axis=0))
    true_or_given = np.flatnonzero(targets.any(axis=0) | predicted.any(axis=0))
    per_label = []
    for label in range(targets.shape[1]):
        truth, score, answer = targets[:, label], probabilities[:, label], predicted[:, label]
        precision, recall, f1, _ = metrics.precision_recall_fscore_support(
            truth, answer, average="binary", zero_division=0
        )
        has_both = 0 < truth.sum() < len(truth)
        per_label.append(
            {
                "support": int(truth.sum()),
                "wronglyGiven": int((answer > truth).sum()),
                "precision": float(precision) if truth.any() else None,
                "recall": float(recall) if truth.any() else None,
                "f1": float(f1) if truth.any() else None,
                "auroc": float(metrics.roc_auc_score(truth, score)) if has_both else None,
                "averagePrecision": float(metrics.average_precision_score(truth, score))
                if truth.sum() > 0
                else None,
            }
        )
    clipped = np.clip(probabilities, clip, 1 - clip)
    entropy = -(targets * np.log(clipped) + (1 - targets) * np.log(1 - clipped)).mean()
    f1 = lambda average, labels=None: float(
        metrics.f1_score(targets, predicted, average=average, labels=labels, zero_division=0)
    )
    def average(measure, name, labels=None):
        return float(measure(targets, predicted, average=name, labels=labels, zero_division=0))

    def mean(key):
        defined = [per_label[i][key] for i in present if per_label[i][key] is not None]
        return float(np.mean(defined)) if defined else None

    return {
        "name": name,
        "probabilities": probabilities.tolist(),
        "targets": targets.tolist(),
        "thresholds": thresholds.tolist(),
        "expected": {
            "frameCount": len(targets),
            "binaryAccuracy": float((predicted == targets).mean()),
            "alwaysNoAccuracy": float((targets == 0).mean()),
            "exactMatch": float(metrics.accuracy_score(targets, predicted)),
            "microPrecision": average(metrics.precision_score, "micro"),
            "microRecall": average(metrics.recall_score, "micro"),
            "microF1": f1("micro"),
            "macroPrecision": average(metrics.precision_score, "macro"),
            "macroRecall": average(metrics.recall_score, "macro"),
            "macroPrecisionPresent": average(metrics.precision_score, "macro", present),
            "macroRecallPresent": average(metrics.recall_score, "macro", present),
            "weightedPrecision": average(metrics.precision_score, "weighted"),
            "weightedRecall": average(metrics.recall_score, "weighted"),
            "macroF1": f1("macro"),
            "macroF1Present": f1("macro", present),
            "macroF1TrueOrGiven": f1("macro", true_or_given),
            "weightedF1": f1("weighted"),
            "macroAurocPresent": mean("auroc"),
            "macroAveragePrecisionPresent": mean("averagePrecision"),
            "meanBinaryCrossEntropy": float(entropy),
            "labels": per_label,
        },
    }


def ties():
    # Scores on a grid of tenths, so that most of them are tied, and on the threshold.
    targets = random.random((40, 6)) < [0.5, 0.3, 0.1, 0.4, 0.0, 1.0]
    scores = np.clip(np.round(0.5 * targets + random.random(targets.shape) * 0.6, 1), 0, 1)
    return case("tied scores, an absent label, a label on every frame", scores, targets, [0.5] * 6)


def constant():
    targets = random.random((25, 4)) < [0.4, 0.2, 0.6, 0.04]
    targets[0] = True
    scores = np.tile([0.0, 1.0, 0.5, 0.25], (25, 1))
    return case("constant scores, some of them 0 and 1", scores, targets, [0.5, 0.5, 0.5, 0.3])


def thresholds():
    targets = random.random((60, 5)) < 0.25
    scores = np.round(random.random(targets.shape), 6)
    return case("a threshold of its own for each label", scores, targets, [0.1, 0.3, 0.5, 0.7, 0.95])


def single():
    return case("one frame", [[0.9, 0.2, 0.4]], [[1, 0, 1]], [0.5] * 3)


print(
    json.dumps(
        {
            "madeWith": {"scikit-learn": sklearn.__version__, "numpy": np.__version__},
            "cases": [ties(), constant(), thresholds(), single()],
        },
        separators=(",", ":"),
    )
)
