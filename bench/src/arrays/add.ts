import { param, type Value, value } from "@unroll/autograd";
import { uniformArray } from "../uniform.js";
import type { Reference, Workload } from "../workload.js";

/** The sum of two arrays of `size` float64 elements, `repeats` times. */
export function addOnEngine(size: number, repeats: number): Workload {
  const x = param(uniformArray(size, 4));
  const y = value(uniformArray(size, 5));
  let out: Value = y;
  return {
    forward() {
      for (let k = 0; k < repeats; k++) out = x.add(y);
    },
    results: () => out.data,
  };
}

export function addInLoop(size: number, repeats: number): Workload {
  const x = uniformArray(size, 4);
  const y = uniformArray(size, 5);
  const out = new Float64Array(size);
  return {
    forward() {
      for (let k = 0; k < repeats; k++) addInto(out, x, y);
    },
    results: () => out,
  };
}

function addInto(out: Float64Array, x: Float64Array, y: Float64Array): void {
  for (let k = 0; k < out.length; k++) out[k] = x[k]! + y[k]!;
}

export function addReference(size: number): Reference {
  const x = uniformArray(size, 4);
  const y = uniformArray(size, 5);
  return { values: x.map((p, k) => p + y[k]!), scales: x.map((p, k) => Math.abs(p) + Math.abs(y[k]!)) };
}
