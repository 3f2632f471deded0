import { IndexError, InputError, ShapeError } from "../errors.js";
import type { Range } from "../ops/algebra.js";
import * as composites from "../ops/composites.js";
import type { LossOptions, ReductionOptions, VarianceOptions } from "../ops/composites.js";
import type { StructuralOp } from "../ops/op.js";
import { type Axis, maxAlong, minAlong, sort as sortOp } from "../ops/reductions.js";
import { checkIndex, takeRows, gather as gatherOp } from "../ops/indexing.js";
import { concat as concatOp, doesNotReshape, stack as stackOp, unstack as unstackOp } from "../ops/shapes.js";
import { isAbstract } from "../ops/tracer.js";
import { checkShape, formatShape, normalizeAxes, normalizeAxis, reducedShape, type Shape, sizeOf } from "../shape.js";
import { applyStructural, type Operand, recordedAlgebra as m, toValue } from "./apply.js";
import { isValueLike, kindOf } from "./input.js";
import type { SliceEntry, Value } from "./value.js";

// ------------------------------------------------------------------------------------------------------------ reductions

/**
 * Sum over axes (all by default). float32 is summed in double; a full sum is a float64 scalar; bool counts as int32.
 * Throws ShapeError for an axis that does not exist.
 * @example
 * import { sum } from "@unroll/autograd";
 * console.log(sum([[1, 2], [3, 4]], { axis: 0 }).toArray()); // [ 4, 6 ]
 */
export function sum(x: Operand, options: ReductionOptions = {}): Value {
  return composites.reduce(m, "sum", toValue("sum", x), options, (x, axes) => m.sum(x, axes));
}

/**
 * Arithmetic mean over axes (all by default); of integers in float64.
 * @example
 * import { mean } from "@unroll/autograd";
 * console.log(mean([[1, 2], [3, 4]], { axis: 1 }).toArray()); // [ 1.5, 3.5 ]
 */
export function mean(x: Operand, options: ReductionOptions = {}): Value {
  return composites.mean(m, toValue("mean", x), options);
}

/**
 * Product over axes (all by default), multiplied pairwise; zeros are no special case at any order of derivative.
 * @example
 * import { param } from "@unroll/autograd";
 * const x = param([2, 0, 5]);
 * x.prod().backward();
 * console.log(x.grad.toArray()); // [ 0, 10, 0 ]
 */
export function prod(x: Operand, options: ReductionOptions = {}): Value {
  return composites.prod(m, toValue("prod", x), options);
}

/**
 * Mean squared deviation from the mean over axes (all by default); divided by count - correction.
 * @example
 * import { variance } from "@unroll/autograd";
 * console.log(variance([1, 2, 3, 4]).item(), variance([1, 2, 3], { correction: 1 }).item()); // 1.25 1
 */
export function variance(x: Operand, options: VarianceOptions = {}): Value {
  return composites.variance(m, toValue("variance", x), options);
}

/**
 * log Σ exp x over axes (all by default), without overflow.
 * @example
 * import { logSumExp } from "@unroll/autograd";
 * console.log(logSumExp([1000, 1000]).item()); // 1000.6931471805599
 */
export function logSumExp(x: Operand, options: ReductionOptions = {}): Value {
  return composites.logSumExp(m, toValue("logSumExp", x), options);
}

/**
 * Largest element: along one axis the first of equal ones gets the gradient; over all or several axes ties share it. NaN if any is.
 * Throws ShapeError for an empty axis.
 * @example
 * import { max } from "@unroll/autograd";
 * console.log(max([[1, 5], [7, 2]], { axis: 1 }).toArray()); // [ 5, 7 ]
 */
export function max(x: Operand, options: ReductionOptions = {}): Value {
  return extreme("max", toValue("max", x), options);
}

/**
 * Smallest element; ties and NaN as in max.
 * @example
 * import { min } from "@unroll/autograd";
 * console.log(min([[1, 5], [7, 2]]).item()); // 1
 */
