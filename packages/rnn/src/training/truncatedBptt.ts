/** Backpropagation through time that looks back over a window only, and how much that changes the gradient. */
import { InputError, type Value, valueAndGrad, type ValuesOf } from "@unroll/autograd";
import { leafEntries, mapLeaves } from "../io/tree.js";
import { detached, lengthOf, outputsOf, type SequenceTask, stepsOf, stretch } from "./sequenceTask.js";

export interface Truncation {
  /** k1: a gradient is taken every so many steps, of the loss of the steps since the last one. */
  readonly stride: number;
  /** k2, at least k1: how many steps, counted back from where it is taken, a gradient goes through. */
  readonly window: number;
}

export interface TruncatedGradient<P, C> {
  /** Summed over the sequence. */
  readonly loss: number;
  /** In the structure of the params, as constants. */
  readonly gradient: ValuesOf<P>;
  /** What the cell carries on after the last step, as constants. */
  readonly carry: C;
}

/**
 * The gradient of a sequence's loss by truncated backpropagation through time, BPTT(k2; k1): after every k1 steps (`stride`), and at the end,
 * the loss of the steps since then is differentiated, back through the last k2 steps (`window`), before which the carry is a constant. A loss
 * reaches between k2 - k1 + 1 and k2 steps back, its own included. The params stay as they are and the gradients add up, so that a window
 * over the whole sequence gives the full gradient. Where k2 > k1, k2 - k1 steps of each window are computed again.
 * Throws InputError for a stride or window that is not a whole number from 1 on, or a window shorter than the stride; ShapeError where
 * inputs and targets differ in length.
 *
 * Source: R. J. Williams and J. Peng, "An efficient gradient-based algorithm for on-line training of recurrent network trajectories",
 * Neural Computation 2 (1990), BPTT(h; h'); I. Sutskever, "Training recurrent neural networks" (2013), section 2.8.6.
 *
 * @example
 * import { value, type Value } from "@unroll/autograd";
 * const task: SequenceTask<Value, Value> = {
 *   cell: (a, h, x) => {
 *     const next = a.mul(h).add(x); // h_t = a h_(t-1) + x_t
 *     return [next, next];
 *   },
 *   init: value(0), inputs: value([1, 0, 0]), targets: value([0, 0, 0]),
 *   loss: (_a, outputs) => outputs.sum(), // 1 + a + a²
 * };
 * truncatedGradient(task, value(0.5), { stride: 1, window: 3 }).gradient.item(); // 2
 * truncatedGradient(task, value(0.5), { stride: 1, window: 1 }).gradient.item(); // 1.5
 */
export function truncatedGradient<P, C, X, T, Y>(
  task: SequenceTask<P, C, X, T, Y>,
  params: P,
  truncation: Truncation,
): TruncatedGradient<P, C> {
  const op = "truncatedGradient";
  let loss = 0;
  let gradient: ValuesOf<P> | undefined;
  const carry = overStretches(op, task, truncation, (differentiate) => {
    const [stretch, g] = differentiate(params);
    loss += stretch;
    gradient = gradient === undefined ? g : added(op, gradient, g);
  });
  return { loss, gradient: gradient as ValuesOf<P>, carry };
}

export interface TruncatedUpdates<P> extends Truncation {
  /** The params to go on with, from those that the gradient is of. May be the same tree, changed in place. */
  readonly update: (params: P, gradient: ValuesOf<P>, loss: number) => P;
}

export interface TruncatedTraining<P, C> {
  readonly params: P;
  /** What the cell carries on after the last step, as constants: the `init` of a sequence that continues this one. */
  readonly carry: C;
  /** Of each stretch, before its update. */
  readonly losses: readonly number[];
}

