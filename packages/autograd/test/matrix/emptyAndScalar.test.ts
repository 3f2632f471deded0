import { describe, expect, it } from "vitest";
import * as autograd from "../../src/index.js";
import { concat, grad, matmul, softmax, sort, type Value, value } from "../../src/index.js";
import { elementwise } from "./calls.js";

const empty = (...shape: number[]) => value(new Float64Array(0), { shape });

describe("empty arrays", () => {
  const UNARY = [
    "neg",
    "exp",
    "log",
    "sqrt",
    "square",
    "abs",
    "reciprocal",
    "sin",
    "cos",
    "tanh",
    "sigmoid",
    "relu",
    "softplus",
    "expm1",
    "log1p",
    "sign",
  ];

  it.each(UNARY)("%s of [0, 3] is [0, 3], and so is its gradient", (op) => {
    const f = elementwise[op]!;
    const g = grad((x: Value) => f(x).sum())(empty(0, 3));
    expect([f(empty(0, 3)).shape, g.shape]).toEqual([
      [0, 3],
      [0, 3],
    ]);
  });

  const RESULTS: readonly (readonly [string, Value, readonly number[], unknown])[] = [
    ["the sum of nothing is 0", autograd.sum(empty(0)), [], 0],
    ["the product of nothing is 1", autograd.prod(empty(0)), [], 1],
    ["the mean of nothing is NaN", autograd.mean(empty(0)), [], NaN],
    ["the sum along an empty axis is 0", autograd.sum(empty(2, 0), { axis: 1 }), [2], [0, 0]],
    ["the product along an empty axis is 1", autograd.prod(empty(2, 0), { axis: 1 }), [2], [1, 1]],
    ["the sum along a full axis of an empty array is empty", autograd.sum(empty(2, 0), { axis: 0 }), [0], []],
    ["the max along a full axis of an empty array is empty", autograd.max(empty(2, 0), { axis: 0 }), [0], []],
    ["the sum keeps axes", autograd.sum(empty(2, 0), { keepDims: true }), [1, 1], [[0]]],
    [
      "a product over no inner elements is 0",
      matmul(empty(2, 0), empty(0, 3)),
      [2, 3],
      [
        [0, 0, 0],
        [0, 0, 0],
      ],
    ],
    ["a product of no rows is empty", matmul(empty(0, 2), value([[1], [2]])), [0, 1], []],
    ["the dot product of nothing is 0", matmul(empty(0), empty(0)), [], 0],
    ["concat skips empty parts", concat([empty(0), value([1, 2])], { axis: 0 }), [2], [1, 2]],
    ["sort of nothing", sort(empty(0)).values, [0], []],
    ["softmax of no rows", softmax(empty(0, 3), { axis: 1 }), [0, 3], []],
    ["slice to nothing", value([1, 2]).slice([2, 0]), [0], []],
    ["transpose of an empty array", empty(0, 3).transpose(), [3, 0], [[], [], []]],
    ["reshape of an empty array", empty(0, 3).reshape([6, 0]), [6, 0], [[], [], [], [], [], []]],
    ["pad of an empty array", autograd.pad(empty(0), [[1, 1]], { value: 2 }), [2], [2, 2]],
    ["a nest of nothing has shape [0]", value([]), [0], []],
    ["a nest of empty rows keeps them", value([[], []]), [2, 0], [[], []]],
  ];
  it.each(RESULTS)("%s", (_name, x, shape, elements) => {
    expect([x.shape, x.toArray()]).toEqual([shape, elements]);
  });

  it.each(["max", "min"] as const)("%s of nothing throws and says why", (op) => {
    expect(() => autograd[op](empty(0))).toThrowError(autograd.ShapeError);
    expect(() => autograd[op](empty(2, 0), { axis: 1 })).toThrowError(new RegExp(`${op}.*\\[2, 0\\].*empty`));
  });

  it("gradients through empty arrays are zeros of the operands' shapes", () => {
    const [ga, gb] = grad((a: Value, b: Value) => matmul(a, b).sum(), { argnums: [0, 1] })(empty(2, 0), empty(0, 3));
    expect([ga.shape, gb.shape]).toEqual([
      [2, 0],
      [0, 3],
    ]);
    const g = grad((a: Value) => matmul(empty(3, 0), empty(0, 2)).mul(a).sum())(value([[1, 2]]));
    expect(g.toArray()).toEqual([[0, 0]]);
  });
});

