"""The yardstick of bench/training-step.ts: the same step in PyTorch.

    python3 bench/training_step_torch.py THREADS BATCH

Says "ready VERSION THREADS", then runs one training step for each line it reads and
answers with its milliseconds, and at the end of input with its peak memory in MiB.
"""
import resource
import sys
import time

import torch
from torch import nn

threads, batch = int(sys.argv[1]), int(sys.argv[2])
torch.set_num_threads(threads)
torch.manual_seed(1)


def pair(channels):
    return [nn.Conv2d(channels, 32, 3), nn.ReLU(), nn.Conv2d(32, 64, 3), nn.ReLU()]


network = nn.Sequential(
    *pair(4), nn.MaxPool2d(2), *pair(64), nn.MaxPool2d(2), *pair(64),
    nn.Flatten(), nn.Dropout(0.25), nn.Linear(40000, 128), nn.ReLU(), nn.Dropout(0.5),
    nn.Linear(128, 28),
)
assert sum(p.numel() for p in network.parameters()) == 5_217_340
optimiser = torch.optim.Adam(network.parameters(), 1e-3, eps=1e-7)
pixels = torch.randint(0, 256, (batch, 4, 128, 128), dtype=torch.uint8)
targets = (torch.rand(batch, 28) < 0.06).float()
print("ready", torch.__version__, torch.get_num_threads(), flush=True)

for _ in sys.stdin:
    start = time.perf_counter()
    optimiser.zero_grad()
    loss = nn.functional.binary_cross_entropy_with_logits(network(pixels.float() / 255), targets)
    loss.backward()
    optimiser.step()
    loss.item()
    print((time.perf_counter() - start) * 1000, flush=True)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, flush=True)
