"""A small multilayer perceptron and an LSTM over three steps, with every gradient, from PyTorch in float64.

The LSTM is torch.nn.LSTM: weights [4H, I] and [4H, H], gates in the order i, f, g, o, time first. Its loss is
sum(cotangent of outputs * outputs) + sum(cotangent of h * h) + sum(cotangent of c * c), with h and c of the last step.

    python networks.py        (needs numpy, torch)
"""

import platform

import numpy as np
import torch

from encoding import array, number, write

rng = np.random.default_rng(11)


def draw(*shape, scale=1.0):
    return np.round(rng.uniform(-scale, scale, shape), 3)


def tensors(arrays):
    return {name: torch.tensor(x, requires_grad=True) for name, x in arrays.items()}


def arrays_of(named):
    return {name: array(x) for name, x in named.items()}


def gradients_of(loss, named):
    return {name: array(g) for name, g in zip(named, torch.autograd.grad(loss, list(named.values())))}


def perceptron():
    inputs = {"x": draw(5, 3), "target": draw(5, 2)}
    named = {"w1": draw(3, 4), "b1": draw(4), "w2": draw(4, 2), "b2": draw(2)}
    x, target = (torch.tensor(inputs[k]) for k in ("x", "target"))
    p = tensors(named)
    prediction = torch.tanh(x @ p["w1"] + p["b1"]) @ p["w2"] + p["b2"]
    loss = torch.nn.functional.mse_loss(prediction, target)
    return {
        "network": "perceptron", "formula": "mseLoss(tanh(x w1 + b1) w2 + b2, target)", "inputs": arrays_of(inputs),
        "parameters": arrays_of(named), "outputs": {"prediction": array(prediction.detach())}, "loss": number(loss.item()),
        "gradients": gradients_of(loss, p),
    }


def lstm(steps, batch, features, hidden):
    named = {
        "weightIh": draw(4 * hidden, features), "weightHh": draw(4 * hidden, hidden), "biasIh": draw(4 * hidden), "biasHh": draw(4 * hidden),
        "x": draw(steps, batch, features), "h0": draw(batch, hidden), "c0": draw(batch, hidden),
    }
    p = tensors(named)
    weights = {"weight_ih_l0": p["weightIh"], "weight_hh_l0": p["weightHh"], "bias_ih_l0": p["biasIh"], "bias_hh_l0": p["biasHh"]}
    layer = torch.nn.LSTM(features, hidden).double()
    start = (p["h0"].unsqueeze(0), p["c0"].unsqueeze(0))
    outputs, (h, c) = torch.func.functional_call(layer, weights, (p["x"], start))
    found = {"outputs": outputs, "h": h[0], "c": c[0]}
    cotangents = {name: draw(*y.shape) for name, y in found.items()}
    loss = sum((torch.tensor(cotangents[name]) * y).sum() for name, y in found.items())
    return {
        "network": f"lstm, {steps} step{'s' if steps > 1 else ''}", "formula": __doc__.split("\n\n")[1].replace("\n", " "),
        "parameters": arrays_of(named), "outputs": {name: array(y.detach()) for name, y in found.items()},
        "cotangents": arrays_of(cotangents), "loss": number(loss.item()), "gradients": gradients_of(loss, p),
    }


write(
    __file__,
    {"python": platform.python_version(), "numpy": np.__version__, "torch": torch.__version__},
    "float64 throughout; gradients of the loss with respect to every parameter.",
    [perceptron(), lstm(1, 2, 3, 4), lstm(3, 2, 3, 4)],
)
