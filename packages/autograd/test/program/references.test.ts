import { describe, expect, it } from "vitest";
import { FORMS, TRANSFORMED, wrongPartials, wrongValues } from "../matrix/elementwiseChecks.js";
import { elementwiseCases, structuralCases } from "../matrix/references.js";
import type { Runner } from "../matrix/runners.js";
import { isFull, sampled } from "../matrix/sampling.js";
import { wrongGradients, wrongOutputs, wrongProducts } from "../matrix/structuralChecks.js";
import { both, compiledDerivative, ofCompiled, RUNNERS } from "./compiledRun.js";

/** The tables of 50-digit, NumPy and PyTorch values hold for compiled programs by the same tolerances. */

describe.each(FORMS)("compiled elementwise functions of %s", (form) => {
  it.each(elementwiseCases)("$op has its $kind values", (reference) => {
    expect(wrongValues(reference, form, ofCompiled)).toEqual([]);
  });
});

const FORMS_OF: readonly (readonly [string, Runner, readonly (typeof FORMS)[number][]])[] = [
  [ofCompiled.name, ofCompiled, FORMS],
  [compiledDerivative.name, compiledDerivative, TRANSFORMED],
  [both.name, both, isFull ? TRANSFORMED : ["an array, by grad", "scalars, forward"]],
];

describe.each(FORMS_OF)("elementwise functions: %s", (_name, runner, forms) => {
  describe.each(forms)("of %s", (form) => {
    it.each(elementwiseCases)("$op has its $kind derivatives", (reference) => {
      expect(wrongPartials(reference, form, runner)).toEqual([]);
    });
  });
});

describe("structural operations and composites, compiled", () => {
  it.each(structuralCases)("$name: the outputs of the reference", (reference) => {
    expect(wrongOutputs(reference, ofCompiled)).toEqual([]);
  });
});

describe.each(RUNNERS)("structural operations and composites: $name", (runner) => {
  const cases = sampled(structuralCases, runner === both ? 12 : 4, ({ op }) => op);

  it.each(cases)("$name: the gradients of the reference", (reference) => {
    expect(wrongGradients(reference, runner)).toEqual([]);
  });

  it.each(cases.filter(({ vectors }) => vectors !== undefined))("$name: the products of the reference", (reference) => {
    expect(wrongProducts(reference, runner)).toEqual([]);
  });
});
