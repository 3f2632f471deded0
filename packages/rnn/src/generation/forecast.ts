/** Forecasts in which a network's own outputs are its next inputs. */
import { embedding, InputError, noGrad, ShapeError, stack, Value, value } from "@unroll/autograd";
import { foldIn, type Key, uniform } from "@unroll/autograd/random";
import type { Cell } from "../cells/cell.js";
import { mapLeaves } from "../io/tree.js";
import { checkQuantiles, quantileInterval } from "./quantiles.js";

/**
 * The next inputs [N, I] from the outputs [N, O], the inputs before [N, I], and the horizon of the outputs, from 1. N is the batch, or, where
 * futures are simulated, the batch times the number of paths (all paths of a sequence together).
 */
export type Feedback = (output: Value, input: Value, horizon: number) => Value;

export interface ForecastRun {
  /** How many steps to forecast. */
  readonly horizon: number;
  /** How outputs become the next inputs; default: they are the next inputs. */
  readonly feedback?: Feedback;
}

/**
 * A free-running forecast: the cell is run over what is known, history [T, B, I], and from then on over its own outputs, [horizon, B, O].
 * The first is its output at the last step of history, of what comes next. Nothing is recorded.
 * Throws InputError for a horizon that is not a whole number from 1 on; ShapeError for a history without steps, and where outputs do not
 * have the shape of inputs and no feedback says what to make of them.
 *
 * @example
 * import { value, type Value } from "@unroll/autograd";
 * const halving: Cell<Value, null> = (a, carry, x) => [carry, a.mul(x)];
 * freeRunningForecast(halving, value(0.5), null, value([[[3]], [[8]]]), { horizon: 3 }).toArray(); // [[[4]], [[2]], [[1]]]
 */
export function freeRunningForecast<P, C>(cell: Cell<P, C>, params: P, carry: C, history: Value, options: ForecastRun): Value {
  const run = checkedRun("freeRunningForecast", history, options);
  return noGrad(() => stack(freeRun(cell, params, warmedUp(cell, params, carry, history), run)));
}

export interface IntervalOptions extends ForecastRun {
  /**
   * Errors of one-step forecasts, such as oneStepResiduals gives: [N, O], or [N, B, O], whose rows are pooled. Best from data that the network
   * was not trained on, since training makes its own errors too small.
   */
  readonly residuals: Value;
  /** The share of futures that the interval should hold at each horizon; default 0.9. */
  readonly level?: number;
  /** Futures to simulate; default 1000. At least 2 / (1 - level). */
  readonly paths?: number;
  /** Decides which residuals are drawn. */
  readonly key: Key;
}

export interface IntervalForecast {
  /** The free-running forecast, [horizon, B, O]. */
  readonly forecast: Value;
  /** Ends of the interval, [horizon, B, O]. */
  readonly lower: Value;
  readonly upper: Value;
}

/**
 * A free-running forecast with prediction intervals, by the residual bootstrap: many futures are simulated, in each of which every step's
 * output has a residual, drawn with replacement, added to it before it is fed back. So errors accumulate over the horizon as the network
 * itself passes them on. The interval at a horizon lies between the quantiles (1 ± level) / 2 of the simulated outputs there.
 *
 * It assumes that one-step errors are independent of each other and of the state, and will be distributed as the residuals given; that
 * outputs are on the scale of what they forecast; and it takes the weights as known, so that it leaves out the uncertainty of training. Rows
 * of residuals are drawn whole: errors of several outputs stay correlated. Each (output, horizon) has the level by itself, not all at once.
 * The leaves of the carry have the batch as axis 0 (scalars are shared by it), as in this package's cells.
 * Throws as freeRunningForecast does; InputError for a level, a number of paths or residuals out of range; ShapeError for residuals or a
 * carry of another shape.
 *
 * Source: R. J. Hyndman and G. Athanasopoulos, Forecasting: Principles and Practice (3rd ed., 2021), sections 5.5 and 12.4; quantiles of
 * type 6 of R. J. Hyndman and Y. Fan, "Sample quantiles in statistical packages", The American Statistician 50 (1996).
 *
 * @example
 * import { value, type Value } from "@unroll/autograd";
 * import { key } from "@unroll/autograd/random";
 * const walk: Cell<null, null> = (_params, carry, x) => [carry, x]; // what is, stays
 * const { forecast, lower, upper } = forecastIntervals(walk, null, null, value([[[10]]]), {
 *   horizon: 2, residuals: value([[-1], [1]]), key: key(0),
 * });
 * console.log(forecast.toArray(), lower.toArray(), upper.toArray()); // [ [ [ 10 ] ], [ [ 10 ] ] ] [ [ [ 9 ] ], [ [ 8 ] ] ] [ [ [ 11 ] ], [ [ 12 ] ] ]
 */
export function forecastIntervals<P, C>(cell: Cell<P, C>, params: P, carry: C, history: Value, options: IntervalOptions): IntervalForecast {
  const op = "forecastIntervals";
  const { residuals, level = 0.9, paths = 1000, key } = options;
  const run = checkedRun(op, history, options);
  checkQuantiles(op, level, paths);
  return noGrad(() => {
    const now = warmedUp(cell, params, carry, history);
    const forecast = stack(freeRun(cell, params, now, run));
    const rows = pooled(op, residuals, now.output);
    const many = repeated(op, now, paths);
    const disturb = (output: Value, horizon: number): Value => output.add(drawnRows(foldIn(key, horizon), rows, output.shape[0]!));
    const futures = freeRun(cell, params, many, run, disturb);
    const [lower, upper] = quantileInterval(futures, now.output.shape, level);
    return { forecast, lower, upper };
  });
}

