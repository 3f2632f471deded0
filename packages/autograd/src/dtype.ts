import { DTypeError } from "./errors.js";

/** Element types. float64 and float32 carry gradients; int32 and bool (one byte, 0 or 1) do not. */
export type DType = "float64" | "float32" | "int32" | "bool";
export type TypedArray = Float64Array | Float32Array | Int32Array | Uint8Array;

const RANK: Record<DType, number> = { bool: 0, int32: 1, float32: 2, float64: 3 };

export function isFloating(dtype: DType): boolean {
  return dtype === "float64" || dtype === "float32";
}

export function newTypedArray(dtype: DType, length: number): TypedArray {
  switch (dtype) {
    case "float64":
      return new Float64Array(length);
    case "float32":
      return new Float32Array(length);
    case "int32":
      return new Int32Array(length);
    case "bool":
      return new Uint8Array(length);
  }
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
