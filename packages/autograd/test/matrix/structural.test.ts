import { describe, expect, it } from "vitest";
import { structuralCases } from "./references.js";
import { wrongGradients, wrongOutputs, wrongProducts } from "./structuralChecks.js";

describe("structural operations and composites", () => {
  it.each(structuralCases)("$name: the outputs of the reference", (reference) => {
    expect(wrongOutputs(reference)).toEqual([]);
  });

  it.each(structuralCases)("$name: the gradients of the reference", (reference) => {
    expect(wrongGradients(reference)).toEqual([]);
  });

  it.each(structuralCases.filter(({ vectors }) => vectors !== undefined))(
    "$name: the Hessian-vector products of the reference",
    (reference) => {
      expect(wrongProducts(reference)).toEqual([]);
    },
  );
});

describe("the reference table", () => {
  it("leaves no operation of the library out", () => {
    const covered = new Set(structuralCases.map(({ op }) => op));
    const due = [
      "sum",
      "mean",
      "max",
      "min",
      "logSumExp",
      "prod",
      "variance",
      "sort",
      "concat",
      "stack",
      "split",
      "pad",
      "gather",
      "embedding",
    ];
    const shapes = ["slice", "reshape", "transpose", "broadcastTo", "matmul", "where", "softmax", "logSoftmax", "mseLoss", "crossEntropy"];
    expect([...due, ...shapes].filter((op) => !covered.has(op))).toEqual([]);
  });
});
