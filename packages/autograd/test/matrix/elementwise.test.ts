import { describe, expect, it } from "vitest";
import { type Value, value } from "../../src/index.js";
import { disagreement, EPSILON } from "./agreement.js";
import { elementwise, type Function_ } from "./calls.js";
import { gradientsOf, inner, randomLike } from "./derivatives.js";
import { FORMS, operandsOf, wrongPartials, wrongValues } from "./elementwiseChecks.js";
import { type ElementwiseCase, elementwiseCases } from "./references.js";

const ordinary = elementwiseCases.filter(({ kind }) => kind === "ordinary");
const special = elementwiseCases.filter(({ kind }) => kind === "special");

describe.each(FORMS)("elementwise functions of %s", (form) => {
  it.each(ordinary)("$op has the 50-digit value", (reference) => {
    expect(wrongValues(reference, form)).toEqual([]);
  });

  it.each(ordinary)("$op has the 50-digit derivative", (reference) => {
    expect(wrongPartials(reference, form)).toEqual([]);
  });

  it.each(special)("$op follows IEEE 754 at zeros, infinities, NaN and ties", (reference) => {
    expect(wrongValues(reference, form)).toEqual([]);
  });

  it.each(special)("$op has the documented derivative at zeros, infinities and ties", (reference) => {
    expect(wrongPartials(reference, form)).toEqual([]);
  });
});

describe("elementwise functions in float32", () => {
  const single = (points: ElementwiseCase["points"]) =>
    operandsOf(points.filter((p) => p.every((x) => Math.abs(x) < 5))).map((x) => Float32Array.from(x.data));

  it.each(ordinary.filter(({ op }) => op !== "where"))("$op has the float64 value and derivative, rounded", ({ op, points }) => {
    const f = elementwise[op] as Function_;
    const inputs = single(points);
    const [narrow, wide] = [inputs.map((x) => value(x)), inputs.map((x) => value(Float64Array.from(x)))];
    const [c] = randomLike([wide[0] as Value], 3) as [Value];
    const weights = value(Float32Array.from(c.data));
    const result = (xs: Value[]) => [f(...xs), ...gradientsOf((...ys) => inner([f(...ys)], [weights]), xs)];
    const exact = result(wide);
    result(narrow).forEach((got, k) => {
      expect(got.dtype).toBe("float32");
      const expected = (exact[k] as Value).data;
      const wrong = Array.from(expected, (x, j) => disagreement(got.data[j] as number, x, 8 * EPSILON.float32 * Math.max(1, Math.abs(x))));
      expect(wrong.filter((x) => x !== null)).toEqual([]);
    });
  });
});
