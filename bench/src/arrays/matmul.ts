import { param, type Value, value } from "@unroll/autograd";
import { loadCompile } from "../compiler.js";
import { uniformArray } from "../uniform.js";
import type { Reference, Workload } from "../workload.js";
import { type FloatArray, fastestProduct } from "./products.js";

export type MatrixDType = "float64" | "float32";

/** The product of two square matrices, `repeats` times. */
export function matmulOnEngine(size: number, repeats: number, dtype: MatrixDType): Workload {
  const [a, b] = matrices(size, dtype);
  const left = param(a, { shape: [size, size] });
  const right = value(b, { shape: [size, size] });
  let out: Value = right;
  return {
    forward() {
      for (let k = 0; k < repeats; k++) out = left.matmul(right);
    },
    results: () => out.data,
  };
}

/** The same where /compile was imported, which lends its kernels. */
export async function matmulOnLentKernels(size: number, repeats: number, dtype: MatrixDType): Promise<Workload> {
  await loadCompile();
  return matmulOnEngine(size, repeats, dtype);
}

export function matmulInLoop(size: number, repeats: number, dtype: MatrixDType): Workload {
  const [a, b] = matrices(size, dtype);
  const out = arrayOf(dtype, size * size);
  const product = fastestProduct(size, size, size, a, b, out);
  return {
    forward() {
      for (let k = 0; k < repeats; k++) product(size, size, size, a, b, out);
    },
    results: () => out,
  };
}

export function matmulReference(size: number, dtype: MatrixDType): Reference {
  const [a, b] = matrices(size, dtype);
  const values = new Float64Array(size * size);
  const scales = new Float64Array(size * size);
  for (let i = 0; i < size; i++) {
    for (let j = 0; j < size; j++) {
      for (let k = 0; k < size; k++) {
        const term = a[i * size + k]! * b[k * size + j]!;
        values[i * size + j]! += term;
        scales[i * size + j]! += Math.abs(term);
      }
    }
  }
  return { values, scales };
}

function matrices(size: number, dtype: MatrixDType): [FloatArray, FloatArray] {
  const draw = (seed: number): FloatArray => {
    const numbers = uniformArray(size * size, seed);
    return dtype === "float64" ? numbers : Float32Array.from(numbers);
  };
  return [draw(6), draw(7)];
}

function arrayOf(dtype: MatrixDType, length: number): FloatArray {
  return dtype === "float64" ? new Float64Array(length) : new Float32Array(length);
}
