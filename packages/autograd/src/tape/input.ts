import { checkDType, type DType, isFloating, type TypedArray } from "../dtype.js";
import { InputError, ShapeError } from "../errors.js";
import { ArrayType, filled, newArray, type Payload, toPayload } from "../ops/array.js";
import { checkShape, formatShape, type Shape } from "../shape.js";

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
  return x instanceof Float64Array || x instanceof Float32Array || x instanceof Int32Array || x instanceof Uint8Array;
}

function fromNumber(op: string, x: number, { shape, dtype = "float64" }: ArrayOptions): Payload {
  if (shape === undefined && isFloating(dtype)) return x;
  return toPayload(filled(new ArrayType(dtype, checkShape(op, shape ?? [])), dtype === "bool" ? Number(x !== 0) : x));
}

function fromTypedArray(op: string, x: TypedArray, { shape = [x.length], dtype = dtypeOf(x) }: ArrayOptions): Payload {
  const type = new ArrayType(dtype, checkShape(op, shape));
  return copied(op, type, x);
}

function dtypeOf(x: TypedArray): DType {
  if (x instanceof Float64Array) return "float64";
  if (x instanceof Float32Array) return "float32";
  return x instanceof Int32Array ? "int32" : "bool";
}

function copied(op: string, type: ArrayType, from: ArrayLike<number>): Payload {
  if (type.size !== from.length) {
    throw new ShapeError(
      `${op}: shape ${formatShape(type.shape)} has ${type.size} elements, the input ${from.length}; give a shape of that product`,
    );
  }
  const out = newArray(type);
  if (type.dtype === "bool") for (let k = 0; k < type.size; k++) out.data[out.offset + k] = from[k] !== 0 ? 1 : 0;
  else out.data.set(from, out.offset);
  return toPayload(out);
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
  if (depth === shape.length) {
    if (typeof x === "number") out.push(x);
    else if (Array.isArray(x)) ragged(op, shape, depth, `an array of length ${x.length}`);
    else rejectEntry(op, x);
    return;
  }
  if (!Array.isArray(x)) {
    if (typeof x === "number") ragged(op, shape, depth, "a number");
    rejectEntry(op, x);
  }
  const entries = x as unknown[];
  if (entries.length !== shape[depth]) ragged(op, shape, depth, `an array of length ${entries.length}`);
  for (const entry of entries) flatten(op, entry, shape, depth + 1, out);
}

function ragged(op: string, shape: Shape, depth: number, got: string): never {
  const expected = depth < shape.length ? `arrays of length ${shape[depth]}` : "numbers";
  throw new ShapeError(
    `${op}: ragged nest: the first entries give shape ${formatShape(shape)}, so depth ${depth} holds ${expected}, but there is ${got}. Every row must have the same length`,
  );
}

function rejectEntry(op: string, x: unknown): never {
  if (isValueLike(x))
    throw new InputError(
      `${op}: got an array of Values; join them first: stack([...]) makes one Value of them along a new axis, concat([...]) along an old one`,
    );
  throw new InputError(`${op}: a nest holds numbers, got ${kindOf(x)}`);
}

/** A Value of this or another copy of the package. */
export function isValueLike(x: unknown): boolean {
  return typeof x === "object" && x !== null && "payload" in x && "origin" in x;
}

export function kindOf(x: unknown): string {
  if (x === null) return "null";
  if (typeof x === "function") return "a function";
  if (typeof x === "object") return `an object (${Object.prototype.toString.call(x).slice(8, -1)})`;
  return x === undefined ? "undefined" : `a ${typeof x}`;
}
