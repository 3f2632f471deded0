import { describe, expect, it } from "vitest";
import * as autograd from "../../src/index.js";
import { grad, param, sum, type Value, value, where } from "../../src/index.js";
import { array, INTEGRAL, OPERANDS, PROMOTION, RESULTS, TRANSCENDENTAL } from "./dtypeCases.js";

describe("dtypes meet as documented", () => {
  it.each(PROMOTION)("%s and %s give %s", (a, b, dtype) => {
    expect([autograd.add(OPERANDS[a], OPERANDS[b]).dtype, autograd.mul(OPERANDS[b], OPERANDS[a]).dtype]).toEqual([dtype, dtype]);
  });

  it.each(PROMOTION)("%s and %s divide to a float, with the dtype of their sum where that is one", (a, b, dtype) => {
    expect(autograd.div(OPERANDS[a], OPERANDS[b]).dtype).toBe(dtype === "int32" ? "float64" : dtype);
  });

  it.each(PROMOTION)("%s and %s compare to bool", (a, b) => {
    expect(autograd.lt(OPERANDS[a], OPERANDS[b]).dtype).toBe("bool");
  });

  it.each(PROMOTION.filter(([a, b]) => OPERANDS[a] instanceof autograd.Value && OPERANDS[b] instanceof autograd.Value))(
    "where chooses between %s and %s as %s",
    (a, b, dtype) => {
      expect(where(value([1, 0, 1], { dtype: "bool" }), OPERANDS[a], OPERANDS[b]).dtype).toBe(dtype);
    },
  );
});

describe("dtype of the result", () => {
  const float32 = array("float32");
  const int32 = array("int32");

  it.each(TRANSCENDENTAL)("%s of int32 is float64, of float32 float32", (op) => {
    expect([autograd[op](int32).dtype, autograd[op](float32).dtype]).toEqual(["float64", "float32"]);
  });

  it.each(INTEGRAL)("%s of int32 is int32, of float32 float32", (op) => {
    expect([autograd[op](int32).dtype, autograd[op](float32).dtype]).toEqual(["int32", "float32"]);
  });

  it.each(RESULTS)("%s", (_name, f, operands, dtype) => {
    expect(f(...operands).dtype).toBe(dtype);
  });

  it.each([
    ["eye is float64 unless told otherwise", autograd.eye(2), "float64"],
    ["a Float32Array is float32", value(new Float32Array(2)), "float32"],
    ["an Int32Array is int32", value(new Int32Array(2)), "int32"],
    ["nested numbers are float64", value([[1, 2]]), "float64"],
  ])("%s", (_name, x, dtype) => {
    expect(x.dtype).toBe(dtype);
  });
});

describe("dtypes of gradients", () => {
  it("a float32 operand beside a float64 array gets a float32 gradient", () => {
    const [gx, gy] = grad((x: Value, y: Value) => x.mul(y).sum(), { argnums: [0, 1] })(array("float32"), array("float64"));
    expect([gx.dtype, gy.dtype]).toEqual(["float32", "float64"]);
  });

  it("a float32 operand that was broadcast gets a float32 gradient of its own shape", () => {
    const g = grad((x: Value) =>
      x
        .mul(
          value([
            [1, 2, 3],
            [4, 5, 6],
          ]),
        )
        .sum(),
    )(value([1, 2, 3], { dtype: "float32" }));
    expect([g.dtype, g.toArray()]).toEqual(["float32", [5, 7, 9]]);
  });

  it("a 0-d operand of a float32 array gets its gradient in double", () => {
    const s = param(0.1);
    value([1, 2 ** 24 + 2], { dtype: "float32" })
      .mul(s)
      .sum()
      .backward();
    expect([s.grad.dtype, s.grad.item()]).toEqual(["float64", 2 ** 24 + 3]);
  });

  it("float32 sums are accumulated in double", () => {
    expect(sum(value(Float32Array.of(2 ** 24, 1, 1, 1), {})).item()).toBe(2 ** 24 + 3);
  });

  it("int32 and bool carry no gradient", () => {
    const x = param([1.5, 2.5, 3.5]);
    expect(x.gt(2).requiresGrad).toBe(false);
    expect(autograd.sort(x).indices.requiresGrad).toBe(false);
  });
});

describe("what int32 and bool do not hold", () => {
  const ints = (...xs: number[]) => value(xs, { dtype: "int32" });

  it("means, variances and squared errors of integers are taken in float64", () => {
    expect(ints(2e9, 2e9).mean().item()).toBe(2e9);
    expect(ints(2e9, 2e9).variance().item()).toBe(0);
    expect(ints(2e9, -2e9).variance().item()).toBe(4e18);
    expect(autograd.mseLoss(ints(50_000), ints(0)).item()).toBe(2.5e9);
  });

  it("whole literals beyond int32 are float64 beside integers", () => {
    expect(
      ints(5)
        .lt(2 ** 31)
        .item(),
    ).toBe(1);
    expect(
      ints(0)
        .eq(2 ** 32)
        .item(),
    ).toBe(0);
    expect(ints(5).minimum(2 ** 31).dtype).toBe("float64");
    expect(ints(5).minimum(2 ** 31 - 1).dtype).toBe("int32");
    expect(where([0], ints(1), 2 ** 32).item()).toBe(2 ** 32);
  });

  it("arrays of bool hold 0 and 1, whatever they are filled with", () => {
    const options = { dtype: "bool" } as const;
    for (const x of [7, 0.5, 256, NaN, -1]) expect(autograd.full([2], x, options).toArray()).toEqual([1, 1]);
    expect(autograd.full([], 2, options).item()).toBe(1);
    expect(autograd.full([2], 0, options).toArray()).toEqual([0, 0]);
    expect(autograd.arange(0, 3, 1, options).toArray()).toEqual([0, 1, 1]);
    expect(autograd.linspace(0, 1, 3, options).toArray()).toEqual([0, 1, 1]);
  });
});
