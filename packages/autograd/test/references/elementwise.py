"""Values and first partial derivatives of the elementwise functions.

At ordinary points both are computed by mpmath with 50 digits from the exact binary operands and rounded once. `scales` is the sum of
the absolute terms of the usual formula of the partial derivative (1 + tanh^2 for 1 - tanh^2): an error is measured against it, because
a formula cannot be better than the terms that it adds.

At special points (zeros, infinities, NaN, ties) values come from NumPy and the derivatives from PyTorch; both are compared with each
other here, and wherever the library's documented convention is another one the case carries it under `differs`, with both results.
A derivative of null is one that no convention fixes.

    python elementwise.py        (needs mpmath, numpy, torch)
"""

import math
import platform

import mpmath
import numpy as np
import torch
from mpmath import mp

from encoding import number, write

mp.dps = 50
INF, NAN = math.inf, math.nan
one, half = mp.mpf(1), mp.mpf(1) / 2


def sigmoid(x):
    return one / (one + mp.exp(-x))


def spread(low, high, count, seed):
    """Seeded points of an interval, to three decimals, with its ends."""
    inner = np.random.default_rng(seed).uniform(low, high, count - 2)
    return [low, *(round(float(x), 3) for x in inner), high]


def pairs(xs, ys):
    return [list(p) for p in zip(xs, ys)]


def singles(xs):
    return [[x] for x in xs]


same = None  # the absolute terms of a partial that is a product are the partial itself
real = spread(-3, 3, 10, 1)
positive = spread(0.1, 4, 10, 2)

# name: (points, value, partials, absolute terms of the partials)
ORDINARY = {
    "neg": (singles(real), lambda x: -x, [lambda x: -one], same),
    "exp": (singles(real + [-40.5, 40.5, 1e-9, 700]), mp.exp, [mp.exp], same),
    "expm1": (singles(real + [1e-12, -1e-12, -40.5]), mp.expm1, [mp.exp], [lambda x: 1 + abs(mp.expm1(x))]),
    "log": (singles(positive + [1e-300, 1 + 2**-40, 1e300]), mp.log, [lambda x: 1 / x], same),
    "log1p": (singles(spread(-0.9, 3, 10, 3) + [1e-12, -1e-12, 1e300]), lambda x: mp.log1p(x), [lambda x: 1 / (1 + x)], same),
    "sqrt": (singles(positive + [1e-300, 1e300]), mp.sqrt, [lambda x: half / mp.sqrt(x)], same),
    "square": (singles(real), lambda x: x * x, [lambda x: 2 * x], same),
    "abs": (singles(real), abs, [mp.sign], same),
    "sign": (singles(real), mp.sign, [lambda x: mp.mpf(0)], same),
    "reciprocal": (singles(positive + [-0.3, -2.5]), lambda x: 1 / x, [lambda x: -1 / x**2], same),
    "sin": (singles(real + [3.141592653589793, 100.5]), mp.sin, [mp.cos], same),
    "cos": (singles(real + [1.5707963267948966, 100.5]), mp.cos, [lambda x: -mp.sin(x)], same),
    "tanh": (singles(real + [1e-9, 18.5, -18.5, 400]), mp.tanh, [lambda x: 1 - mp.tanh(x) ** 2], [lambda x: 1 + mp.tanh(x) ** 2]),
    "sigmoid": (
        singles(real + [1e-9, 36.5, -36.5, -700]),
        sigmoid,
        [lambda x: sigmoid(x) * sigmoid(-x)],
        [lambda x: sigmoid(x) + sigmoid(x) ** 2],
    ),
    "relu": (singles(real), lambda x: max(x, mp.mpf(0)), [lambda x: one if x > 0 else mp.mpf(0)], same),
    "softplus": (singles(real + [1e-9, 36.5, -36.5, 800, -700]), lambda x: mp.log1p(mp.exp(x)), [sigmoid], same),
    "add": (pairs(real, real[::-1]), lambda x, y: x + y, [lambda x, y: one, lambda x, y: one], same),
    "sub": (pairs(real, positive), lambda x, y: x - y, [lambda x, y: one, lambda x, y: -one], same),
    "mul": (pairs(real, positive), lambda x, y: x * y, [lambda x, y: y, lambda x, y: x], same),
    "div": (
        pairs(real, positive) + pairs(positive, real),
        lambda x, y: x / y,
        [lambda x, y: 1 / y, lambda x, y: -x / y**2],
        same,
    ),
    "pow": (
        pairs(positive, real) + [[0.1, -20.5], [3.5, 40], [1 + 2**-30, 1e6], [-1.5, 3], [-2, -2]],
        lambda x, y: x**y,
        [lambda x, y: y * x ** (y - 1), lambda x, y: None if x <= 0 else x**y * mp.log(x)],
        same,
    ),
    "maximum": (pairs(real, real[::-1]), max, [lambda x, y: one if x > y else mp.mpf(0), lambda x, y: one if y > x else mp.mpf(0)], same),
    "minimum": (pairs(real, real[::-1]), min, [lambda x, y: one if x < y else mp.mpf(0), lambda x, y: one if y < x else mp.mpf(0)], same),
    "where": (
        [[c, x, y] for c, (x, y) in zip([0, 1, 1, 0, 1, 0, 0, 1, 0, 1], pairs(real, positive))],
        lambda c, x, y: x if c else y,
        [None, lambda c, x, y: mp.mpf(1 if c else 0), lambda c, x, y: mp.mpf(0 if c else 1)],
        same,
    ),
}


