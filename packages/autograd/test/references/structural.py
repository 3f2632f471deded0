"""Values, gradients and Hessian-vector products of the structural operations and the composites, from PyTorch in float64.

A case holds operands, options, outputs, a cotangent of the (first) output, the gradients of <cotangent, output> with respect to the
floating operands, and, where marked, the Hessian-vector product of sum(cotangent * output^2) for one vector an operand.

    python structural.py        (needs numpy, torch)
"""

import itertools
import platform

import numpy as np
import torch

from encoding import array, write

rng = np.random.default_rng(7)
F = torch.nn.functional
cases = []


def draw(*shape, low=-2.0, high=2.0):
    return np.round(rng.uniform(low, high, shape), 3)


def apart(*shape):
    """Elements no two of which are closer than 0.2, so that differences see no tie."""
    size = int(np.prod(shape))
    return (rng.permutation(size) * 0.3 - 0.15 * size + np.round(rng.uniform(0, 0.1, size), 3)).round(3).reshape(shape)


def case(op, name, operands, function, options=None, hvp=False, note=None):
    """operands: NumPy arrays, or one list of them for an operation on a list; function: on tensors, to a tensor or a tuple of tensors."""
    tensors = [torch.tensor(x, requires_grad=x.dtype.kind == "f") for x in operands]
    out = function(*tensors)
    outputs = [out] if isinstance(out, torch.Tensor) else list(out)
    floating = [x for x in tensors if x.requires_grad]
    cotangents = [draw(*y.shape) if y.dtype.is_floating_point else None for y in outputs]
    weighted = sum((torch.tensor(c) * y).sum() for c, y in zip(cotangents, outputs) if c is not None)
    gradients = list(torch.autograd.grad(weighted, floating, allow_unused=True))
    entry = {
        "op": op, "name": name, "operands": [array(x) for x in operands], "options": options or {},
        "outputs": [array(y.detach().numpy()) for y in outputs],
        "cotangents": [None if c is None else array(c) for c in cotangents],
        "gradients": [array(torch.zeros_like(x) if g is None else g) for x, g in zip(floating, gradients)],
    }
    if hvp:
        vectors = [draw(*x.shape) for x in floating]
        entry["vectors"] = [array(v) for v in vectors]
        entry["products"] = [array(p.numpy()) for p in second(function, tensors, floating, cotangents, vectors)]
    if note:
        entry["note"] = note
    cases.append(entry)


def second(function, tensors, floating, cotangents, vectors):
    out = function(*tensors)
    outputs = [out] if isinstance(out, torch.Tensor) else list(out)
    squared = sum((torch.tensor(c) * y * y).sum() for c, y in zip(cotangents, outputs) if c is not None)
    gradients = torch.autograd.grad(squared, floating, create_graph=True, allow_unused=True)
    inner = sum((g * torch.tensor(v)).sum() for g, v in zip(gradients, vectors) if g is not None)
    products = torch.autograd.grad(inner, floating, allow_unused=True)
    return [torch.zeros_like(x) if p is None else p for x, p in zip(floating, products)]


def axes_of(axis, rank):
    return tuple(range(rank)) if axis is None else (axis,) if isinstance(axis, int) else tuple(axis)


# --- Reductions -------------------------------------------------------------------------------------------------------------------

def over_axes(reduce):
    """Reduces one axis after the other, for functions that take only one."""
    def run(x, axis, keep):
        axes = sorted((k % x.dim() for k in axes_of(axis, x.dim())), reverse=True)
        for k in axes:
            x = reduce(x, k)
        if keep:
            for k in sorted(axes):
                x = x.unsqueeze(k)
        return x
    return run


def native(f):
    return lambda x, axis, keep: f(x, dim=axes_of(axis, x.dim()), keepdim=keep) if x.dim() else f(x)


REDUCTIONS = {
    "sum": native(torch.sum),
    "mean": native(torch.mean),
    "max": native(torch.amax),
    "min": native(torch.amin),
    "logSumExp": lambda x, axis, keep: torch.logsumexp(x, dim=axes_of(axis, x.dim()), keepdim=keep),
    "prod": over_axes(lambda x, k: torch.prod(x, dim=k)),
    "variance": lambda x, axis, keep: torch.var(x, dim=axes_of(axis, x.dim()), keepdim=keep, correction=0),
}
AXES = [(None, False), (None, True), (0, False), (-1, True), (1, False), ([0, 2], False), ([-1, 1], True), ([0, 1, 2], False)]


def options_of(axis, keep):
    return {**({} if axis is None else {"axis": axis}), **({"keepDims": True} if keep else {})}


