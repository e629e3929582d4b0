"""Writes training-step.json: losses, gradients and ten Adam steps from PyTorch.

Made with PyTorch 1.13.0 (Debian 12, python3-torch) and NumPy 1.24, in float64, so
that what a float32 graph differs by is its own rounding:

    python3 test/golden/training_step.py

Weights, pixels, targets and masks are made by a formula (`noise` below, and in
test/graph/golden.ts), so that no large file is kept. Kernels are stored as we store
them: convolutions [out, in, k, k], dense [in, out]. Adam is Keras's, epsilon added to
the root of the uncorrected second moment; PyTorch's own optimiser adds it elsewhere.
"""
import json
import pathlib

import numpy as np
import torch
import torch.nn.functional as F

SMALL = {
    "inputShape": [2, 13, 14],
    "layers": [
        ["conv", "conv1", 3, 3], ["relu"], ["conv", "conv2", 4, 3], ["relu"], ["maxPool", 2],
        ["conv", "conv3", 3, 2], ["relu"], ["flatten"], ["dropout", 0.25],
        ["dense", "dense1", 6], ["relu"], ["dropout", 0.5], ["dense", "dense2", 3],
    ],
}
PAIR = lambda n, last: [["conv", f"conv{n}", 32, 3], ["relu"], ["conv", f"conv{n + 1}", 64, 3], ["relu"]] + (
    [] if last else [["maxPool", 2]])
SEED_CNN = {
    "inputShape": [4, 128, 128],
    "layers": PAIR(1, False) + PAIR(3, False) + PAIR(5, True) + [
        ["flatten"], ["dropout", 0.25], ["dense", "dense1", 128], ["relu"], ["dropout", 0.5],
        ["dense", "dense2", 28],
    ],
}


def noise(count, salt):
    """MurmurHash3's finaliser of (index, salt), as uint32."""
    h = (np.arange(count, dtype=np.uint64) * 0x9E3779B1 + salt * 0x85EBCA6B + 1) & 0xFFFFFFFF
    h ^= h >> np.uint64(16)
    h = h * 0x85EBCA6B & 0xFFFFFFFF
    h ^= h >> np.uint64(13)
    h = h * 0xC2B2AE35 & 0xFFFFFFFF
    return h ^ (h >> np.uint64(16))


def signed(shape, salt, limit):
    unit = noise(int(np.prod(shape)), salt).astype(np.float64) / 2**31 - 1
    return torch.from_numpy((unit * limit).astype(np.float32).astype(np.float64).reshape(shape))


def build(network):
    """Parameters by name, in the order of the layers, and the shape before each layer."""
    parameters, (c, h, w), flat = {}, network["inputShape"], None
    for kind, *a in network["layers"]:
        if kind == "conv":
            name, out, k = a
            fans, shape = (c + out) * k * k, [out, c, k, k]
            c, h, w = out, h - k + 1, w - k + 1
        elif kind == "dense":
            name, out = a
            fans, shape, flat = flat + out, [flat, out], out
        elif kind == "maxPool":
            h, w = h // a[0], w // a[0]
            continue
        elif kind == "flatten":
            flat = c * h * w
            continue
        else:
            continue
        salt = len(parameters)
        parameters[f"{name}/kernel"] = signed(shape, salt, np.sqrt(6 / fans))
        parameters[f"{name}/bias"] = signed([out], salt + 1, 0.05)
    return parameters


def forward(network, parameters, pixels, step):
    x, masks = pixels / 255, 0
    for kind, *a in network["layers"]:
        if kind == "conv":
            x = F.conv2d(x, parameters[a[0] + "/kernel"], parameters[a[0] + "/bias"])
        elif kind == "dense":
            x = x @ parameters[a[0] + "/kernel"] + parameters[a[0] + "/bias"]
        elif kind == "relu":
            x = F.relu(x)
        elif kind == "maxPool":
            x = F.max_pool2d(x, a[0])
        elif kind == "flatten":
            x = x.flatten(1)
        elif kind == "dropout":
            masks += 1
            draw = noise(x.numel(), 1000 * masks + step).astype(np.float64) / 2**32
            x = x * torch.from_numpy((draw >= a[0]).astype(np.float64)).reshape(x.shape) / (1 - a[0])
    return x


def run(network, frames, labels):
    parameters = {n: p.requires_grad_() for n, p in build(network).items()}
    slots = {n: (torch.zeros_like(p), torch.zeros_like(p)) for n, p in parameters.items()}
    losses, first = [], None
    for step in range(1, 11):
        shape = [frames, *network["inputShape"]]
        pixels = torch.from_numpy((noise(int(np.prod(shape)), 100 + step) >> np.uint64(24)).astype(np.float64).reshape(shape))
        targets = torch.from_numpy((noise(frames * labels, 200 + step) % 4 == 0).astype(np.float64).reshape(frames, labels))
        logits = forward(network, parameters, pixels, step)
        loss = F.binary_cross_entropy_with_logits(logits, targets)
        gradients = dict(zip(parameters, torch.autograd.grad(loss, list(parameters.values()))))
        losses.append(loss.item())
        if first is None:
            first = (torch.sigmoid(logits).detach(), gradients)
        rate = 1e-3 / (1 + 0.05 * (step - 1))
        rate *= np.sqrt(1 - 0.999**step) / (1 - 0.9**step)
        with torch.no_grad():
            for name, p in parameters.items():
                m, v = slots[name]
                g = gradients[name]
                m += (g - m) * 0.1
                v += (g * g - v) * 0.001
                p -= rate * m / (v.sqrt() + 1e-7)
    return losses, first, parameters, slots


def digest(tensors):
    """Norm, sum and 24 entries spread over each tensor; all entries where there are few."""
    result = {}
    for name, tensor in tensors.items():
        flat = tensor.detach().flatten().numpy()
        at = np.arange(len(flat)) if len(flat) <= 24 else noise(24, 7) % len(flat)
        result[name] = {
            "norm": float(np.linalg.norm(flat)),
            "sum": float(flat.sum()),
            "largest": float(np.abs(flat).max()),
            "entries": [[int(i), float(flat[i])] for i in sorted(set(at.astype(int)))],
        }
    return result


def whole(tensors):
    return {n: t.detach().flatten().tolist() for n, t in tensors.items()}


def record(network, frames, labels, store):
    losses, (probabilities, gradients), parameters, slots = run(network, frames, labels)
    return {
        "frames": frames,
        "labels": labels,
        "inputShape": network["inputShape"],
        "layers": network["layers"],
        "losses": losses,
        "probabilities": probabilities.flatten().tolist(),
        "gradients": store(gradients),
        "parametersAfterTenSteps": store(parameters),
        "firstMomentsAfterTenSteps": store({n: m for n, (m, _) in slots.items()}),
        "secondMomentsAfterTenSteps": store({n: v for n, (_, v) in slots.items()}),
    }


def main():
    torch.set_num_threads(2)
    golden = {
        "origin": f"test/golden/training_step.py, PyTorch {torch.__version__}, NumPy {np.__version__}, float64",
        "small": record(SMALL, 3, 3, whole),
        "seed-cnn": record(SEED_CNN, 4, 28, digest),
    }
    path = pathlib.Path(__file__).with_name("training-step.json")
    path.write_text(json.dumps(golden, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
