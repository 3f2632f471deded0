import { InputError } from "@unroll/autograd";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compareGradients, type GradientMethod } from "../../src/index.js";
import { expectGradient, expectWithin } from "./agreement.js";
import { type RandomCase, randomCase } from "./arbitraries.js";
import { EXAMPLE, REFERENCE_CASES } from "./references.js";

const EXACT: readonly GradientMethod[] = ["tape", "handwritten", "forwardMode", "complexStep"];

const exactFor = (steps: number): readonly GradientMethod[] => (steps <= 3 ? [...EXACT, "closedForm"] : EXACT);

/** Every pair of methods: one that is wrong is not hidden by another that is. */
function expectAgreement({ parameters, inputs, targets }: RandomCase, methods: readonly GradientMethod[], tolerance: number): void {
  const { gradients, scale } = compareGradients(parameters, inputs, targets, { methods });
  for (const one of gradients) {
    for (const other of gradients) expectGradient(one.gradient, other.gradient, tolerance, scale, `${one.method} and ${other.method}`);
  }
}

describe("the ways to the gradient", () => {
  for (const reference of REFERENCE_CASES) {
    it.each(exactFor(reference.inputs.length))(`%s has the 50-digit gradient to 1e-14: ${reference.name}`, (method) => {
      const { gradients } = compareGradients(reference.parameters, reference.inputs, reference.targets, { methods: [method] });
      expectGradient(gradients[0]!.gradient, reference.gradient, 1e-14, reference.scale, method);
    });

    it(`finite differences have the 50-digit gradient to 1e-7: ${reference.name}`, () => {
      const { gradients } = compareGradients(reference.parameters, reference.inputs, reference.targets, { methods: ["finiteDifferences"] });
      expectGradient(gradients[0]!.gradient, reference.gradient, 1e-7, reference.scale, "finite differences");
    });
  }

  it("agree to 1e-12 on random sequences of up to 1,000 steps", () => {
    fc.assert(
      fc.property(randomCase(1_000), (drawn) => {
        expectAgreement(drawn, exactFor(drawn.inputs.length), 1e-12);
      }),
    );
  });

  it("agree to 1e-12 with the closed form on random sequences of 1, 2 and 3 steps", () => {
    const lengths = new Set<number>();
    fc.assert(
      fc.property(randomCase(3), (drawn) => {
        lengths.add(drawn.inputs.length);
        expectAgreement(drawn, [...EXACT, "closedForm"], 1e-12);
      }),
    );
    expect([...lengths].sort()).toEqual([1, 2, 3]);
  });

  it("agree to 1e-7 with finite differences on random sequences of up to 1,000 steps", () => {
    fc.assert(
      fc.property(randomCase(1_000), (drawn) => {
        expectAgreement(drawn, ["tape", "finiteDifferences"], 1e-7);
      }),
    );
  });
});

describe("a saturated unit", () => {
  it.each([...EXACT, "closedForm", "finiteDifferences"] as const)("has the gradient of a constant by %s, not NaN", (method) => {
    // y = 0 where z = -1,000 and 1 where z = 1,000: E = (0 - 1)² + (u - 1)², which only u can change.
    const { gradients } = compareGradients({ u: 3, v: 1, w: 0.5, s: 0.5 }, [-1000, 1000], [1, 1], { methods: [method] });
    expect(gradients[0]?.gradient.u).toBeCloseTo(4, 9);
    for (const name of ["v", "w", "s"] as const) expect(gradients[0]?.gradient[name]).toBeCloseTo(0, 12);
  });
});

