import type { Value } from "../../src/index.js";

/** A method and what it is called with. */
export type MethodCall = readonly [method: string, ...rest: unknown[]];

const CALLS: readonly MethodCall[] = [
  ...["neg", "exp", "log", "sqrt", "square", "abs", "reciprocal", "sin", "cos", "tanh", "sigmoid", "relu", "softplus"].map(
    (op) => [op] as const,
  ),
  ...["add", "sub", "mul", "div", "pow", "maximum", "minimum", "eq", "ne", "lt", "le", "gt", "ge"].map((op) => [op, [1, 1.5, 2]] as const),
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

export const METHODS: readonly (readonly [name: string, MethodCall])[] = CALLS.map((call) => {
  const [op, ...rest] = call;
  return [`${op}(${rest.map((x) => JSON.stringify(x)).join(", ")})`, call];
});

export function methodOf(x: Value, [op, ...rest]: MethodCall): Value {
  return (x as unknown as Record<string, (...rest: unknown[]) => Value>)[op]!(...rest);
}
