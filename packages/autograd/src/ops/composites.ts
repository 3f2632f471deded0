import { isFloating } from "../dtype.js";
import { ShapeError } from "../errors.js";
import { checkSameShape, formatShape, normalizeAxes, reducedShape, type Shape } from "../shape.js";
import type { ArrayAlgebra, Range } from "./algebra.js";
import { checkIndices } from "./indexing.js";

/** Functions written in other operations: no rule of their own, so they run on every reader as they stand. */

export interface ReductionOptions {
  /** Axes to reduce, negative ones from the end; all where left out. */
  readonly axis?: number | readonly number[];
  /** Keeps reduced axes with length 1; default false. */
  readonly keepDims?: boolean;
}

/** Applies a reduction that drops its axes, and restores them with length 1 if asked. */
export function reduce<T>(
  m: ArrayAlgebra<T>,
  op: string,
  x: T,
  options: ReductionOptions,
  reduction: (x: T, axes: readonly number[]) => T,
): T {
  const axes = normalizeAxes(op, options.axis, m.typeOf(x).shape);
  const out = reduction(x, axes);
  return options.keepDims ? restored(m, out, x, axes) : out;
}

/** The axes of x that a reduction dropped, put back with length 1. */
function restored<T>(m: ArrayAlgebra<T>, reduced: T, x: T, axes: readonly number[]): T {
  return m.reshape(reduced, reducedShape(m.typeOf(x).shape, axes, true));
}

function countOver(shape: Shape, axes: readonly number[]): number {
  return axes.reduce((count, k) => count * (shape[k] as number), 1);
}

export function mean<T>(m: ArrayAlgebra<T>, x: T, options: ReductionOptions): T {
  return reduce(m, "mean", inFloats(m, x), options, (x, axes) => m.div(m.sum(x, axes), m.const(countOver(m.typeOf(x).shape, axes))));
}

/** Integers in float64: their sums and squares would wrap around. */
function inFloats<T>(m: ArrayAlgebra<T>, x: T): T {
  return isFloating(m.typeOf(x).dtype) ? x : m.cast(x, "float64");
}

export interface VarianceOptions extends ReductionOptions {
  /** Subtracted from the count: 0 (default) for the population, 1 for an unbiased estimate from a sample. */
  readonly correction?: number;
}

/** Two passes: squares of differences from the mean, since E[x²] - E[x]² cancels. */
export function variance<T>(m: ArrayAlgebra<T>, x: T, options: VarianceOptions): T {
  const { correction = 0 } = options;
  return reduce(m, "variance", x, options, (x, axes) => {
    const centred = m.sub(x, mean(m, x, { axis: axes, keepDims: true }));
    return m.div(m.sum(m.mul(centred, centred), axes), m.const(countOver(m.typeOf(x).shape, axes) - correction));
  });
}

/** Products of halves, pairwise: zeros need no special case at any order of derivative, which dividing the whole product by x would. */
export function prod<T>(m: ArrayAlgebra<T>, x: T, options: ReductionOptions): T {
  return reduce(m, "prod", x, options, (x, axes) => {
    const { shape } = m.typeOf(x);
    const kept = [...shape.keys()].filter((k) => !axes.includes(k));
    const moved = axes.length === 0 || axes[0] === kept.length ? x : m.transpose(x, [...kept, ...axes]);
    const outShape = kept.map((k) => shape[k] as number);
    return productOfLast(m, m.reshape(moved, [...outShape, countOver(shape, axes)]), outShape);
  });
}

function productOfLast<T>(m: ArrayAlgebra<T>, x: T, outShape: Shape): T {
  const n = m.typeOf(x).shape[outShape.length] as number;
  if (n === 0) return m.broadcastTo(m.const(1), outShape);
  if (n === 1) return m.reshape(x, outShape);
  const half = n >> 1;
  const part = (start: number, size: number) =>
    m.slice(x, [...outShape.map((length) => ({ start: 0, size: length, step: 1 })), { start, size, step: 1 }]);
  const pairs = m.mul(part(0, half), part(half, half));
  return productOfLast(m, n % 2 === 0 ? pairs : m.concat([pairs, part(2 * half, 1)], outShape.length), outShape);
}

/** The largest element as a constant to shift by; 0 where it is infinite, since ∞ - ∞ is NaN. */
function shiftOf<T>(m: ArrayAlgebra<T>, x: T, axes: readonly number[]): T {
  const largest = m.stop(restored(m, m.amax(x, axes), x, axes));
  return m.where(m.lt(m.abs(largest), m.const(Infinity)), largest, m.const(0));
}

