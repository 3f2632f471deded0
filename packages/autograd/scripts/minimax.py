"""The coefficients of src/wasm: polynomials with the least maximal weighted error (Remez), rounded one after the other from the constant
term upwards, the rest fitted again each time. Prints, for each, its relative error and the coefficients, constant term first.

    python minimax.py        (needs mpmath, numpy)
"""

import mpmath as mp
import numpy as np

mp.mp.dps = 60
GRID = 400


def fit(target, weight, powers, low, high):
    """Coefficients of the given powers that minimise max |weight * (target - polynomial)|."""
    count = len(powers)
    xs = [(low + high) / 2 - (high - low) / 2 * mp.cos(mp.pi * k / GRID) for k in range(GRID + 1)]
    ts, ws = [target(x) for x in xs], [weight(x) for x in xs]
    chosen = [round(k * GRID / count) for k in range(count + 1)]
    for _ in range(30):
        rows = [[xs[i] ** p for p in powers] + [(-1) ** k / ws[i]] for k, i in enumerate(chosen)]
        solution = mp.lu_solve(mp.matrix(rows), mp.matrix([ts[i] for i in chosen]))
        errors = [w * (t - sum(solution[k] * x**p for k, p in enumerate(powers))) for x, t, w in zip(xs, ts, ws)]
        peaks = alternating(errors, count + 1)
        if peaks == chosen:
            break
        chosen = peaks
    return [solution[k] for k in range(count)]


def alternating(errors, wanted):
    """The places of the largest errors of alternating sign."""
    peaks = []
    for i, e in enumerate(errors):
        if peaks and (e > 0) == (errors[peaks[-1]] > 0):
            if abs(e) > abs(errors[peaks[-1]]):
                peaks[-1] = i
        else:
            peaks.append(i)
    while len(peaks) > wanted:
        peaks.pop(0 if abs(errors[peaks[0]]) < abs(errors[peaks[-1]]) else -1)
    if len(peaks) < wanted:
        raise ArithmeticError("the errors do not alternate often enough")
    return peaks


def rounded(target, weight, relative, count, low, high, dtype):
    nearest = lambda c: mp.mpf(float(dtype(float(c))))
    fixed = []
    # Without their constant term polynomials vanish at 0: on an interval that holds 0 all are rounded at once.
    if low < 0:
        fixed = [nearest(c) for c in fit(target, weight, range(count), low, high)]
    for k in range(len(fixed), count):
        rest = lambda x: target(x) - sum(c * x**p for p, c in enumerate(fixed))
        fixed.append(nearest(fit(rest, weight, range(k, count), low, high)[0]))
    xs = [low + (high - low) * k / 1000 for k in range(1001)]
    error = max(abs(relative(x) * (target(x) - sum(c * x**p for p, c in enumerate(fixed)))) for x in xs)
    return fixed, error


def show(name, target, weight, low, high, counts, relative=None):
    for dtype, count in zip((np.float32, np.float64), counts):
        coefficients, error = rounded(target, weight, relative or weight, count, mp.mpf(low), mp.mpf(high), dtype)
        print(f"{name} {dtype.__name__}: relative error {mp.nstr(error, 3)}")
        print("  " + ", ".join(repr(float(c)) for c in coefficients))


def atanh_tail(z):
    """(log(1 + f) - 2 s) / (s z) for s = f / (2 + f), z = s^2."""
    s = mp.sqrt(z)
    return (2 * mp.atanh(s) - 2 * s) / (s * z)


def sine_tail(z):
    r = mp.sqrt(z)
    return (mp.sin(r) - r) / (r * z)


# exp(r) = 1 + r + r^2 q(r). The weight of the relative error is 0 at 0, in the middle of the interval, where Remez does not go: q is
# fitted evenly.
show("exp", lambda r: (mp.expm1(r) - r) / r**2, lambda r: 1, -0.34701, 0.34702, (5, 10), lambda r: r**2 / mp.exp(r))
# log(1 + f) = 2 s + s z l(z)
show("log", atanh_tail, lambda z: mp.sqrt(z) * z / (2 * mp.atanh(mp.sqrt(z))), 1e-9, 0.02945, (3, 7))
# sin(r) = r + r z s(z), z = r^2
show("sin", sine_tail, lambda z: mp.sqrt(z) * z / mp.sin(mp.sqrt(z)), 1e-9, 2.4680, (4, 8))
print("pi, parts of 33 bits and the rest:")
rest = mp.pi
for bits in (33, 33, 33):
    exponent = mp.floor(mp.log(rest, 2)) + 1 - bits
    part = mp.floor(rest / mp.mpf(2) ** exponent) * mp.mpf(2) ** exponent
    print(" ", repr(float(part)), "then", repr(float(rest - part)))
    rest -= part
for name, bits in (("float32", 9), ("float64", 32)):
    part = mp.nint(mp.ln2 * 2**bits) / 2**bits
    print(f"ln 2, {name}: {float(part)!r}, {float(mp.ln2 - part)!r}")
