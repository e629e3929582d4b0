"""Writes residual-network.json: loss, gradients and ten Adam steps of resnet-small from PyTorch.

Made with PyTorch 1.13.0 (Debian 12, python3-torch) and NumPy 1.24, in float64:

    python3 test/golden/residual_network.py

Inputs, masks and weights are those of training_step.py's formula; gains lie about 1. The
layers are written out here as src/graph/network.ts has them, and a test holds them against
the network itself. The frame's sides leave rows and columns over at each pool.
"""
import json
import pathlib

import numpy as np
import torch
import torch.nn.functional as F

import training_step as base

CHANNELS, LABELS, FRAMES = 3, 5, 3


def conv(name, filters, size):
    return {"kind": "conv", "name": name, "filters": filters, "kernelPx": size, "isPadded": True}


def norm(name, filters, **more):
    return {"kind": "groupNorm", "name": name, "groups": filters // 8, **more}


def block(place, filters, before):
    return [
        {
            "kind": "residual",
            "layers": [
                conv(f"{place}/conv1", filters, 3), norm(f"{place}/norm1", filters), {"kind": "relu"},
                conv(f"{place}/conv2", filters, 3), norm(f"{place}/norm2", filters, gain=0),
            ],
            "shortcut": [] if filters == before else [conv(f"{place}/shortcut", filters, 1)],
        },
        {"kind": "relu"},
    ]


POOL = [{"kind": "averagePool", "sizePx": 2}]
NETWORK = {
    "inputShape": [CHANNELS, 38, 45],
    "layers": [
        {"kind": "standardise", "groups": CHANNELS}, {"kind": "spaceToDepth", "sizePx": 2},
        conv("stem/conv", 16, 3), norm("stem/norm", 16), {"kind": "relu"},
        {"kind": "maxPool", "sizePx": 2},
        {
            "kind": "stages",
            "stages": [
                block("stage1/block1", 32, 16), POOL + block("stage2/block1", 64, 32), POOL + block("stage3/block1", 128, 64),
            ],
        },
        {"kind": "dropout", "rate": 0.2}, {"kind": "dense", "name": "labels", "units": LABELS},
    ],
}


def build(network):
    parameters = {}

    def add(name, shape, fans):
        limit = np.sqrt(6 / fans) if fans else 0.05
        values = base.signed(shape, len(parameters), limit)
        if name.endswith("/gain"):
            values = torch.from_numpy((values.numpy().astype(np.float32) + np.float32(1)).astype(np.float64))
        parameters[name] = values

    def walk(layers, c):
        for layer in layers:
            kind, name = layer["kind"], layer.get("name")
            if kind == "conv":
                out, k = layer["filters"], layer["kernelPx"]
                add(f"{name}/kernel", [out, c, k, k], (c + out) * k * k)
                add(f"{name}/bias", [out], None)
                c = out
            elif kind == "groupNorm":
                add(f"{name}/gain", [c], None)
                add(f"{name}/bias", [c], None)
            elif kind == "spaceToDepth":
                c *= layer["sizePx"] ** 2
            elif kind == "stages":
                rows = 0
                for stage in layer["stages"]:
                    c = walk(stage, c)
                    rows += 2 * c
                c = rows
            elif kind == "residual":
                after = walk(layer["layers"], c)
                walk(layer["shortcut"], c)
                c = after
            elif kind == "dense":
                add(f"{name}/kernel", [c, layer["units"]], c + layer["units"])
                add(f"{name}/bias", [layer["units"]], None)
                c = layer["units"]
        return c

    walk(network["layers"], network["inputShape"][0])
    return parameters


def space_to_depth(x, s):
    n, c, h, w = x.shape
    x = x[:, :, : h // s * s, : w // s * s].reshape(n, c, h // s, s, w // s, s)
    return x.permute(0, 3, 5, 1, 2, 4).reshape(n, s * s * c, h // s, w // s)


def forward(network, parameters, pixels, step):
    masks = 0

    def walk(layers, x):
        nonlocal masks
        for layer in layers:
            kind, name = layer["kind"], layer.get("name")
            if kind == "conv":
                x = F.conv2d(x, parameters[f"{name}/kernel"], parameters[f"{name}/bias"], padding=layer["kernelPx"] // 2)
            elif kind == "groupNorm":
                x = F.group_norm(x, layer["groups"], parameters[f"{name}/gain"], parameters[f"{name}/bias"])
            elif kind == "standardise":
                x = F.group_norm(x, layer["groups"])
            elif kind == "spaceToDepth":
                x = space_to_depth(x, layer["sizePx"])
            elif kind == "relu":
                x = F.relu(x)
            elif kind == "maxPool":
                x = F.max_pool2d(x, layer["sizePx"])
            elif kind == "averagePool":
                x = F.avg_pool2d(x, layer["sizePx"])
            elif kind == "stages":
                rows = []
                for stage in layer["stages"]:
                    x = walk(stage, x)
                    rows += [x.mean((2, 3)), x.amax((2, 3))]
                x = torch.cat(rows, 1)
            elif kind == "residual":
                x = walk(layer["layers"], x) + walk(layer["shortcut"], x)
            elif kind == "dropout":
                masks += 1
                draw = base.noise(x.numel(), 1000 * masks + step).astype(np.float64) / 2**32
                kept = torch.from_numpy((draw >= layer["rate"]).astype(np.float64)).reshape(x.shape)
                x = x * kept / (1 - layer["rate"])
            elif kind == "dense":
                x = x @ parameters[f"{name}/kernel"] + parameters[f"{name}/bias"]
        return x

    return walk(network["layers"], pixels / 255)


def main():
    torch.set_num_threads(2)
    base.build, base.forward = build, forward
    golden = {
        "origin": f"test/golden/residual_network.py, PyTorch {torch.__version__}, NumPy {np.__version__}, float64",
        **base.record(NETWORK, FRAMES, LABELS, base.digest),
    }
    path = pathlib.Path(__file__).with_name("residual-network.json")
    path.write_text(json.dumps(golden, separators=(",", ":")) + "\n")


main()
