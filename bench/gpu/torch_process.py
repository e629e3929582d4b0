"""The yardstick of bench/gpu.sh: `seed-cnn` in PyTorch on the same device.

    python3 bench/gpu/torch_process.py DEVICE SECONDS BATCH,BATCH,... TRAINING_BATCH

Frames travel as bytes from the host and probabilities come back, as in the engine. Prints a
line of JSON for each measurement, and one with `missing` for a way that does not work here.
"""

import json
import sys
import time

import torch
from torch import nn

device, seconds, sizes = sys.argv[1], float(sys.argv[2]), sys.argv[3].split(",")
training_batch = int(sys.argv[4])
torch.manual_seed(1)
torch.backends.cuda.matmul.allow_tf32 = False
torch.backends.cudnn.allow_tf32 = False


def pair(channels):
    return [nn.Conv2d(channels, 32, 3), nn.ReLU(), nn.Conv2d(32, 64, 3), nn.ReLU()]


def build():
    network = nn.Sequential(
        *pair(4), nn.MaxPool2d(2), *pair(64), nn.MaxPool2d(2), *pair(64),
        nn.Flatten(), nn.Dropout(0.25), nn.Linear(40000, 128), nn.ReLU(), nn.Dropout(0.5),
        nn.Linear(128, 28),
    )
    assert sum(p.numel() for p in network.parameters()) == 5_217_340
    return network.to(device)


def wait():
    if device == "cuda":
        torch.cuda.synchronize()


def measure(run):
    """Median and p99 in milliseconds, and runs a second."""
    until = time.perf_counter() + seconds / 4
    while time.perf_counter() < until:
        run()
    times = []
    start = time.perf_counter()
    while time.perf_counter() < start + seconds:
        at = time.perf_counter()
        run()
        times.append((time.perf_counter() - at) * 1000)
    total = time.perf_counter() - start
    times.sort()
    return {
        "p50Ms": times[len(times) // 2],
        "p99Ms": times[min(len(times) - 1, int(len(times) * 0.99))],
        "runsPerSecond": len(times) / total,
    }


def tell(**fields):
    print(json.dumps(fields), flush=True)


has_compile = hasattr(torch, "compile")
on_gpu = device == "cuda"
gpu = torch.cuda.get_device_name() if on_gpu else "cpu"
tell(kind="about", torch=torch.__version__, gpu=gpu)


def compiled(target, mode):
    return target if mode is None else torch.compile(target, mode=mode)


def measure_engine(way, dtype, mode):
    network = build().eval().to(dtype)
    if on_gpu and dtype == torch.float16:
        network = network.to(memory_format=torch.channels_last)
    forward = compiled(network, mode)
    for size in map(int, sizes):
        frames = torch.randint(0, 256, (size, 4, 128, 128), dtype=torch.uint8)
        if on_gpu:
            frames = frames.pin_memory()

        def run():
            with torch.no_grad():
                pixels = frames.to(device, non_blocking=True).to(dtype) / 255
                torch.sigmoid(forward(pixels)).float().cpu()

        tell(kind="engine", way=way, batchSize=size, **measure(run))


# Where torch.amp has it, that of torch.cuda.amp is on its way out.
GradScaler = getattr(torch.amp, "GradScaler", None) or torch.cuda.amp.GradScaler


def measure_training(way, dtype, mode):
    network = build().train()
    optimiser = torch.optim.Adam(network.parameters(), 1e-3, eps=1e-7)
    scaler = GradScaler(enabled=dtype == torch.float16)
    forward = compiled(network, mode)
    frames = torch.randint(0, 256, (training_batch, 4, 128, 128), dtype=torch.uint8)
    targets = (torch.rand(training_batch, 28) < 0.06).float()

    def step():
        optimiser.zero_grad()
        pixels = frames.to(device).float() / 255
        with torch.autocast("cuda", dtype=torch.float16, enabled=dtype == torch.float16):
            logits = forward(pixels)
        loss = nn.functional.binary_cross_entropy_with_logits(logits.float(), targets.to(device))
        scaler.scale(loss).backward()
        scaler.step(optimiser)
        scaler.update()
        loss.item()
        wait()

    tell(kind="training", way=way, batchSize=training_batch, **measure(step))


ways = [("float32", torch.float32, None)]
if on_gpu:
    ways.append(("float16", torch.float16, None))
# reduce-overhead captures CUDA graphs, on the CPU it is plain compilation.
if has_compile:
    ways.append(("float32, compiled", torch.float32, "default"))
    if on_gpu:
        ways.append(("float16, compiled", torch.float16, "default"))
        ways.append(("float16, compiled, CUDA graphs", torch.float16, "reduce-overhead"))
for kind, measure_kind in (("engine", measure_engine), ("training", measure_training)):
    for way, dtype, mode in ways:
        try:
            measure_kind(way, dtype, mode)
        except Exception as error:  # such as a compiler that is not installed
            said = str(error).strip().splitlines() or [type(error).__name__]
            tell(kind=kind, way=f"{kind}, {way}", missing=said[-1][:300])
if not has_compile:
    tell(kind="engine", way="compiled", missing=f"PyTorch {torch.__version__} has no torch.compile")
