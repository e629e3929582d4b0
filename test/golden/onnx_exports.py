"""Makes test/golden/onnx/: small networks as PyTorch's exporter writes them, and their answers.

Made with PyTorch 1.13.0 (Debian 12, python3-torch):

    python3 test/golden/onnx_exports.py

Frames are 16 px wide and 12 px high, of 2 channels; `answers.json` has two of them, uint8
[2, C, H, W], and the probabilities of 3 labels, of frames scaled as it says. `fixed-logits` is what
an export without a word more gives: float32 in, logits out, a batch of 1 that its group norm has
made a constant too. `free-probabilities` has a dynamic axis and a sigmoid; `half-logits` takes
and gives float16. `batch-mean` mixes the frames of a batch, so that its fixed batch of 1 cannot
be freed.
"""
import json
import pathlib

import torch
from torch import nn

CHANNELS, HEIGHT, WIDTH, LABELS = 2, 12, 16, 3
MEAN, STD = [0.25, 0.4], [0.5, 0.125]
folder = pathlib.Path(__file__).parent / "onnx"
folder.mkdir(exist_ok=True)
torch.manual_seed(8)


class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(CHANNELS, 4, 3, padding=1)
        self.batch_norm = nn.BatchNorm2d(4)
        self.second = nn.Conv2d(4, 4, 3, stride=2, groups=2)
        self.group_norm = nn.GroupNorm(2, 4)
        self.labels = nn.Linear(4 * 2 * 3, LABELS)

    def forward(self, frames):
        planes = torch.relu(self.batch_norm(self.first(frames)))
        planes = torch.relu(self.group_norm(self.second(planes)))
        planes = nn.functional.max_pool2d(planes, 2)
        return self.labels(planes.reshape(planes.shape[0], -1))


class Probabilities(nn.Module):
    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, frames):
        return torch.sigmoid(self.network(frames))


class Half(nn.Module):
    """Half at its ends only: PyTorch has no convolution in half on the CPU."""

    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, frames):
        return self.network(frames.float()).half()


class BatchMean(nn.Module):
    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, frames):
        return self.network(frames - frames.mean(dim=0, keepdim=True) / 2)


network = Network()
for part in (network.batch_norm, network.group_norm):
    nn.init.uniform_(part.weight, 0.5, 1.5)
    nn.init.uniform_(part.bias, -0.5, 0.5)
nn.init.uniform_(network.batch_norm.running_mean, -0.5, 0.5)
nn.init.uniform_(network.batch_norm.running_var, 0.5, 1.5)
nn.init.uniform_(network.labels.weight, -1.5, 1.5)
network.eval()

one = torch.zeros(1, CHANNELS, HEIGHT, WIDTH)
free = {"input_names": ["frames"], "output_names": ["probabilities"]}
axes = {"frames": {0: "batch"}, "probabilities": {0: "batch"}}
torch.onnx.export(network, one, folder / "fixed-logits.onnx")
torch.onnx.export(
    Probabilities(network).eval(), one, folder / "free-probabilities.onnx", dynamic_axes=axes, **free
)
torch.onnx.export(Half(network).eval(), one.half(), folder / "half-logits.onnx", dynamic_axes={
    "frames": {0: "batch"}, "logits": {0: "batch"}}, input_names=["frames"], output_names=["logits"])
torch.onnx.export(BatchMean(network).eval(), one, folder / "batch-mean.onnx")

pixels = torch.randint(0, 256, (2, CHANNELS, HEIGHT, WIDTH), dtype=torch.uint8)


def answers(scale, mean, std):
    mean, std = (torch.tensor(values).reshape(1, -1, 1, 1) for values in (mean, std))
    with torch.no_grad():
        return torch.sigmoid(network((pixels.float() * scale - mean) / std)).tolist()


(folder / "answers.json").write_text(json.dumps({
    "pixels": pixels.flatten().tolist(),
    "plain": answers(1 / 255, [0.0], [1.0]),
    "normalised": {"mean": MEAN, "std": STD, "answers": answers(1 / 255, MEAN, STD)},
    "levels": answers(1.0, [0.0], [1.0]),
}) + "\n")
