"""Cells that PyTorch does not have, their published equations written out in torch operations, in float64: outputs, final states, gradients,
as fingerprints. Each runs over sequences of its own lengths, from a state given. Draws and loss are as in layers.py.

    python cells.py        (needs numpy, torch 2.13)
"""

import json
import pathlib

import torch
from torch.nn.functional import layer_norm

from draws import draw
from fingerprint import fingerprint

HERE = pathlib.Path(__file__).parent
T, B, I, H = 20, 3, 3, 4
LENGTHS = [20, 1, 13]


def peephole_lstm(p, state, x):
    h, c = state
    w, u, b = p["weight_ih"].split(H), p["weight_hh"].split(H), p["bias"].split(H)
    i = torch.sigmoid(x @ w[0].T + h @ u[0].T + p["peephole_i"] * c + b[0])
    f = torch.sigmoid(x @ w[1].T + h @ u[1].T + p["peephole_f"] * c + b[1])
    c = f * c + i * torch.tanh(x @ w[2].T + h @ u[2].T + b[2])
    o = torch.sigmoid(x @ w[3].T + h @ u[3].T + p["peephole_o"] * c + b[3])
    return (o * torch.tanh(c), c)


def coupled_lstm(p, state, x):
    h, c = state
    w, u, b = p["weight_ih"].split(H), p["weight_hh"].split(H), p["bias"].split(H)
    f, g, o = (x @ w[k].T + h @ u[k].T + b[k] for k in range(3))
    f = torch.sigmoid(f)
    c = f * c + (1 - f) * torch.tanh(g)
    return (torch.sigmoid(o) * torch.tanh(c), c)


def reset_first_gru(p, state, x):
    (h,) = state
    w, u, b = p["weight_ih"].split(H), p["weight_hh"].split(H), p["bias"].split(H)
    r = torch.sigmoid(x @ w[0].T + h @ u[0].T + b[0])
    z = torch.sigmoid(x @ w[1].T + h @ u[1].T + b[1])
    n = torch.tanh(x @ w[2].T + (r * h) @ p["weight_hn"].T + b[2])
    return ((1 - z) * n + z * h,)


def layer_norm_lstm(p, state, x):
    h, c = state
    sums = layer_norm(x @ p["weight_ih"].T, [4 * H], p["scale_ih"]) + layer_norm(h @ p["weight_hh"].T, [4 * H], p["scale_hh"]) + p["bias"]
    i, f, g, o = sums.split(H, dim=1)
    c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
    return (torch.sigmoid(o) * torch.tanh(layer_norm(c, [H], p["scale_c"], p["shift_c"])), c)


def minimal_gated_unit(p, state, x):
    (h,) = state
    w, b = p["weight_ih"].split(H), p["bias"].split(H)
    f = torch.sigmoid(x @ w[0].T + h @ p["weight_hf"].T + b[0])
    n = torch.tanh(x @ w[1].T + (f * h) @ p["weight_hn"].T + b[1])
    return ((1 - f) * h + f * n,)


CELLS = {
    "peepholeLstm": (
        peephole_lstm, 2,
        {"weight_ih": [4 * H, I], "weight_hh": [4 * H, H], "bias": [4 * H], "peephole_i": [H], "peephole_f": [H], "peephole_o": [H]},
    ),
    "coupledLstm": (coupled_lstm, 2, {"weight_ih": [3 * H, I], "weight_hh": [3 * H, H], "bias": [3 * H]}),
    "resetFirstGru": (reset_first_gru, 1, {"weight_ih": [3 * H, I], "weight_hh": [2 * H, H], "weight_hn": [H, H], "bias": [3 * H]}),
    "layerNormLstm": (
        layer_norm_lstm, 2,
        {"weight_ih": [4 * H, I], "weight_hh": [4 * H, H], "bias": [4 * H], "scale_ih": [4 * H], "scale_hh": [4 * H], "scale_c": [H], "shift_c": [H]},
    ),
    "minimalGatedUnit": (minimal_gated_unit, 1, {"weight_ih": [2 * H, I], "weight_hf": [H, H], "weight_hn": [H, H], "bias": [2 * H]}),
}


def tensor(name, *shape, scale=1.0):
    return torch.tensor(draw(name, *shape, scale=scale), requires_grad=True)


def run(name, lengths):
    cell, parts, shapes = CELLS[name]
    params = {key: tensor(key, *shape, scale=2.0) for key, shape in shapes.items()}
    leaves = params | {"xs": tensor("xs", T, B, I, scale=2.0)} | {f"state {k}": tensor(f"state {k}", B, H) for k in range(parts)}
    rows, finals = [], []
    # Each sequence alone, as long as it is: nothing here masks.
    for b in range(B):
        state = tuple(leaves[f"state {k}"][b : b + 1] for k in range(parts))
        outputs = []
        for t in range(lengths[b]):
            state = cell(params, state, leaves["xs"][t, b : b + 1])
            outputs.append(state[0])
        rows.append(torch.cat(outputs + [torch.zeros(T - lengths[b], H, dtype=torch.float64)]))
        finals.append(state)
    found = {"outputs": torch.stack(rows, dim=1)} | {f"final {k}": torch.cat([state[k] for state in finals]) for k in range(parts)}
    loss = sum((x * torch.tensor(draw("cotangent " + key, *x.shape))).sum() for key, x in found.items())
    gradients = torch.autograd.grad(loss, list(leaves.values()))
    arrays = {key: fingerprint(x.detach()) for key, x in found.items()} | {"d " + key: fingerprint(g) for key, g in zip(leaves, gradients)}
    return {"cell": name, "lengths": lengths, "states": parts, "shapes": shapes, "arrays": arrays}


cases = [run(name, lengths) for name in CELLS for lengths in ([T] * B, LENGTHS)]
head = {"notes": "Made by cells.py; see fingerprint.py for what is kept of an array", "torch": torch.__version__, "steps": T, "batch": B, "inputs": I, "hidden": H}
lines = ",\n".join(json.dumps(c, separators=(",", ":"), allow_nan=False) for c in cases)
path = HERE / "cells.json"
path.write_text(json.dumps(head)[:-1] + ', "cases": [\n' + lines + "\n]}\n")
print(f"{path.name}: {len(cases)} cases, {path.stat().st_size} bytes")
