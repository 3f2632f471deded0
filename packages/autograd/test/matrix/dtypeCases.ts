import * as autograd from "../../src/index.js";
import { concat, type DType, matmul, stack, sum, type Value, value } from "../../src/index.js";

export const array = (dtype: DType) => value([1, 0, 1], { dtype });
const scalar = (dtype: DType) => value(1, { dtype });

/** What stands on either side of an operator: arrays of each dtype, 0-d Values, plain numbers and literals. */
export const OPERANDS = {
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
export const PROMOTION: readonly (readonly [Kind, Kind, DType])[] = [
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

const float32 = array("float32");
const int32 = array("int32");
const bool = array("bool");
const row = (dtype: DType) => value([[1, 2]], { dtype });
const column = (dtype: DType) => value([[1], [2]], { dtype });

/** A function, what it is called with, and the dtype of the result. */
export const RESULTS: readonly (readonly [name: string, f: (...xs: Value[]) => Value, operands: readonly Value[], dtype: DType])[] = [
  ["a float32 sum over all axes is a double", (x) => sum(x), [float32], "float64"],
  ["a float32 sum along an axis stays float32", (x) => sum(x, { axis: 0 }), [row("float32")], "float32"],
  ["a sum of bool counts in int32", (x) => sum(x), [bool], "int32"],
  ["a sum of int32 is int32", (x) => sum(x), [int32], "int32"],
  ["a mean of int32 is a float", (x) => autograd.mean(x), [int32], "float64"],
  ["max of int32 is int32", (x) => autograd.max(x), [int32], "int32"],
  ["matmul of float32 and float32 is float32", (x, y) => matmul(x, y), [row("float32"), column("float32")], "float32"],
  ["matmul of float32 and float64 is float64", (x, y) => matmul(x, y), [row("float32"), column("float64")], "float64"],
  ["concat of float32 and float64 is float64", (x, y) => concat([x, y], { axis: 0 }), [float32, array("float64")], "float64"],
  ["concat of int32 and float32 is float32", (x, y) => concat([x, y], { axis: 0 }), [int32, float32], "float32"],
  ["stack of float32 is float32", (x) => stack([x, x], { axis: 0 }), [float32], "float32"],
  ["reshape keeps int32", (x) => x.reshape([3, 1]), [int32], "int32"],
  ["slice keeps bool", (x) => x.slice([0, 2]), [bool], "bool"],
  ["an element of a float32 array is a double", (x) => x.slice(0), [float32], "float64"],
  ["an element of an int32 array is int32", (x) => x.slice(0), [int32], "int32"],
  ["logicalNot is bool", (x) => autograd.logicalNot(x), [int32], "bool"],
  ["zerosLike keeps float32", (x) => autograd.zerosLike(x), [float32], "float32"],
];

export const TRANSCENDENTAL = ["exp", "log", "sqrt", "sin", "cos", "tanh", "sigmoid", "softplus", "expm1", "log1p", "reciprocal"] as const;
/** Integers stay integers. */
export const INTEGRAL = ["neg", "abs", "sign", "square", "relu"] as const;
