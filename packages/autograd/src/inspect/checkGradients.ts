import { InputError } from "../errors.js";
import { toValue } from "../tape/apply.js";
import { type Value } from "../tape/value.js";
import { grad, type InputsOf } from "../transforms/grad.js";
import { jvp } from "../transforms/jvp.js";
import { noGrad } from "../transforms/modes.js";
import { scalarOf } from "../transforms/record.js";
import { isLeaf, leaves, rebuild, valuesOf } from "../transforms/tree.js";
import { leavesOf } from "../tree.js";

export interface CheckOptions {
  /** 1: the gradient against differences of the function; 2: also the Hessian against differences of the gradient. Default 1. */
  readonly order?: 1 | 2;
  /** Largest difference allowed, relative to the scale of the derivative; default 1e-6. */
  readonly tolerance?: number;
  /** Steps of the central differences, relative to max(1, |x|); the one that agrees best counts. */
  readonly steps?: readonly number[];
}

export interface Disagreement {
  /** Which derivative: "gradient", "forward mode" or "Hessian, column of …". */
  readonly of: string;
  /** Argument and entry, such as `argument 0 .w[1, 2]`. */
  readonly entry: string;
  readonly analytic: number;
  readonly numeric: number;
  /** |analytic - numeric| over the scale: the largest absolute derivative, at least 1. */
  readonly error: number;
}

export interface CheckReport {
  readonly ok: boolean;
  /** The entry that disagrees most; null where there is nothing to check. */
  readonly worst: Disagreement | null;
  readonly tolerance: number;
  /** Entries compared. */
  readonly checked: number;
  /** One line that names the entry and by how much it is off. */
  readonly message: string;
}

const STEPS = [1e-3, 1e-4, 1e-5, 1e-6];

/**
 * Compares the gradient of a scalar function, in reverse and in forward mode, with central differences over a sweep of step sizes; with
 * order 2 also the Hessian with differences of the gradient. `args` are the arguments (float64), of each of which every entry is checked.
 * Throws InputError where an argument is not float64.
 *
 * @example
 * import { checkGradients } from "@unroll/autograd/inspect";
 * const report = checkGradients((x) => x.sin().sum(), [[0.3, 1.2]], { order: 2 });
 * console.log(report.ok, report.checked); // true 8
 */
export function checkGradients<A extends readonly unknown[] = [Value]>(
  f: (...args: A) => Value | number,
  args: NoInfer<{ readonly [K in keyof A]: InputsOf<A[K]> }>,
  { order = 1, tolerance = 1e-6, steps = STEPS }: CheckOptions = {},
): CheckReport {
  const point = new Point(args);
  const evaluate = (values: readonly Value[]): number =>
    noGrad(() => scalarOf("checkGradients", f(...(point.argumentsAt(values) as unknown as A)))).item();
  const gradientOf = grad(f, { argnums: [...point.args.keys()] }) as unknown as (...args: readonly unknown[]) => unknown;
  const gradientAt = (values: readonly Value[]): number[] => entriesOf(gradientOf(...point.argumentsAt(values)));
  const gradient = gradientAt(point.values);
  const found: Disagreement[] = [
    ...point.compare("gradient", gradient, (k) =>
      sweep(point, k, steps, (values) => [evaluate(values)]).map((d) => d.map((x) => x[0] as number)),
    ),
  ];
  found.push(...point.compare("forward mode", forwardGradient(f, point), (k) => [[gradient[k] as number]]));
  if (order === 2) found.push(...hessianDisagreements(point, gradientOf, gradientAt, steps));
  return reportOf(found, tolerance);
}

/** Each entry's derivative by forward mode, one direction at a time. */
function forwardGradient<A extends readonly unknown[]>(f: (...args: A) => Value | number, point: Point): number[] {
  return point.entries.map((_, k) => {
    const [, tangent] = jvp(f as never, point.args as never, point.direction(k) as never);
    return toValue("checkGradients", tangent).item();
  });
}

function hessianDisagreements(
  point: Point,
  gradientOf: (...args: readonly unknown[]) => unknown,
  gradientAt: (values: readonly Value[]) => number[],
  steps: readonly number[],
): Disagreement[] {
  return point.entries.flatMap((entry, k) => {
    const [, column] = jvp(gradientOf as never, point.args as never, point.direction(k) as never) as unknown as [unknown, unknown];
    const analytic = entriesOf(column);
    const numeric = sweep(point, k, steps, gradientAt)[0] as number[][];
    return point.compare(`Hessian, column of ${entry.name}`, analytic, (j) => [numeric.map((d) => d[j] as number)]);
  });
}

