/** What there is to learn from a sequence, in a form that can be cut into stretches of time. */
import { InputError, scan, ShapeError, Value } from "@unroll/autograd";
import type { Cell } from "../cells/cell.js";
import { leafEntries, mapLeaves } from "../io/tree.js";

/**
 * A recurrent network on sequences, and what is wanted of it. Params P, carry C, inputs X, targets T and outputs Y are trees of Values;
 * inputs, targets and outputs are one Value each where nothing else is said.
 */
export interface SequenceTask<P, C, X = Value, T = Value, Y = Value> {
  readonly cell: Cell<P, C, X, Y>;
  /** What the cell carries into the first step. */
  readonly init: C;
  /** By leaf [T, …], time first; the cell gets the entries of a step in a tree of the same structure. */
  readonly inputs: X;
  /** By leaf [T, …], one entry for each step. */
  readonly targets: T;
  /**
   * The loss of a stretch of n steps, from the cell's outputs and the targets there, [n, …] by leaf: a scalar, and a SUM over the steps, so
   * that the losses of stretches add up to that of the whole. (A mean over the batch is as good as a sum.)
   */
  readonly loss: (params: P, outputs: Y, targets: T) => Value;
}

/** The number of steps. Throws InputError or ShapeError where inputs and targets are not sequences of one length. Internal. */
export function stepsOf<P, C, X, T, Y>(op: string, { inputs, targets }: SequenceTask<P, C, X, T, Y>): number {
  const sequences = [...sequencesIn(op, "inputs", inputs), ...sequencesIn(op, "targets", targets)];
  const [name, first] = sequences[0]!;
  const [steps] = first.shape;
  if (steps === undefined || steps === 0)
    throw new ShapeError(`${op}: ${name} of shape [${first.shape.join(", ")}] have no steps along axis 0`);
  const odd = sequences.find(([, { shape }]) => shape[0] !== steps);
  if (odd === undefined) return steps;
  throw new ShapeError(
    `${op}: ${name} have ${steps} steps along axis 0, ${odd[0]} have shape [${odd[1].shape.join(", ")}]; give one entry a step`,
  );
}

/** The leaves under names for messages, `inputs` or `inputs.tokens`. */
function sequencesIn(op: string, what: string, tree: unknown): [name: string, leaf: Value][] {
  if (holdsNumbers(tree))
    throw new InputError(`${op}: ${what} must be a Value or a tree of Values, [T, …] with time first; make one with value(…)`);
  const leaves = leafEntries(op, tree);
  if (leaves.length > 0) return leaves.map(([name, leaf]) => [name === "" ? what : `${what}.${name}`, leaf]);
  throw new InputError(`${op}: there is no Value in ${what}`);
}

function holdsNumbers(tree: unknown): boolean {
  if (tree instanceof Value || tree === null || tree === undefined) return false;
  return typeof tree !== "object" || ArrayBuffer.isView(tree) || Object.values(tree).some(holdsNumbers);
}

/**
 * The outputs of steps from … to - 1, [to - from, …] by leaf, started from the state before `from`. `watch` sees the state after each step.
 * Internal.
 */
export function outputsOf<P, C, X, T, Y>(
  op: string,
  { cell, inputs }: SequenceTask<P, C, X, T, Y>,
  params: P,
  state: C,
  [from, to]: readonly [number, number],
  watch: (state: C, t: number) => void,
): Y {
  let t = from;
  const step = (carry: C, x: X): readonly [C, Y] => {
    const result = cell(params, carry, x);
    watch(result[0], t++);
    return result;
  };
  // scan's types cannot follow trees of any structure through a generic function.
  const [, outputs] = scan<C, X, Y>(step, state as never, stretch(op, inputs, from, to) as never);
  return outputs as Y;
}

/** Steps from … to - 1 of every leaf. Internal. */
export function stretch<X>(op: string, sequences: X, from: number, to: number): X {
  return mapLeaves(op, sequences, (leaf) => leaf.slice([from, to])) as X;
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
