import { readFileSync, writeFileSync } from "node:fs";
import { valueAndGrad } from "@unroll/autograd";
import type { Reference } from "../workload.js";
import { problemValues, recurrentLoss, resultsOf } from "./layers.js";
import { PARAMETERS, type Problem, shapesOf } from "./problem.js";

/**
 * Single precision against double: errors of a few units in the last place (6e-8) at each of up to 64 steps, in sums of up to 4,096 terms
 * that every library splits and orders in its own way.
 */
export const FLOAT32_TOLERANCE = 1e-5;

/**
 * What our eager engine computes in double precision. The loss is a sum of squares, and so its own sum of absolute terms; the entries of a
 * gradient are held against the largest one of the same parameter.
 */
export function recurrentReference(problem: Problem): Reference {
  const { params, inputs, targets } = problemValues(problem, "float64");
  const values = resultsOf(valueAndGrad(recurrentLoss(problem))(params, inputs, targets));
  const scales = new Float64Array(values.length);
  scales[0] = values[0]!;
  const shapes = shapesOf(problem.kind, problem);
  let at = 1;
  for (const name of PARAMETERS) {
    const end = at + shapes[name].reduce((product, n) => product * n);
    scales.fill(largest(values.subarray(at, end)), at, end);
    at = end;
  }
  return { values, scales };
}

function largest(xs: Float64Array): number {
  return xs.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
}

/** To a file that other processes read: the reference of a large network takes longer than what is timed. */
export function writeReference(path: string, { values, scales }: Reference): void {
  writeFileSync(path, Float64Array.from([...Array.from(values), ...Array.from(scales)]));
}

export function readReference(path: string): Reference {
  const { buffer, byteOffset, byteLength } = readFileSync(path);
  const both = new Float64Array(buffer.slice(byteOffset, byteOffset + byteLength));
  const half = both.length / 2;
  return { values: both.subarray(0, half), scales: both.subarray(half) };
}
