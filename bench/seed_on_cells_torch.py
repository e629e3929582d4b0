"""The yardstick of bench/seed-on-cells.ts: the seed's network in PyTorch, on the same split.

Reads what the bench wrote into FOLDER (uint8 pixels and targets of both parts) and
prints the same scores after each epoch. Weights begin as Keras's do (Glorot, zero
biases) and as PyTorch's own, by the last argument: `glorot` or `torch`.

    python3 bench/seed_on_cells_torch.py FOLDER [EPOCHS] [SEED] [glorot|torch]

Written for PyTorch 1.13.
"""

import sys
from pathlib import Path

import numpy
import torch
from torch import nn

folder = Path(sys.argv[1])
epochs = int(sys.argv[2]) if len(sys.argv) > 2 else 3
seed = int(sys.argv[3]) if len(sys.argv) > 3 else 1
start = sys.argv[4] if len(sys.argv) > 4 else "glorot"
batch_size, rate, label_count = 32, 1e-3, 28


def read(part):
    pixels = numpy.fromfile(folder / f"{part}-pixels.bin", numpy.uint8)
    targets = numpy.fromfile(folder / f"{part}-targets.bin", numpy.uint8)
    return (
        torch.from_numpy(pixels.reshape(-1, 4, 128, 128)),
        torch.from_numpy(targets.reshape(-1, label_count)).float(),
    )


def conv(channels, filters):
    return nn.Conv2d(channels, filters, 3), nn.ReLU()


def score(probabilities, targets):
    clipped = probabilities.clamp(1e-7, 1 - 1e-7)
    loss = -(targets * clipped.log() + (1 - targets) * (1 - clipped).log()).mean()
    guess = (probabilities >= 0.5).float()
    hits = 2 * (guess * targets).sum(0)
    f1 = hits / (guess.sum(0) + targets.sum(0)).clamp(min=1)
    present = targets.sum(0) > 0
    return loss.item(), (guess == targets).float().mean().item(), f1[present].mean().item()


torch.manual_seed(seed)
pixels, targets = read("training")
held_out, truth = read("validation")
network = nn.Sequential(
    *conv(4, 32), *conv(32, 64), nn.MaxPool2d(2),
    *conv(64, 32), *conv(32, 64), nn.MaxPool2d(2),
    *conv(64, 32), *conv(32, 64), nn.Flatten(), nn.Dropout(0.25),
    nn.Linear(64 * 25 * 25, 128), nn.ReLU(), nn.Dropout(0.5), nn.Linear(128, label_count),
)
if start == "glorot":
    for layer in network:
        if isinstance(layer, (nn.Conv2d, nn.Linear)):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)
print(f"PyTorch {torch.__version__}, {start}, seed {seed}", flush=True)

optimiser = torch.optim.Adam(network.parameters(), lr=rate, eps=1e-7)
cross_entropy = nn.BCEWithLogitsLoss()
steps = 0
for epoch in range(1, epochs + 1):
    network.train()
    order = torch.randperm(len(pixels))
    for at in range(0, len(order), batch_size):
        rows = order[at : at + batch_size]
        for group in optimiser.param_groups:
            group["lr"] = rate / (1 + rate / epochs * steps)
        optimiser.zero_grad()
        cross_entropy(network(pixels[rows].float() / 255), targets[rows]).backward()
        optimiser.step()
        steps += 1
    network.eval()
    with torch.no_grad():
        parts = [network(part.float() / 255).sigmoid() for part in held_out.split(batch_size)]
    loss, accuracy, f1 = score(torch.cat(parts), truth)
    print(
        f"epoch {epoch}: held out {loss:.4f}, accuracy {accuracy:.4f}, "
        f"macro F1 of the present {f1:.4f}",
        flush=True,
    )