export function min(x: Operand, options: ReductionOptions = {}): Value {
  return extreme("min", toValue("min", x), options);
}

function extreme(name: "max" | "min", x: Value, options: ReductionOptions): Value {
  const axes = normalizeAxes(name, options.axis, x.shape);
  const [axis] = axes;
  if (options.axis === undefined || axis === undefined || axes.length > 1) {
    return composites.reduce(m, name, x, options, (x, axes) => (name === "max" ? m.amax(x, axes) : m.amin(x, axes)));
  }
  const [out] = applyStructural(name === "max" ? maxAlong : minAlong, [x], { axis }) as [Value];
  return options.keepDims ? out : m.reshape(out, reducedShape(x.shape, axes, false));
}

export interface SortOptions {
  /** Default: the last axis. */
  readonly axis?: number;
  /** Largest first; default false. */
  readonly descending?: boolean;
}

/**
 * Elements in order along an axis, with the int32 index each came from; stable, NaN last.
 * @example
 * import { sort } from "@unroll/autograd";
 * const { values, indices } = sort([3, 1, 2]);
 * console.log(values.toArray(), indices.toArray()); // [ 1, 2, 3 ] [ 1, 2, 0 ]
 */
export function sort(x: Operand, { axis = -1, descending = false }: SortOptions = {}): { values: Value; indices: Value } {
  const from = toValue("sort", x);
  const [values, indices] = applyStructural(sortOp, [from], { axis: normalizeAxis("sort", axis, from.shape), descending }) as [
    Value,
    Value,
  ];
  return { values, indices };
}

// -------------------------------------------------------------------------------------------------------------- products

/**
 * Matrix product with NumPy's rank rules: matrices over the last two axes, a vector as row or column, leading axes broadcast.
 * Throws ShapeError where inner lengths differ, or for a scalar.
 * @example
 * import { matmul } from "@unroll/autograd";
 * console.log(matmul([[1, 2], [3, 4]], [1, 1]).toArray()); // [ 3, 7 ]
 */
export function matmul(x: Operand, y: Operand): Value {
  return composites.matmul(m, toValue("matmul", x), toValue("matmul", y));
}

// ---------------------------------------------------------------------------------------------------------------- shapes

/**
 * The same elements in row-major order under another shape; one length may be -1. Throws ShapeError where sizes differ.
 * @example
 * import { reshape } from "@unroll/autograd";
 * console.log(reshape([1, 2, 3, 4, 5, 6], [2, -1]).toArray()); // [ [ 1, 2, 3 ], [ 4, 5, 6 ] ]
 */
export function reshape(x: Operand, shape: Shape): Value {
  const from = toValue("reshape", x);
  return m.reshape(from, inferredShape(from.shape, shape));
}

function inferredShape(from: Shape, shape: Shape): Shape {
  const open = shape.indexOf(-1);
  if (open < 0) return checkShape("reshape", shape);
  const rest = sizeOf(shape.filter((_, k) => k !== open));
  const length = rest === 0 ? 0 : sizeOf(from) / rest;
  if (!Number.isInteger(length)) doesNotReshape(from, shape, `a multiple of ${rest}`);
  return checkShape(
    "reshape",
    shape.map((n, k) => (k === open ? length : n)),
  );
}

/**
 * Axes in another order; reversed by default. Throws ShapeError unless `order` names each axis once.
 * @example
 * import { transpose } from "@unroll/autograd";
 * console.log(transpose([[1, 2, 3], [4, 5, 6]]).toArray()); // [ [ 1, 4 ], [ 2, 5 ], [ 3, 6 ] ]
 */
export function transpose(x: Operand, order?: readonly number[]): Value {
  const from = toValue("transpose", x);
  const axes = (order ?? from.shape.map((_, k) => from.shape.length - 1 - k)).map((k) => normalizeAxis("transpose", k, from.shape));
  if (axes.length !== from.shape.length || new Set(axes).size !== axes.length) {
    throw new ShapeError(`transpose: order ${formatShape(axes)} does not name each axis of shape ${formatShape(from.shape)} once`);
  }
  return m.transpose(from, axes);
}

