"""Ten steps of torch.optim.SGD and torch.optim.Adam in float64, from given gradients.

The gradients are given, not computed, so that an update rule is checked alone; weight decay still reads the parameters. Adam's weight
decay is the one of torch.optim.Adam (added to the gradient), not the decoupled one of AdamW.

    python optimizers.py        (needs numpy, torch)
"""

import platform

import numpy as np
import torch

from encoding import array, write

rng = np.random.default_rng(13)
STEPS = 10
START = {"w": np.round(rng.uniform(-1, 1, (2, 2)), 3), "b": np.round(rng.uniform(-1, 1, 3), 3)}
GRADIENTS = [{name: np.round(rng.normal(0, 1, x.shape), 3) for name, x in START.items()} for _ in range(STEPS)]
GRADIENTS[4] = {name: np.zeros_like(x) for name, x in START.items()}

# options of the library: the same in PyTorch's words
SGD = [
    {"learningRate": 0.1},
    {"learningRate": 0.1, "momentum": 0.9},
    {"learningRate": 0.05, "momentum": 0.8, "nesterov": True},
    {"learningRate": 0.1, "weightDecay": 0.05},
    {"learningRate": 0.1, "momentum": 0.9, "weightDecay": 0.05},
    {"learningRate": 0.1, "momentum": 0.9, "nesterov": True, "weightDecay": 0.05},
]
ADAM = [
    {},
    {"learningRate": 0.1},
    {"learningRate": 0.1, "beta1": 0.8, "beta2": 0.95},
    {"learningRate": 0.1, "epsilon": 0.01},
    {"learningRate": 0.1, "weightDecay": 0.05},
]


def torch_sgd(params, o):
    return torch.optim.SGD(params, lr=o["learningRate"], momentum=o.get("momentum", 0), nesterov=o.get("nesterov", False), weight_decay=o.get("weightDecay", 0))


def torch_adam(params, o):
    betas = (o.get("beta1", 0.9), o.get("beta2", 0.999))
    return torch.optim.Adam(params, lr=o.get("learningRate", 1e-3), betas=betas, eps=o.get("epsilon", 1e-8), weight_decay=o.get("weightDecay", 0))


def trajectory(rule, options, make):
    params = {name: torch.tensor(x, requires_grad=True) for name, x in START.items()}
    rows = []
    optimizer = make(list(params.values()), options)
    for gradients in GRADIENTS:
        for name, p in params.items():
            p.grad = torch.tensor(gradients[name])
        optimizer.step()
        rows.append({name: array(p.detach().numpy().copy()) for name, p in params.items()})
    return {"rule": rule, "options": options, "trajectory": rows}


given = {
    "rule": "given", "start": {name: array(x) for name, x in START.items()},
    "gradients": [{name: array(x) for name, x in g.items()} for g in GRADIENTS],
}
write(
    __file__,
    {"python": platform.python_version(), "numpy": np.__version__, "torch": torch.__version__},
    "The first case holds the starting point and the gradients of the ten steps; every other case the parameters after each step.",
    [given] + [trajectory("sgd", o, torch_sgd) for o in SGD] + [trajectory("adam", o, torch_adam) for o in ADAM],
)
