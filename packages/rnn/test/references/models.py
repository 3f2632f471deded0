"""What stands around recurrent layers, in torch operations in float64: attention, sequence to one, sequence to sequence with teacher forcing
and free running; outputs and gradients as fingerprints. Draws are those of draws.py, the loss is sum(cotangent * outputs), or as said.

    python models.py        (needs numpy, torch 2.13)
"""

import json
import pathlib

import torch
from torch.nn.functional import cross_entropy, embedding, linear, scaled_dot_product_attention
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from draws import draw
from fingerprint import fingerprint

HERE = pathlib.Path(__file__).parent
T, B, H, U = 7, 3, 4, 5
LENGTHS = [7, 2, 5]
TOKENS = 6


def leaves(shapes):
    return {name: torch.tensor(draw(name, *shape, scale=2.0), requires_grad=True) for name, shape in shapes.items()}


def tokens(name, *shape):
    return torch.tensor(((draw(name, *shape) + 0.5) * TOKENS).astype("int64"))


def case(name, shapes, f):
    """f gives named arrays and, if it is not the sum with cotangents, a loss."""
    point = leaves(shapes)
    arrays = f(point)
    loss = arrays.pop("loss", None)
    if loss is None:
        loss = sum((x * torch.tensor(draw("cotangent " + key, *x.shape))).sum() for key, x in arrays.items())
    gradients = torch.autograd.grad(loss, list(point.values()))
    found = {key: fingerprint(x.detach()) for key, x in arrays.items()} | {"d " + key: fingerprint(g) for key, g in zip(point, gradients)}
    return {"name": name, "shapes": shapes, "loss": loss.item(), "arrays": found}


def beyond(lengths):
    """[B, T]: where a sequence is over."""
    return torch.arange(T)[None, :] >= torch.tensor(lengths)[:, None]


def dot(p, lengths):
    # [U, B, H] and [T, B, H] as torch's function takes them, batch first.
    q, k = p["query"].transpose(0, 1), p["outputs"].transpose(0, 1)
    mask = None if lengths is None else ~beyond(lengths)[:, None, :].expand(B, U, T)
    context = scaled_dot_product_attention(q, k, k, attn_mask=mask, scale=0.7)
    return {"context": context.transpose(0, 1)}


def additive(p, lengths):
    sums = linear(p["query"], p["weight_query"])[:, None] + linear(p["outputs"], p["weight_output"]).transpose(0, 1)
    scores = linear(torch.tanh(sums), p["weight_score"])[..., 0]
    weights = torch.softmax(scores.masked_fill(beyond(lengths), -torch.inf), dim=1)
    return {"context": torch.einsum("bt,tbh->bh", weights, p["outputs"]), "weights": weights}


def recurrent(layer, p, prefix, xs, state=None, lengths=None):
    weights = {name.removeprefix(prefix): x for name, x in p.items() if name.startswith(prefix)}
    if lengths is None:
        return torch.func.functional_call(layer, weights, (xs, state))
    outputs, last = torch.func.functional_call(layer, weights, (pack_padded_sequence(xs, lengths, enforce_sorted=False), state))
    return pad_packed_sequence(outputs, total_length=xs.shape[0])[0], last


def shapes_of(layer, prefix):
    return {prefix + name: list(x.shape) for name, x in layer.named_parameters()}


def classified():
    layer = torch.nn.LSTM(2, H, num_layers=2, bidirectional=True).double()
    shapes = shapes_of(layer, "recurrent.") | {"readout.weight": [3, 2 * H], "readout.bias": [3], "xs": [T, B, 2]}

    def f(p):
        _, (h, _) = recurrent(layer, p, "recurrent.", p["xs"], lengths=LENGTHS)
        logits = linear(torch.cat([h[-2], h[-1]], dim=1), p["readout.weight"], p["readout.bias"])
        return {"logits": logits, "loss": cross_entropy(logits, torch.tensor([2, 0, 1]))}

    return case("sequence to one", shapes, f)