def rounded(x):
    return None if x is None else number(float(x))


def ordinary(name):
    points, value, partials, terms = ORDINARY[name]
    exact = [[mp.mpf(x) for x in point] for point in points]

    def column(f):
        return None if f is None else [rounded(f(*p)) for p in exact]

    def scale(k):
        if partials[k] is None:
            return None
        f = partials[k] if terms is None else terms[k]
        return [None if f(*p) is None else float("%.3g" % abs(f(*p))) for p in exact]

    case = {"op": name, "kind": "ordinary", "points": [[number(x) for x in p] for p in points], "values": column(value)}
    case["gradients"] = [column(f) for f in partials]
    if terms is not None:
        case["scales"] = [scale(k) for k in range(len(partials))]
    return case


EDGES = [0.0, -0.0, INF, -INF, NAN]

# name: (points, NumPy's value, PyTorch's function)
SPECIAL = {
    "neg": (singles(EDGES), np.negative, torch.neg),
    "exp": (singles(EDGES + [710.0, -746.0]), np.exp, torch.exp),
    "expm1": (singles(EDGES + [710.0]), np.expm1, torch.expm1),
    "log": (singles(EDGES + [-1.0, 1.0]), np.log, torch.log),
    "log1p": (singles(EDGES + [-1.0, -2.0]), np.log1p, torch.log1p),
    "sqrt": (singles(EDGES + [-1.0]), np.sqrt, torch.sqrt),
    "square": (singles(EDGES + [1e200]), np.square, torch.square),
    "abs": (singles(EDGES), np.abs, torch.abs),
    "sign": (singles(EDGES), np.sign, torch.sign),
    "reciprocal": (singles(EDGES), np.reciprocal, torch.reciprocal),
    "sin": (singles(EDGES), np.sin, torch.sin),
    "cos": (singles(EDGES), np.cos, torch.cos),
    "tanh": (singles(EDGES), np.tanh, torch.tanh),
    "sigmoid": (singles(EDGES), lambda x: 1 / (1 + np.exp(-x)), torch.sigmoid),
    "relu": (singles(EDGES), lambda x: np.maximum(x, 0.0), torch.relu),
    "softplus": (singles(EDGES), lambda x: np.logaddexp(x, 0.0), torch.nn.functional.softplus),
    "add": ([[INF, -INF], [INF, INF], [-0.0, -0.0], [-0.0, 0.0], [NAN, 1.0], [1.0, NAN]], np.add, torch.add),
    "sub": ([[INF, INF], [INF, -INF], [0.0, 0.0], [-0.0, 0.0], [NAN, 1.0], [1.0, NAN]], np.subtract, torch.sub),
    "mul": ([[0.0, INF], [-0.0, 5.0], [INF, -1.0], [0.0, -3.0], [NAN, 0.0], [1e200, 1e200]], np.multiply, torch.mul),
    "div": (
        [[1.0, 0.0], [-1.0, 0.0], [1.0, -0.0], [0.0, 0.0], [INF, INF], [1.0, INF], [1.0, -INF], [0.0, 5.0], [-0.0, 5.0], [NAN, 1.0]],
        np.divide,
        torch.div,
    ),
    "pow": (
        [
            [0.0, 0.0], [0.0, 1.0], [0.0, 2.0], [0.0, 0.5], [0.0, -1.0], [-0.0, -1.0], [-0.0, 3.0], [1.0, NAN], [NAN, 0.0], [NAN, 1.0],
            [2.0, NAN], [1.0, INF], [-1.0, INF], [-1.0, -INF], [2.0, INF], [2.0, -INF], [0.5, INF], [0.5, -INF], [INF, 0.0], [INF, -1.0],
            [-INF, 3.0], [-INF, 2.0], [-INF, -3.0], [-8.0, 1 / 3], [-2.0, 3.0], [-2.0, 2.0], [-2.0, 0.0],
        ],
        np.power,
        torch.pow,
    ),
    "maximum": (
        [[NAN, 1.0], [1.0, NAN], [0.0, -0.0], [-0.0, 0.0], [-0.0, -0.0], [2.0, 2.0], [INF, INF], [-INF, 3.0], [INF, 3.0]],
        np.maximum,
        torch.maximum,
    ),
    "minimum": (
        [[NAN, 1.0], [1.0, NAN], [0.0, -0.0], [-0.0, 0.0], [0.0, 0.0], [2.0, 2.0], [INF, INF], [-INF, 3.0], [INF, 3.0]],
        np.minimum,
        torch.minimum,
    ),
    "where": (
        [[1.0, 2.0, NAN], [0.0, NAN, 2.0], [1.0, INF, -INF], [0.0, INF, -INF], [1.0, -0.0, 0.0], [0.0, -0.0, 0.0]],
        lambda c, x, y: np.where(c != 0, x, y),
        lambda c, x, y: torch.where(c != 0, x, y),
    ),
}