/**
 * Stretched to a shape by NumPy's rules. Throws ShapeError where it does not stretch.
 * @example
 * import { broadcastTo } from "@unroll/autograd";
 * console.log(broadcastTo([1, 2], [2, 2]).toArray()); // [ [ 1, 2 ], [ 1, 2 ] ]
 */
export function broadcastTo(x: Operand, shape: Shape): Value {
  return m.broadcastTo(toValue("broadcastTo", x), checkShape("broadcastTo", shape));
}

/**
 * A part of x, one entry an axis from the first: a number takes that element and drops the axis, null takes all, `[start, stop, step]`
 * a range with Python's meaning (open ends null, negative positions from the end, negative steps backwards).
 * Throws IndexError for an element that is not there, ShapeError for too many entries or a step of 0.
 * @example
 * import { slice } from "@unroll/autograd";
 * console.log(slice([[1, 2, 3], [4, 5, 6]], null, [null, null, -1]).toArray()); // [ [ 3, 2, 1 ], [ 6, 5, 4 ] ]
 */
export function slice(x: Operand, ...entries: SliceEntry[]): Value {
  const from = toValue("slice", x);
  const { shape } = from;
  if (entries.length > shape.length)
    throw new ShapeError(`slice: ${entries.length} entries for shape ${formatShape(shape)}; give at most one an axis`);
  const ranges = shape.map((length, k) => rangeOf(entries[k] ?? null, length, k, shape));
  const part = m.slice(from, ranges);
  const kept = shape.flatMap((_, k) => (typeof entries[k] === "number" ? [] : [(ranges[k] as Range).size]));
  return kept.length === shape.length ? part : m.reshape(part, kept);
}

function rangeOf(entry: SliceEntry, length: number, axis: number, shape: Shape): Range {
  if (isValueLike(entry) || (Array.isArray(entry) && entry.some(isValueLike)))
    throw new InputError(
      `slice: the entry of axis ${axis} holds a Value; entries are plain numbers: take gather(x, indices) for indices that are computed, or .item() outside of compile()`,
    );
  if (entry === null) return { start: 0, size: length, step: 1 };
  if (typeof entry === "number") return { start: elementOf(entry, length, axis, shape), size: 1, step: 1 };
  const [start, stop, step] = entry;
  const by = step ?? 1;
  if (!Number.isInteger(by) || by === 0)
    throw new ShapeError(`slice: step ${by} on axis ${axis} of shape ${formatShape(shape)}; a step is a whole number, not 0`);
  const [low, high] = by > 0 ? [0, length] : [-1, length - 1];
  const clamp = (x: number) =>
    x === Math.trunc(x) ? Math.min(Math.max(x < 0 ? x + length : x, low), high) : elementOf(x, length, axis, shape);
  const first = start === undefined || start === null ? (by > 0 ? low : high) : clamp(start);
  const last = stop === undefined || stop === null ? (by > 0 ? high : low) : clamp(stop);
  return { start: first, size: Math.max(0, Math.ceil((last - first) / by)), step: by };
}

function elementOf(k: number, length: number, axis: number, shape: Shape): number {
  if (Number.isInteger(k) && k >= -length && k < length) return k < 0 ? k + length : k;
  throw new IndexError(
    `slice: element ${k} is outside axis ${axis} of shape ${formatShape(shape)}; elements run from ${-length} to ${length - 1}`,
  );
}

/**
 * Values one after the other along an axis; shapes agree elsewhere. Throws ShapeError where they do not.
 * @example
 * import { concat } from "@unroll/autograd";
 * console.log(concat([[1, 2], [3]]).toArray()); // [ 1, 2, 3 ]
 */
export function concat(xs: readonly Operand[], { axis = 0 }: { readonly axis?: number } = {}): Value {
  return joined(concatOp, listOf("concat", xs), axis, []);
}

