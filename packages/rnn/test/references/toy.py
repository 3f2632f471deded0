"""Writes toy.json: the one-unit network's derivatives in 50-digit arithmetic. Needs mpmath: pip install mpmath; python toy.py

Every derivative is a numerical derivative of the forward pass alone, taken with so many digits that 50 are right: nothing here knows the
chain rule, and so nothing here can make the mistake that it is to find. A parameter's share by time step is the derivative with respect to
its value in that step only; delta_t is the derivative with respect to a number added to z_t.
"""

import json
import pathlib
import random

from mpmath import diff, exp, fsum, mp, mpf, nstr, sqrt

mp.dps = 120
DIGITS = 25
HERE = pathlib.Path(__file__).parent


def predictions(us, vs, ws, s, bumps, xs):
    """p_1 … p_T, with a u, v, w and an addition to z for each time step."""
    y, ps = s, []
    for u, v, w, bump, x in zip(us, vs, ws, bumps, xs):
        y = 1 / (1 + exp(-(w * y + v * x + bump)))
        ps.append(u * y)
    return ps


def squared_error(ps, ts):
    return fsum((t - p) ** 2 for p, t in zip(ps, ts))


def derivatives(case, of_predictions):
    """The derivatives of of_predictions(p_1 … p_T), by parameter, by time of use, and with respect to z_t."""
    xs = [mpf(x) for x in case["inputs"]]
    steps = len(xs)
    point = {name: mpf(case["parameters"][name]) for name in "uvws"}

    def function(name=None, at=None, change=mpf(0)):
        many = {key: [point[key]] * steps for key in "uvw"} | {"z": [mpf(0)] * steps}
        s = point["s"] + (change if name == "s" else 0)
        for t in range(steps) if at is None else [at]:
            if name in many:
                many[name][t] = many[name][t] + change
        return of_predictions(predictions(many["u"], many["v"], many["w"], s, many["z"], xs))

    def slope(name, at=None):
        return diff(lambda change: function(name, at, change), 0)

    gradient = {name: slope(name) for name in "uvws"}
    shares = {name: [slope(name, t) for t in range(steps)] for name in "uvw"}
    for name, terms in shares.items():
        assert abs(fsum(terms) - gradient[name]) < mpf(10) ** -50, name
    return function(), gradient, shares, [slope("z", t) for t in range(steps)]


def text(x):
    return nstr(x, DIGITS, strip_zeros=False)


def reference(name, parameters, inputs, targets):
    # mpf of a float is exactly that float: the reference is for the very numbers that the tests compute with.
    case = {"name": name, "parameters": parameters, "inputs": inputs, "targets": targets}
    ts = [mpf(t) for t in targets]
    loss, gradient, shares, deltas = derivatives(case, lambda ps: squared_error(ps, ts))
    _, printed, _, printed_deltas = derivatives(case, fsum)

    def dot(a, b):
        return fsum(a[key] * b[key] for key in "uvw")

    step = mpf("0.01")
    stepped = {key: mpf(parameters[key]) - step * printed[key] for key in "uvw"}
    repeat = {key: [stepped[key]] * len(ts) for key in "uvw"}
    xs = [mpf(x) for x in inputs]
    after = squared_error(predictions(repeat["u"], repeat["v"], repeat["w"], mpf(parameters["s"]), [mpf(0)] * len(ts), xs), ts)
    return case | {
        "loss": text(loss),
        "gradient": {key: text(x) for key, x in gradient.items()},
        "shares": {key: [text(x) for x in terms] for key, terms in shares.items()},
        "deltas": [text(x) for x in deltas],
        "published": {
            "gradient": {key: text(x) for key, x in printed.items()},
            "deltas": [text(x) for x in printed_deltas],
            "cosine": text(dot(printed, gradient) / sqrt(dot(printed, printed) * dot(gradient, gradient))),
            "changeOfLoss": text(after - loss),
        },
    }


def random_case(seed, steps):
    source = random.Random(seed)

    def draw(bound):
        return round(source.uniform(-bound, bound), 3)

    parameters = {"u": draw(2), "v": draw(2), "w": draw(3), "s": draw(1)}
    inputs = [draw(2) for _ in range(steps)]
    targets = [draw(2) for _ in range(steps)]
    return reference(f"random, T = {steps}, seed {seed}", parameters, inputs, targets)


cases = [reference("the network's published example", {"u": 0.7, "v": -0.4, "w": 1.3, "s": 0.25}, [0.5, -1.0, 2.0], [-1.0, 2.0, 0.1])]
cases += [random_case(seed, steps) for steps in (5, 20) for seed in (1, 2, 3)]
(HERE / "toy.json").write_text(json.dumps({"from": "toy.py", "digits": DIGITS, "cases": cases}, indent=1) + "\n")