def described(options):
    kept = ", axes kept" if "keepDims" in options else ""
    return (f"along {options['axis']}" if "axis" in options else "over all axes") + kept


for op, reduce in REDUCTIONS.items():
    for axis, keep in AXES:
        options = options_of(axis, keep)
        case(op, f"{op} of [2, 3, 2] {described(options)}", [apart(2, 3, 2) / 2], lambda x: reduce(x, axis, keep), options,
             hvp=op not in ("max", "min") and axis in (None, 0, [0, 2]))
    case(op, f"{op} of [4]", [apart(4)], lambda x: reduce(x, None, False))
    case(op, f"{op} of a [1, 1]", [draw(1, 1)], lambda x: reduce(x, 1, False), {"axis": 1})

for correction in (0, 1, 2):
    case("variance", f"variance with correction {correction}", [draw(3, 4)], lambda x: torch.var(x, dim=1, correction=correction),
         {"axis": 1, "correction": correction}, hvp=True)
    case("variance", f"variance of all with correction {correction}", [draw(3, 4)], lambda x: torch.var(x, correction=correction),
         {"correction": correction})
case("variance", "variance far from 0 does not cancel", [np.array([1e8, 1e8 + 1, 1e8 + 2, 1e8 + 4])], lambda x: torch.var(x, correction=0))

FIRST = "ties along one axis: the first takes the gradient (PyTorch's max over a dimension, with its index)"
SHARE = "ties over all elements share the gradient (PyTorch's amax and max of all)"
tied = np.array([[1.0, 3.0, 3.0], [2.0, 2.0, 2.0], [3.0, -1.0, 0.5]])
case("max", "max over all elements shares ties", [tied], lambda x: x.max(), note=SHARE)
case("min", "min over all elements shares ties", [-tied], lambda x: x.min(), note=SHARE)
case("max", "max of a vector of ties shares them", [np.array([2.0, 2.0, 1.0])], lambda x: x.amax(), note=SHARE)


def first(x, axis, largest):
    index = torch.tensor((np.argmax if largest else np.argmin)(x.detach().numpy(), axis=axis))
    return torch.gather(x, axis, index.unsqueeze(axis)).squeeze(axis)


for axis in (0, 1):
    case("max", f"max along axis {axis} gives a tie to the first", [tied], lambda x: first(x, axis, True), {"axis": axis}, note=FIRST)
    case("min", f"min along axis {axis} gives a tie to the first", [-tied], lambda x: first(x, axis, False), {"axis": axis}, note=FIRST)
case("max", "max along one axis, given as a list, gives a tie to the first", [tied], lambda x: first(x, 1, True), {"axis": [1]}, note=FIRST)
case("max", "max of a vector along its axis gives a tie to the first", [np.array([1.0, 2.0, 2.0])], lambda x: first(x, 0, True), {"axis": 0}, note=FIRST)

case("logSumExp", "logSumExp of large elements does not overflow", [np.array([1000.0, 1000.5, 999.0])], lambda x: torch.logsumexp(x, 0))
case("logSumExp", "logSumExp of very negative elements does not underflow", [np.array([-1000.0, -1000.5])], lambda x: torch.logsumexp(x, 0))
case("logSumExp", "logSumExp with one -Infinity", [np.array([-np.inf, 0.5, 1.0])], lambda x: torch.logsumexp(x, 0))

with_zeros = np.array([[2.0, 3.0, -1.5], [2.0, 0.0, -1.5], [0.0, 3.0, 0.0], [0.0, 0.0, 0.0]])
case("prod", "prod along rows with no, one, two and three zeros", [with_zeros], lambda x: torch.prod(x, dim=1), {"axis": 1}, hvp=True)
case("prod", "prod of all with one zero", [with_zeros[1]], lambda x: torch.prod(x), hvp=True)
case("prod", "prod of all with two zeros", [with_zeros[2]], lambda x: torch.prod(x), hvp=True)
case("prod", "prod of [3, 2] with one zero, all axes", [np.array([[1.5, 2.0], [0.0, -1.0], [3.0, 0.5]])], lambda x: torch.prod(x), hvp=True)

# --- Order ------------------------------------------------------------------------------------------------------------------------

for axis, descending in itertools.product((0, 1, -1), (False, True)):
    case("sort", f"sort of [3, 2, 3] along axis {axis}{', descending' if descending else ''}", [apart(3, 2, 3)],
         lambda x: torch.sort(x, dim=axis, descending=descending, stable=True), {"axis": axis, "descending": descending}, hvp=axis == 0)
