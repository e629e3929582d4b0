"""Writes shrunk-covariance.json: Ledoit and Wolf's estimates.

Made with scikit-learn 1.9.1 and NumPy 2.4.6 in float64:

    python3 test/golden/shrunk_covariance.py

The rows are centred, as ours are given them.
"""
import json
import pathlib

import numpy as np
from sklearn.covariance import ledoit_wolf

cases = []
for rows, size, seed in [(40, 5, 1), (6, 9, 2), (60, 3, 3)]:
    random = np.random.default_rng(seed)
    mixing = random.normal(size=(size, size))
    x = np.round(random.normal(size=(rows, size)) @ mixing, 4)
    x = x - x.mean(axis=0)
    covariance, shrinkage = ledoit_wolf(x, assume_centered=True)
    cases.append({
        "rows": x.tolist(),
        "covariance": covariance.tolist(),
        "shrinkage": shrinkage,
    })
path = pathlib.Path(__file__).with_name("shrunk-covariance.json")
path.write_text(json.dumps(cases, separators=(",", ":")) + "\n")
