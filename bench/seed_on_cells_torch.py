"""The yardstick of bench/seed-on-cells.ts: `seed-cnn` in PyTorch, on the same split.

Reads what the bench wrote into FOLDER (uint8 pixels and targets of both parts), prints a
line after each epoch and its scores as JSON. DRAWS says where chance comes from: `ours`
takes the first weights (weights.bin), the orders of frames (orders.bin) and the dropout
masks (standard input) of the bench's own run; `glorot` and `torch` draw their own, from
Keras's initial weights (Glorot, zero biases) or PyTorch's.

    python3 bench/seed_on_cells_torch.py FOLDER DRAWS EPOCHS SEED BATCH_SIZE

Written for PyTorch 1.13.
"""

import json
import os
import sys
from pathlib import Path

import numpy
import torch
from torch import nn

folder, draws = Path(sys.argv[1]), sys.argv[2]
epochs, seed, batch_size = map(int, sys.argv[3:6])
rate, epsilon, label_count = 1e-3, 1e-7, 28


def read(part):
    pixels = numpy.fromfile(folder / f"{part}-pixels.bin", numpy.uint8)
    targets = numpy.fromfile(folder / f"{part}-targets.bin", numpy.uint8)
    return (
        torch.from_numpy(pixels.reshape(-1, 4, 128, 128)),
        torch.from_numpy(targets.reshape(-1, label_count)).float(),
    )


def prepare(frames):
    return (frames.float() / 255).contiguous(memory_format=torch.channels_last)


class GivenDropout(nn.Module):
    """A dropout whose masks, of a whole batch each, come through standard input."""

    def __init__(self, rate, size):
        super().__init__()
        self.rate, self.size = rate, size

    def forward(self, values):
        if not self.training:
            return values
        mask = bytearray(sys.stdin.buffer.read(batch_size * self.size))
        mask = torch.frombuffer(mask, dtype=torch.uint8).reshape(batch_size, self.size)
        return values * mask[: len(values)] / (1 - self.rate)


def dropout(rate, size):
    return GivenDropout(rate, size) if draws == "ours" else nn.Dropout(rate)


def conv(channels, filters):
    return nn.Conv2d(channels, filters, 3), nn.ReLU()


def score(probabilities, targets):
    clipped = probabilities.clamp(1e-7, 1 - 1e-7)
    loss = -(targets * clipped.log() + (1 - targets) * (1 - clipped).log()).mean()
    guess = (probabilities >= 0.5).float()
    hits = 2 * (guess * targets).sum(0)
    f1 = hits / (guess.sum(0) + targets.sum(0)).clamp(min=1)
    return {
        "macroF1Present": f1[targets.sum(0) > 0].mean().item(),
        "binaryAccuracy": (guess == targets).float().mean().item(),
        "alwaysNoAccuracy": (targets == 0).float().mean().item(),
        "crossEntropy": loss.item(),
    }


torch.manual_seed(seed)
torch.set_num_threads(os.cpu_count())
pixels, targets = read("training")
held_out, truth = read("validation")
flat = 64 * 25 * 25
network = nn.Sequential(
    *conv(4, 32), *conv(32, 64), nn.MaxPool2d(2),
    *conv(64, 32), *conv(32, 64), nn.MaxPool2d(2),
    *conv(64, 32), *conv(32, 64), nn.Flatten(), dropout(0.25, flat),
    nn.Linear(flat, 128), nn.ReLU(), dropout(0.5, 128), nn.Linear(128, label_count),
)
if draws == "ours":
    weights = torch.from_numpy(numpy.fromfile(folder / "weights.bin", numpy.float32))
    orders = torch.from_numpy(numpy.fromfile(folder / "orders.bin", numpy.int32)).long()
    orders = orders.reshape(epochs, len(pixels))
for layer in network:
    if not isinstance(layer, (nn.Conv2d, nn.Linear)):
        continue
    if draws == "glorot":
        nn.init.xavier_uniform_(layer.weight)
        nn.init.zeros_(layer.bias)
    if draws == "ours":
        kernel, bias = layer.weight.data, layer.bias.data
        # Dense kernels lie [in, out] in the file.
        kernel = kernel.t() if isinstance(layer, nn.Linear) else kernel
        for parameter in (kernel, bias):
            parameter.copy_(weights[: parameter.numel()].reshape(parameter.shape))
            weights = weights[parameter.numel() :]
# The same numbers in little more than half the time.
network = network.to(memory_format=torch.channels_last)
print(f"PyTorch {torch.__version__}, draws {draws}, seed {seed}", flush=True)

optimiser = torch.optim.Adam(network.parameters(), lr=rate, eps=epsilon)
cross_entropy = nn.BCEWithLogitsLoss()
steps = 0
for epoch in range(1, epochs + 1):
    network.train()
    order = orders[epoch - 1] if draws == "ours" else torch.randperm(len(pixels))
    total = 0.0
    for at in range(0, len(order), batch_size):
        rows = order[at : at + batch_size]
        for group in optimiser.param_groups:
            group["lr"] = rate / (1 + rate / epochs * steps)
            if draws == "ours":
                # Keras adds its epsilon to the uncorrected root, PyTorch to the corrected one.
                group["eps"] = epsilon / (1 - 0.999 ** (steps + 1)) ** 0.5
        optimiser.zero_grad()
        loss = cross_entropy(network(prepare(pixels[rows])), targets[rows])
        loss.backward()
        optimiser.step()
        steps += 1
        total += loss.item() * len(rows)
    network.eval()
    with torch.no_grad():
        parts = [network(prepare(part)).sigmoid() for part in held_out.split(batch_size)]
    scores = score(torch.cat(parts), truth)
    print(
        f"epoch {epoch}: loss {total / len(order):.4f}, held out {scores['crossEntropy']:.4f}, "
        f"accuracy {scores['binaryAccuracy']:.4f}, "
        f"macro F1 of the present {scores['macroF1Present']:.4f}",
        flush=True,
    )
    print(json.dumps(scores), flush=True)
