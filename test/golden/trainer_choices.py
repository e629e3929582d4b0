"""Writes trainer-choices.json: losses, optimisers, clipping, moving averages, schedules.

Made with PyTorch 1.13.0 (Debian 12, python3-torch) and NumPy 1.24, in float64:

    python3 test/golden/trainer_choices.py

The network, its inputs and masks are the small one of training_step.py. The optimisers
are torch.optim's own; they add their epsilon to the root of the corrected second moment,
so that ours, which is Keras's, is handed to them divided by that correction at each step.
"""
import json
import pathlib
import warnings

import numpy as np
import torch
import torch.nn.functional as F

import training_step as base

RATE, EPSILON = 1e-3, 1e-7


def losses():
    frames, labels = 6, 4
    logits = base.signed([frames, labels], 11, 6.0)
    targets = torch.from_numpy((base.noise(frames * labels, 12) % 3 == 0).astype(np.float64).reshape(frames, labels))
    weights = torch.tensor([0.5, 1.0, 3.0, 10.0], dtype=torch.float64)

    def focal(z, gamma):
        p = torch.sigmoid(z)
        p_t = torch.where(targets == 1, p, 1 - p)
        return (-((1 - p_t) ** gamma) * torch.log(p_t)).mean()

    cases = {
        "bce": lambda z: F.binary_cross_entropy_with_logits(z, targets),
        "weighted": lambda z: F.binary_cross_entropy_with_logits(z, targets, pos_weight=weights),
        "focal": lambda z: focal(z, 2.0),
        "focal0.5": lambda z: focal(z, 0.5),
    }
    result = {
        "frames": frames,
        "labels": labels,
        "logits": logits.flatten().tolist(),
        "targets": targets.flatten().tolist(),
        "positiveWeights": weights.tolist(),
    }
    for name, loss_of in cases.items():
        z = logits.clone().requires_grad_()
        loss = loss_of(z)
        (gradient,) = torch.autograd.grad(loss, [z])
        result[name] = {"loss": loss.item(), "gradient": gradient.flatten().tolist()}
    return result


def ten_steps(kind, clip_norm, weight_decay, ema_decay):
    network, frames, labels = base.SMALL, 3, 3
    parameters = {n: p.requires_grad_() for n, p in base.build(network).items()}
    kernels = [p for p in parameters.values() if p.dim() > 1]
    others = [p for p in parameters.values() if p.dim() <= 1]
    if kind == "adamw":
        groups = [{"params": kernels, "weight_decay": weight_decay}, {"params": others, "weight_decay": 0.0}]
        optimiser = torch.optim.AdamW(groups, lr=RATE)
    else:
        optimiser = torch.optim.Adam(list(parameters.values()), lr=RATE)
    average = {n: p.detach().clone() for n, p in parameters.items()}
    norms = []
    for step in range(1, 11):
        shape = [frames, *network["inputShape"]]
        pixels = torch.from_numpy((base.noise(int(np.prod(shape)), 100 + step) >> np.uint64(24)).astype(np.float64).reshape(shape))
        targets = torch.from_numpy((base.noise(frames * labels, 200 + step) % 4 == 0).astype(np.float64).reshape(frames, labels))
        loss = F.binary_cross_entropy_with_logits(base.forward(network, parameters, pixels, step), targets)
        optimiser.zero_grad()
        loss.backward()
        norms.append(float(torch.nn.utils.clip_grad_norm_(list(parameters.values()), clip_norm)))
        for group in optimiser.param_groups:
            group["lr"] = RATE / (1 + 0.05 * (step - 1))
            group["eps"] = EPSILON / np.sqrt(1 - 0.999**step)
        optimiser.step()
        decay = min(ema_decay, (1 + step) / (10 + step))
        for name, mean in average.items():
            mean.lerp_(parameters[name].detach(), 1 - decay)
    return {
        "clipNorm": clip_norm,
        "weightDecay": weight_decay,
        "emaDecay": ema_decay,
        "norms": norms,
        "parameters": base.whole(parameters),
        "averages": base.whole(average),
    }


def cosine(total, warm_up):
    weight = torch.zeros(1, requires_grad=True)
    optimiser = torch.optim.SGD([weight], lr=RATE)
    schedulers = torch.optim.lr_scheduler
    rise = schedulers.LinearLR(optimiser, start_factor=1 / warm_up, total_iters=warm_up - 1)
    fall = schedulers.CosineAnnealingLR(optimiser, T_max=total - warm_up)
    both = schedulers.SequentialLR(optimiser, [rise, fall], milestones=[warm_up])
    rates = []
    for _ in range(total):
        rates.append(optimiser.param_groups[0]["lr"])
        optimiser.step()
        both.step()
    return {"learningRate": RATE, "totalSteps": total, "warmUpSteps": warm_up, "rates": rates}


def main():
    torch.set_num_threads(2)
    warnings.simplefilter("ignore")  # of SequentialLR's own use of step()
    golden = {
        "origin": f"test/golden/trainer_choices.py, PyTorch {torch.__version__}, NumPy {np.__version__}, float64",
        "losses": losses(),
        "adam": ten_steps("adam", 0.7, 0.0, 0.9),
        "adamw": ten_steps("adamw", 0.7, 0.5, 0.6),
        "cosine": cosine(40, 5),
    }
    path = pathlib.Path(__file__).with_name("trainer-choices.json")
    path.write_text(json.dumps(golden, separators=(",", ":")) + "\n")


main()
