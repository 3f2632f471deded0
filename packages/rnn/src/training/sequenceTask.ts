/** What there is to learn from a sequence, in a form that can be cut into stretches of time. */
import { InputError, scan, ShapeError, Value } from "@unroll/autograd";
import type { Cell } from "../cells/cell.js";
import { mapLeaves } from "../io/tree.js";

/** A recurrent network on sequences, and what is wanted of it. */
export interface SequenceTask<P, C> {
  readonly cell: Cell<P, C>;
  /** What the cell carries into the first step: a tree of Values. */
  readonly init: C;
  /** [T, …], time first. */
  readonly inputs: Value;
  /** [T, …], one entry for each step. */
  readonly targets: Value;
  /**
   * The loss of a stretch of n steps, from the cell's outputs and the targets there, [n, …]: a scalar, and a SUM over the steps, so that the
   * losses of stretches add up to that of the whole. (A mean over the batch is as good as a sum.)
   */
  readonly loss: (params: P, outputs: Value, targets: Value) => Value;
}

/** The number of steps. Throws InputError or ShapeError where inputs and targets are not sequences of one length. Internal. */
export function stepsOf<P, C>(op: string, { inputs, targets }: SequenceTask<P, C>): number {
  for (const [name, x] of [
    ["inputs", inputs],
    ["targets", targets],
  ] as const) {
    if (!(x instanceof Value)) throw new InputError(`${op}: ${name} must be a Value, [T, …] with time first; make one with value(…)`);
  }
  const [steps] = inputs.shape;
  if (steps === undefined || steps === 0)
    throw new ShapeError(`${op}: inputs of shape [${inputs.shape.join(", ")}] have no steps along axis 0`);
  if (targets.shape[0] === steps) return steps;
  throw new ShapeError(
    `${op}: inputs have ${steps} steps along axis 0, targets have shape [${targets.shape.join(", ")}]; give one target a step`,
  );
}

/**
 * The outputs of steps from … to - 1, [to - from, …], started from the state before `from`. `watch` sees the state after each step.
 * Internal.
 */
export function outputsOf<P, C>(
  { cell, inputs }: SequenceTask<P, C>,
  params: P,
  state: C,
  [from, to]: readonly [number, number],
  watch: (state: C, t: number) => void,
): Value {
  let t = from;
  const step = (carry: C, x: Value): readonly [C, Value] => {
    const result = cell(params, carry, x);
    watch(result[0], t++);
    return result;
  };
  // scan's types cannot follow trees of any structure through a generic function.
  const [, outputs] = scan<C, Value, Value>(step, state as never, inputs.slice([from, to]));
  return outputs;
}

/** A tree with its leaves as constants. Internal. */
export function detached<T>(op: string, tree: T): T {
  return mapLeaves(op, tree, (leaf) => leaf.detach()) as T;
}

/** The Euclidean length of all elements together, without overflow on the way. Internal. */
export function lengthOf(values: Iterable<Value>): number {
  const all = [...values];
  let largest = 0;
  for (const { data } of all) for (const x of data) largest = Math.max(largest, Math.abs(x));
  if (largest === 0 || !Number.isFinite(largest)) return largest;
  let sum = 0;
  for (const { data } of all) for (const x of data) sum += (x / largest) ** 2;
  return largest * Math.sqrt(sum);
}
