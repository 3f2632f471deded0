import { describe, expect, test } from "vitest";
import type { DType } from "../../src/dtype.js";
import { arrayOf, ArrayType, type NdArray } from "../../src/ops/array.js";
import { matmul } from "../../src/ops/products.js";

/** Small whole numbers, of which every sum is exact in every dtype. */
const entry = (seed: number, i: number, j: number): number => ((i * 31 + j * 17 + seed * 7) % 13) - 6;

function matrix(dtype: DType, seed: number, rows: number, columns: number, transposed: boolean): NdArray {
  const shape = transposed ? [columns, rows] : [rows, columns];
  const elements = Array.from({ length: rows * columns }, (_, k) => {
    const [p, q] = [Math.floor(k / shape[1]!), k % shape[1]!];
    return transposed ? entry(seed, q, p) : entry(seed, p, q);
  });
  return arrayOf(new ArrayType(dtype, shape), elements);
}

function expected(rows: number, columns: number, inner: number): number[] {
  return Array.from({ length: rows * columns }, (_, at) => {
    const [i, j] = [Math.floor(at / columns), at % columns];
    let sum = 0;
    for (let k = 0; k < inner; k++) sum += entry(1, i, k) * entry(2, k, j);
    return sum;
  });
}

// Less than a tile, odd edges, and more than is packed at a time: 64 columns, 512 steps of the inner loop.
const SIZES = [
  [1, 1, 1],
  [1, 9, 600],
  [2, 4, 0],
  [3, 5, 7],
  [4, 64, 512],
  [5, 135, 1031],
] as const;

describe.each(SIZES)("plain products of %i rows, %i columns, inner length %i", (rows, columns, inner) => {
  const due = expected(rows, columns, inner);
  for (const dtype of ["float64", "float32", "int32"] as const) {
    test.each([
      [false, false],
      [true, false],
      [false, true],
      [true, true],
    ])(`${dtype}, transposed: %s, %s`, (transposeA, transposeB) => {
      const a = matrix(dtype, 1, rows, inner, transposeA);
      const b = matrix(dtype, 2, inner, columns, transposeB);
      const [out] = matmul.forward([a, b], { transposeA, transposeB }, [new ArrayType(dtype, [rows, columns])]);
      expect(Array.from(out!.elements)).toEqual(due);
    });
  }
});
