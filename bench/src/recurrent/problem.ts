import { uniformArray } from "../uniform.js";

/**
 * A recurrent layer of as many hidden units as inputs, zero state, mean squared error of all outputs against random targets. Results are
 * in the order loss, then the gradients of the parameters in the order of PARAMETERS.
 */
export interface Problem extends Size {
  readonly kind: Kind;
  readonly params: Params<Float32Array>;
  /** [T, B, H], as the targets. */
  readonly inputs: Float32Array;
  readonly targets: Float32Array;
}

export type Kind = "rnn" | "lstm" | "gru";

export interface Size {
  readonly hidden: number;
  readonly batch: number;
  readonly steps: number;
}

/** Names, shapes and the order of gates are PyTorch's: weights [G H, H] and biases [G H], of G gates. */
export const PARAMETERS = ["weight_ih", "weight_hh", "bias_ih", "bias_hh"] as const;

export type Params<T> = Readonly<Record<(typeof PARAMETERS)[number], T>>;

export const GATES: Readonly<Record<Kind, number>> = { rnn: 1, lstm: 4, gru: 3 };

export function shapesOf(kind: Kind, { hidden }: Size): Params<readonly number[]> {
  const rows = GATES[kind] * hidden;
  return { weight_ih: [rows, hidden], weight_hh: [rows, hidden], bias_ih: [rows], bias_hh: [rows] };
}

/** One for each parameter. */
export function mapParams<T>(f: (name: keyof Params<T>) => T): Params<T> {
  return { weight_ih: f("weight_ih"), weight_hh: f("weight_hh"), bias_ih: f("bias_ih"), bias_hh: f("bias_hh") };
}

/** The same numbers for every variant, in single precision from the start, so that the reference sees what they see. */
export function recurrentProblem(kind: Kind, size: Size): Problem {
  const shapes = shapesOf(kind, size);
  const bound = 1 / Math.sqrt(size.hidden);
  const elements = size.steps * size.batch * size.hidden;
  return {
    kind,
    ...size,
    params: mapParams((name) => {
      const length = shapes[name].reduce((product, n) => product * n);
      return Float32Array.from(uniformArray(length, 40 + PARAMETERS.indexOf(name), -bound, bound));
    }),
    inputs: Float32Array.from(uniformArray(elements, 50)),
    targets: Float32Array.from(uniformArray(elements, 51)),
  };
}

/** The loss and the gradients, one after the other. */
export function flatResults(loss: number, gradients: Params<ArrayLike<number>>): Float64Array {
  const arrays = PARAMETERS.map((name) => gradients[name]);
  const flat = new Float64Array(1 + arrays.reduce((sum, { length }) => sum + length, 0));
  flat[0] = loss;
  let at = 1;
  for (const array of arrays) {
    flat.set(array, at);
    at += array.length;
  }
  return flat;
}