describe("compareGradients", () => {
  const compareExample = (options = {}) => compareGradients(EXAMPLE.parameters, EXAMPLE.inputs, EXAMPLE.targets, options);

  it("compares all seven methods with the tape where T is at most 3", () => {
    const { gradients, reference, steps } = compareExample();
    expect(reference).toBe("tape");
    expect(steps).toBe(3);
    expect(gradients.map(({ method }) => method)).toEqual([
      "tape",
      "handwritten",
      "forwardMode",
      "complexStep",
      "closedForm",
      "finiteDifferences",
      "published",
    ]);
  });

  it("leaves the closed form out of longer sequences", () => {
    const { gradients } = compareGradients(EXAMPLE.parameters, [1, 2, 3, 4], [2, 3, 4, 5]);
    expect(gradients.map(({ method }) => method)).not.toContain("closedForm");
  });

  it("gives absolute differences to the reference: zero for itself, large for the published recurrence", () => {
    const { gradients } = compareExample({ methods: ["tape", "published"] });
    expect(gradients[0]?.difference).toEqual({ u: 0, v: 0, w: 0, s: 0 });
    const { gradient, published } = EXAMPLE;
    for (const name of ["u", "v", "w", "s"] as const) {
      expect(gradients[1]?.difference[name]).toBeCloseTo(Math.abs(gradient[name] - published.gradient[name]), 12);
    }
  });

  it("takes another reference than the tape", () => {
    const { gradients, reference } = compareExample({ methods: ["published", "handwritten"], reference: "published" });
    expect(reference).toBe("published");
    expect(gradients[0]?.difference).toEqual({ u: 0, v: 0, w: 0, s: 0 });
    expect(gradients[1]?.difference.v).toBeCloseTo(EXAMPLE.gradient.v - EXAMPLE.published.gradient.v, 12);
  });

  it("gives the loss", () => {
    expectWithin(compareExample().loss, EXAMPLE.loss, 1e-14, EXAMPLE.loss, "E");
  });

  it("scales by absolute terms: never less than the sum of the absolute shares, and the same where nothing can cancel", () => {
    for (const { parameters, inputs, targets, scale: shares } of REFERENCE_CASES) {
      const { scale } = compareGradients(parameters, inputs, targets);
      for (const name of ["u", "v", "w", "s"] as const) expect(scale[name]).toBeGreaterThanOrEqual(shares[name]);
    }
    // One step, prediction and target of different signs: dE/dv = 2 (p - t) u y (1 - y) x is a single term.
    const { scale, gradients } = compareGradients({ u: 0.5, v: 0.3, w: 0.7, s: 0.2 }, [1.5], [-1]);
    expectGradient(scale, gradients[0]!.gradient, 1e-14, scale, "scale");
  });

  it("keeps the scale away from zero where a derivative cancels", () => {
    // dE/du = e_1 y_1 + e_2 y_2 with y_1 = y_2 = 1/2 and e_1 = -e_2.
    const { gradients, scale } = compareGradients({ u: 1, v: 1, w: 0, s: 0 }, [0, 0], [0, 1]);
    expect(gradients[0]?.gradient.u).toBe(0);
    expect(scale.u).toBe(2);
  });

  it("shows that the published recurrence goes uphill: a step of 0.01 raises E by 0.006577", () => {
    const { published } = compareExample();
    expect(published).toMatchObject({ step: 0.01, uphill: true });
    expect(published?.cosine).toBeCloseTo(-0.3785, 4);
    expect(published?.change).toBeCloseTo(0.006577, 6);
  });

  it.each(REFERENCE_CASES)("has the 50-digit direction of the published recurrence: $name", (reference) => {
    const { published } = compareGradients(reference.parameters, reference.inputs, reference.targets);
    expect(published?.cosine).toBeCloseTo(reference.published.cosine, 13);
    expect(published?.change).toBeCloseTo(reference.published.changeOfLoss, 13);
    expect(published?.uphill).toBe(reference.published.changeOfLoss > 0);
  });

  it("says nothing about the published recurrence where it is not compared", () => {
    expect(compareExample({ methods: ["tape", "handwritten"] }).published).toBeNull();
  });

  it("does not change its arguments", () => {
    const parameters = Object.freeze({ u: 0.7, v: -0.4, w: 1.3, s: 0.25 });
    const inputs = Object.freeze([0.5, -1, 2]);
    expect(() => compareGradients(parameters, inputs, Object.freeze([-1, 2, 0.1]))).not.toThrow();
  });

  it.each<[string, () => unknown, string]>([
    ["too few targets", () => compareGradients(EXAMPLE.parameters, [1, 2, 3], [1, 2]), "expected 3 targets, one for each input, got 2"],
    ["too many targets", () => compareGradients(EXAMPLE.parameters, [1], [1, 2]), "expected 1 targets, one for each input, got 2"],
    ["no inputs", () => compareGradients(EXAMPLE.parameters, [], []), "expected at least one input, got none"],
    ["a NaN among the inputs", () => compareGradients(EXAMPLE.parameters, [1, Number.NaN], [1, 2]), "inputs[1] is NaN"],
    ["a NaN among the targets", () => compareGradients(EXAMPLE.parameters, [1, 2], [Number.NaN, 2]), "targets[0] is NaN"],
    ["a NaN parameter", () => compareGradients({ ...EXAMPLE.parameters, w: Number.NaN }, [1], [1]), "parameter w"],
    [
      "the closed form of 4 steps",
      () => compareGradients(EXAMPLE.parameters, [1, 2, 3, 4], [1, 2, 3, 4], { methods: ["closedForm"] }),
      "at most 3",
    ],
    ["an unknown method", () => compareExample({ methods: ["guess"] }), "expected methods out of tape, handwritten"],
  ])("refuses %s", (_, compare, message) => {
    expect(compare).toThrow(InputError);
    expect(compare).toThrow(message);
  });
});
