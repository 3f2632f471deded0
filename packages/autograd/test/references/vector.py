"""Values of the transcendental functions of the vector arithmetic, for float64: x and f(x) as the hexadecimal digits of their bits, f(x)
computed by mpmath with enough digits from the exact x and rounded once.

Besides seeded points of the whole range there are those where such code goes wrong: the neighbours of thresholds, of multiples of
ln 2 / 2 (where the reduced argument is largest), of 1 for log, of the multiples of pi / 2 that floating-point numbers come closest to
(by continued fractions, as W. Kahan's "nearpi"), denormal numbers, and special values.

    python vector.py        (needs mpmath, numpy)
"""

import math
import platform
import struct

import mpmath
import numpy as np
from mpmath import mp

from encoding import write

# Enough for 1 + x and 1 + exp(x) with the smallest x there is.
mp.dps = 420
INF, NAN = math.inf, math.nan
rng = np.random.default_rng(20261126)
one = mp.mpf(1)


def neighbours(*xs):
    return [y for x in xs for y in (math.nextafter(x, -INF), x, math.nextafter(x, INF))]


def both(xs):
    return [s * x for x in xs for s in (1, -1)]


def uniform(low, high, count):
    return [float(x) for x in rng.uniform(low, high, count)]


def scales(low, high, count):
    """Points of all sizes between two powers of two."""
    return [float(m * 2.0**e) for m, e in zip(rng.uniform(1, 2, count), rng.integers(low, high, count))]


def near_multiples_of_half_pi(limit):
    """For each exponent below the limit, the float64 numbers nearest to a multiple of pi / 2, relative to their size."""
    found = []
    for exponent in range(0, limit):
        unit = mp.mpf(2) ** (exponent - 52)
        for p, _ in convergents(mp.pi / 2 / unit, 2**53):
            if p > 0:
                m = p * max(1, (2**53 - 1) // p)
                found += [float(m * unit)]
    return sorted(set(found))


def convergents(x, limit):
    p0, q0, p1, q1 = 1, 0, int(mp.floor(x)), 1
    while p1 < limit:
        yield p1, q1
        x = 1 / (x - mp.floor(x))
        a = int(mp.floor(x))
        p0, q0, p1, q1 = p1, q1, a * p1 + p0, a * q1 + q0


TINY = [5e-324, 1e-310, 2.0**-1022, 2.0**-1000, 1e-20, 2.0**-54, 2.0**-53, 2.0**-27, 1e-8]
SPECIAL = [0.0, -0.0, INF, -INF, NAN]
half_ln2 = [k * math.log(2) / 2 for k in (1, 3, 5, 101, 1001, 2047)]

exponential = (
    uniform(-745, 709.7, 90) + uniform(-2, 2, 50) + both(scales(-60, 9, 30)) + both(TINY) + SPECIAL
    + neighbours(709.782712893384, -708.3964185322641, -745.1332191019411, 710.0, -746.0) + both(neighbours(*half_ln2[:5]))
    + [1e3, -1e3, 1e300, -1e300]
)
hyperbolic = uniform(-21, 21, 80) + uniform(-1, 1, 80) + both(scales(-60, 5, 40)) + both(TINY) + SPECIAL + both(
    neighbours(*(h / 2 for h in half_ln2[:3]), 19.06, 20.0) + [1e3, 1e300]
)
positive = (
    scales(-1022, 1023, 90) + uniform(0.5, 2, 70) + [1 + s for s in both(scales(-52, -1, 30))] + TINY + [3e-324 * k for k in (3, 1001)]
    + neighbours(1.0, math.sqrt(0.5), math.sqrt(2), 2.0**-1022, 2.0) + [math.nextafter(INF, 0)] + SPECIAL + [-1.0, -5e-324, -1e300]
)
over_one = (
    uniform(-0.999, 3, 90) + both(scales(-60, -1, 50)) + scales(0, 1023, 40) + both(TINY) + [-1 + s for s in scales(-53, -2, 20)]
    + neighbours(math.sqrt(0.5) - 1, math.sqrt(2) - 1, 1.0) + [-1.0, -2.0, math.nextafter(-1.0, 0), math.nextafter(INF, 0)] + SPECIAL
)
circular = (
    uniform(-10, 10, 60) + both(scales(-40, 20, 40)) + both(TINY) + both([math.pi / 2 * k for k in (1, 2, 3, 4, 5, 100, 10007)])
    + near_multiples_of_half_pi(20)[::4] + neighbours(2.0**20) + [2.0**21 + 0.5, 1e10, 1e22, 6381956970095103.0 * 2.0**797] + SPECIAL
)


def sigmoid(x):
    return one / (one + mp.exp(-x))


def softplus(x):
    return mp.log1p(mp.exp(x))


def at_special(name, x):
    """Where mpmath raises, loses the sign of zero or takes a limit that floating point does not."""
    if math.isnan(x):
        return NAN
    if name in ("expm1", "log1p", "tanh", "sin") and x == 0:
        return x
    if name in ("log", "log1p"):
        y = x if name == "log" else x + 1
        return -INF if y == 0 else NAN if y < 0 else INF if math.isinf(x) else None
    if name in ("sin", "cos") and math.isinf(x):
        return NAN
    if math.isinf(x) or abs(x) > 1e4:
        above = {"exp": INF, "expm1": INF, "tanh": 1.0, "sigmoid": 1.0, "softplus": x}
        below = {"exp": 0.0, "expm1": -1.0, "tanh": -1.0, "sigmoid": 0.0, "softplus": 0.0}
        return None if name in ("sin", "cos") else (above if x > 0 else below)[name]
    return None


FUNCTIONS = {
    "exp": (mp.exp, exponential),
    "expm1": (mp.expm1, exponential),
    "log": (mp.log, positive),
    "log1p": (mp.log1p, over_one),
    "tanh": (mp.tanh, hyperbolic),
    "sigmoid": (sigmoid, exponential),
    "softplus": (softplus, exponential),
    "sin": (mp.sin, circular),
    "cos": (mp.cos, circular),
}


def value(name, f, x):
    y = at_special(name, x)
    return y if y is not None else to_double(f(mp.mpf(x)))


def to_double(y):
    """Rounds once, to denormal numbers too."""
    if y == 0 or abs(y) >= mp.mpf(2) ** -1022:
        return float(y)
    return float(mp.nint(y * mp.mpf(2) ** 1074)) * 5e-324


def bits(xs):
    return " ".join(struct.pack(">d", x).hex() for x in xs)


if __name__ == "__main__":
    cases = []
    for name, (f, points) in FUNCTIONS.items():
        xs = list({bits([x]): x for x in points}.values())
        cases.append({"op": name, "x": bits(xs), "y": bits(value(name, f, x) for x in xs)})
    versions = {"python": platform.python_version(), "mpmath": mpmath.__version__, "numpy": np.__version__}
    write(__file__, versions, ["x and y are the big-endian bits of float64 numbers"], cases)