case("sort", "sort is stable", [np.array([2.0, 1.0, 2.0, 1.0, 0.0, 2.0])], lambda x: torch.sort(x, stable=True), {"axis": 0})
case("sort", "sort descending is stable", [np.array([2.0, 1.0, 2.0, 1.0, 0.0, 2.0])], lambda x: torch.sort(x, descending=True, stable=True), {"axis": 0, "descending": True})
case("sort", "sort puts NaN last", [np.array([np.nan, 1.0, np.inf, -np.inf, 0.5])], lambda x: torch.sort(x, stable=True), {"axis": 0})

# --- Joining and taking apart -----------------------------------------------------------------------------------------------------

case("concat", "concat of vectors", [draw(2), draw(3)], lambda *xs: torch.cat(xs, 0), {"axis": 0}, hvp=True)
case("concat", "concat of three along axis 1", [draw(2, 1), draw(2, 3), draw(2, 2)], lambda *xs: torch.cat(xs, 1), {"axis": 1}, hvp=True)
case("concat", "concat along axis -2", [draw(2, 1, 2), draw(2, 2, 2)], lambda *xs: torch.cat(xs, -2), {"axis": -2})
case("concat", "concat with a part of length 0", [draw(2, 2), draw(0, 2), draw(1, 2)], lambda *xs: torch.cat(xs, 0), {"axis": 0})
case("concat", "concat of one", [draw(2, 2)], lambda *xs: torch.cat(xs, 0), {"axis": 0})
for axis in (0, 1, -1):
    case("stack", f"stack of two [2, 3] along axis {axis}", [draw(2, 3), draw(2, 3)], lambda *xs: torch.stack(xs, axis), {"axis": axis}, hvp=axis == 1)
case("stack", "stack of scalars", [draw(), draw(), draw()], lambda *xs: torch.stack(xs, 0), {"axis": 0})
case("split", "split into 3 equal sections", [draw(6, 2)], lambda x: torch.chunk(x, 3, 0), {"sections": 3, "axis": 0}, hvp=True)
case("split", "split into sizes 1, 3 and 2 along axis -1", [draw(2, 6)], lambda x: torch.split(x, [1, 3, 2], -1), {"sections": [1, 3, 2], "axis": -1})
case("split", "split with a size of 0", [draw(3)], lambda x: torch.split(x, [0, 3], 0), {"sections": [0, 3], "axis": 0})
case("pad", "pad of a vector with zeros", [draw(3)], lambda x: F.pad(x, (1, 2)), {"pads": [[1, 2]]}, hvp=True)
case("pad", "pad of a matrix with a value", [draw(2, 3)], lambda x: F.pad(x, (2, 0, 0, 1), value=1.5), {"pads": [[0, 1], [2, 0]], "value": 1.5}, hvp=True)
case("pad", "pad by nothing", [draw(2, 2)], lambda x: F.pad(x, (0, 0, 0, 0)), {"pads": [[0, 0], [0, 0]]})
case("pad", "pad with -Infinity", [draw(2)], lambda x: F.pad(x, (1, 1), value=-np.inf), {"pads": [[1, 1]], "value": "-Infinity"})

# --- Indexing ---------------------------------------------------------------------------------------------------------------------

case("gather", "gather along axis 1, an index repeated", [draw(2, 3), np.array([[0, 2, 2, 1], [1, 1, 1, 0]], dtype=np.int64)],
     lambda x, i: torch.gather(x, 1, i), {"axis": 1}, hvp=True)
case("gather", "gather along axis 0", [draw(3, 2), np.array([[2, 0]], dtype=np.int64)], lambda x, i: torch.gather(x, 0, i), {"axis": 0})
case("gather", "gather of [2, 2, 3] along axis -1", [draw(2, 2, 3), rng.integers(0, 3, (2, 2, 2))], lambda x, i: torch.gather(x, -1, i), {"axis": -1}, hvp=True)
case("gather", "gather of a vector", [draw(4), np.array([3, 3, 0], dtype=np.int64)], lambda x, i: torch.gather(x, 0, i), {"axis": 0})
case("embedding", "embedding of a vector of indices, one repeated", [draw(4, 3), np.array([2, 0, 2], dtype=np.int64)], lambda t, i: F.embedding(i, t), hvp=True)
case("embedding", "embedding of a matrix of indices", [draw(3, 2), np.array([[0, 1], [1, 1]], dtype=np.int64)], lambda t, i: F.embedding(i, t))
case("embedding", "embedding of one index", [draw(3, 2), np.array(1, dtype=np.int64)], lambda t, i: F.embedding(i, t))


