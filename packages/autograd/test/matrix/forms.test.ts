import { describe, expect, it } from "vitest";
import * as autograd from "../../src/index.js";
import { type Value, value } from "../../src/index.js";
import { elementwise } from "./calls.js";
import { LENGTHS, randomOperands } from "./lengths.js";
import { methodOf, METHODS } from "./methods.js";

type Free = (x: Value, ...rest: unknown[]) => Value;
type Methods = Record<string, unknown>;

const M = value([
  [0.5, 1.5, 2.5],
  [3.5, 0.25, 1.25],
]);

describe("a method is the function of the same name", () => {
  const free = { ...autograd } as unknown as Record<string, Free>;

  it.each(METHODS)("%s", (_name, call) => {
    const [op, ...rest] = call;
    const method = methodOf(M, call);
    const expected = (op === "slice" ? (x: Value, ...entries: unknown[]) => autograd.slice(x, ...(entries as never[])) : free[op]!)(
      M,
      ...rest,
    );
    expect([method.dtype, method.shape, method.toArray()]).toEqual([expected.dtype, expected.shape, expected.toArray()]);
  });

  it("the method is on the prototype, so that the list stays closed", () => {
    expect(METHODS.filter(([, [op]]) => typeof (M as unknown as Methods)[op] !== "function")).toEqual([]);
  });
});

describe("an elementwise function of an array is that of its elements, whatever its length", () => {
  it.each(Object.keys(elementwise).filter((op) => op !== "where"))("%s", (op) => {
    const f = elementwise[op]!;
    for (const length of LENGTHS) {
      const operands = randomOperands(op, length);
      const expected = Array.from({ length }, (_, k) => f(...operands.map((x) => value(x.data[k]!))).item());
      expect(Array.from(f(...operands).data)).toEqual(expected);
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
