"""Makes evaluation.json: temperatures (scipy's bounded minimiser), expected calibration
errors (numpy), thresholds (brute force), bootstrap intervals (numpy's percentiles over
scikit-learn's scores: by weights of the frames that are in the file, and by 4000 more of
numpy's), McNemar's exact test (statsmodels), Holm's correction
(statsmodels) and doubted labels (cleanlab) of small made-up predictions.

    python3 test/golden/evaluation.py > test/golden/evaluation.json

Made with Python 3.11; the versions of the packages are in the file.
"""

import json
import warnings

import cleanlab
import numpy as np
import scipy
import sklearn
import statsmodels
from cleanlab.count import compute_confident_joint
from scipy.optimize import minimize_scalar
from sklearn import metrics
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests

warnings.filterwarnings("ignore")
random = np.random.default_rng(20211013)
SHRINKAGE = 2


def sigmoid(logit):
    return 1 / (1 + np.exp(-logit))


def logit(probability):
    kept = np.clip(probability, 1e-7, 1 - 1e-7)
    return np.log(kept / (1 - kept))


def draw(frames, rates, sharpness, noise=1.0):
    """Truths, and probabilities that are sharper than they should be."""
    rates = np.asarray(rates)
    truth = (random.random((frames, len(rates))) < rates).astype(int)
    logits = logit(rates) * 0.5 + 2.2 * (truth - 0.4) + noise * random.normal(size=truth.shape)
    return np.round(sigmoid(sharpness * logits), 6), truth


def f1(truth, answer):
    return 2 * (truth & answer).sum() / max(1, truth.sum() + answer.sum())


def best(candidates, value):
    """The highest candidate of the best value."""
    values = [value(candidate) for candidate in candidates]
    return float(candidates[int(np.argmax(np.round(values, 12)))])


def middles(scores):
    steps = np.unique(scores)[::-1]
    return (steps + np.append(steps[1:], 0)) / 2


def threshold_case(frames, rates, sharpness):
    scores, truth = draw(frames, rates, sharpness)
    present = np.flatnonzero(truth.any(axis=0))
    answers = lambda t: (scores >= t).astype(int)
    common = best(
        middles(scores),
        lambda t: metrics.f1_score(truth, answers(t), average="macro", labels=present, zero_division=0),
    )
    chosen = []
    for label in range(len(rates)):
        own = common
        if truth[:, label].any():
            column = scores[:, label]
            own = best(middles(column), lambda t: f1(truth[:, label], (column >= t).astype(int)))
        told = min(truth[:, label].sum(), frames - truth[:, label].sum())
        weight = told / (told + SHRINKAGE)
        drawn = float(sigmoid(weight * logit(own) + (1 - weight) * logit(common)))
        # Nothing is known of a label that no frame has.
        chosen.append(drawn if truth[:, label].any() else max(0.5, common))
    return {"probabilities": scores.tolist(), "targets": truth.tolist(), "common": common, "thresholds": chosen}


def calibration_case(frames, rates, sharpness):
    scores, truth = draw(frames, rates, sharpness)
    z, y = logit(scores).ravel(), truth.ravel()
    loss = lambda log_t: np.logaddexp(0, z / np.exp(log_t)).sum() - (y * z / np.exp(log_t)).sum()
    fitted = minimize_scalar(loss, bounds=np.log([0.1, 10]), method="bounded", options={"xatol": 1e-10})
    p = scores.ravel()
    place = np.minimum(9, np.floor(p * 10)).astype(int)
    error = sum(
        (place == b).sum() * abs(p[place == b].mean() - y[place == b].mean())
        for b in range(10)
        if (place == b).any()
    )
    return {
        "probabilities": scores.tolist(),
        "targets": truth.tolist(),
        "temperature": float(np.exp(fitted.x)),
        "expectedCalibrationError": float(error / p.size),
    }


def macro_over(labels_of):
    """Macro F1 over labels of the whole set, whatever the weights of its frames."""

    def measure(truth, answer, weights):
        labels = labels_of(truth, answer)
        options = {"average": "macro", "labels": labels, "zero_division": 0}
        return metrics.f1_score(truth, answer, sample_weight=weights, **options)

    return measure


