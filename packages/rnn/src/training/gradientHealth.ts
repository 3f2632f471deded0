/** Whether the gradient survives its way back through time. */
import { InputError, param, scope, type Value } from "@unroll/autograd";
import type { Cell } from "../cells/cell.js";
import { contributions } from "@unroll/autograd/inspect";
import { leafEntries, mapLeaves } from "../io/tree.js";
import { detached, lengthOf, outputsOf, type SequenceTask, stepsOf, stretch } from "./sequenceTask.js";
import { recurrentSpectralRadius, type SpectralRadius } from "./spectralRadius.js";

export interface GradientHealthOptions {
  /** The step t, one of 1, …, T, whose loss E is; default: the last. */
  readonly step?: number;
  /** The gradient is said to vanish where it falls below this share of its length at the loss; default 1e-3. */
  readonly vanishing?: number;
  /** The gradient is said to explode where it passes this multiple of its length at the loss; default 1e3. */
  readonly exploding?: number;
}

export interface LagHealth {
  /** Steps from the state to the loss: at lag 0 the state after the loss's own step. The largest is that of the state before the first step. */
  readonly lag: number;
  /** The length (Euclidean norm over batch, units and leaves of the carry) of dE/dh at that state. */
  readonly norm: number;
  /** The same for each leaf of the carry by its dotted name, such as "0" for h and "1" for c in an LSTM; a bare carry is called "". */
  readonly norms: ReadonlyMap<string, number>;
  /**
   * Of dE/dparams, the part that comes from the use of the params in the step that made the state: its length over the sum of these lengths.
   * 0 for the state before the first step, which no step made.
   */
  readonly share: number;
}

export interface GradientHealth {
  /** By lag, from 0 up. */
  readonly lags: readonly LagHealth[];
  /** The factor a step by which the length changes, in the geometric mean from the loss to the first state. */
  readonly factor: number;
  /** Of the recurrent Jacobian at the step of the loss; see recurrentSpectralRadius. */
  readonly spectralRadius: SpectralRadius;
  readonly verdict: "healthy" | "vanishing" | "exploding";
  /** What is wrong, with the figure; null where nothing is. */
  readonly warning: string | null;
}

/**
 * How the gradient of one step's loss E fares on its way back through time: the length of dE/dh at each state before it, each lag's share in
 * the gradient of the params, the spectral radius of the recurrent Jacobian, and a warning where the gradient vanishes or explodes. dE/dh is
 * the total derivative, as retainGrad() gives it: of an LSTM's c, what passes through its h is counted. No `.grad` is touched.
 * Throws InputError for a step that is not there or a threshold out of range; ShapeError where inputs and targets differ in length.
 *
 * Source: Y. Bengio, P. Simard and P. Frasconi, "Learning long-term dependencies with gradient descent is difficult", IEEE Transactions on
 * Neural Networks 5 (1994); Pascanu, Mikolov and Bengio (2013).
 *
 * @example
 * import { value, type Value } from "@unroll/autograd";
 * const task: SequenceTask<Value, Value> = {
 *   cell: (a, h, x) => {
 *     const next = a.mul(h).add(x); // h_t = a h_(t-1) + x_t
 *     return [next, next];
 *   },
 *   init: value(0), inputs: value(new Float64Array(20)), targets: value(new Float64Array(20)),
 *   loss: (_a, outputs) => outputs.sum(),
 * };
 * console.log(gradientHealth(task, value(0.5)).lags[3]?.norm); // 0.125
 */
export function gradientHealth<P, C, X, T, Y>(
  task: SequenceTask<P, C, X, T, Y>,
  params: P,
  options: GradientHealthOptions = {},
): GradientHealth {
  const op = "gradientHealth";
  const { step, vanishing, exploding } = checkedOptions(op, stepsOf(op, task), options);
  const { loss, leaves, states } = recorded(op, task, params, step);
  const shares = sharesOf(loss, leaves, step);
  const norms = normsOf(op, loss, states);
  const lags = norms.map((byLeaf, t): LagHealth => {
    const [lag, lengths] = [step - t, [...byLeaf.values()]];
    return { lag, norm: Math.hypot(...lengths), norms: byLeaf, share: t === 0 ? 0 : shares[t - 1]! };
  });
  lags.reverse();
  const before = detached(op, states[step - 1] as C);
  const entry = mapLeaves(op, task.inputs, (leaf) => leaf.slice(step - 1)) as X;
  const spectralRadius = recurrentSpectralRadius(task.cell, params, before, entry);
  return { lags, spectralRadius, ...judged(lags, spectralRadius, vanishing, exploding) };
}

function checkedOptions(op: string, steps: number, options: GradientHealthOptions): Required<GradientHealthOptions> {
  const { step = steps, vanishing = 1e-3, exploding = 1e3 } = options;
  if (!Number.isInteger(step) || step < 1 || step > steps) throw new InputError(`${op}: step ${step} is not one of 1 to ${steps}`);
  if (!(vanishing >= 0 && vanishing <= 1)) throw new InputError(`${op}: vanishing is a share from 0 to 1, got ${vanishing}`);
  if (!(exploding >= 1)) throw new InputError(`${op}: exploding is a multiple from 1 on, got ${exploding}`);
  return { step, vanishing, exploding };
}

/** Marks the labels that scan gives, whatever scope the caller is in. */
const SCOPE = "gradient health";

