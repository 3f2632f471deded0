import { DTypeError } from "./errors.js";

/** Element types. float64 and float32 carry gradients; int32 and bool (one byte, 0 or 1) do not. */
export type DType = "float64" | "float32" | "int32" | "bool";
export type TypedArray = Float64Array | Float32Array | Int32Array | Uint8Array;

/** In the order of promotion. */
const ARRAYS = { bool: Uint8Array, int32: Int32Array, float32: Float32Array, float64: Float64Array };
const DTYPES = Object.keys(ARRAYS) as DType[];

export function isFloating(dtype: DType): boolean {
  return dtype === "float64" || dtype === "float32";
}

export function newTypedArray(dtype: DType, length: number): TypedArray {
  return new ARRAYS[dtype](length);
}

export function bytesPerElement(dtype: DType): number {
  return dtype === "float64" ? 8 : dtype === "bool" ? 1 : 4;
}

/** The dtype of a typed array; undefined for anything else. */
export function dtypeOf<X>(x: X): X extends TypedArray ? DType : DType | undefined {
  return DTYPES.find((dtype) => x instanceof ARRAYS[dtype]) as X extends TypedArray ? DType : DType | undefined;
}

/** The dtype two arrays meet in: bool < int32 < float32 < float64. */
export function promote(a: DType, b: DType): DType {
  return DTYPES.indexOf(a) >= DTYPES.indexOf(b) ? a : b;
}

export function checkDType(op: string, dtype: DType): DType {
  if (DTYPES.includes(dtype)) return dtype;
  throw new DTypeError(`${op}: dtype is one of ${DTYPES.join(", ")}, got ${JSON.stringify(dtype) ?? String(dtype)}`);
}