/**
 * One pass of training over a sequence, with an update after every stretch: as truncatedGradient, but `update` gives the params for what
 * follows. The state is never computed again with new params alone: a window starts from the carry that the latest pass over it left.
 * Throws as truncatedGradient does.
 *
 * @example
 * import { value, type Value } from "@unroll/autograd";
 * import { sgd } from "@unroll/autograd/optim";
 * const task: SequenceTask<Value, Value> = {
 *   cell: (a, h, x) => {
 *     const next = a.mul(h).add(x); // h_t = a h_(t-1) + x_t
 *     return [next, next];
 *   },
 *   init: value(0), inputs: value([1, 1, 1, 1]), targets: value([1, 1.5, 1.75, 1.875]), // of a = 0.5
 *   loss: (_a, outputs, targets) => outputs.sub(targets).square().sum(),
 * };
 * const rule = sgd({ learningRate: 0.05 });
 * let state = rule.init(value(0));
 * let a = value(0);
 * for (let epoch = 0; epoch < 200; epoch++) {
 *   const update = (params: Value, gradient: Value) => {
 *     const [moved, next] = rule.update(params, gradient, state);
 *     state = next;
 *     return moved;
 *   };
 *   a = truncatedBptt(task, a, { stride: 2, window: 4, update }).params;
 * }
 * console.log(a.item().toFixed(6)); // 0.500000
 */
export function truncatedBptt<P, C, X, T, Y>(
  task: SequenceTask<P, C, X, T, Y>,
  params: P,
  options: TruncatedUpdates<P>,
): TruncatedTraining<P, C> {
  const losses: number[] = [];
  let current = params;
  const carry = overStretches("truncatedBptt", task, options, (differentiate) => {
    const [loss, gradient] = differentiate(current);
    losses.push(loss);
    current = options.update(current, gradient, loss);
  });
  return { params: current, carry, losses };
}

/** How far a truncated gradient is from the full one. */
export interface GradientError {
  /** The length (Euclidean norm) of the full gradient. */
  readonly full: number;
  readonly truncated: number;
  /** The length of the difference. */
  readonly error: number;
  /** error / full; 0 where both are 0. */
  readonly relative: number;
  /** Of the angle between them; 1 where both are 0, 0 where one is. */
  readonly cosine: number;
}

export interface TruncationError<P> extends GradientError {
  /** By the dotted names of the params; a bare param is called "". */
  readonly byParameter: ReadonlyMap<string, GradientError>;
  readonly truncatedGradient: ValuesOf<P>;
  readonly fullGradient: ValuesOf<P>;
}

/**
 * What truncation does to the gradient of a sequence's loss: lengths, length of the difference, and cosine, over all params and by param.
 * Throws as truncatedGradient does, and InputError where the loss is not a sum over steps: then the gradients of stretches are not parts of
 * the full one.
 *
 * @example
 * import { value, type Value } from "@unroll/autograd";
 * const task: SequenceTask<{ a: Value }, Value> = {
 *   cell: ({ a }, h, x) => {
 *     const next = a.mul(h).add(x);
 *     return [next, next];
 *   },
 *   init: value(0), inputs: value([1, 0, 0]), targets: value([0, 0, 0]),
 *   loss: (_params, outputs) => outputs.sum(),
 * };
 * const { relative, byParameter } = truncationError(task, { a: value(0.5) }, { stride: 1, window: 1 });
 * console.log(relative, byParameter.get("a")?.error); // 0.25 0.5
 */
export function truncationError<P, C, X, T, Y>(task: SequenceTask<P, C, X, T, Y>, params: P, truncation: Truncation): TruncationError<P> {
  const steps = stepsOf("truncationError", task);
  const full = truncatedGradient(task, params, { stride: steps, window: steps });
  const cut = truncatedGradient(task, params, truncation);
  if (Math.abs(full.loss - cut.loss) > 1e-3 * Math.max(Math.abs(full.loss), Math.abs(cut.loss)))
    throw new InputError(
      `truncationError: the losses of stretches add up to ${cut.loss}, but that of the whole sequence is ${full.loss}; the loss must be a sum over the steps, not a mean`,
    );
  const truncatedLeaves = leafEntries("truncationError", cut.gradient);
  const fullLeaves = leafEntries("truncationError", full.gradient);
  return {
    ...errorOf(truncatedLeaves, fullLeaves),
    byParameter: new Map(fullLeaves.map(([name, x], k) => [name, errorOf([truncatedLeaves[k]!], [[name, x]])])),
    truncatedGradient: cut.gradient,
    fullGradient: full.gradient,
  };
}