/**
 * Values of one shape joined along a new axis. Throws ShapeError where shapes differ.
 * @example
 * import { stack } from "@unroll/autograd";
 * console.log(stack([1, 2, 3]).toArray()); // [ 1, 2, 3 ]
 */
export function stack(xs: readonly Operand[], { axis = 0 }: { readonly axis?: number } = {}): Value {
  return joined(stackOp, listOf("stack", xs), axis, [xs.length]);
}

function joined(op: StructuralOp<Axis>, values: readonly Value[], axis: number, newAxis: Shape): Value {
  const shape = [...(values[0] as Value).shape, ...newAxis];
  return applyStructural(op, values, { axis: normalizeAxis(op.name, axis, shape) })[0] as Value;
}

function listOf(op: string, xs: readonly Operand[]): Value[] {
  const given: unknown = xs;
  if (!Array.isArray(given)) throw new InputError(`${op}: expected an array of Values, got ${kindOf(given)}`);
  if (xs.length === 0) throw new InputError(`${op}: got an empty array; give at least one Value to join`);
  return xs.map((x) => toValue(op, x));
}

/**
 * The slices along an axis (without it), as an array.
 * @example
 * import { unstack } from "@unroll/autograd";
 * console.log(unstack([[1, 2], [3, 4]]).map((row) => row.toArray())); // [ [ 1, 2 ], [ 3, 4 ] ]
 */
export function unstack(x: Operand, { axis = 0 }: { readonly axis?: number } = {}): Value[] {
  const from = toValue("unstack", x);
  return applyStructural(unstackOp, [from], { axis: normalizeAxis("unstack", axis, from.shape) });
}

/**
 * Parts along an axis: `parts` of equal length, or of the lengths given. Throws ShapeError where they do not add up.
 * @example
 * import { split } from "@unroll/autograd";
 * console.log(split([1, 2, 3, 4, 5], [2, 3]).map((part) => part.toArray())); // [ [ 1, 2 ], [ 3, 4, 5 ] ]
 */
export function split(x: Operand, parts: number | readonly number[], { axis = 0 }: { readonly axis?: number } = {}): Value[] {
  const from = toValue("split", x);
  const along = normalizeAxis("split", axis, from.shape);
  const length = from.shape[along] as number;
  const sizes = typeof parts === "number" ? Array.from({ length: parts }, () => length / parts) : parts;
  if (sizes.some((size) => !Number.isInteger(size) || size < 0) || sizes.reduce((a, b) => a + b, 0) !== length) {
    throw new ShapeError(
      `split: axis ${along} of shape ${formatShape(from.shape)} does not split into ${JSON.stringify(parts)}; give a divisor of ${length}, or lengths that add up to it`,
    );
  }
  let start = 0;
  return sizes.map((size) => {
    const ranges = from.shape.map((whole, k): Range => (k === along ? { start, size, step: 1 } : { start: 0, size: whole, step: 1 }));
    start += size;
    return m.slice(from, ranges);
  });
}

/**
 * x with `widths[k] = [before, after]` places added on axis k, filled with `value` (default 0).
 * @example
 * import { pad } from "@unroll/autograd";
 * console.log(pad([1, 2], [[1, 2]], { value: 9 }).toArray()); // [ 9, 1, 2, 9, 9 ]
 */
export function pad(x: Operand, widths: readonly (readonly [number, number])[], { value = 0 }: { readonly value?: number } = {}): Value {
  const from = toValue("pad", x);
  const { shape } = from;
  const valid = widths.length === shape.length && widths.every((w) => w.length === 2 && w.every((n) => Number.isInteger(n) && n >= 0));
  if (!valid)
    throw new ShapeError(
      `pad: widths ${JSON.stringify(widths)} for shape ${formatShape(shape)}; give [before, after], whole numbers >= 0, for each axis`,
    );
  return composites.pad(m, from, widths, value);
}

// -------------------------------------------------------------------------------------------------------------- indexing

