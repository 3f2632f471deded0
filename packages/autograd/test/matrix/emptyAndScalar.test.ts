import { describe, expect, it } from "vitest";
import * as autograd from "../../src/index.js";
import { grad, matmul, softmax, type Value, value } from "../../src/index.js";
import { elementwise } from "./calls.js";
import { EMPTY, empty, EXTREME, GUARDED, SCALARS } from "./edgeCases.js";

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

  it.each(EMPTY)("%s", (_name, f, operands, shape, elements) => {
    const x = f(...operands);
    expect([x.shape, x.toArray()]).toEqual([shape, elements]);
  });

  it.each([
    ["a nest of nothing has shape [0]", value([]), [0], []],
    ["a nest of empty rows keeps them", value([[], []]), [2, 0], [[], []]],
  ])("%s", (_name, x, shape, elements) => {
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
  it.each(SCALARS)("%s", (_name, f, operands, shape, elements) => {
    const x = f(...operands);
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
  it.each(EXTREME)("%s", (_name, f, operands, shape, elements) => {
    const x = f(...operands);
    expect([x.shape, x.toArray()]).toEqual([shape, elements]);
  });

  it("derivatives of softplus of any order are numbers, however far from 0", () => {
    const second = grad(grad((x: Value) => x.softplus()));
    for (const x of [-1000, -750, 1000]) expect([second(x).item(), grad(second)(x).item()]).toEqual([0, 0]);
    expect(second(-30).item()).toBeCloseTo(Math.exp(-30) / (1 + Math.exp(-30)) ** 2, 28);
    const single = value([-89, -104], { dtype: "float32" });
    const slope = (x: Value) => grad((y: Value) => y.softplus().sum())(x);
    expect(grad((x: Value) => slope(x).sum())(single).toArray()).toEqual([Math.fround(Math.exp(-89)), Math.fround(Math.exp(-104))]);
  });

  it("softmax with a masked entry has no NaN in its gradient", () => {
    const g = grad((x: Value) => softmax(x, { axis: 0 }).mul([1, 2, 3]).sum())(value([-Infinity, 0, 1]));
    expect(Array.from(g.data).every(Number.isFinite)).toBe(true);
  });

  it.each(GUARDED)("an infinite cotangent makes no NaN where the derivative does not hold: %s", (_name, f, at, expected) => {
    const run = (xs: Value[]) => (autograd.vjp(f, ...xs) as unknown as [Value, (ct: Value) => Value[]])[1];
    expect(run(at.map((x) => value(x)))(value(Infinity)).map((g) => g.item())).toEqual(expected);
    expect(run(at.map((x) => value([x])))(value([Infinity])).map((g) => g.item())).toEqual(expected);
  });
});
