import { DTypeError } from "./errors.js";

/** Element types. float64 and float32 carry gradients; int32 and bool (one byte, 0 or 1) do not. */
export type DType = "float64" | "float32" | "int32" | "bool";
export type TypedArray = Float64Array | Float32Array | Int32Array | Uint8Array;

const RANK: Record<DType, number> = { bool: 0, int32: 1, float32: 2, float64: 3 };

export function isFloating(dtype: DType): boolean {
  return dtype === "float64" || dtype === "float32";
}

const ARRAYS = { float64: Float64Array, float32: Float32Array, int32: Int32Array, bool: Uint8Array };

export function newTypedArray(dtype: DType, length: number): TypedArray {
  return new ARRAYS[dtype](length);
}

export function bytesPerElement(dtype: DType): number {
  return dtype === "float64" ? 8 : dtype === "bool" ? 1 : 4;
}

/** The dtype two arrays meet in: bool < int32 < float32 < float64. */
export function promote(a: DType, b: DType): DType {
  return RANK[a] >= RANK[b] ? a : b;
}

export function checkDType(op: string, dtype: DType): DType {
  if (dtype in RANK) return dtype;
  throw new DTypeError(`${op}: dtype is one of "float64", "float32", "int32", "bool", got ${JSON.stringify(dtype) ?? String(dtype)}`);
}