type Leaves = (readonly [name: string, x: Value])[];

function errorOf(truncatedLeaves: Leaves, fullLeaves: Leaves): GradientError {
  const p = truncatedLeaves.map(([, x]) => x);
  const q = fullLeaves.map(([, x]) => x);
  const [truncated, full] = [lengthOf(p), lengthOf(q)];
  const error = lengthOf(p.map((x, k) => x.sub(q[k]!)));
  const relative = error === 0 ? 0 : error / full;
  return { full, truncated, error, relative, cosine: cosineOf(p, q, truncated, full) };
}

function cosineOf(p: readonly Value[], q: readonly Value[], lengthP: number, lengthQ: number): number {
  if (lengthP === 0 || lengthQ === 0) return lengthP === lengthQ ? 1 : 0;
  let cosine = 0;
  // Each factor is at most 1, so that nothing overflows.
  p.forEach((x, k) => x.data.forEach((a, j) => (cosine += (a / lengthP) * (q[k]!.data[j]! / lengthQ))));
  return Math.max(-1, Math.min(1, cosine));
}

/** The loss of one stretch and its gradient, for params. */
type Differentiate<P> = (params: P) => [loss: number, gradient: ValuesOf<P>];

/** Calls f at the end of each stretch, in order of time; gives the last carry. */
function overStretches<P, C, X, T, Y>(
  op: string,
  task: SequenceTask<P, C, X, T, Y>,
  { stride, window }: Truncation,
  f: (differentiate: Differentiate<P>) => void,
): C {
  const steps = stepsOf(op, task);
  checkTruncation(op, stride, window);
  /** By step, the carry into it, as far back as a window may still start. */
  const carries = new Map<number, C>([[0, detached(op, task.init)]]);
  for (let from = 0; from < steps; from += stride) {
    const to = Math.min(from + stride, steps);
    const start = Math.max(0, to - window);
    f((params) => differentiated(op, task, params, carries, { start, from, to }));
    const nextStart = Math.max(0, Math.min(to + stride, steps) - window);
    for (const t of carries.keys()) if (t < nextStart) carries.delete(t);
  }
  return carries.get(steps) as C;
}

function differentiated<P, C, X, T, Y>(
  op: string,
  task: SequenceTask<P, C, X, T, Y>,
  params: P,
  carries: Map<number, C>,
  { start, from, to }: { start: number; from: number; to: number },
): [loss: number, gradient: ValuesOf<P>] {
  const lossOf = (params: P): Value => {
    const keep = (state: C, t: number): void => void carries.set(t + 1, detached(op, state));
    const outputs = outputsOf(op, task, params, carries.get(start) as C, [start, to], keep);
    return task.loss(params, stretch(op, outputs, from - start, to - start), stretch(op, task.targets, from, to));
  };
  // Of constants, since a gradient with respect to params of the caller's would itself be recorded.
  const [loss, gradient] = valueAndGrad(lossOf as never)(detached(op, params) as never) as [Value, ValuesOf<P>];
  return [loss.item(), gradient];
}

function checkTruncation(op: string, stride: number, window: number): void {
  for (const [name, x] of Object.entries({ stride, window })) {
    if (!Number.isInteger(x) || x < 1) throw new InputError(`${op}: ${name} is a whole number of steps, 1 or more, got ${String(x)}`);
  }
  if (window < stride)
    throw new InputError(
      `${op}: a window of ${window} steps is shorter than the stride of ${stride}, so that some losses would be left out`,
    );
}

function added<T>(op: string, p: T, q: T): T {
  const others = leafEntries(op, q).map(([, x]) => x);
  let k = 0;
  return mapLeaves(op, p, (x) => x.add(others[k++]!)) as T;
}
