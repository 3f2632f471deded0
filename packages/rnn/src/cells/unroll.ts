/** Cells over time. */
import { scan, slice, Value, where } from "@unroll/autograd";
import type { Cell, Recurrence } from "./cell.js";
import { type Lengths, presence } from "./lengths.js";

export interface UnrollOptions {
  /** By sequence, how many steps it has; default: all T. */
  readonly lengths?: Lengths | undefined;
  /** From the last step of each sequence to its first; default false. Outputs stand at the step that they belong to. */
  readonly reverse?: boolean | undefined;
}

/**
 * Runs a cell over sequences xs [T, B, ...]: the last carry, and the outputs [T, B, ...]. With `lengths`, each sequence ends at its own: its
 * carry stays as it was there, and its outputs are zero beyond; in reverse, it starts there. All carries have the batch as axis 0.
 * Throws InputError for lengths that are not whole numbers from 1 to T, one a sequence; ShapeError where the cell's shapes do not fit.
 *
 * @example
 * import { value, type Value } from "@unroll/autograd";
 * const sum: Cell<null, Value> = (_params, total, x) => [total.add(x), total.add(x)];
 * const xs = value([[[1], [10]], [[2], [20]], [[3], [30]]]); // T = 3, B = 2
 * const [last, sums] = unroll(sum, null, value([[0], [0]]), xs, { lengths: [3, 2] });
 * console.log(last.toArray()); // [ [ 6 ], [ 30 ] ]
 * console.log(sums.slice(null, 1).toArray()); // [ [ 10 ], [ 30 ], [ 0 ] ]
 */
export function unroll<P, C>(
  cell: Cell<P, C>,
  params: P,
  carry: C,
  xs: Value,
  { lengths, reverse = false }: UnrollOptions = {},
): [carry: C, outputs: Value] {
  const present = presence("unroll", lengths, xs);
  return overTime((state: C, x) => cell(params, state, x), carry, withoutPadding(xs, present), present, reverse);
}

/** `unroll` for a step whose weights are bound, and the presence of each step. Internal. */
export function overTime<C>(
  step: Recurrence<C>["step"],
  carry: C,
  xs: Value,
  present: Value | undefined,
  reverse: boolean,
): [carry: C, outputs: Value] {
  const inTurn = (x: Value): Value => (reverse ? slice(x, [null, null, -1]) : x);
  const [last, outputs] =
    present === undefined
      ? run<C, Value>(step, carry, inTurn(xs))
      : run<C, readonly [Value, Value]>(whilePresent(step), carry, [inTurn(xs), inTurn(present)]);
  return [last, inTurn(outputs)];
}

/**
 * xs [T, B, ...] with zeros beyond each sequence's length: a NaN that stands there would come into the gradients of the weights, as 0 times
 * NaN. Internal.
 */
export function withoutPadding(xs: Value, present: Value | undefined): Value {
  return present === undefined ? xs : (chosen(present, xs, 0) as Value);
}

/** `scan` with carries of any structure, which its types cannot follow through a generic function. */
function run<C, X>(step: (carry: C, x: X) => readonly [carry: C, output: Value], carry: C, xs: unknown): [C, Value] {
  return scan<C, X, Value>(step, carry as never, xs as never);
}

/**
 * Where a sequence is over, or in reverse has not begun, its carry stays and its output is zero. In reverse that is all there is to
 * starting at the sequence's own end.
 */
function whilePresent<C>(step: Recurrence<C>["step"]): (carry: C, x: readonly [Value, Value]) => readonly [C, Value] {
  return (carry, [x, present]) => {
    const [next, output] = step(carry, x);
    return [chosen(present, next, carry) as C, chosen(present, output, 0) as Value];
  };
}

/** Leaf by leaf, the entries of `x` along its first axes where present, [B] or [T, B], holds, and those of `y` elsewhere. */
function chosen(present: Value, x: unknown, y: unknown): unknown {
  if (x instanceof Value) return where(present.reshape(x.shape.map((_, axis) => present.shape[axis] ?? 1)), x, y as Value | number);
  if (Array.isArray(x)) return x.map((entry, k) => chosen(present, entry, (y as readonly unknown[])[k]));
  if (typeof x !== "object" || x === null) return x;
  return Object.fromEntries(Object.entries(x).map(([name, entry]) => [name, chosen(present, entry, (y as Record<string, unknown>)[name])]));
}
