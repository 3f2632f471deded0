/** Which token comes next. */
import { InputError, ShapeError, type Value, value } from "@unroll/autograd";
import { type Key, uniform } from "@unroll/autograd/random";

/**
 * The most likely token of each row of logits [B, V]: int32 [B], the first of equal ones. Throws ShapeError for another shape, InputError
 * for logits that are NaN or +Infinity, or a row that is -Infinity throughout.
 *
 * @example
 * import { value } from "@unroll/autograd";
 * greedyTokens(value([[0.1, 2, -1], [3, 0, 3]])).toArray(); // [1, 0]
 */
export function greedyTokens(logits: Value): Value {
  const rows = rowsOf("greedyTokens", logits);
  return value(Int32Array.from(rows, (row) => row.reduce((best, x, k) => (x > row[best]! ? k : best), 0)));
}

export interface SamplingOptions {
  /** Logits are divided by it: below 1 likely tokens gain, above 1 unlikely ones. Default 1; for the limit 0 use greedyTokens. */
  readonly temperature?: number;
  /** Only the so many most likely tokens are drawn from, of equal ones the first; default: all. */
  readonly topK?: number;
}

/**
 * A token drawn from softmax(logits / temperature) of each row of logits [B, V], or from its k most likely tokens: int32 [B]. The same key
 * gives the same draw; take a new one for each. A logit of -Infinity is never drawn.
 * Throws ShapeError for another shape; InputError for a temperature that is not above 0, a topK that is not a whole number from 1 on, and
 * logits as in greedyTokens.
 *
 * Source: top-k from A. Fan, M. Lewis and Y. Dauphin, "Hierarchical neural story generation", ACL (2018).
 *
 * @example
 * import { value } from "@unroll/autograd";
 * import { key } from "@unroll/autograd/random";
 * sampleTokens(key(1), value([[0, 5, -Infinity]]), { topK: 1 }).toArray(); // [1]
 */
export function sampleTokens(from: Key, logits: Value, options: SamplingOptions = {}): Value {
  const { temperature, topK } = checkedSampling("sampleTokens", options);
  const rows = rowsOf("sampleTokens", logits);
  const draws = uniform(from, [rows.length]).data;
  return value(Int32Array.from(rows, (row, b) => drawn(weightsOf(row, temperature, topK), draws[b]!)));
}

/** Internal. */
export function checkedSampling(op: string, { temperature = 1, topK = Infinity }: SamplingOptions): Required<SamplingOptions> {
  if (!(temperature > 0 && temperature < Infinity))
    throw new InputError(`${op}: temperature is a number above 0, got ${String(temperature)}; for the most likely token, decode greedily`);
  if (topK !== Infinity && (!Number.isInteger(topK) || topK < 1))
    throw new InputError(`${op}: topK is a whole number of tokens, 1 or more, got ${String(topK)}`);
  return { temperature, topK };
}

function rowsOf(op: string, logits: Value): Float64Array[] {
  const [batch, tokens] = logits.shape;
  if (logits.shape.length !== 2 || tokens === 0)
    throw new ShapeError(`${op}: logits of shape [${logits.shape.join(", ")}]; expected [B, V], a row of V tokens for each sequence`);
  const { data } = logits;
  return Array.from({ length: batch! }, (_, b) => {
    const row = Float64Array.from(data.subarray(b * tokens!, (b + 1) * tokens!));
    if (row.some((x) => Number.isNaN(x) || x === Infinity) || row.every((x) => x === -Infinity))
      throw new InputError(`${op}: the logits of row ${b} hold NaN or Infinity, or nothing but -Infinity; no token follows from them`);
    return row;
  });
}

/** Probabilities but for a factor, the largest 1; 0 outside the k most likely. */
function weightsOf(row: Float64Array, temperature: number, topK: number): Float64Array {
  const largest = row.reduce((x, y) => Math.max(x, y));
  const weights = row.map((x) => Math.exp((x - largest) / temperature));
  if (topK >= row.length) return weights;
  const order = Array.from(row.keys()).sort((i, j) => (row[i] === row[j] ? i - j : row[j]! - row[i]!));
  for (const k of order.slice(topK)) weights[k] = 0;
  return weights;
}

/** By the inverse of the distribution function: a token of weight 0 takes no part of [0, total). */
function drawn(weights: Float64Array, u: number): number {
  const total = weights.reduce((x, y) => x + y);
  let [upTo, last] = [0, 0];
  for (let k = 0; k < weights.length; k++) {
    if (weights[k] === 0) continue;
    upTo += weights[k]!;
    last = k;
    if (u * total < upTo) break;
  }
  return last;
}