def by_index(*slices):
    """Slicing with NumPy, whose negative steps PyTorch lacks, as a lookup of element numbers."""
    def run(x):
        index = np.arange(x.numel()).reshape(x.shape)[slices]
        return x.reshape(-1)[torch.tensor(np.array(index))]
    return run


SLICES = [
    ("one element of a vector", (5,), [2], (2,)),
    ("a negative index", (5,), [-1], (-1,)),
    ("a range", (5,), [[1, 4]], (slice(1, 4),)),
    ("a step of 2", (5,), [[None, None, 2]], (slice(None, None, 2),)),
    ("backwards", (5,), [[None, None, -1]], (slice(None, None, -1),)),
    ("backwards by 2 from the end", (6,), [[-1, 0, -2]], (slice(-1, 0, -2),)),
    ("a stop beyond the end", (4,), [[2, 100]], (slice(2, 100),)),
    ("a start before the front", (4,), [[-100, 2]], (slice(-100, 2),)),
    ("an empty range", (4,), [[3, 1]], (slice(3, 1),)),
    ("negative ends", (5,), [[-3, -1]], (slice(-3, -1),)),
    ("a row", (3, 4), [1], (1,)),
    ("a column", (3, 4), [None, 2], (slice(None), 2)),
    ("rows backwards, columns by 2", (3, 4), [[None, None, -1], [None, None, 2]], (slice(None, None, -1), slice(None, None, 2))),
    ("a range, an index and a negative step", (3, 4, 3), [[0, 2], -2, [2, None, -2]], (slice(0, 2), -2, slice(2, None, -2))),
    ("one element of a matrix", (2, 2), [1, 0], (1, 0)),
    ("fewer ranges than axes", (2, 3, 2), [[1, 2]], (slice(1, 2),)),
]
for name, shape, ranges, slices in SLICES:
    case("slice", f"slice: {name}", [draw(*shape)], by_index(*slices), {"ranges": ranges}, hvp=len(shape) == 2)

# --- Shapes -----------------------------------------------------------------------------------------------------------------------

for shape, to in [((6,), (2, 3)), ((2, 3), (6,)), ((2, 3, 2), (4, 3)), ((1,), ()), ((), (1, 1)), ((2, 0), (0, 3))]:
    case("reshape", f"reshape of {list(shape)} to {list(to)}", [draw(*shape)], lambda x: x.reshape(to), {"shape": list(to)}, hvp=shape == (2, 3))
case("reshape", "reshape with one length left to be found", [draw(2, 6)], lambda x: x.reshape(3, -1), {"shape": [3, -1]})
case("transpose", "transpose of a vector changes nothing", [draw(3)], lambda x: x)
case("transpose", "transpose of a matrix", [draw(2, 3)], lambda x: x.T, hvp=True)
case("transpose", "transpose of [2, 3, 4] reverses the axes", [draw(2, 3, 4)], lambda x: x.permute(2, 1, 0))
for axes in ([1, 2, 0], [0, 2, 1], [-1, 0, 1]):
    case("transpose", f"transpose with axes {axes}", [draw(2, 3, 2)], lambda x: x.permute(axes), {"axes": axes})
for shape, to in [((), (2, 2)), ((1,), (3,)), ((3,), (2, 3)), ((2, 1), (2, 3)), ((1, 2, 1), (3, 2, 2)), ((2,), (0, 2)), ((1, 3), (1, 3))]:
    case("broadcastTo", f"broadcastTo from {list(shape)} to {list(to)}", [draw(*shape)], lambda x: x.broadcast_to(to), {"shape": list(to)}, hvp=to == (2, 3))

# --- Products ---------------------------------------------------------------------------------------------------------------------

MATMUL = [((3,), (3,)), ((3,), (3, 2)), ((2, 3), (3,)), ((2, 3), (3, 2)), ((3,), (2, 3, 2)), ((3,), (2, 2, 3, 1)), ((2, 2, 3), (3,)),
          ((1, 2, 2, 3), (3,)), ((2, 2, 3), (3, 2)), ((2, 3), (2, 3, 2)), ((2, 2, 3), (2, 3, 2)), ((2, 2, 3), (1, 3, 2)), ((1, 2, 3), (3, 3, 1)),
          ((2, 1, 2, 3), (2, 3, 1)), ((2, 2, 3), (2, 1, 3, 1)), ((2, 1, 2, 2), (1, 3, 2, 2)), ((2, 2), (2, 1, 2, 1)), ((2, 2, 1, 2), (2, 2)),
          ((1, 1), (1, 1)), ((2, 0), (0, 3)), ((0, 2), (2, 2)), ((0, 2, 2), (2, 2)), ((0,), (0,)),
          ((5, 3), (3, 9)), ((4, 2), (2, 4)), ((2, 3, 2), (2, 6))]
