"""Golden numbers for the resize rules: what OpenCV makes of small planes.

Run with: python3 test/golden/opencv_resize.py > test/golden/opencv_resize.json
Made with opencv-python 5.0.0 and numpy 2.4.6, Python 3.11.

The planes are not stored: pixel i of a plane with seed s is the upper byte (or all
16 bits) of the generator x -> (x * 1103515245 + 12345) mod 2^31 from x = s.
"""

import json

import cv2
import numpy as np


def plane(width, height, seed, bits):
    values = np.empty(width * height, dtype=np.int64)
    x = seed
    for i in range(values.size):
        x = (x * 1103515245 + 12345) % 2**31
        values[i] = x >> (31 - bits)
    return values.reshape(height, width)


cases = []
sizes = [
    (48, 48, 12, 12),
    (24, 24, 12, 12),
    (36, 36, 12, 12),
    (31, 22, 12, 9),
    (24, 40, 12, 10),
    (40, 24, 20, 24),
    (7, 5, 16, 12),
    (1, 1, 4, 4),
    (13, 13, 13, 13),
    (30, 11, 10, 16),
]
for seed, (width, height, to_width, to_height) in enumerate(sizes, 1):
    for bits, dtype in ((8, np.uint8), (16, np.uint16)):
        source = plane(width, height, seed, bits).astype(dtype)
        for rule, flag in (("bilinear", cv2.INTER_LINEAR), ("area", cv2.INTER_AREA)):
            resized = cv2.resize(source, (to_width, to_height), interpolation=flag)
            cases.append(
                {
                    "seed": seed,
                    "bits": bits,
                    "rule": rule,
                    "from": [width, height],
                    "to": [to_width, to_height],
                    "pixels": resized.ravel().tolist(),
                }
            )
print(json.dumps({"opencv": cv2.__version__, "cases": cases}, separators=(",", ":")))