/** log Σ exp x, shifted by the largest element so that exp does not overflow. */
export function logSumExp<T>(m: ArrayAlgebra<T>, x: T, options: ReductionOptions): T {
  return reduce(m, "logSumExp", x, options, (x, axes) => {
    const shift = shiftOf(m, x, axes);
    const total = m.sum(m.exp(m.sub(x, shift)), axes);
    return m.add(m.log(total), m.reshape(shift, m.typeOf(total).shape));
  });
}

export function softmax<T>(m: ArrayAlgebra<T>, x: T, axis: number): T {
  const powers = m.exp(m.sub(x, shiftOf(m, x, [axis])));
  return m.div(powers, restored(m, m.sum(powers, [axis]), x, [axis]));
}

/** x - log Σ exp x in one go: log(softmax(x)) would be -∞ where the probability underflows. */
export function logSoftmax<T>(m: ArrayAlgebra<T>, x: T, axis: number): T {
  const shifted = m.sub(x, shiftOf(m, x, [axis]));
  return m.sub(shifted, m.log(restored(m, m.sum(m.exp(shifted), [axis]), x, [axis])));
}

export interface LossOptions {
  /** "mean" (default) over all terms, their "sum", or "none": one loss a term. */
  readonly reduction?: "mean" | "sum" | "none";
}

function reduceLoss<T>(m: ArrayAlgebra<T>, terms: T, { reduction = "mean" }: LossOptions): T {
  if (reduction === "none") return terms;
  return reduction === "sum" ? m.sum(terms, normalizeAxes("sum", undefined, m.typeOf(terms).shape)) : mean(m, terms, {});
}

/** Shapes must agree: broadcasting targets of [N, 1] against [N] would silently give N² terms. */
export function mseLoss<T>(m: ArrayAlgebra<T>, prediction: T, target: T, options: LossOptions): T {
  const [p, t] = [m.typeOf(prediction).shape, m.typeOf(target).shape];
  checkSameShape("mseLoss", "the target", t, p, "reshape it, or the prediction");
  const difference = m.sub(inFloats(m, prediction), target);
  return reduceLoss(m, m.mul(difference, difference), options);
}

/** -log softmax at the target class: logits [N, C], targets int32 [N]. */
export function crossEntropy<T>(m: ArrayAlgebra<T>, logits: T, targets: T, options: LossOptions): T {
  const [l, t] = [m.typeOf(logits), m.typeOf(targets)];
  if (l.shape.length !== 2 || t.shape.length !== 1 || l.shape[0] !== t.shape[0]) {
    throw new ShapeError(
      `crossEntropy: expected logits [N, C] and targets [N], got ${formatShape(l.shape)} and ${formatShape(t.shape)}; give one row and one class index an example`,
    );
  }
  checkIndices("crossEntropy", t);
  const [n] = t.shape as [number];
  const picked = m.gather(logSoftmax(m, logits, 1), m.reshape(targets, [n, 1]), 1);
  return reduceLoss(m, m.neg(m.reshape(picked, [n])), options);
}

/** The affine pad is the linear one (zeros, `unslice`) with the value put where nothing was written. */
export function pad<T>(m: ArrayAlgebra<T>, x: T, widths: readonly (readonly [number, number])[], value: number): T {
  const { shape } = m.typeOf(x);
  const ranges = shape.map((size, k): Range => ({ start: widths[k]?.[0] ?? 0, size, step: 1 }));
  const padded = shape.map((size, k) => size + (widths[k]?.[0] ?? 0) + (widths[k]?.[1] ?? 0));
  const zeroPadded = m.unslice(x, padded, ranges);
  if (value === 0) return zeroPadded;
  const inside = m.unslice(m.broadcastTo(m.const(1), shape), padded, ranges);
  return m.where(m.ne(inside, m.const(0)), zeroPadded, m.const(value));
}

/** NumPy's rank rules for a product: a vector on the left is a row, on the right a column, and its axis drops out of the result. */
export function matmul<T>(m: ArrayAlgebra<T>, a: T, b: T): T {
  const [p, q] = [m.typeOf(a).shape, m.typeOf(b).shape];
  if (p.length === 0 || q.length === 0) {
    throw new ShapeError(`matmul: shapes ${formatShape(p)} and ${formatShape(q)}: a scalar is no matrix; use mul to scale`);
  }
  const left = p.length === 1 ? m.reshape(a, [1, p[0] as number]) : a;
  const right = q.length === 1 ? m.reshape(b, [q[0] as number, 1]) : b;
  const out = m.matmul(left, right, false, false);
  if (p.length > 1 && q.length > 1) return out;
  const full = m.typeOf(out).shape;
  const batch = full.slice(0, -2);
  return m.reshape(out, [
    ...batch,
    ...(p.length > 1 ? [full[full.length - 2] as number] : []),
    ...(q.length > 1 ? [full[full.length - 1] as number] : []),
  ]);
}