UNFIXED = None  # the derivative there is an accident of PyTorch's formula; null in the file

LARGER = "0 is larger than -0 (IEEE 754-2019 maximum and minimum), and a tie for the gradient; NumPy and PyTorch take either"
SAME = object()


def key(name, *point):
    """0 and -0 are equal keys, and NaN is none: points are looked up by how they print."""
    return name, tuple(map(repr, point))


# Where the library has a convention of its own: value or SAME, derivatives or SAME, and why.
CONVENTIONS = {
    key("sign", -0.0): (-0.0, SAME, "0 and -0 are returned as they are; NumPy and PyTorch return 0"),
    key("sign", NAN): (NAN, SAME, "the sign of NaN is NaN, as in NumPy; PyTorch returns 0"),
    key("abs", NAN): (SAME, [None], UNFIXED),
    key("relu", -0.0): (0.0, SAME, LARGER),
    key("relu", NAN): (SAME, [None], UNFIXED),
    key("maximum", 0.0, -0.0): (0.0, SAME, LARGER),
    key("maximum", -0.0, 0.0): (0.0, SAME, LARGER),
    key("minimum", 0.0, -0.0): (-0.0, SAME, LARGER),
    key("minimum", -0.0, 0.0): (-0.0, SAME, LARGER),
    key("maximum", NAN, 1.0): (SAME, [None, None], UNFIXED),
    key("maximum", 1.0, NAN): (SAME, [None, None], UNFIXED),
    key("minimum", NAN, 1.0): (SAME, [None, None], UNFIXED),
    key("minimum", 1.0, NAN): (SAME, [None, None], UNFIXED),
    key("pow", 0.0, -1.0): (SAME, [-INF, None], UNFIXED),
    key("pow", -0.0, -1.0): (SAME, [-INF, None], UNFIXED),
}


def convention(name, point):
    if name == "pow" and any(math.isinf(x) for x in point):
        return SAME, [0.0 if point[1] == 0 else None, None], UNFIXED
    return CONVENTIONS.get(key(name, *point), (SAME, SAME, ""))


def identical(a, b):
    return number(a) == number(b)


def special(name):
    points, numpy_value, torch_function = SPECIAL[name]
    rows, differs = [], []
    for point in points:
        with np.errstate(all="ignore"):
            value = float(numpy_value(*(np.float64(x) for x in point)))
        operands = [torch.tensor(x, dtype=torch.float64, requires_grad=f is not None) for x, f in zip(point, ORDINARY[name][2])]
        out = torch_function(*operands)
        found = iter(torch.autograd.grad(out, [x for x in operands if x.requires_grad]))
        gradients = [float(next(found)) if x.requires_grad else None for x in operands]
        ours_value, ours_gradients, why = convention(name, point)
        row_value = value if ours_value is SAME else ours_value
        row_gradients = gradients if ours_gradients is SAME else ours_gradients
        if not identical(value, out.item()) or not identical(value, row_value):
            differs.append({
                "point": [number(x) for x in point], "numpy": number(value), "torch": number(out.item()),
                "torchGradients": [rounded(g) for g in gradients], "library": number(row_value), "why": why,
            })
            assert why, f"{name}{point}: NumPy {value}, PyTorch {out.item()}, and no reason given"
        rows.append((row_value, row_gradients))
    return {
        "op": name, "kind": "special", "points": [[number(x) for x in p] for p in points], "values": [number(v) for v, _ in rows],
        "gradients": [[rounded(g[k]) for _, g in rows] for k in range(len(points[0]))],
        **({"differs": differs} if differs else {}),
    }


write(
    __file__,
    {"python": platform.python_version(), "mpmath": mpmath.__version__, "numpy": np.__version__, "torch": torch.__version__},
    "points: one list of operands a case. gradients: one list an operand (null: not differentiable, or fixed by no convention). scales: "
    "sum of the absolute terms of the formula of the partial, where it is not the partial itself. ordinary: mpmath, 50 digits, rounded "
    "once. special: values by NumPy (IEEE 754), derivatives by PyTorch. Kinks and ties: relu'(0) = abs'(0) = 0 and maximum, minimum "
    "share the gradient among ties, here as in PyTorch; differs lists the points where the library's convention, NumPy and PyTorch part.",
    [ordinary(name) for name in ORDINARY] + [special(name) for name in SPECIAL],
)