/**
 * Along an axis, the element that each index names (as take_along_axis and torch.gather): x and indices agree on the other axes.
 * Throws DTypeError unless indices are int32, IndexError outside the axis.
 * @example
 * import { gather, value } from "@unroll/autograd";
 * const best = value([[1], [0]], { dtype: "int32" });
 * console.log(gather([[1, 2], [3, 4]], best, { axis: 1 }).toArray()); // [ [ 2 ], [ 3 ] ]
 */
export function gather(x: Operand, indices: Operand, { axis = 0 }: { readonly axis?: number } = {}): Value {
  const from = toValue("gather", x);
  return applyStructural(gatherOp, [from, indicesOf("gather", indices)], { axis: normalizeAxis("gather", axis, from.shape) })[0] as Value;
}

/**
 * The rows of a table [V, …] that indices [I…] name: shape [I…, …]. Throws DTypeError unless indices are int32, IndexError outside.
 * @example
 * import { embedding } from "@unroll/autograd";
 * console.log(embedding([[1, 2], [3, 4]], [1, 1, 0]).toArray()); // [ [ 3, 4 ], [ 3, 4 ], [ 1, 2 ] ]
 */
export function embedding(table: Operand, indices: Operand): Value {
  return applyStructural(takeRows, [toValue("embedding", table), indicesOf("embedding", indices)], null)[0] as Value;
}

/** Plain numbers and nests as int32, if they are whole; a Value must be int32 already. */
function indicesOf(op: string, indices: Operand): Value {
  if (typeof indices !== "number" && !Array.isArray(indices)) return toValue(op, indices);
  const given = toValue(op, indices);
  return given.data.every((k) => Number.isInteger(k)) ? m.cast(given, "int32") : given;
}

// -------------------------------------------------------------------------------------------------- composites and losses

/**
 * exp x over its sum along an axis (default: the last); sums to 1.
 * @example
 * import { softmax } from "@unroll/autograd";
 * console.log(softmax([0, 0]).toArray()); // [ 0.5, 0.5 ]
 */
export function softmax(x: Operand, { axis = -1 }: { readonly axis?: number } = {}): Value {
  const from = toValue("softmax", x);
  return composites.softmax(m, from, normalizeAxis("softmax", axis, from.shape));
}

/**
 * Logarithm of softmax along an axis (default: the last), without underflow.
 * @example
 * import { logSoftmax } from "@unroll/autograd";
 * console.log(logSoftmax([0, 1000]).toArray()); // [ -1000, 0 ]
 */
export function logSoftmax(x: Operand, { axis = -1 }: { readonly axis?: number } = {}): Value {
  const from = toValue("logSoftmax", x);
  return composites.logSoftmax(m, from, normalizeAxis("logSoftmax", axis, from.shape));
}

/**
 * Squared difference of prediction and target, which have one shape. Throws ShapeError where they differ.
 * @example
 * import { mseLoss } from "@unroll/autograd";
 * console.log(mseLoss([1, 2], [0, 4]).item()); // 2.5
 */
export function mseLoss(prediction: Operand, target: Operand, options: LossOptions = {}): Value {
  return composites.mseLoss(m, toValue("mseLoss", prediction), toValue("mseLoss", target), options);
}

/**
 * -log softmax of logits [N, C] at int32 class indices [N]. Throws ShapeError, DTypeError or IndexError.
 * @example
 * import { crossEntropy } from "@unroll/autograd";
 * console.log(crossEntropy([[0, 0]], [1]).item()); // 0.6931471805599453
 */
export function crossEntropy(logits: Operand, targets: Operand, options: LossOptions = {}): Value {
  const [scores, classes] = [toValue("crossEntropy", logits), indicesOf("crossEntropy", targets)];
  const [, count] = scores.shape;
  // Said here, under the name of the loss, not by the gather inside it.
  if (classes.dtype === "int32" && count !== undefined && !isAbstract(classes.payload))
    for (const k of classes.data) checkIndex("crossEntropy", k, count, 1, scores.shape);
  return composites.crossEntropy(m, scores, classes, options);
}
