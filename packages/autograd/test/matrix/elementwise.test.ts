import { describe, expect, it } from "vitest";
import { param, type Value, value } from "../../src/index.js";
import { disagreement, EPSILON, inexactness, ROUNDING } from "./agreement.js";
import { elementwise, type Function_ } from "./calls.js";
import { gradientsOf, inner, randomLike } from "./derivatives.js";
import { type ElementwiseCase, elementwiseCases } from "./references.js";

/** The same points as separate scalars (the scalar tape), as one array (array kernels), and as one array in a graph of the graph. */
type Form = "scalars" | "an array" | "an array, recorded again";
const FORMS: readonly Form[] = ["scalars", "an array", "an array, recorded again"];

const VALUE_ULPS = 4;

function operandsOf(points: ElementwiseCase["points"]): Value[] {
  return (points[0] ?? []).map((_, k) => value(Float64Array.from(points, (p) => p[k] as number)));
}

/** where's condition carries no gradient; every other operand does. */
function differentiable(op: string, count: number): number[] {
  return Array.from({ length: count }, (_, k) => k).filter((k) => op !== "where" || k > 0);
}

function valuesOf(f: Function_, points: ElementwiseCase["points"], form: Form): number[] {
  if (form === "scalars") return points.map((p) => f(...p.map((x) => param(x))).item());
  return Array.from(f(...operandsOf(points)).data);
}

/** d f / d operand k at every point. */
function partialsOf(f: Function_, op: string, points: ElementwiseCase["points"], form: Form): number[][] {
  const count = points[0]?.length ?? 0;
  if (form === "scalars") {
    const rows = points.map((point) => {
      const leaves = point.map((x) => param(x));
      f(...leaves).backward();
      return leaves.map((leaf) => leaf.grad.item());
    });
    return differentiable(op, count).map((k) => rows.map((row) => row[k] as number));
  }
  const leaves = operandsOf(points).map((x) => param(x.toArray()));
  f(...leaves)
    .sum()
    .backward({ createGraph: form === "an array, recorded again" });
  return differentiable(op, count).map((k) => Array.from((leaves[k] as Value & { grad: Value }).grad.data));
}

const at = (points: ElementwiseCase["points"], k: number) => `(${(points[k] ?? []).map((x) => (Object.is(x, -0) ? "-0" : x)).join(", ")})`;

function wrongPartials({ op, points, gradients, scales }: ElementwiseCase, form: Form): string[] {
  const partials = partialsOf(elementwise[op] as Function_, op, points, form);
  return differentiable(op, gradients.length).flatMap((operand, row) =>
    points.flatMap((_, k) => {
      const expected = gradients[operand]?.[k] ?? null;
      if (expected === null) return [];
      const allowed = ROUNDING * EPSILON.float64 * Math.max(scales[operand]?.[k] ?? 0, Math.abs(expected));
      const wrong = disagreement(partials[row]?.[k] as number, expected, allowed);
      return wrong === null ? [] : [`d ${op} / d operand ${operand} at ${at(points, k)}: ${wrong}`];
    }),
  );
}

function wrongValues({ op, points, values, kind }: ElementwiseCase, form: Form): string[] {
  const compare = kind === "special" ? inexactness : disagreement;
  return valuesOf(elementwise[op] as Function_, points, form).flatMap((got, k) => {
    const expected = values[k] as number;
    const wrong = compare(got, expected, VALUE_ULPS * EPSILON.float64 * Math.abs(expected));
    return wrong === null ? [] : [`${op} at ${at(points, k)}: ${wrong}`];
  });
}

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
  const single = (points: ElementwiseCase["points"]) => operandsOf(points.filter((p) => p.every((x) => Math.abs(x) < 5))).map((x) => Float32Array.from(x.data));

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
