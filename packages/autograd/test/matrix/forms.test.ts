import { describe, expect, it } from "vitest";
import * as autograd from "../../src/index.js";
import { type Value, value } from "../../src/index.js";
import { elementwise } from "./calls.js";
import { randomFrom } from "./sampling.js";

type Free = (x: Value, ...rest: unknown[]) => Value;
type Methods = Record<string, (...rest: unknown[]) => Value>;

const M = value([
  [0.5, 1.5, 2.5],
  [3.5, 0.25, 1.25],
]);

describe("a method is the function of the same name", () => {
  const CALLS: readonly (readonly [string, ...unknown[]])[] = [
    ...["neg", "exp", "log", "sqrt", "square", "abs", "reciprocal", "sin", "cos", "tanh", "sigmoid", "relu", "softplus"].map(
      (op) => [op] as const,
    ),
    ...["add", "sub", "mul", "div", "pow", "maximum", "minimum", "eq", "ne", "lt", "le", "gt", "ge"].map(
      (op) => [op, [1, 1.5, 2]] as const,
    ),
    ...["sum", "mean", "max", "min", "prod", "variance", "logSumExp"].flatMap((op) => [
      [op] as const,
      [op, { axis: 1, keepDims: true }] as const,
    ]),
    ["matmul", [[1], [2], [3]]],
    ["reshape", [3, 2]],
    ["transpose"],
    ["transpose", [1, 0]],
    ["broadcastTo", [2, 2, 3]],
    ["slice", 1, [null, null, -1]],
  ];
  const free = { ...autograd } as unknown as Record<string, Free>;

  it.each(
    CALLS.map(
      (call) =>
        [
          `${call[0]}(${call
            .slice(1)
            .map((x) => JSON.stringify(x))
            .join(", ")})`,
          call,
        ] as const,
    ),
  )("%s", (_name, [op, ...rest]) => {
    const method = (M as unknown as Methods)[op]!(...rest);
    const expected = (op === "slice" ? (x: Value, ...entries: unknown[]) => autograd.slice(x, ...(entries as never[])) : free[op]!)(
      M,
      ...rest,
    );
    expect([method.dtype, method.shape, method.toArray()]).toEqual([expected.dtype, expected.shape, expected.toArray()]);
  });

  it("the method is on the prototype, so that the list stays closed", () => {
    expect(CALLS.filter(([op]) => typeof (M as unknown as Methods)[op] !== "function")).toEqual([]);
  });
});

describe("an elementwise function of an array is that of its elements, whatever its length", () => {
  // Around 256 float64 (512 float32) elements arrays move from a shared slab to memory of their own.
  const LENGTHS = [1, 2, 3, 255, 256, 257, 512, 513, 4097];

  it.each(Object.keys(elementwise).filter((op) => op !== "where"))("%s", (op) => {
    const f = elementwise[op]!;
    const arity = f(value(0.5), value(0.25)).item() === f(value(0.5), value(0.75)).item() && !["maximum", "minimum"].includes(op) ? 1 : 2;
    for (const length of LENGTHS) {
      const random = randomFrom(length);
      const operands = Array.from({ length: arity }, () => Float64Array.from({ length }, () => 0.1 + random()));
      const expected = Array.from({ length }, (_, k) => f(...operands.map((x) => value(x[k]!))).item());
      expect(Array.from(f(...operands.map((x) => value(x))).data)).toEqual(expected);
    }
  });
});

describe("arrays made from nothing are NumPy's", () => {
  const CREATED: readonly (readonly [string, Value, unknown])[] = [
    ["zeros", autograd.zeros([2, 1]), [[0], [0]]],
    ["zeros of no elements", autograd.zeros([0]), []],
    ["zeros of no axes", autograd.zeros([]), 0],
    ["ones", autograd.ones([2]), [1, 1]],
    ["full", autograd.full([1, 2], 2.5), [[2.5, 2.5]]],
    ["full of NaN", autograd.full([1], NaN), [NaN]],
    [
      "eye",
      autograd.eye(3),
      [
        [1, 0, 0],
        [0, 1, 0],
        [0, 0, 1],
      ],
    ],
    ["eye of 0", autograd.eye(0), []],
    ["arange to a stop", autograd.arange(3), [0, 1, 2]],
    ["arange from a start", autograd.arange(2, 5), [2, 3, 4]],
    ["arange with a step", autograd.arange(0, 1, 0.25), [0, 0.25, 0.5, 0.75]],
    ["arange whose step passes the stop", autograd.arange(0, 5, 2), [0, 2, 4]],
    ["arange backwards", autograd.arange(3, 0, -1), [3, 2, 1]],
    ["arange of nothing", autograd.arange(3, 3), []],
    ["arange the wrong way", autograd.arange(3, 0), []],
    ["linspace", autograd.linspace(0, 1, 5), [0, 0.25, 0.5, 0.75, 1]],
    ["linspace ends exactly", autograd.linspace(0, 0.3, 4).slice(-1), 0.3],
    ["linspace downwards", autograd.linspace(1, -1, 3), [1, 0, -1]],
    ["linspace of one number is its start", autograd.linspace(2, 5, 1), [2]],
    ["linspace of none", autograd.linspace(2, 5, 0), []],
    [
      "zerosLike",
      autograd.zerosLike(M),
      [
        [0, 0, 0],
        [0, 0, 0],
      ],
    ],
    ["onesLike", autograd.onesLike(value([1, 2])), [1, 1]],
  ];

  it.each(CREATED)("%s", (_name, x, expected) => {
    expect(x.toArray()).toEqual(expected);
  });
});
