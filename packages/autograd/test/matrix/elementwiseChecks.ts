import { jvp, onesLike, type Param, param, type Value, value } from "../../src/index.js";
import { disagreement, EPSILON, inexactness, ROUNDING } from "./agreement.js";
import { elementwise, type Function_ } from "./calls.js";
import { gradientsOf } from "./derivatives.js";
import type { ElementwiseCase } from "./references.js";
import { eager, type Runner } from "./runners.js";

/** The same points as separate scalars (the scalar tape) and as one array (array kernels), in every way to a derivative. */
export type Form =
  | "scalars"
  | "scalars, recorded again"
  | "scalars, by grad"
  | "scalars, forward"
  | "an array"
  | "an array, recorded again"
  | "an array, by grad"
  | "an array, forward";
export const FORMS: readonly Form[] = [
  "scalars",
  "scalars, recorded again",
  "scalars, by grad",
  "scalars, forward",
  "an array",
  "an array, recorded again",
  "an array, by grad",
  "an array, forward",
];

/** Forms whose derivative can be taken within a function that is compiled: there is no .grad in it. */
export const TRANSFORMED: readonly Form[] = FORMS.filter((form) => form.endsWith("by grad") || form.endsWith("forward"));

const VALUE_ULPS = 4;

export function operandsOf(points: ElementwiseCase["points"]): Value[] {
  return (points[0] ?? []).map((_, k) => value(Float64Array.from(points, (p) => p[k] as number)));
}

/** where's condition carries no gradient; every other operand does. */
function differentiable(op: string, count: number): number[] {
  return Array.from({ length: count }, (_, k) => k).filter((k) => op !== "where" || k > 0);
}

function valuesOf(f: Function_, points: ElementwiseCase["points"], form: Form, { inside, outside }: Runner): number[] {
  const run = outside(inside(f));
  if (form.startsWith("scalars")) return points.map((p) => run(...p.map((x) => param(x))).item());
  return Array.from(run(...operandsOf(points)).data);
}

type Partials = (...operands: Value[]) => readonly Value[];

/** d f / d operand k at every point, for the operands that have a derivative. */
function partialsOf(f: Function_, op: string, points: ElementwiseCase["points"], form: Form, runner: Runner): number[][] {
  const positions = differentiable(op, points[0]?.length ?? 0);
  const partials = partialsBy(form, runner.inside(f), positions, runner);
  if (form.startsWith("an array")) return partials(...operandsOf(points)).map((g) => Array.from(g.data));
  const rows = points.map((point) => partials(...point.map((x) => value(x))).map((g) => g.item()));
  return positions.map((_, k) => rows.map((row) => row[k] as number));
}

function partialsBy(form: Form, f: Function_, positions: readonly number[], { outside }: Runner): Partials {
  if (form.endsWith("forward")) return outside(forwardPartials(f, positions));
  if (form.endsWith("by grad")) {
    const gradients = outside((...operands: Value[]) => gradientsOf((...xs) => f(...xs).sum(), operands));
    return (...operands) => {
      const all = gradients(...operands);
      return positions.map((k) => all[k] as Value);
    };
  }
  return reversePartials(f, positions, form.endsWith("recorded again"));
}

/** Through leaves and their .grad, which nobody can do within a function that is compiled. */
function reversePartials(f: Function_, positions: readonly number[], createGraph: boolean): Partials {
  return (...operands) => {
    const leaves = operands.map((x) => param(x.toArray()));
    f(...leaves)
      .sum()
      .backward({ createGraph });
    return positions.map((k) => (leaves[k] as Param).grad);
  };
}

/** One operand moves at a time, the others are constants. */
function forwardPartials(f: Function_, positions: readonly number[]): Partials {
  return (...operands) =>
    positions.map((k) => {
      const moving = (x: Value) => f(...operands.map((y, j) => (j === k ? x : y)));
      const x = operands[k] as Value;
      return jvp(moving, [x], [onesLike(x)])[1];
    });
}

const at = (points: ElementwiseCase["points"], k: number) => `(${(points[k] ?? []).map((x) => (Object.is(x, -0) ? "-0" : x)).join(", ")})`;

export function wrongPartials({ op, points, gradients, scales }: ElementwiseCase, form: Form, runner = eager): string[] {
  const partials = partialsOf(elementwise[op] as Function_, op, points, form, runner);
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

export function wrongValues({ op, points, values, kind }: ElementwiseCase, form: Form, runner = eager): string[] {
  const compare = kind === "special" ? inexactness : disagreement;
  return valuesOf(elementwise[op] as Function_, points, form, runner).flatMap((got, k) => {
    const expected = values[k] as number;
    const wrong = compare(got, expected, VALUE_ULPS * EPSILON.float64 * Math.abs(expected));
    return wrong === null ? [] : [`${op} at ${at(points, k)}: ${wrong}`];
  });
}
