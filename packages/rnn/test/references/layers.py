"""torch.nn.RNN, GRU and LSTM in float64: outputs, final states, gradients and Hessian-vector products, as fingerprints.

The loss is sum(cotangent * array) over the outputs and the parts of the final state. Weights are draws from ±scale/2, inputs and
cotangents from ±1 and ±1/2; a Hessian-vector product takes the vector from ±1/2, and is that of the loss with squared outputs, so that
it is not zero for relu. All draws are those of draws.py, under the names in this script.

    python layers.py        (needs numpy, torch 2.13)
"""

import itertools
import json
import pathlib

import torch
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from draws import draw
from fingerprint import fingerprint

torch.set_num_threads(1)
HERE = pathlib.Path(__file__).parent
INPUTS, HIDDEN, PROJECTED = 3, 4, 2
FAMILIES = {
    "rnn tanh": lambda **options: torch.nn.RNN(INPUTS, HIDDEN, nonlinearity="tanh", **options),
    "rnn relu": lambda **options: torch.nn.RNN(INPUTS, HIDDEN, nonlinearity="relu", **options),
    "gru": lambda **options: torch.nn.GRU(INPUTS, HIDDEN, **options),
    "lstm": lambda **options: torch.nn.LSTM(INPUTS, HIDDEN, **options),
    "lstm projected": lambda **options: torch.nn.LSTM(INPUTS, HIDDEN, proj_size=PROJECTED, **options),
}


def tensor(name, *shape, scale=1.0):
    return torch.tensor(draw(name, *shape, scale=scale))


def lengths_of(steps, batch):
    """From all steps down to one, in no order."""
    return [1 + (steps - 1) * ((2 * b + 1) % batch) // max(1, batch - 1) for b in range(batch)]


def state_names(family):
    return ["h_0", "c_0"] if family.startswith("lstm") else ["h_0"]


def run(case):
    family, steps, batch = case["family"], case["steps"], case["batch"]
    layer = FAMILIES[family](num_layers=case["layers"], bias=case["bias"], bidirectional=case["bidirectional"]).double()
    point = {name: tensor(name, *x.shape, scale=case["scale"]) for name, x in layer.named_parameters()}
    shapes = {name: list(x.shape) for name, x in point.items()}
    # Without a batch, there is no axis for it.
    many = [] if batch is None else [batch]
    point["xs"] = tensor("xs", steps, *many, INPUTS, scale=2.0)
    rows = case["layers"] * (2 if case["bidirectional"] else 1)
    if case["state"]:
        widths = {"h_0": PROJECTED if family == "lstm projected" else HIDDEN, "c_0": HIDDEN}
        for name in state_names(family):
            point[name] = tensor(name, rows, *many, widths[name])
    lengths = lengths_of(steps, batch) if case["lengths"] else None

    def arrays(point):
        weights = {name: point[name] for name in shapes}
        state = tuple(point[name] for name in state_names(family)) if case["state"] else None
        if state is not None and len(state) == 1:
            state = state[0]
        xs = point["xs"] if lengths is None else pack_padded_sequence(point["xs"], lengths, enforce_sorted=False)
        outputs, last = torch.func.functional_call(layer, weights, (xs, state))
        if lengths is not None:
            outputs, _ = pad_packed_sequence(outputs, total_length=steps)
        return {"outputs": outputs} | dict(zip(["h_n", "c_n"], last if isinstance(last, tuple) else (last,)))

    def loss(found, power=1):
        return sum((x**power * tensor("cotangent " + name, *x.shape)).sum() for name, x in found.items())

    leaves = {name: x.clone().requires_grad_() for name, x in point.items()}
    found = arrays(leaves)
    gradients = torch.autograd.grad(loss(found), list(leaves.values()))
    result = {name: fingerprint(x.detach()) for name, x in found.items()}
    result |= {"d " + name: fingerprint(g) for name, g in zip(leaves, gradients)}
    if case["hvp"]:
        first = torch.autograd.grad(loss(arrays(leaves), 2), list(leaves.values()), create_graph=True)
        along = sum((g * tensor("vector " + name, *g.shape)).sum() for name, g in zip(leaves, first))
        second = torch.autograd.grad(along, list(leaves.values()))
        result |= {"H v " + name: fingerprint(g) for name, g in zip(leaves, second)}
    return case | {"arrays": result}


def case(family, layers, bidirectional, bias, state, lengths, steps, batch=3, scale=1.0, hvp=False):
    return {
        "family": family, "layers": layers, "bidirectional": bidirectional, "bias": bias, "state": state, "lengths": lengths,
        "steps": steps, "batch": batch, "scale": scale, "hvp": hvp,
    }


cases = []
for family, layers, bidirectional in itertools.product(FAMILIES, (1, 2, 3), (False, True)):
    for k, (bias, state, lengths) in enumerate(itertools.product((True, False), (False, True), (False, True))):
        # One layer: all eight. More: the four of them that differ in two options each, and the other four by turns.
        odd = (bias + state + lengths) % 2 == 1
        if layers == 1 or odd == ((layers + bidirectional) % 2 == 1):
            cases.append(case(family, layers, bidirectional, bias, state, lengths, 50 if k % 4 != 3 else 20))
    cases.append(case(family, layers, bidirectional, layers != 2, True, False, 1))
for family in FAMILIES:
    cases.append(case(family, 1, False, True, False, False, 1000, batch=2))
    cases.append(case(family, 2, True, True, True, True, 1000, batch=2))
    cases.append(case(family, 1, False, True, True, False, 6, hvp=True))
    cases.append(case(family, 2, True, True, True, True, 6, hvp=True))
    cases.append(case(family, 1, False, True, True, False, 50, batch=1, scale=2.0))
for family in FAMILIES:
    cases.append(case(family, 1, False, True, False, False, 7, batch=None))
    cases.append(case(family, 2, True, False, True, False, 7, batch=None, hvp=True))
for family, (steps, layers, bidirectional) in itertools.product(FAMILIES, [(1, 1, True), (50, 3, True), (1000, 1, False)]):
    cases.append(case(family, layers, bidirectional, True, True, steps > 1, steps, batch=2, hvp=True))

notes = "Made by layers.py; see fingerprint.py for what is kept of an array: [shape, largest, weighted sum, its absolute terms, samples]"
lines = ",\n".join(json.dumps(run(c), separators=(",", ":"), allow_nan=False) for c in cases)
head = {"notes": notes, "torch": torch.__version__, "inputs": INPUTS, "hidden": HIDDEN, "projected": PROJECTED}
path = HERE / "layers.json"
path.write_text(json.dumps(head)[:-1] + ', "cases": [\n' + lines + "\n]}\n")
print(f"{path.name}: {len(cases)} cases, {path.stat().st_size} bytes")
