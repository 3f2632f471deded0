import { param, type Value, value } from "@unroll/autograd";
import { uniformArray } from "../uniform.js";
import type { Reference, Workload } from "../workload.js";
import { fastestProduct } from "./products.js";

/** The product of two square float64 matrices, `repeats` times. */
export function matmulOnEngine(size: number, repeats: number): Workload {
  const a = param(uniformArray(size * size, 6), { shape: [size, size] });
  const b = value(uniformArray(size * size, 7), { shape: [size, size] });
  let out: Value = b;
  return {
    forward() {
      for (let k = 0; k < repeats; k++) out = a.matmul(b);
    },
    results: () => out.data,
  };
}

export function matmulInLoop(size: number, repeats: number): Workload {
  const a = uniformArray(size * size, 6);
  const b = uniformArray(size * size, 7);
  const out = new Float64Array(size * size);
  const product = fastestProduct(size, size, size, a, b, out);
  return {
    forward() {
      for (let k = 0; k < repeats; k++) product(size, size, size, a, b, out);
    },
    results: () => out,
  };
}

export function matmulReference(size: number): Reference {
  const a = uniformArray(size * size, 6);
  const b = uniformArray(size * size, 7);
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
