/** Attention over the outputs of a recurrent network. */
import { type Param, param, ShapeError, softmax, type Value, where } from "@unroll/autograd";
import { type Key, splitKey } from "@unroll/autograd/random";
import { affine } from "../cells/cell.js";
import { checkValue, formatShape } from "../cells/checks.js";
import { type Lengths, presence } from "../cells/lengths.js";
import { withoutPadding } from "../cells/unroll.js";
import { type DrawOptions, xavierUniform } from "../init/initializers.js";
import { checkParams, checkSize, type LayerParams, type ParameterShapes } from "./parameters.js";

export interface AttentionOptions {
  /** By sequence, its number of steps: those beyond get no weight. Default: all. */
  readonly lengths?: Lengths | undefined;
}

export interface DotAttentionOptions extends AttentionOptions {
  /** Factor on the scores, such as 1/sqrt(H); default 1. */
  readonly scale?: number | undefined;
}

export interface Attended {
  /** The means of the outputs with these weights: [B, H], or [U, B, H] for U queries a sequence. */
  readonly context: Value;
  /** By sequence and step, adding up to 1 over the steps: [B, T], or [U, B, T]. */
  readonly weights: Value;
}

/**
 * A mean of outputs [T, B, H] over time, weighted by the softmax of their inner products with a query [B, H], or with U of them
 * [U, B, H]. Source: M.-T. Luong, H. Pham and C. Manning, "Effective approaches to attention-based neural machine translation", EMNLP 2015.
 * Throws ShapeError where query and outputs do not fit, InputError for lengths that are not from 1 to T.
 *
 * @example
 * import { value } from "@unroll/autograd";
 * const outputs = value([[[1, 0]], [[0, 1]]]); // T = 2, B = 1, H = 2
 * const { context, weights } = dotAttention(value([[0, 1000]]), outputs);
 * console.log(weights.toArray(), context.toArray()); // [ [ 0, 1 ] ] [ [ 0, 1 ] ]
 */
export function dotAttention(query: Value, outputs: Value, { lengths, scale = 1 }: DotAttentionOptions = {}): Attended {
  checkValue("dotAttention", "outputs", outputs);
  checkFit("dotAttention", query, outputs, outputs.shape[2]);
  const present = presence("dotAttention", lengths, outputs);
  const keys = batchFirst(withoutPadding(outputs, present));
  const scores = batchFirst(manyQueries(query)).matmul(keys.transpose([0, 2, 1]));
  return attended(scale === 1 ? scores : scores.mul(scale), keys, present, query.shape.length === 2);
}

export interface AdditiveAttentionOptions {
  /** Features of a query, Q. */
  readonly querySize: number;
  /** Features of the outputs, H. */
  readonly outputSize: number;
  /** Units between, A. */
  readonly hiddenSize: number;
}

/** Attention whose scores a small network gives. */
export interface AdditiveAttention {
  readonly parameterShapes: ParameterShapes;
  /** Params, drawn uniformly with Xavier's bounds. */
  init(key: Key, options?: DrawOptions): LayerParams<Param>;
  /** As `dotAttention`, for a query [B, Q], or U of them [U, B, Q]. */
  apply(params: LayerParams, query: Value, outputs: Value, options?: AttentionOptions): Attended;
}

/**
 * Attention with the scores v · tanh(W_q query + W_o output), of `weight_query` [A, Q], `weight_output` [A, H] and `weight_score` [1, A].
 * Source: D. Bahdanau, K. Cho and Y. Bengio, ICLR 2015. Throws InputError for sizes that are not whole numbers from 1.
 *
 * @example
 * import { ones } from "@unroll/autograd";
 * import { key } from "@unroll/autograd/random";
 * const attention = additiveAttention({ querySize: 3, outputSize: 4, hiddenSize: 5 });
 * const { context, weights } = attention.apply(attention.init(key(0)), ones([2, 3]), ones([6, 2, 4]), { lengths: [6, 2] });
 * console.log(context.shape, weights.slice(1).toArray()); // [ 2, 4 ] [ 0.5, 0.5, 0, 0, 0, 0 ]
 */
export function additiveAttention({ querySize, outputSize, hiddenSize }: AdditiveAttentionOptions): AdditiveAttention {
  checkSize("additiveAttention", "querySize", querySize);
  checkSize("additiveAttention", "outputSize", outputSize);
  checkSize("additiveAttention", "hiddenSize", hiddenSize);
  const parameterShapes: ParameterShapes = {
    weight_query: [hiddenSize, querySize],
    weight_output: [hiddenSize, outputSize],
    weight_score: [1, hiddenSize],
  };
  return {
    parameterShapes,
    init(key, options) {
      const keys = splitKey(key, 3);
      const entries = Object.entries(parameterShapes).map(([name, shape], k) => {
        return [name, param(xavierUniform()(keys[k]!, shape, options).data, { shape, name })] as const;
      });
      return Object.fromEntries(entries);
    },
    apply(params, query, outputs, { lengths } = {}) {
      checkParams("additiveAttention", params, parameterShapes);
      checkValue("additiveAttention", "outputs", outputs);
      checkFit("additiveAttention", query, outputs, querySize, outputSize);
      const present = presence("additiveAttention", lengths, outputs);
      const keys = batchFirst(withoutPadding(outputs, present));
      const [batch, steps] = keys.shape as [number, number];
      const fromQuery = affine(batchFirst(manyQueries(query)), params["weight_query"]!).reshape([batch, -1, 1, hiddenSize]);
      const fromOutputs = affine(keys, params["weight_output"]!).reshape([batch, 1, steps, hiddenSize]);
      const scores = affine(fromQuery.add(fromOutputs).tanh(), params["weight_score"]!).reshape([batch, -1, steps]);
      return attended(scores, keys, present, query.shape.length === 2);
    },
  };
}

/** Between [T, B, H] and [B, T, H]. */
const batchFirst = (x: Value): Value => x.transpose([1, 0, 2]);

/** [B, Q] as [1, B, Q]. */
const manyQueries = (query: Value): Value => (query.shape.length === 2 ? query.reshape([1, ...query.shape]) : query);

/** From scores [B, U, T], keys [B, T, H], and [T, B] whether a step is there. */
function attended(scores: Value, keys: Value, present: Value | undefined, single: boolean): Attended {
  const [batch, steps, features] = keys.shape as [number, number, number];
  const there = present?.transpose().reshape([batch, 1, steps]);
  // Beyond a sequence's end the score is -∞, and the weight exactly 0.
  const weights = softmax(there === undefined ? scores : where(there, scores, Number.NEGATIVE_INFINITY), { axis: 2 });
  const context = weights.matmul(keys);
  if (single) return { context: context.reshape([batch, features]), weights: weights.reshape([batch, steps]) };
  return { context: batchFirst(context), weights: batchFirst(weights) };
}

function checkFit(op: string, query: Value, outputs: Value, querySize: number | undefined, outputSize = querySize): void {
  checkValue(op, "the query", query);
  const [q, o] = [query.shape, outputs.shape];
  const fits = o.length === 3 && o[2] === outputSize && (q.length === 2 || q.length === 3) && q.at(-1) === querySize && q.at(-2) === o[1];
  if (fits) return;
  throw new ShapeError(
    `${op}: a query of shape ${formatShape(q)} for outputs of shape ${formatShape(o)}; expected [B, ${querySize ?? "H"}] or [U, B, ${querySize ?? "H"}] for [T, B, ${outputSize ?? "H"}]`,
  );
}
