/** How much a recurrent step stretches what it carries. */
import { InputError, type Value, value, vjp } from "@unroll/autograd";
import { type Key, key as keyOf, randn } from "@unroll/autograd/random";
import type { Cell } from "../cells/cell.js";
import { leafEntries, mapLeaves } from "../io/tree.js";
import { detached } from "./sequenceTask.js";

export interface SpectralRadiusOptions {
  /** The estimate is taken when it moves by less than this share of itself; default 1e-9, and at least 1e-5 where the carry is float32. */
  readonly tolerance?: number;
  /** Products with the Jacobian at most; default 1000. */
  readonly iterations?: number;
  /** Of the random vector to start from; default key(0). */
  readonly key?: Key;
}

export interface SpectralRadius {
  readonly radius: number;
  /** Products with the Jacobian taken. */
  readonly iterations: number;
  /** False where the estimate still moved at the end: `radius` is then the mean growth over the second half of the iterations. */
  readonly converged: boolean;
}

/**
 * The spectral radius (the largest absolute eigenvalue) of the Jacobian of one step of a cell, d carry_t / d carry_{t-1}, all floating leaves
 * of the carry together; of a batch, the largest among its sequences. Below 1 a perturbation dies out if steps go on alike, above 1 it grows.
 *
 * By power iteration on the transposed Jacobian, which has the same eigenvalues and comes from one recorded step by its vjp. A largest
 * eigenvalue that is one of a pair of equal size (complex, or of opposite signs) is found from three vectors in a row, which are then
 * linearly dependent; where all eigenvalues have one size (an orthogonal matrix), from the growth, which is constant.
 * Throws InputError where the carry has no floating leaf, and for options out of range.
 *
 * Source: G. H. Golub and C. F. Van Loan, Matrix Computations (4th ed., 2013), section 7.3.1; for the recurrent Jacobian R. Pascanu, T.
 * Mikolov and Y. Bengio, "On the difficulty of training recurrent neural networks" (2013).
 *
 * @example
 * import { value, type Value } from "@unroll/autograd";
 * const rotation: Cell<Value, Value> = (w, h, x) => [w.matmul(h).add(x), h];
 * const { radius } = recurrentSpectralRadius(rotation, value([[0, -0.9], [0.9, 0]]), value([1, 2]), value([0, 0]));
 * console.log(radius.toFixed(6)); // 0.900000
 */
export function recurrentSpectralRadius<P, C, X = Value, Y = Value>(
  cell: Cell<P, C, X, Y>,
  params: P,
  carry: C,
  x: X,
  { tolerance = 1e-9, iterations = 1000, key = keyOf(0) }: SpectralRadiusOptions = {},
): SpectralRadius {
  const op = "recurrentSpectralRadius";
  if (!Number.isInteger(iterations) || iterations < 2)
    throw new InputError(`${op}: iterations is a whole number from 2 on, got ${iterations}`);
  if (!(tolerance > 0)) throw new InputError(`${op}: tolerance is a number above 0, got ${tolerance}`);
  const { product, size, isSingle } = transposedJacobian(op, cell, params, carry, x);
  const start = Float64Array.from(randn(key, [size]).data);
  return powerIteration(product, start, isSingle ? Math.max(tolerance, 1e-5) : tolerance, iterations);
}

type Product = (vector: Float64Array) => Float64Array;

function transposedJacobian<P, C, X, Y>(
  op: string,
  cell: Cell<P, C, X, Y>,
  params: P,
  carry: C,
  x: X,
): { product: Product; size: number; isSingle: boolean } {
  const [constants, given] = [detached(op, params), detached(op, x)] as const;
  const floating = leavesOf(op, carry);
  if (floating.length === 0) throw new InputError(`${op}: the carry has no floating leaf, so that its Jacobian is empty`);
  const step = (leaves: readonly Value[]): Value[] => {
    let k = 0;
    const from = mapLeaves(op, carry, (leaf) => (isFloating(leaf) ? leaves[k++] : leaf)) as C;
    return leavesOf(op, cell(constants, from, given)[0]);
  };
  const [, pullback] = vjp(step as never, floating.map((leaf) => leaf.detach()) as never) as unknown as [
    unknown,
    (cotangent: readonly Value[]) => [Value[]],
  ];
  const size = floating.reduce((sum, leaf) => sum + leaf.size, 0);
  const product: Product = (vector) => joined(pullback(cut(vector, floating))[0], size);
  return { product, size, isSingle: floating.some(({ dtype }) => dtype === "float32") };
}