/**
 * The errors of a cell's forecasts of the next step over sequences xs [T, B, I]: x_{t+1} - output_t, [T - 1, B, I]. Nothing is recorded.
 * Throws ShapeError for fewer than two steps, or outputs that do not have the shape of inputs.
 *
 * @example
 * import { value, type Value } from "@unroll/autograd";
 * const halving: Cell<Value, null> = (a, carry, x) => [carry, a.mul(x)];
 * oneStepResiduals(halving, value(0.5), null, value([[[4]], [[3]], [[1]]])).toArray(); // [[[1]], [[-0.5]]]
 */
export function oneStepResiduals<P, C>(cell: Cell<P, C>, params: P, carry: C, xs: Value): Value {
  const steps = xs.shape[0] ?? 0;
  if (xs.shape.length < 2 || steps < 2)
    throw new ShapeError(`oneStepResiduals: xs have shape [${xs.shape.join(", ")}]; expected [T, B, I] with at least two steps`);
  return noGrad(() => {
    const errors: Value[] = [];
    let state = carry;
    for (let t = 0; t + 1 < steps; t++) {
      const [next, output] = cell(params, state, xs.slice(t));
      const actual = xs.slice(t + 1);
      checkSame("oneStepResiduals", output, actual);
      errors.push(actual.sub(output));
      state = next;
    }
    return stack(errors);
  });
}

/** Where a forecast starts: what the cell carries, its last inputs, and its forecast of the next step. */
interface Now<C> {
  readonly carry: C;
  readonly input: Value;
  readonly output: Value;
}

function checkedRun(op: string, history: Value, { horizon, feedback }: ForecastRun): Required<ForecastRun> {
  if (!Number.isInteger(horizon) || horizon < 1)
    throw new InputError(`${op}: horizon is a whole number of steps, 1 or more, got ${String(horizon)}`);
  if (!(history instanceof Value) || history.shape.length < 2 || history.shape[0] === 0)
    throw new ShapeError(`${op}: history is a Value [T, B, I] with at least one step`);
  const same: Feedback = (output, input) => {
    checkSame(op, output, input);
    return output;
  };
  return { horizon, feedback: feedback ?? same };
}

function checkSame(op: string, output: Value, input: Value): void {
  if (output.shape.join() === input.shape.join()) return;
  throw new ShapeError(
    `${op}: the cell's outputs have shape [${output.shape.join(", ")}], its inputs [${input.shape.join(", ")}]; make them alike, or say by feedback what the next inputs are`,
  );
}

function warmedUp<P, C>(cell: Cell<P, C>, params: P, carry: C, history: Value): Now<C> {
  let now: Now<C> | undefined;
  for (let t = 0; t < history.shape[0]!; t++) {
    const input = history.slice(t);
    const [next, output] = cell(params, now === undefined ? carry : now.carry, input);
    now = { carry: next, input, output };
  }
  return now!;
}

function freeRun<P, C>(
  cell: Cell<P, C>,
  params: P,
  now: Now<C>,
  { horizon, feedback }: Required<ForecastRun>,
  disturb: (output: Value, horizon: number) => Value = (output) => output,
): Value[] {
  let { carry, input } = now;
  const outputs = [disturb(now.output, 1)];
  for (let h = 1; h < horizon; h++) {
    input = feedback(outputs[h - 1]!, input, h);
    const [next, output] = cell(params, carry, input);
    carry = next;
    outputs.push(disturb(output, h + 1));
  }
  return outputs;
}

/** Each sequence of a batch so many times: rows b, b, … for every b. */
function repeated<C>(op: string, { carry, input, output }: Now<C>, paths: number): Now<C> {
  const batch = output.shape[0]!;
  const rows = value(Int32Array.from({ length: batch * paths }, (_, k) => Math.floor(k / paths)));
  const repeat = (x: Value, name: string): Value => {
    if (x.shape.length === 0) return x;
    if (x.shape[0] === batch) return embedding(x, rows);
    throw new ShapeError(`${op}: ${name} has shape [${x.shape.join(", ")}]; expected the batch of ${batch} as axis 0`);
  };
  const state = mapLeaves(op, carry, (leaf, name) => repeat(leaf, `the leaf "${name}" of the carry`)) as C;
  return { carry: state, input: repeat(input, "the input"), output: repeat(output, "the output") };
}

/** Residuals as rows, each of one output's shape. */
function pooled(op: string, residuals: Value, output: Value): Value {
  const row = output.shape.slice(1);
  const tail = residuals.shape.slice(residuals.shape.length - row.length);
  if (residuals.shape.length <= row.length || tail.join() !== row.join())
    throw new ShapeError(
      `${op}: residuals have shape [${residuals.shape.join(", ")}]; expected [N, ${row.join(", ")}], one row a forecast`,
    );
  if (residuals.size === 0 || !residuals.data.every(Number.isFinite))
    throw new InputError(`${op}: residuals must be finite, and at least one`);
  return residuals.reshape([-1, ...row]);
}

function drawnRows(from: Key, rows: Value, count: number): Value {
  const n = rows.shape[0]!;
  const indices = Int32Array.from(uniform(from, [count]).data, (u) => Math.floor(u * n));
  return embedding(rows, value(indices));
}
