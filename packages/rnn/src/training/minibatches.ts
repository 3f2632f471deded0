/** Examples in a new order each time, a few at a time. */
import { sort } from "@unroll/autograd";
import { type Key, uniform } from "@unroll/autograd/random";

/** The given rows in random order, cut into batches; the last one may be smaller. */
export function minibatches(key: Key, rows: Int32Array, batchSize: number): Int32Array[] {
  const order = sort(uniform(key, [rows.length])).indices.data;
  const shuffled = Int32Array.from(order, (i) => rows[Number(i)]!);
  return consecutiveBatches(shuffled, batchSize);
}

/** The given rows in the order they have, cut into batches. */
export function consecutiveBatches(rows: Int32Array, batchSize: number): Int32Array[] {
  const batches = Math.ceil(rows.length / batchSize);
  return Array.from({ length: batches }, (_, k) => rows.subarray(k * batchSize, (k + 1) * batchSize));
}