const isFloating = ({ dtype }: Value): boolean => dtype === "float64" || dtype === "float32";

function leavesOf(op: string, tree: unknown): Value[] {
  return leafEntries(op, tree)
    .map(([, leaf]) => leaf)
    .filter(isFloating);
}

/** A vector as Values shaped like the leaves. */
function cut(vector: Float64Array, like: readonly Value[]): Value[] {
  let at = 0;
  return like.map(({ shape, dtype, size }) => {
    at += size;
    return value(vector.subarray(at - size, at), { shape, dtype });
  });
}

function joined(values: readonly Value[], size: number): Float64Array {
  const out = new Float64Array(size);
  let at = 0;
  for (const { data } of values) {
    out.set(data, at);
    at += data.length;
  }
  return out;
}

/** So many estimates in a row must agree. */
const RUN = 8;

function powerIteration(product: Product, start: Float64Array, tolerance: number, iterations: number): SpectralRadius {
  let before: Float64Array | null = null;
  let vector = scaled(start, 1 / norm(start));
  const growths: number[] = [];
  const pairs: number[] = [];
  for (let k = 1; k <= iterations; k++) {
    const next = product(vector);
    const growth = norm(next);
    if (growth === 0 || !Number.isFinite(growth)) return { radius: growth, iterations: k, converged: growth === 0 };
    pairs.push(before === null ? Number.NaN : pairRadius(before, vector, next, growths.at(-1)!, tolerance));
    growths.push(growth);
    for (const estimates of [growths, pairs]) {
      if (isSteady(estimates, tolerance)) return { radius: estimates.at(-1)!, iterations: k, converged: true };
    }
    before = vector;
    vector = scaled(next, 1 / growth);
  }
  const late = growths.slice(Math.floor(iterations / 2));
  return { radius: Math.exp(late.reduce((sum, growth) => sum + Math.log(growth), 0) / late.length), iterations, converged: false };
}

function isSteady(estimates: readonly number[], tolerance: number): boolean {
  const last = estimates.slice(-RUN);
  return last.length === RUN && Math.max(...last) - Math.min(...last) <= tolerance * Math.max(...last);
}

/**
 * From unit vectors a and b = J a / g, and c = J b: where c = α b + β a, the eigenvalues there solve λ² = α λ + β g. NaN where the three are
 * not dependent (yet), or a and b are, in which case the growth tells.
 */
function pairRadius(a: Float64Array, b: Float64Array, c: Float64Array, g: number, tolerance: number): number {
  const [ab, bc, ac] = [dot(a, b), dot(b, c), dot(a, c)];
  const determinant = 1 - ab * ab;
  if (determinant < 1e-10) return Number.NaN;
  const alpha = (bc - ab * ac) / determinant;
  const beta = (ac - ab * bc) / determinant;
  const rest = norm(c.map((x, k) => x - alpha * b[k]! - beta * a[k]!));
  if (rest > Math.sqrt(tolerance) * norm(c)) return Number.NaN;
  const discriminant = alpha * alpha + 4 * beta * g;
  if (discriminant < 0) return Math.sqrt(-beta * g);
  return (Math.abs(alpha) + Math.sqrt(discriminant)) / 2;
}

function dot(x: Float64Array, y: Float64Array): number {
  let sum = 0;
  for (let k = 0; k < x.length; k++) sum += x[k]! * y[k]!;
  return sum;
}

function norm(x: Float64Array): number {
  return Math.hypot(...(x.length <= 1000 ? x : [Math.sqrt(dot(x, x))]));
}

function scaled(x: Float64Array, by: number): Float64Array {
  return x.map((element) => element * by);
}
