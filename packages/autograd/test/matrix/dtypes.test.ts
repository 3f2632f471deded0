import { describe, expect, it } from "vitest";
import * as autograd from "../../src/index.js";
import { concat, type DType, grad, matmul, param, stack, sum, type Value, value, where } from "../../src/index.js";

const array = (dtype: DType) => value([1, 0, 1], { dtype });
const scalar = (dtype: DType) => value(1, { dtype });

/** What stands on either side of an operator: arrays of each dtype, 0-d Values, plain numbers and literals. */
const OPERANDS = {
  "float64 array": array("float64"),
  "float32 array": array("float32"),
  "int32 array": array("int32"),
  "bool array": array("bool"),
  "0-d float64": scalar("float64"),
  "0-d float32": scalar("float32"),
  "0-d int32": scalar("int32"),
  "0-d bool": scalar("bool"),
  "the number 2": 2,
  "the number 2.5": 2.5,
  "the literal [1, 2, 3]": [1, 2, 3],
} as const;
type Kind = keyof typeof OPERANDS;

/** A floating 0-d Value is float64 and widens no array; numbers and literals are weak; bool < int32 < float32 < float64. */
const PROMOTION: readonly (readonly [Kind, Kind, DType])[] = [
  ["float64 array", "float64 array", "float64"],
  ["float64 array", "float32 array", "float64"],
  ["float64 array", "int32 array", "float64"],
  ["float64 array", "bool array", "float64"],
  ["float64 array", "the number 2.5", "float64"],
  ["float64 array", "the literal [1, 2, 3]", "float64"],
  ["float32 array", "float32 array", "float32"],
  ["float32 array", "int32 array", "float32"],
  ["float32 array", "bool array", "float32"],
  ["float32 array", "0-d float64", "float32"],
  ["float32 array", "0-d float32", "float32"],
  ["float32 array", "0-d int32", "float32"],
  ["float32 array", "the number 2", "float32"],
  ["float32 array", "the number 2.5", "float32"],
  ["float32 array", "the literal [1, 2, 3]", "float32"],
  ["int32 array", "int32 array", "int32"],
  ["int32 array", "bool array", "int32"],
  ["int32 array", "0-d int32", "int32"],
  ["int32 array", "the number 2", "int32"],
  ["int32 array", "the number 2.5", "float64"],
  ["0-d float64", "0-d float64", "float64"],
  ["0-d float64", "0-d float32", "float64"],
  ["0-d float64", "0-d int32", "float64"],
  ["0-d float64", "the number 2", "float64"],
  ["0-d float64", "the literal [1, 2, 3]", "float64"],
  ["0-d int32", "0-d int32", "int32"],
];

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
  const transcendental = ["exp", "log", "sqrt", "sin", "cos", "tanh", "sigmoid", "softplus", "expm1", "log1p", "reciprocal"] as const;
  const integral = ["neg", "abs", "sign", "square", "relu"] as const;
  const float32 = array("float32");
  const int32 = array("int32");

  it.each(transcendental)("%s of int32 is float64, of float32 float32", (op) => {
    expect([autograd[op](int32).dtype, autograd[op](float32).dtype]).toEqual(["float64", "float32"]);
  });

  it.each(integral)("%s of int32 is int32, of float32 float32", (op) => {
    expect([autograd[op](int32).dtype, autograd[op](float32).dtype]).toEqual(["int32", "float32"]);
  });

  const RESULTS: readonly (readonly [string, Value, DType])[] = [
    ["a float32 sum over all axes is a double", sum(float32), "float64"],
    ["a float32 sum along an axis stays float32", sum(value([[1, 2]], { dtype: "float32" }), { axis: 0 }), "float32"],
    ["a sum of bool counts in int32", sum(array("bool")), "int32"],
    ["a sum of int32 is int32", sum(int32), "int32"],
    ["a mean of int32 is a float", autograd.mean(int32), "float64"],
    ["max of int32 is int32", autograd.max(int32), "int32"],
    [
      "matmul of float32 and float32 is float32",
      matmul(value([[1, 2]], { dtype: "float32" }), value([[1], [2]], { dtype: "float32" })),
      "float32",
    ],
    ["matmul of float32 and float64 is float64", matmul(value([[1, 2]], { dtype: "float32" }), value([[1], [2]])), "float64"],
    ["concat of float32 and float64 is float64", concat([float32, array("float64")], { axis: 0 }), "float64"],
    ["concat of int32 and float32 is float32", concat([int32, float32], { axis: 0 }), "float32"],
    ["stack of float32 is float32", stack([float32, float32], { axis: 0 }), "float32"],
    ["reshape keeps int32", int32.reshape([3, 1]), "int32"],
    ["slice keeps bool", array("bool").slice([0, 2]), "bool"],
    ["an element of a float32 array is a double", float32.slice(0), "float64"],
    ["an element of an int32 array is int32", int32.slice(0), "int32"],
    ["logicalNot is bool", autograd.logicalNot(int32), "bool"],
    ["eye is float64 unless told otherwise", autograd.eye(2), "float64"],
    ["zerosLike keeps float32", autograd.zerosLike(float32), "float32"],
    ["a Float32Array is float32", value(new Float32Array(2)), "float32"],
    ["an Int32Array is int32", value(new Int32Array(2)), "int32"],
    ["nested numbers are float64", value([[1, 2]]), "float64"],
  ];
  it.each(RESULTS)("%s", (_name, x, dtype) => {
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
