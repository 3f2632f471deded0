import { jvp, onesLike, type Param, param, type Value, value } from "../../src/index.js";
import { disagreement, EPSILON, inexactness, ROUNDING } from "./agreement.js";
import { elementwise, type Function_ } from "./calls.js";
import type { ElementwiseCase } from "./references.js";

/** The same points as separate scalars (the scalar tape) and as one array (array kernels), in every way to a derivative. */
export type Form =
  | "scalars"
  | "scalars, recorded again"
  | "scalars, forward"
  | "an array"
  | "an array, recorded again"
  | "an array, forward";
export const FORMS: readonly Form[] = [
  "scalars",
  "scalars, recorded again",
  "scalars, forward",
  "an array",
  "an array, recorded again",
  "an array, forward",
];

const VALUE_ULPS = 4;

export function operandsOf(points: ElementwiseCase["points"]): Value[] {
  return (points[0] ?? []).map((_, k) => value(Float64Array.from(points, (p) => p[k] as number)));
}

/** where's condition carries no gradient; every other operand does. */
function differentiable(op: string, count: number): number[] {
  return Array.from({ length: count }, (_, k) => k).filter((k) => op !== "where" || k > 0);
}

function valuesOf(f: Function_, points: ElementwiseCase["points"], form: Form): number[] {
  if (form.startsWith("scalars")) return points.map((p) => f(...p.map((x) => param(x))).item());
  return Array.from(f(...operandsOf(points)).data);
}

/** d f / d operand k at every point, for the operands that have a derivative. */
function partialsOf(f: Function_, op: string, points: ElementwiseCase["points"], form: Form): number[][] {
  const positions = differentiable(op, points[0]?.length ?? 0);
  const partials = form.endsWith("forward") ? forwardPartials : reversePartials(form.endsWith("recorded again"));
  if (form.startsWith("an array")) return partials(f, operandsOf(points), positions).map((g) => Array.from(g.data));
  const rows = points.map((point) => {
    const operands = point.map((x) => value(x));
    return partials(f, operands, positions).map((g) => g.item());
  });
  return positions.map((_, k) => rows.map((row) => row[k] as number));
}

const reversePartials = (createGraph: boolean) => (f: Function_, operands: readonly Value[], positions: readonly number[]) => {
  const leaves = operands.map((x) => param(x.toArray()));
  f(...leaves)
    .sum()
    .backward({ createGraph });
  return positions.map((k) => (leaves[k] as Param).grad);
};

/** One operand moves at a time, the others are constants. */
function forwardPartials(f: Function_, operands: readonly Value[], positions: readonly number[]): Value[] {
  return positions.map((k) => {
    const moving = (x: Value) => f(...operands.map((y, j) => (j === k ? x : y)));
    const x = operands[k] as Value;
    return jvp(moving, [x], [onesLike(x)])[1];
  });
}

const at = (points: ElementwiseCase["points"], k: number) => `(${(points[k] ?? []).map((x) => (Object.is(x, -0) ? "-0" : x)).join(", ")})`;

export function wrongPartials({ op, points, gradients, scales }: ElementwiseCase, form: Form): string[] {
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

export function wrongValues({ op, points, values, kind }: ElementwiseCase, form: Form): string[] {
  const compare = kind === "special" ? inexactness : disagreement;
  return valuesOf(elementwise[op] as Function_, points, form).flatMap((got, k) => {
    const expected = values[k] as number;
    const wrong = compare(got, expected, VALUE_ULPS * EPSILON.float64 * Math.abs(expected));
    return wrong === null ? [] : [`${op} at ${at(points, k)}: ${wrong}`];
  });
}
