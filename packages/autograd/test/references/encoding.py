"""How the reference files are written: one case a line, numbers in their shortest exact form, and NaN, the infinities and -0,
which JSON does not have, as the strings "NaN", "Infinity", "-Infinity" and "-0"."""

import json
import math
import pathlib

import numpy as np


def number(x):
    x = float(x)
    if math.isnan(x):
        return "NaN"
    if math.isinf(x):
        return "Infinity" if x > 0 else "-Infinity"
    if x == 0:
        return "-0" if math.copysign(1, x) < 0 else 0
    return int(x) if x.is_integer() and abs(x) < 2**53 else x


def numbers(xs):
    return [numbers(x) if isinstance(x, (list, tuple)) else number(x) for x in xs]


def array(x):
    """A NumPy array as its shape and its elements in row-major order; integers and booleans say their dtype."""
    x = np.asarray(x)
    encoded = {"shape": list(x.shape), "data": numbers(x.reshape(-1).tolist())}
    if x.dtype.kind in "iu":
        encoded["dtype"] = "int32"
    if x.dtype.kind == "b":
        encoded["dtype"] = "bool"
    return encoded


def compact(x):
    return json.dumps(x, separators=(",", ":"), allow_nan=False)


def write(script, versions, notes, cases):
    """Writes the cases into fixtures/, under the script's name."""
    path = pathlib.Path(script).parent / "fixtures" / pathlib.Path(script).with_suffix(".json").name
    head = [
        f'"script":{compact("test/references/" + pathlib.Path(script).name)}',
        f'"versions":{compact(versions)}',
        f'"notes":{compact(notes)}',
    ]
    lines = ",\n".join(compact(case) for case in cases)
    path.write_text("{" + ",\n".join(head) + ',\n"cases":[\n' + lines + "\n]}\n")
    print(f"{path.name}: {len(cases)} cases, {path.stat().st_size} bytes")