describe("0-d Values", () => {
  const s = value(2);
  const RESULTS: readonly (readonly [string, Value, readonly number[], unknown])[] = [
    ["sum", autograd.sum(s), [], 2],
    ["mean", autograd.mean(s), [], 2],
    ["max", autograd.max(s), [], 2],
    ["prod", autograd.prod(s), [], 2],
    ["variance", autograd.variance(s), [], 0],
    ["logSumExp", autograd.logSumExp(s), [], 2],
    ["transpose", s.transpose(), [], 2],
    ["reshape to [1, 1]", s.reshape([1, 1]), [1, 1], [[2]]],
    ["reshape of [1] to []", value([2]).reshape([]), [], 2],
    ["broadcastTo [2]", s.broadcastTo([2]), [2], [2, 2]],
    ["slice without ranges", s.slice(), [], 2],
    ["stack", autograd.stack([s, value(3)], { axis: 0 }), [2], [2, 3]],
    ["where", autograd.where(value(1, { dtype: "bool" }), s, 3), [], 2],
    ["pad with no axes", autograd.pad(s, []), [], 2],
    [
      "embedding with one index",
      autograd.embedding(
        value([
          [1, 2],
          [3, 4],
        ]),
        value(1, { dtype: "int32" }),
      ),
      [2],
      [3, 4],
    ],
    ["int32", value(3, { dtype: "int32" }).add(value(4, { dtype: "int32" })), [], 7],
  ];
  it.each(RESULTS)("%s", (_name, x, shape, elements) => {
    expect([x.shape, x.toArray()]).toEqual([shape, elements]);
  });

  it.each(["sum", "mean", "max", "prod", "logSumExp"] as const)("%s of a scalar has derivative 1", (op) => {
    expect(grad((x: Value) => autograd[op](x))(value(2)).item()).toBeCloseTo(1, 15);
  });

  it("item() takes any array of one element, and no other", () => {
    expect(value([[7]]).item()).toBe(7);
    expect(() => value([1, 2]).item()).toThrowError(/item.*\[2\]/);
  });
});

describe("extreme operands", () => {
  const INF = Infinity;
  const RESULTS: readonly (readonly [string, Value, unknown])[] = [
    ["logSumExp of -Infinity alone is -Infinity", autograd.logSumExp(value([-INF, -INF])), -INF],
    ["logSumExp with Infinity is Infinity", autograd.logSumExp(value([INF, 1])), INF],
    ["logSumExp with NaN is NaN", autograd.logSumExp(value([NaN, 1])), NaN],
    ["max passes NaN on", autograd.max(value([1, NaN, 3])), NaN],
    ["min passes NaN on", autograd.min(value([1, NaN, 3])), NaN],
    ["max along an axis passes NaN on", autograd.max(value([[1, NaN, 3]]), { axis: 1 }), [NaN]],
    ["max of -Infinity alone", autograd.max(value([-INF, -INF])), -INF],
    ["max of -0 and 0 is 0", autograd.max(value([-0, 0])), 0],
    ["softmax gives -Infinity no weight", softmax(value([-INF, 0, 0]), { axis: 0 }), [0, 0.5, 0.5]],
    ["logSoftmax of very different logits does not underflow", autograd.logSoftmax(value([1000, 0]), { axis: 0 }), [0, -1000]],
    ["sort puts infinities outside", sort(value([INF, 0, -INF])).values, [-INF, 0, INF]],
    ["sort, descending, puts NaN last", sort(value([NaN, 1, 2]), { descending: true }).values, [2, 1, NaN]],
  ];
  it.each(RESULTS)("%s", (_name, x, expected) => {
    expect(x.toArray()).toEqual(expected);
  });

  it("softmax with a masked entry has no NaN in its gradient", () => {
    const g = grad((x: Value) => softmax(x, { axis: 0 }).mul([1, 2, 3]).sum())(value([-INF, 0, 1]));
    expect(Array.from(g.data).every(Number.isFinite)).toBe(true);
  });

  const GUARDED: readonly (readonly [string, (...xs: Value[]) => Value, readonly number[], readonly number[]])[] = [
    ["relu below 0", (x) => autograd.relu(x), [-1], [0]],
    ["relu at 0", (x) => autograd.relu(x), [0], [0]],
    ["where, the operand not taken", (x, y) => autograd.where(value(0, { dtype: "bool" }), x, y), [1, 2], [0, Infinity]],
    ["maximum, the smaller operand", (x, y) => autograd.maximum(x, y), [1, 2], [0, Infinity]],
    ["minimum, the larger operand", (x, y) => autograd.minimum(x, y), [1, 2], [Infinity, 0]],
    ["pow(x, 0)", (x) => autograd.pow(x, 0), [0], [0]],
  ];
  it.each(GUARDED)("an infinite cotangent makes no NaN where the derivative does not hold: %s", (_name, f, at, expected) => {
    const run = (xs: Value[]) => (autograd.vjp(f, ...xs) as unknown as [Value, (ct: Value) => Value[]])[1];
    expect(run(at.map((x) => value(x)))(value(Infinity)).map((g) => g.item())).toEqual(expected);
    expect(run(at.map((x) => value([x])))(value([Infinity])).map((g) => g.item())).toEqual(expected);
  });
});