for a, b in MATMUL:
    case("matmul", f"matmul of {list(a)} and {list(b)}", [draw(*a), draw(*b)], torch.matmul, hvp=(a, b) in MATMUL[:4] + MATMUL[12:14])

# --- Broadcasting of elementwise functions ----------------------------------------------------------------------------------------

BROADCAST = [((), ()), ((), (3,)), ((3,), ()), ((1,), (3,)), ((3,), (1,)), ((3,), (3,)), ((1,), ()), ((1,), (1,)), ((2, 3), (3,)), ((3,), (2, 3)),
             ((2, 1), (1, 3)), ((2, 1), (3,)), ((1, 3), (2, 1)), ((2, 3), ()), ((2, 3), (1,)), ((2, 3), (1, 1)), ((2, 1, 2), (3, 1)),
             ((2, 3, 2), (3, 2)), ((1, 1, 2), (2, 3, 1)), ((2, 2), (2, 2, 2)), ((0,), ()), ((0,), (1,)), ((0, 3), (3,)), ((2, 0), (2, 1)),
             ((1, 0), (3, 1)), ((0,), (0,)), ((1, 2, 1, 2), (2, 1))]
for a, b in BROADCAST:
    case("mul", f"mul of {list(a)} and {list(b)}", [draw(*a), draw(*b)], torch.mul, hvp=(a, b) == ((2, 1), (1, 3)))
    case("div", f"div of {list(a)} and {list(b)}", [draw(*a), draw(*b, low=0.5)], torch.div)
for a, b in BROADCAST[::3]:
    case("sub", f"sub of {list(a)} and {list(b)}", [draw(*a), draw(*b)], torch.sub)
for c, a, b in [((2, 2), (2, 2), (2, 2)), ((2, 1), (1, 3), ()), ((), (2,), (3, 1)), ((3,), (), ()), ((2, 3), (3,), (2, 1))]:
    case("where", f"where of {list(c)}, {list(a)} and {list(b)}", [rng.uniform(size=c) > 0.5, draw(*a), draw(*b)], torch.where)

# --- Composites -------------------------------------------------------------------------------------------------------------------

for op, f in (("softmax", torch.softmax), ("logSoftmax", torch.log_softmax)):
    for shape, axis in (((4,), 0), ((2, 3), -1), ((2, 3), 0), ((2, 2, 3), 1)):
        case(op, f"{op} of {list(shape)} along axis {axis}", [draw(*shape)], lambda x: f(x, axis), {"axis": axis}, hvp=len(shape) < 3)
    case(op, f"{op} of large elements does not overflow", [np.array([1000.0, 1001.0, -1000.0])], lambda x: f(x, 0), {"axis": 0})
for reduction in ("mean", "sum", "none"):
    case("mseLoss", f"mseLoss, {reduction}", [draw(2, 3), draw(2, 3)], lambda p, t: F.mse_loss(p, t, reduction=reduction), {"reduction": reduction}, hvp=True)
    case("crossEntropy", f"crossEntropy, {reduction}", [draw(3, 4), np.array([2, 0, 2], dtype=np.int64)],
         lambda x, t: F.cross_entropy(x, t, reduction=reduction), {"reduction": reduction}, hvp=True)
case("mseLoss", "mseLoss is a mean unless told otherwise", [draw(4), draw(4)], F.mse_loss)
case("crossEntropy", "crossEntropy is a mean unless told otherwise", [draw(2, 3), np.array([1, 0], dtype=np.int64)], F.cross_entropy)
case("crossEntropy", "crossEntropy of large logits does not overflow", [np.array([[1000.0, 0.0], [-500.0, 900.0]]), np.array([1, 1], dtype=np.int64)], F.cross_entropy)

write(
    __file__,
    {"python": platform.python_version(), "numpy": np.__version__, "torch": torch.__version__},
    "float64 throughout. gradients: of sum(cotangent * output) over the floating outputs, one a floating operand. products: Hessian-vector "
    "products of sum(cotangent * output^2) with vectors. Where the library's conventions matter: variance divides by N unless correction "
    "says otherwise (NumPy's default; PyTorch's own is correction 1); max and min share the gradient among ties over all elements and give it "
    "to the first along one axis, which are amax and max(dim) of PyTorch; sort is stable; pad, slice and split take their arguments as "
    "NumPy and Python do, and negative steps are computed by looking up NumPy's indices.",
    cases,
)
