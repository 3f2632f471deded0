/** Sequences of tokens that a network continues by itself. */
import { InputError, noGrad, type Operand, ShapeError, value, Value } from "@unroll/autograd";
import { foldIn, type Key } from "@unroll/autograd/random";
import type { Cell } from "../cells/cell.js";
import { checkedSampling, greedyTokens, type SamplingOptions, sampleTokens } from "./sampling.js";

export interface GenerateOptions {
  /** What the sequences begin with: whole numbers [P] for one sequence, [P, B] for a batch, time first; P >= 1. */
  readonly prompt: Operand;
  /** The most tokens to add. */
  readonly maxLength: number;
  /** A sequence ends when this one comes. */
  readonly endToken?: number;
  /** Tokens are drawn (see sampleTokens), from keys that follow from this one. Without it, each is the most likely one (greedy). */
  readonly sample?: SamplingOptions & { readonly key: Key };
}

export interface Generated<C> {
  /** What was added to the prompt, sequence by sequence; the end token is the last of those that ended. */
  readonly tokens: number[][];
  /** By sequence, whether the end token came. */
  readonly ended: boolean[];
  /** What the cell carries on, after all tokens but the last. */
  readonly carry: C;
}

/**
 * Continues sequences of tokens: the cell takes tokens, int32 [B], and its outputs are logits [B, V] of the token that follows. The prompt is
 * run through, then each new token is fed back. It ends with `maxLength` tokens, or when every sequence has ended; one that has is fed its
 * end token until then, and nothing is added to it. Nothing is recorded.
 * Throws InputError for a prompt that is not whole numbers or is empty, a maxLength that is not a whole number, and as sampleTokens does;
 * ShapeError where the cell does not give [B, V].
 *
 * @example
 * import { embedding, value, type Value } from "@unroll/autograd";
 * // Scores of what follows each of three tokens: 0, 1, 2, 0, …
 * const follows = value([[0, 1, 0], [0, 0, 1], [1, 0, 0]]);
 * const cell: Cell<Value, null> = (table, carry, token) => [carry, embedding(table, token)];
 * generate(cell, follows, null, { prompt: [1], maxLength: 4 }).tokens; // [[2, 0, 1, 2]]
 * generate(cell, follows, null, { prompt: [1], maxLength: 4, endToken: 0 }).tokens; // [[2, 0]]
 */
export function generate<P, C>(cell: Cell<P, C>, params: P, carry: C, options: GenerateOptions): Generated<C> {
  const { maxLength, endToken, sample } = options;
  if (!Number.isInteger(maxLength) || maxLength < 0)
    throw new InputError(`generate: maxLength is a whole number of tokens, 0 or more, got ${String(maxLength)}`);
  if (endToken !== undefined && !Number.isInteger(endToken)) throw new InputError(`generate: endToken is a whole number, got ${endToken}`);
  if (sample !== undefined) checkedSampling("generate", sample);
  const prompt = promptRows(options.prompt);
  return noGrad(() => {
    const sequences = prompt[0]!.length;
    const tokens = Array.from(prompt[0]!, (): number[] => []);
    const ended = tokens.map(() => false);
    let state = carry;
    let logits: Value | undefined;
    const feed = (row: Int32Array): void => {
      [state, logits] = cell(params, state, value(row));
      checkLogits(logits, sequences);
    };
    for (const row of prompt) feed(row);
    for (let n = 0; n < maxLength && ended.includes(false); n++) {
      const chosen = sample === undefined ? greedyTokens(logits!) : sampleTokens(foldIn(sample.key, n), logits!, sample);
      const row = Int32Array.from(chosen.data, (token, b) => (ended[b] === true ? endToken! : token));
      row.forEach((token, b) => {
        if (ended[b] === true) return;
        tokens[b]!.push(token);
        ended[b] = token === endToken;
      });
      if (n + 1 < maxLength && ended.includes(false)) feed(row);
    }
    return { tokens, ended, carry: state };
  });
}

/** The prompt as a row of tokens for each step. */
function promptRows(prompt: Operand): Int32Array[] {
  const given = prompt instanceof Value ? prompt : value(prompt);
  const [steps, sequences = 1] = given.shape;
  if (steps === undefined || given.shape.length > 2 || given.size === 0)
    throw new InputError(`generate: a prompt of shape [${given.shape.join(", ")}]; expected tokens [P] or [P, B], at least one a sequence`);
  const odd = given.data.find((x) => !Number.isInteger(x) || x < 0);
  if (odd !== undefined) throw new InputError(`generate: the prompt holds ${odd}; tokens are whole numbers from 0 on`);
  return Array.from({ length: steps }, (_, t) => Int32Array.from(given.data.subarray(t * sequences, (t + 1) * sequences)));
}

function checkLogits(logits: Value, sequences: number): void {
  if (logits.shape.length === 2 && logits.shape[0] === sequences) return;
  throw new ShapeError(
    `generate: the cell's output has shape [${logits.shape.join(", ")}]; expected logits [${sequences}, V], one row a sequence`,
  );
}
