import { ShapeError } from "./errors.js";

/** Lengths of the axes, outermost first; `[]` is a scalar. */
export type Shape = readonly number[];

export const SCALAR: Shape = Object.freeze([]);

/** Product of the axis lengths. */
export function sizeOf(shape: Shape): number {
  let size = 1;
  for (const length of shape) size *= length;
  return size;
}

export function sameShape(a: Shape, b: Shape): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let k = 0; k < a.length; k++) if (a[k] !== b[k]) return false;
  return true;
}

export function formatShape(shape: Shape): string {
  return `[${shape.join(", ")}]`;
}

/** Throws ShapeError unless two shapes are equal. */
export function checkSameShape(op: string, what: string, got: Shape, expected: Shape, wayOut: string): void {
  if (sameShape(got, expected)) return;
  throw new ShapeError(`${op}: ${what} has shape ${formatShape(got)}, expected ${formatShape(expected)}; ${wayOut}`);
}

/** Row-major strides, in elements. */
export function stridesOf(shape: Shape): number[] {
  const strides = new Array<number>(shape.length);
  let stride = 1;
  for (let k = shape.length - 1; k >= 0; k--) {
    strides[k] = stride;
    stride *= shape[k] as number;
  }
  return strides;
}

/** NumPy's broadcasting: trailing axes align, a length of 1 stretches. Throws ShapeError naming `op` where two lengths disagree. */
export function broadcastShapes(op: string, ...shapes: Shape[]): Shape {
  let out = shapes[0] ?? SCALAR;
  for (const shape of shapes.slice(1)) out = broadcastPair(op, out, shape, shapes);
  return out;
}

function broadcastPair(op: string, a: Shape, b: Shape, all: Shape[]): Shape {
  if (sameShape(a, b)) return a;
  const rank = Math.max(a.length, b.length);
  const out = new Array<number>(rank);
  for (let k = 1; k <= rank; k++) {
    const p = a[a.length - k] ?? 1;
    const q = b[b.length - k] ?? 1;
    if (p !== q && p !== 1 && q !== 1) {
      throw new ShapeError(
        `${op}: shapes ${all.map(formatShape).join(" and ")} do not broadcast: axis ${-k} has lengths ${p} and ${q}. ` +
          "They must be equal or 1; reshape one of them",
      );
    }
    out[rank - k] = p === 1 ? q : p;
  }
  return out;
}

/** An axis counted from the front; negative axes count from the end. Throws ShapeError outside [-rank, rank). */
export function normalizeAxis(op: string, axis: number, shape: Shape): number {
  const rank = shape.length;
  if (!Number.isInteger(axis) || axis < -rank || axis >= rank) {
    const range = rank === 0 ? "a scalar has no axes" : `axes run from ${-rank} to ${rank - 1}`;
    throw new ShapeError(`${op}: axis ${axis} does not exist in shape ${formatShape(shape)}; ${range}`);
  }
  return axis < 0 ? axis + rank : axis;
}

/** Several axes, sorted; undefined means all. Throws ShapeError on an axis outside the shape or named twice. */
export function normalizeAxes(op: string, axis: number | readonly number[] | undefined, shape: Shape): number[] {
  if (axis === undefined) return [...shape.keys()];
  const axes = (typeof axis === "number" ? [axis] : axis).map((k) => normalizeAxis(op, k, shape)).sort((p, q) => p - q);
  const twice = axes.find((k, j) => axes[j + 1] === k);
  if (twice !== undefined) throw new ShapeError(`${op}: axis ${twice} of shape ${formatShape(shape)} is named twice; name each axis once`);
  return axes;
}

/** The shape after the axes were reduced: dropped, or kept with length 1. */
export function reducedShape(shape: Shape, axes: readonly number[], keepDims: boolean): Shape {
  if (keepDims) return shape.map((length, k) => (axes.includes(k) ? 1 : length));
  return shape.filter((_, k) => !axes.includes(k));
}

/** Checks that every length is a whole number >= 0. */
export function checkShape(op: string, shape: Shape): Shape {
  const given: unknown = shape;
  if (Array.isArray(given) && shape.every((length) => Number.isInteger(length) && length >= 0)) return shape;
  throw new ShapeError(`${op}: a shape is an array of whole numbers >= 0, got ${JSON.stringify(shape) ?? String(shape)}`);
}