interface RecordedLoss {
  readonly loss: Value;
  /** The floating leaves of the params, as leaves of a graph of their own. */
  readonly leaves: readonly Value[];
  /** The states: before the first step, and after each. */
  readonly states: readonly unknown[];
}

function recorded<P, C, X, T, Y>(op: string, task: SequenceTask<P, C, X, T, Y>, params: P, step: number): RecordedLoss {
  const leaves: Value[] = [];
  const own = mapLeaves(op, params, (x) => {
    const leaf = asLeaf(x);
    if (leaf.requiresGrad) leaves.push(leaf);
    return leaf;
  }) as P;
  const init = mapLeaves(op, task.init, asLeaf) as C;
  const states: unknown[] = [init];
  const apart = { ...task, cell: withStatesApart(op, task.cell) };
  const outputs = scope(SCOPE, () => outputsOf(op, apart, own, init, [0, step], (state) => void states.push(state)));
  const loss = task.loss(own, stretch(op, outputs, step - 1, step), stretch(op, task.targets, step - 1, step));
  if (loss.size === 1) return { loss, leaves, states };
  throw new InputError(`${op}: the loss of one step has shape [${loss.shape.join(", ")}]; it must be a scalar`);
}

/** The cell with a Value of its own for each leaf of each state, also of what it passes on unchanged: gradients are told by Value. */
function withStatesApart<P, C, X, Y>(op: string, cell: Cell<P, C, X, Y>): Cell<P, C, X, Y> {
  return (params, state, entry) => {
    const known = new Set(leafEntries(op, state).map(([, leaf]) => leaf));
    const [next, output] = cell(params, state, entry);
    const apart = mapLeaves(op, next, (leaf) => {
      if (leaf.requiresGrad && known.has(leaf)) return leaf.mul(1);
      known.add(leaf);
      return leaf;
    }) as C;
    return [apart, output];
  };
}

/** A param of x's elements, so that no gradient reaches what is the caller's. Integers stay: they have none. */
function asLeaf(x: Value): Value {
  return x.dtype === "float64" || x.dtype === "float32" ? param(x.data, { shape: x.shape, dtype: x.dtype }) : x.detach();
}

/** By step, the length of what the use of the leaves there contributes to their gradient, over the sum of these lengths. */
function sharesOf(loss: Value, leaves: readonly Value[], step: number): number[] {
  const parts = Array.from({ length: step }, (): Value[] => []);
  if (!loss.requiresGrad) return parts.map(() => 0);
  for (const leaf of leaves) {
    for (const { label, value } of contributions(loss, leaf, { by: "scope" })) {
      // What the cell labels itself comes behind another slash.
      const inside = label.split(`${SCOPE}/step `)[1];
      if (inside !== undefined) parts[Number.parseInt(inside) - 1]!.push(value);
    }
  }
  const lengths = parts.map(lengthOf);
  const total = lengths.reduce((sum, length) => sum + length, 0);
  return lengths.map((length) => (total === 0 ? 0 : length / total));
}

/** By state, the length of the gradient of each of its leaves. */
function normsOf(op: string, loss: Value, states: readonly unknown[]): Map<string, number>[] {
  const norms = states.map(() => new Map<string, number>());
  states.forEach((state, t) => {
    for (const [name, leaf] of leafEntries(op, state)) {
      norms[t]!.set(name, 0);
      if (leaf.requiresGrad) leaf.registerHook((gradient) => void norms[t]!.set(name, lengthOf([gradient])));
    }
  });
  if (loss.requiresGrad) loss.backward();
  return norms;
}

type Judgement = Pick<GradientHealth, "factor" | "verdict" | "warning">;

function judged(lags: readonly LagHealth[], { radius }: SpectralRadius, vanishing: number, exploding: number): Judgement {
  const origin = lags.find(({ norm }) => norm !== 0);
  const last = lags.at(-1)!;
  if (origin === undefined)
    return { factor: 0, verdict: "vanishing", warning: "the loss does not depend on the state: dE/dh is 0 at every step" };
  const factor = origin === last ? 1 : (last.norm / origin.norm) ** (1 / (last.lag - origin.lag));
  const jacobian = `the spectral radius of dh_t/dh_(t-1) is ${figure(radius)}`;
  const wild = lags.find(({ norm }) => !Number.isFinite(norm) || norm > exploding * origin.norm);
  if (wild !== undefined) {
    const warning = `the gradient explodes: at distance ${wild.lag} from the loss, dE/dh is ${times(wild, origin)} (limit ${figure(exploding)}); ${jacobian}`;
    return { factor, verdict: "exploding", warning };
  }
  const faint = lags.find(({ norm, lag }) => lag > origin.lag && norm < vanishing * origin.norm);
  if (faint === undefined) return { factor, verdict: "healthy", warning: null };
  const warning = `the gradient vanishes: at distance ${faint.lag} from the loss, dE/dh is ${times(faint, origin)} (limit ${figure(vanishing)}), at distance ${last.lag} ${times(last, origin)}; ${jacobian}`;
  return { factor, verdict: "vanishing", warning };
}

function times({ norm }: LagHealth, origin: LagHealth): string {
  return `${figure(norm / origin.norm)} times its length at distance ${origin.lag}`;
}

function figure(x: number): string {
  if (x === 0 || !Number.isFinite(x)) return String(x);
  if (x < 0.01 || x >= 10_000) return x.toExponential(1);
  return String(x < 100 ? Number(x.toPrecision(3)) : Math.round(x));
}
