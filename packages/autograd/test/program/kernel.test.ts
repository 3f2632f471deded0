import { expect, test } from "vitest";
import { emitKernel, type KernelSpec } from "../../src/program/kernel.js";

test.each(["matmul", "toString"])("a kernel of what is no elementwise operation is refused by its name: %s", (op) => {
  const x = { dtype: "float64", strides: [1] } as const;
  const spec: KernelSpec = {
    dtype: "float64",
    axes: 1,
    operands: [x],
    operations: [{ op, operands: [["operand", 0]] }],
    results: [{ ...x, from: ["result", 0] }],
    reducedFrom: 2,
  };
  const emit = (): unknown => emitKernel(spec, { simd: true, relaxedMadd: false }, () => 0);
  expect(emit).toThrow(`internal: a kernel was to compute ${op}, which is no elementwise operation`);
});