/** Central differences of all outputs of g along entry k: for each step size the list of differences. */
function sweep(point: Point, k: number, steps: readonly number[], g: (values: readonly Value[]) => number[]): number[][][] {
  const scale = Math.max(1, Math.abs(point.entries[k]?.value as number));
  return [
    steps.map((step) => {
      const [high, low] = [g(point.moved(k, step * scale)), g(point.moved(k, -step * scale))];
      return high.map((y, j) => (y - (low[j] as number)) / (2 * step * scale));
    }),
  ];
}

function entriesOf(tree: unknown): number[] {
  return leaves(valuesOf("checkGradients", tree)).flatMap((x) => [...x.data]);
}

/** The arguments, entry by entry. */
class Point {
  readonly args: readonly unknown[];
  readonly values: readonly Value[];
  readonly entries: { name: string; leaf: number; at: number; value: number }[] = [];

  constructor(args: readonly unknown[]) {
    this.args = args.map((arg) => valuesOf("checkGradients", arg));
    const all = this.args.flatMap((arg, k) =>
      leavesOf(arg, isLeaf).map(({ leaf, path }) => ({ x: leaf as Value, name: `argument ${k}${path === "" ? "" : ` ${path}`}` })),
    );
    this.values = all.map(({ x }) => x.detach());
    all.forEach(({ x, name }, leaf) => {
      if (x.dtype !== "float64") throw new InputError(`checkGradients: ${name} is ${x.dtype}; differences need float64`);
      x.data.forEach((value, at) => this.entries.push({ name: name + indexOf(x, at), leaf, at, value }));
    });
  }

  argumentsAt(values: readonly Value[]): unknown[] {
    let at = 0;
    return this.args.map((arg) => {
      const count = leaves(arg).length;
      at += count;
      return rebuild(arg, values.slice(at - count, at));
    });
  }

  /** The arguments with entry k moved. */
  moved(k: number, by: number): Value[] {
    const { leaf, at } = this.entries[k] as Point["entries"][number];
    return this.values.map((x, j) => (j === leaf ? changed(x, at, (x.data[at] as number) + by) : x));
  }

  /** Tangents that are 1 at entry k and 0 elsewhere. */
  direction(k: number): unknown[] {
    const { leaf, at } = this.entries[k] as Point["entries"][number];
    return this.argumentsAt(this.values.map((x, j) => (j === leaf ? changed(x.mul(0), at, 1) : x.mul(0))));
  }

  /** Judges each analytic entry by the candidate (one a step size) that agrees best. */
  compare(of: string, analytic: readonly number[], candidatesOf: (k: number) => number[][]): Disagreement[] {
    const scale = Math.max(1, ...analytic.map(Math.abs).filter(Number.isFinite));
    return analytic.map((x, k) => {
      const candidates = candidatesOf(k).flat();
      const numeric = candidates.reduce((best, y) => (Math.abs(x - y) < Math.abs(x - best) || Number.isNaN(best) ? y : best));
      const agree = Object.is(x, numeric) || x === numeric;
      const error = agree ? 0 : Math.abs(x - numeric) / scale;
      return { of, entry: (this.entries[k] as { name: string }).name, analytic: x, numeric, error: Number.isNaN(error) ? Infinity : error };
    });
  }
}

function changed(x: Value, at: number, to: number): Value {
  const data = Float64Array.from(x.data);
  data[at] = to;
  return x.shape.length === 0 ? toValue("checkGradients", to) : toValue("checkGradients", data).reshape(x.shape);
}

function indexOf(x: Value, at: number): string {
  if (x.shape.length === 0) return "";
  const index: number[] = [];
  let rest = at;
  for (let k = x.shape.length - 1; k >= 0; k--) {
    index.unshift(rest % (x.shape[k] as number));
    rest = Math.floor(rest / (x.shape[k] as number));
  }
  return `[${index.join(", ")}]`;
}

function reportOf(found: readonly Disagreement[], tolerance: number): CheckReport {
  const worst = found.reduce<Disagreement | null>((a, b) => (a === null || b.error > a.error ? b : a), null);
  const ok = worst === null || worst.error <= tolerance;
  const verdict =
    worst === null
      ? "nothing to check"
      : `${worst.of} at ${worst.entry}: analytic ${worst.analytic}, numeric ${worst.numeric}, off by ${worst.error.toExponential(2)} of the scale`;
  return {
    ok,
    worst,
    tolerance,
    checked: found.length,
    message: ok ? `all ${found.length} entries agree within ${tolerance}; worst: ${verdict}` : verdict,
  };
}
