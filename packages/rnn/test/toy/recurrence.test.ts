import { InputError } from "@unroll/autograd";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { handwrittenRecurrence, publishedWrongRecurrence } from "../../src/index.js";
import { expectGradient, expectWithin, sumOfAbsolute } from "./agreement.js";
import { randomCase } from "./arbitraries.js";
import { EXAMPLE, REFERENCE_CASES } from "./references.js";

describe("the handwritten recurrence", () => {
  it.each(REFERENCE_CASES)("has the 50-digit loss, gradient, deltas and shares to 1e-14: $name", (reference) => {
    const result = handwrittenRecurrence(reference.parameters, reference.inputs, reference.targets);
    expectWithin(result.loss, reference.loss, 1e-14, reference.loss, "E");
    expectGradient(result.gradient, reference.gradient, 1e-14, reference.scale, "gradient");
    expectArray(result.deltas, reference.deltas, "delta");
    for (const name of ["u", "v", "w"] as const) expectArray(result.shares[name], reference.shares[name], `share of d${name}`);
  });

  it("has the numbers that the network was published with", () => {
    const { loss, gradient, deltas } = handwrittenRecurrence(EXAMPLE.parameters, EXAMPLE.inputs, EXAMPLE.targets);
    expect(loss).toBeCloseTo(4.1392238001973122502, 14);
    expect(gradient.u).toBeCloseTo(-0.44776264459840204007, 14);
    expect(gradient.v).toBeCloseTo(0.73990629579806963885, 14);
    expect(gradient.w).toBeCloseTo(-0.031125721554951101593, 14);
    expect(gradient.s).toBeCloseTo(0.46806294256481460811, 14);
    expect(deltas[0]).toBeCloseTo(0.36004841735754969855, 14);
    expect(deltas[1]).toBeCloseTo(-0.3651987930267630398, 14);
    expect(deltas[2]).toBeCloseTo(0.097341647046265874886, 14);
  });

  it("starts with the state s and keeps one state more than there are inputs", () => {
    const { states } = handwrittenRecurrence(EXAMPLE.parameters, EXAMPLE.inputs, EXAMPLE.targets);
    expect(states[0]).toBe(EXAMPLE.parameters.s);
    expect(states.length).toBe(4);
  });

  it("refuses a wrong number of targets", () => {
    expect(() => handwrittenRecurrence(EXAMPLE.parameters, [1, 2], [1])).toThrow(InputError);
  });
});

describe("the published recurrence, which is wrong", () => {
  it.each(REFERENCE_CASES)(
    "is the gradient of F = sum of p_t, once the sum in u is restored: $name",
    ({ parameters, inputs, published }) => {
      const result = publishedWrongRecurrence(parameters, inputs);
      expectArray(result.deltas, published.deltas, "delta");
      for (const name of ["u", "v", "w", "s"] as const) {
        expectWithin(result.gradient[name], published.gradient[name], 1e-13, Math.abs(published.gradient[name]), `dF/d${name}`);
      }
    },
  );

  it("prints y_t for u at every time step, without a sum", () => {
    const { states } = handwrittenRecurrence(EXAMPLE.parameters, EXAMPLE.inputs, EXAMPLE.targets);
    const { printedU } = publishedWrongRecurrence(EXAMPLE.parameters, EXAMPLE.inputs);
    expect([...printedU]).toEqual([...states.slice(1)]);
  });

  it("has the deltas that were printed", () => {
    const { deltas } = publishedWrongRecurrence(EXAMPLE.parameters, EXAMPLE.inputs);
    expect(deltas[0]).toBeCloseTo(0.23074033654444746054, 14);
    expect(deltas[1]).toBeCloseTo(0.17428566215858189445, 14);
    expect(deltas[2]).toBeCloseTo(0.17369656621428485947, 14);
  });

  it("agrees with the right one where every error e_t is 1, which targets p_t - 1/2 make so", () => {
    fc.assert(
      fc.property(randomCase(1_000), ({ parameters, inputs }) => {
        const { states } = handwrittenRecurrence(parameters, inputs, inputs);
        const targets = [...states.slice(1)].map((state) => parameters.u * state - 0.5);
        const { gradient, shares } = handwrittenRecurrence(parameters, inputs, targets);
        // With every e_t = 1 the deltas can still cancel, but no further than the terms |delta_t| of a sum over the steps.
        const published = publishedWrongRecurrence(parameters, inputs);
        const scale = {
          u: sumOfAbsolute(shares.u),
          v: sumOfAbsolute(published.deltas) * 2,
          w: sumOfAbsolute(published.deltas),
          s: Math.abs(parameters.w) * sumOfAbsolute(published.deltas),
        };
        expectGradient(published.gradient, gradient, 1e-12, scale, "published");
      }),
    );
  });

  it("refuses NaN", () => {
    expect(() => publishedWrongRecurrence(EXAMPLE.parameters, [1, Number.NaN])).toThrow("inputs[1] is NaN");
  });
});

function expectArray(actual: Float64Array, expected: readonly number[], what: string): void {
  expect(actual.length).toBe(expected.length);
  const scale = sumOfAbsolute(expected);
  expected.forEach((element, t) => {
    expectWithin(actual[t]!, element, 1e-14, scale, `${what} ${t + 1}`);
  });
}