def translated(attention):
    encoder, decoder = torch.nn.GRU(3, H).double(), torch.nn.GRU(3, H).double()
    width = 2 * H if attention else H
    shapes = (
        shapes_of(encoder, "encoder.") | shapes_of(decoder, "decoder.")
        | {"readout.weight": [TOKENS, width], "readout.bias": [TOKENS], "sourceTable.weight": [TOKENS, 3], "targetTable.weight": [TOKENS, 3]}
    )
    sources, targets = tokens("sources", T, B), tokens("targets", U, B)

    def decoded(p, encoded, state, inputs):
        outputs, state = recurrent(decoder, p, "decoder.", embedding(inputs, p["targetTable.weight"]), state)
        if attention:
            scores = torch.einsum("ubh,tbh->ubt", outputs, encoded).masked_fill(beyond(LENGTHS), -torch.inf)
            outputs = torch.cat([outputs, torch.einsum("ubt,tbh->ubh", torch.softmax(scores, dim=2), encoded)], dim=2)
        return linear(outputs, p["readout.weight"], p["readout.bias"]), state

    def f(p):
        encoded, state = recurrent(encoder, p, "encoder.", embedding(sources, p["sourceTable.weight"]), lengths=LENGTHS)
        previous = torch.cat([torch.full((1, B), 1), targets[:-1]])
        logits, _ = decoded(p, encoded, state, previous)
        free, step = [], torch.full((1, B), 1)
        for _ in range(U):
            prediction, state = decoded(p, encoded, state, step)
            free.append(prediction[0])
            step = prediction.argmax(dim=2)
        loss = cross_entropy(logits.reshape(-1, TOKENS), targets.reshape(-1))
        return {"logits": logits, "free": torch.stack(free), "loss": loss}

    return case("sequence to sequence of tokens" + (", attention" if attention else ""), shapes, f)


def forecast():
    encoder, decoder = torch.nn.LSTM(2, H).double(), torch.nn.LSTM(2, H).double()
    shapes = (
        shapes_of(encoder, "encoder.") | shapes_of(decoder, "decoder.")
        | {"readout.weight": [2, H], "readout.bias": [2], "xs": [T, B, 2], "targets": [U, B, 2]}
    )

    def f(p):
        _, state = recurrent(encoder, p, "encoder.", p["xs"])
        previous = torch.cat([torch.zeros(1, B, 2, dtype=torch.float64), p["targets"][:-1]])
        forced = linear(recurrent(decoder, p, "decoder.", previous, state)[0], p["readout.weight"], p["readout.bias"])
        free, step = [], torch.zeros(1, B, 2, dtype=torch.float64)
        for _ in range(U):
            outputs, state = recurrent(decoder, p, "decoder.", step, state)
            step = linear(outputs, p["readout.weight"], p["readout.bias"])
            free.append(step[0])
        return {"forced": forced, "free": torch.stack(free)}

    return case("sequence to sequence of vectors", shapes, f)


outputs = {"outputs": [T, B, H]}
cases = [
    case("dot attention", {"query": [U, B, H]} | outputs, lambda p: dot(p, None)),
    case("dot attention, lengths", {"query": [U, B, H]} | outputs, lambda p: dot(p, LENGTHS)),
    case(
        "additive attention, lengths",
        {"query": [B, 2], "weight_query": [5, 2], "weight_output": [5, H], "weight_score": [1, 5]} | outputs,
        lambda p: additive(p, LENGTHS),
    ),
    classified(), translated(False), translated(True), forecast(),
]
head = {"notes": "Made by models.py; see fingerprint.py for what is kept of an array", "torch": torch.__version__}
path = HERE / "models.json"
path.write_text(json.dumps(head)[:-1] + ', "cases": [\n' + ",\n".join(json.dumps(c, separators=(",", ":"), allow_nan=False) for c in cases) + "\n]}\n")
print(f"{path.name}: {len(cases)} cases, {path.stat().st_size} bytes")