MEASURES = {
    "macroF1Present": macro_over(lambda t, a: np.flatnonzero(t.any(axis=0))),
    "macroF1TrueOrGiven": macro_over(lambda t, a: np.flatnonzero((t | a).any(axis=0))),
    "microF1": lambda t, a, w: metrics.f1_score(
        t, a, average="micro", zero_division=0, sample_weight=w
    ),
    "exactMatch": lambda t, a, w: metrics.accuracy_score(t, a, sample_weight=w),
    "binaryAccuracy": lambda t, a, w: float(np.average((t == a).mean(axis=1), weights=w)),
}


def interval_case(frames, rates, groups):
    scores, truth = draw(frames, rates, 1.0)
    # The second label is one frame's alone: a draw of frames would leave it out now and then.
    truth[:, 1] = 0
    truth[3, 1] = 1
    scores[scores == 0.5] = 0.49
    group = np.sort(random.integers(0, groups, frames)) if groups else np.arange(frames)
    names, group = np.unique(group, return_inverse=True)
    answer = (scores >= 0.5).astype(int)
    # Few digits, so that the file stays small; none is 0.
    draws = np.round(random.exponential(size=(60, len(names))) + 0.001, 3)
    many = random.dirichlet(np.ones(len(names)), 4000)
    exact, reference = {}, {}
    for name, measure in MEASURES.items():
        over = lambda weights: [measure(truth, answer, row[group]) for row in weights]
        exact[name] = np.percentile(over(draws), [2.5, 97.5]).tolist()
        values = over(many)
        reference[name] = [*np.percentile(values, [2.5, 97.5]).tolist(), float(np.std(values))]
    return {
        "probabilities": scores.tolist(),
        "targets": truth.tolist(),
        "groups": group.tolist() if groups else None,
        "draws": draws.tolist(),
        "exact": exact,
        "reference": reference,
    }


def comparison_case():
    counts = [(0, 0), (1, 0), (5, 1), (9, 2), (30, 12), (3, 3), (0, 8), (120, 80)]
    p = [float(mcnemar([[50, b], [c, 50]], exact=True).pvalue) for b, c in counts]
    return {
        "discordant": counts,
        "pValues": p,
        "adjusted": multipletests(p, method="holm")[1].tolist(),
    }


def doubt_case(frames, rates):
    scores, truth = draw(frames, rates, 1.6, 0.6)
    flipped = random.random(truth.shape) < 0.06
    given = np.where(flipped, 1 - truth, truth)
    doubted = []
    for label in range(len(rates)):
        p = scores[:, label]
        both = np.stack([1 - p, p], axis=1)
        _, found = compute_confident_joint(
            given[:, label], both, return_indices_of_off_diagonals=True
        )
        doubted.append(sorted(int(at) for at in found))
    return {"probabilities": scores.tolist(), "targets": given.tolist(), "doubted": doubted}


print(
    json.dumps(
        {
            "madeWith": {
                "numpy": np.__version__,
                "scipy": scipy.__version__,
                "scikit-learn": sklearn.__version__,
                "statsmodels": statsmodels.__version__,
                "cleanlab": cleanlab.__version__,
            },
            "thresholds": [
                threshold_case(60, [0.4, 0.15, 0.05, 0.9], 1.0),
                threshold_case(25, [0.3, 0.0, 0.08], 2.0),
            ],
            "calibration": [
                calibration_case(80, [0.5, 0.2, 0.05], 2.5),
                calibration_case(80, [0.5, 0.2, 0.05], 0.4),
            ],
            "intervals": [
                interval_case(50, [0.4, 0.2, 0.1, 0.0], 0),
                interval_case(60, [0.4, 0.2, 0.1], 14),
            ],
            "comparison": comparison_case(),
            "doubts": [doubt_case(90, [0.4, 0.25, 0.12]), doubt_case(60, [0.5, 0.1])],
        },
        separators=(",", ":"),
    )
)
