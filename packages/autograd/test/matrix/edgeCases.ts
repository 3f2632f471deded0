import * as autograd from "../../src/index.js";
import { concat, matmul, softmax, sort, type Value, value } from "../../src/index.js";

type Shape = readonly number[];

/** A function, what it is called with, and what must come out. */
export type EdgeCase = readonly [name: string, f: (...xs: Value[]) => Value, operands: readonly Value[], shape: Shape, elements: unknown];

export const empty = (...shape: number[]) => value(new Float64Array(0), { shape });

export const EMPTY: readonly EdgeCase[] = [
  ["the sum of nothing is 0", (x) => autograd.sum(x), [empty(0)], [], 0],
  ["the product of nothing is 1", (x) => autograd.prod(x), [empty(0)], [], 1],
  ["the mean of nothing is NaN", (x) => autograd.mean(x), [empty(0)], [], NaN],
  ["the sum along an empty axis is 0", (x) => autograd.sum(x, { axis: 1 }), [empty(2, 0)], [2], [0, 0]],
  ["the product along an empty axis is 1", (x) => autograd.prod(x, { axis: 1 }), [empty(2, 0)], [2], [1, 1]],
  ["the sum along a full axis of an empty array is empty", (x) => autograd.sum(x, { axis: 0 }), [empty(2, 0)], [0], []],
  ["the max along a full axis of an empty array is empty", (x) => autograd.max(x, { axis: 0 }), [empty(2, 0)], [0], []],
  ["the sum keeps axes", (x) => autograd.sum(x, { keepDims: true }), [empty(2, 0)], [1, 1], [[0]]],
  [
    "a product over no inner elements is 0",
    (x, y) => matmul(x, y),
    [empty(2, 0), empty(0, 3)],
    [2, 3],
    [
      [0, 0, 0],
      [0, 0, 0],
    ],
  ],
  ["a product of no rows is empty", (x, y) => matmul(x, y), [empty(0, 2), value([[1], [2]])], [0, 1], []],
  ["the dot product of nothing is 0", (x, y) => matmul(x, y), [empty(0), empty(0)], [], 0],
  ["concat skips empty parts", (x, y) => concat([x, y], { axis: 0 }), [empty(0), value([1, 2])], [2], [1, 2]],
  ["sort of nothing", (x) => sort(x).values, [empty(0)], [0], []],
  ["softmax of no rows", (x) => softmax(x, { axis: 1 }), [empty(0, 3)], [0, 3], []],
  ["slice to nothing", (x) => x.slice([2, 0]), [value([1, 2])], [0], []],
  ["transpose of an empty array", (x) => x.transpose(), [empty(0, 3)], [3, 0], [[], [], []]],
  ["reshape of an empty array", (x) => x.reshape([6, 0]), [empty(0, 3)], [6, 0], [[], [], [], [], [], []]],
  ["pad of an empty array", (x) => autograd.pad(x, [[1, 1]], { value: 2 }), [empty(0)], [2], [2, 2]],
];

const s = value(2);
const int32 = (x: number) => value(x, { dtype: "int32" });

export const SCALARS: readonly EdgeCase[] = [
  ["sum", (x) => autograd.sum(x), [s], [], 2],
  ["mean", (x) => autograd.mean(x), [s], [], 2],
  ["max", (x) => autograd.max(x), [s], [], 2],
  ["prod", (x) => autograd.prod(x), [s], [], 2],
  ["variance", (x) => autograd.variance(x), [s], [], 0],
  ["logSumExp", (x) => autograd.logSumExp(x), [s], [], 2],
  ["transpose", (x) => x.transpose(), [s], [], 2],
  ["reshape to [1, 1]", (x) => x.reshape([1, 1]), [s], [1, 1], [[2]]],
  ["reshape of [1] to []", (x) => x.reshape([]), [value([2])], [], 2],
  ["broadcastTo [2]", (x) => x.broadcastTo([2]), [s], [2], [2, 2]],
  ["slice without ranges", (x) => x.slice(), [s], [], 2],
  ["stack", (x, y) => autograd.stack([x, y], { axis: 0 }), [s, value(3)], [2], [2, 3]],
  ["where", (c, x) => autograd.where(c, x, 3), [value(1, { dtype: "bool" }), s], [], 2],
  ["where, the other one", (c, x) => autograd.where(c, x, 3), [value(0, { dtype: "bool" }), s], [], 3],
  ["pad with no axes", (x) => autograd.pad(x, []), [s], [], 2],
  [
    "embedding with one index",
    (table, k) => autograd.embedding(table, k),
    [
      value([
        [1, 2],
        [3, 4],
      ]),
      int32(1),
    ],
    [2],
    [3, 4],
  ],
  ["int32", (x, y) => x.add(y), [int32(3), int32(4)], [], 7],
];

const INF = Infinity;

export const EXTREME: readonly EdgeCase[] = [
  ["logSumExp of -Infinity alone is -Infinity", (x) => autograd.logSumExp(x), [value([-INF, -INF])], [], -INF],
  ["logSumExp with Infinity is Infinity", (x) => autograd.logSumExp(x), [value([INF, 1])], [], INF],
  ["logSumExp with NaN is NaN", (x) => autograd.logSumExp(x), [value([NaN, 1])], [], NaN],
  ["max passes NaN on", (x) => autograd.max(x), [value([1, NaN, 3])], [], NaN],
  ["min passes NaN on", (x) => autograd.min(x), [value([1, NaN, 3])], [], NaN],
  ["max along an axis passes NaN on", (x) => autograd.max(x, { axis: 1 }), [value([[1, NaN, 3]])], [1], [NaN]],
  ["max of -Infinity alone", (x) => autograd.max(x), [value([-INF, -INF])], [], -INF],
  ["max of -0 and 0 is 0", (x) => autograd.max(x), [value([-0, 0])], [], 0],
  ["softmax gives -Infinity no weight", (x) => softmax(x, { axis: 0 }), [value([-INF, 0, 0])], [3], [0, 0.5, 0.5]],
  [
    "logSoftmax of very different logits does not underflow",
    (x) => autograd.logSoftmax(x, { axis: 0 }),
    [value([1000, 0])],
    [2],
    [0, -1000],
  ],
  ["sort puts infinities outside", (x) => sort(x).values, [value([INF, 0, -INF])], [3], [-INF, 0, INF]],
  ["sort, descending, puts NaN last", (x) => sort(x, { descending: true }).values, [value([NaN, 1, 2])], [3], [2, 1, NaN]],
];

/** Where a partial holds on one side only, an infinite cotangent makes no NaN on the other. */
export type GuardedCase = readonly [name: string, f: (...xs: Value[]) => Value, at: readonly number[], expected: readonly number[]];
export const GUARDED: readonly GuardedCase[] = [
  ["relu below 0", (x) => autograd.relu(x), [-1], [0]],
  ["relu at 0", (x) => autograd.relu(x), [0], [0]],
  ["where, the operand not taken", (x, y) => autograd.where(value(0, { dtype: "bool" }), x, y), [1, 2], [0, Infinity]],
  ["maximum, the smaller operand", (x, y) => autograd.maximum(x, y), [1, 2], [0, Infinity]],
  ["minimum, the larger operand", (x, y) => autograd.minimum(x, y), [1, 2], [Infinity, 0]],
  ["pow(x, 0)", (x) => autograd.pow(x, 0), [0], [0]],
];
