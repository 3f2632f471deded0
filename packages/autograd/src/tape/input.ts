import { checkDType, type DType, dtypeOf, type TypedArray } from "../dtype.js";
import { InputError, ShapeError } from "../errors.js";
import { arrayOf, ArrayType, filledPayload, type Payload, toPayload } from "../ops/array.js";
import { checkShape, formatShape, SCALAR, type Shape } from "../shape.js";

/** Rectangular nests of numbers. */
export type NestedNumbers = number | readonly NestedNumbers[];
/** What becomes a Value: a number, a nest of numbers, or a typed array with a shape. */
export type NumericInput = NestedNumbers | TypedArray;

export interface ArrayOptions {
  /** Axis lengths; their product is the number of elements. */
  readonly shape?: Shape;
  /** Default: float64, or that of the typed array (Float64Array, Float32Array, Int32Array; Uint8Array is bool). */
  readonly dtype?: DType;
}

/** Reads numbers into a payload. Throws InputError for anything else, ShapeError for ragged nests and sizes that do not fit. */
export function payloadFrom(op: string, x: NumericInput, options: ArrayOptions = {}): Payload {
  if (options.dtype !== undefined) checkDType(op, options.dtype);
  if (typeof x === "number") return fromNumber(op, x, options);
  if (isTypedArray(x)) return fromTypedArray(op, x, options);
  if (Array.isArray(x)) return fromNest(op, x, options);
  throw new InputError(`${op}: expected a number, nested arrays of numbers or a typed array, got ${kindOf(x)}`);
}

export function isTypedArray(x: unknown): x is TypedArray {
  return dtypeOf(x) !== undefined;
}

function fromNumber(op: string, x: number, { shape, dtype = "float64" }: ArrayOptions): Payload {
  return filledPayload(new ArrayType(dtype, checkShape(op, shape ?? SCALAR)), dtype === "bool" ? Number(x !== 0) : x);
}

function fromTypedArray(op: string, x: TypedArray, { shape = [x.length], dtype = dtypeOf(x) }: ArrayOptions): Payload {
  return copied(op, new ArrayType(dtype, checkShape(op, shape)), x);
}

function copied(op: string, type: ArrayType, from: ArrayLike<number>): Payload {
  if (type.size !== from.length) {
    throw new ShapeError(
      `${op}: shape ${formatShape(type.shape)} has ${type.size} elements, the input ${from.length}; give a shape of that product`,
    );
  }
  return toPayload(arrayOf(type, from));
}

function fromNest(op: string, x: readonly unknown[], { shape, dtype = "float64" }: ArrayOptions): Payload {
  const own = shapeOfNest(x);
  const numbers: number[] = [];
  flatten(op, x, own, 0, numbers);
  const type = new ArrayType(dtype, shape === undefined ? own : checkShape(op, shape));
  return copied(op, type, numbers);
}

/** The shape along the first entries. */
function shapeOfNest(x: unknown): number[] {
  const shape: number[] = [];
  for (let inner = x; Array.isArray(inner); inner = inner[0]) shape.push(inner.length);
  return shape;
}

function flatten(op: string, x: unknown, shape: Shape, depth: number, out: number[]): void {
  const length = shape[depth];
  if (Array.isArray(x) && x.length === length) for (const entry of x) flatten(op, entry, shape, depth + 1, out);
  else if (typeof x === "number" && length === undefined) out.push(x);
  else if (isValueLike(x))
    throw new InputError(`${op}: got an array of Values; join them first: stack([...]) along a new axis, concat([...]) along an old one`);
  else if (typeof x !== "number" && !Array.isArray(x)) throw new InputError(`${op}: a nest holds numbers, got ${kindOf(x)}`);
  else {
    const kind = (n: number | undefined): string => (n === undefined ? "a number" : `an array of length ${n}`);
    throw new ShapeError(
      `${op}: ragged nest: the first entries give shape ${formatShape(shape)}, so depth ${depth} expects ${kind(length)}, got ${kind(Array.isArray(x) ? x.length : undefined)}; give rows of one length`,
    );
  }
}

/** A Value of this or another copy of the package. */
export function isValueLike(x: unknown): boolean {
  return typeof x === "object" && x !== null && "payload" in x && "origin" in x;
}

export function kindOf(x: unknown): string {
  if (x === null || x === undefined) return String(x);
  return typeof x === "object" ? `an object (${Object.prototype.toString.call(x).slice(8, -1)})` : `a ${typeof x}`;
}
