import { type DType, isFloating, newTypedArray, type TypedArray } from "../dtype.js";
import { SCALAR, type Shape, sizeOf } from "../shape.js";

/** Shape and dtype of an array, without its elements. Shared between arrays, so that equal types are mostly the same object. */
export class ArrayType {
  readonly size: number;

  constructor(dtype: DType, shape: Shape) {
    this.dtype = dtype;
    this.shape = shape;
    this.size = sizeOf(shape);
  }

  readonly dtype: DType;
  readonly shape: Shape;
}

export const FLOAT64_SCALAR = new ArrayType("float64", SCALAR);

/** Elements in row-major order, contiguous from `offset` of `data`. Never written to once it can be seen from outside. */
export class NdArray {
  readonly type: ArrayType;
  readonly data: TypedArray;
  readonly offset: number;

  constructor(type: ArrayType, data: TypedArray, offset: number) {
    this.type = type;
    this.data = data;
    this.offset = offset;
  }

  /** Whether the elements are not known yet: see AbstractArray. */
  get isAbstract(): boolean {
    return false;
  }

  /** The elements alone: a view into `data`, not a copy. */
  get elements(): TypedArray {
    const { data, offset, type } = this;
    return data.length === type.size ? data : data.subarray(offset, offset + type.size);
  }
}

/** What a Value holds: a floating 0-d value is a plain number (always float64), everything else an array. */
export type Payload = number | NdArray;

export function typeOf(x: Payload): ArrayType {
  return typeof x === "number" ? FLOAT64_SCALAR : x.type;
}

// A typed array of its own costs 600 to 700 ns above 64 bytes, whatever its length; small ones are cut from a common slab instead
// (28 against 580 ns for an add of 16 elements). A slab is never reused: it goes when the last array cut from it goes.
const SLAB_ELEMENTS = 4096;
const LARGEST_IN_SLAB = 256;
const float64Slab = { data: new Float64Array(0) as TypedArray, used: 0 };
const float32Slab = { data: new Float32Array(0) as TypedArray, used: 0 };

/** A new array of zeros. */
export function newArray(type: ArrayType): NdArray {
  const { dtype, size } = type;
  const slab = dtype === "float64" ? float64Slab : dtype === "float32" ? float32Slab : null;
  if (slab === null || size > LARGEST_IN_SLAB) return new NdArray(type, newTypedArray(dtype, size), 0);
  if (slab.used + size > slab.data.length) {
    slab.data = newTypedArray(dtype, SLAB_ELEMENTS);
    slab.used = 0;
  }
  const offset = slab.used;
  slab.used = offset + size;
  return new NdArray(type, slab.data, offset);
}

/** A new array of given elements, converted; for bool, whatever is not 0 is 1. */
export function arrayOf(type: ArrayType, from: ArrayLike<number>): NdArray {
  const out = newArray(type);
  if (type.dtype === "bool") for (let k = 0; k < type.size; k++) out.data[out.offset + k] = from[k] === 0 ? 0 : 1;
  else out.data.set(from, out.offset);
  return out;
}

const NO_ELEMENTS = new Float64Array(0);

/**
 * One number in every place, written out when somebody reads `data`. For traces, which make such arrays and mostly read the number alone:
 * the cotangent of a mean over 262,144 elements took 5 to 20 ms of compiling.
 */
export class UniformArray extends NdArray {
  readonly element: number;

  constructor(type: ArrayType, element: number) {
    super(type, NO_ELEMENTS, 0);
    this.element = element;
    let data: TypedArray | null = null;
    Object.defineProperty(this, "data", { get: () => (data ??= filled(type, element).elements) });
  }
}

/** The number in every place of an array, where that is known without looking at them. */
export function knownElement(x: NdArray): number | null {
  if (x instanceof UniformArray) return x.element;
  return x.type.size === 1 ? (x.data[x.offset] as number) : null;
}

/** Whether a Value holds arrays of this type as a plain number. */
export function isNumber({ shape, dtype }: ArrayType): boolean {
  return shape.length === 0 && isFloating(dtype);
}

/** The number x in every place. */
export function filledPayload(type: ArrayType, x: number): Payload {
  return isNumber(type) ? x : filled(type, x);
}

export function filled(type: ArrayType, x: number): NdArray {
  const out = newArray(type);
  if (x !== 0 || Object.is(x, -0)) out.data.fill(type.dtype === "bool" ? 1 : x, out.offset, out.offset + type.size);
  return out;
}

/** A payload as an array: a plain number becomes a 0-d float64 array. */
export function toNdArray(x: Payload): NdArray {
  return typeof x === "number" ? filled(FLOAT64_SCALAR, x) : x;
}

/** An array as a payload: a floating 0-d array becomes a plain number. */
export function toPayload(x: NdArray): Payload {
  return isNumber(x.type) ? (x.data[x.offset] as number) : x;
}

/** The same elements under another shape of the same size. */
export function withShape(x: NdArray, type: ArrayType): NdArray {
  return new NdArray(type, x.data, x.offset);
}
