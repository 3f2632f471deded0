/** Gradient descent on minibatches, with clipping and early stopping: what training needs, whatever the network is. */
import { setImmediate } from "node:timers/promises";
import { noGrad, type Param, type Value, zeroGrad } from "@unroll/autograd";
import { clipByGlobalNorm, type UpdateRule } from "@unroll/autograd/optim";
import { foldIn, type Key } from "@unroll/autograd/random";
import { minibatches } from "./minibatches.js";

export interface FitSettings {
  /** The most epochs (passes over the training rows) to make. */
  readonly epochs: number;
  /** Training ends when this many epochs in a row have brought no better validation loss. */
  readonly patience: number;
  /** Training rows in each step. */
  readonly batchSize: number;
  /** Gradients with a longer global norm than this are scaled down to it. */
  readonly maxNorm: number;
}

export interface FitTask<S> {
  readonly params: readonly Param[];
  readonly rule: UpdateRule<S>;
  /** The rows to learn from. */
  readonly rows: Int32Array;
  /** The mean loss over the given rows, a scalar that leads back to the params. */
  readonly loss: (rows: Int32Array) => Value;
  /** The mean loss over the validation part with the params as they are. */
  readonly validationLoss: () => Promise<number>;
  /** Decides the order of the rows. */
  readonly key: Key;
  /** Aborted: training ends after the step under way, as if all epochs were over. */
  readonly signal?: AbortSignal | undefined;
  /** Called after each step. */
  readonly onStep?: ((progress: FitProgress) => void) | undefined;
}

export interface FitProgress {
  /** Steps taken, over all epochs. */
  readonly steps: number;
  /** Steps that all epochs would take. */
  readonly totalSteps: number;
  /** The epoch under way, from 1. */
  readonly epoch: number;
  /** The mean loss of the last whole epoch's steps; in the first epoch, of its steps so far. */
  readonly trainingLoss: number;
  /** The validation loss after the last whole epoch; null in the first. */
  readonly validationLoss: number | null;
}

interface EpochLosses {
  /** The mean over the epoch's steps, each taken before its update. */
  readonly training: number;
  /** After the epoch. */
  readonly validation: number;
}

export interface FitHistory {
  readonly epochs: readonly EpochLosses[];
  /** The epoch, from 1, whose params were kept: the one with the least validation loss. */
  readonly bestEpoch: number;
  readonly steps: number;
  /** Why training ended. A run that is interrupted in an epoch counts that epoch as its last. */
  readonly ended: "all epochs" | "no improvement" | "interrupted";
}

/**
 * Minimises the loss over the rows, in place: the params end as they were after the epoch with the least validation loss. Between steps
 * it lets other work of the process run, so that a signal can interrupt it.
 *
 * @throws RangeError where a loss is not finite: training has diverged.
 */
export async function fit<S>(task: FitTask<S>, { epochs, patience, batchSize, maxNorm }: FitSettings): Promise<FitHistory> {
  const { params, key, rows, signal, onStep, validationLoss } = task;
  const step = stepper(task, maxNorm);
  const totalSteps = epochs * Math.ceil(rows.length / batchSize);
  const history: EpochLosses[] = [];
  let best = { epoch: 0, validation: Number.POSITIVE_INFINITY, values: snapshot(params) };
  let steps = 0;
  for (let epoch = 1; epoch <= epochs; epoch++) {
    let sum = 0;
    let seen = 0;
    for (const batch of minibatches(foldIn(key, epoch), rows, batchSize)) {
      sum += batch.length * finite(step(batch), epoch);
      seen += batch.length;
      steps++;
      onStep?.({
        steps,
        totalSteps,
        epoch,
        trainingLoss: history.at(-1)?.training ?? sum / seen,
        validationLoss: history.at(-1)?.validation ?? null,
      });
      await setImmediate();
      if (signal?.aborted) break;
    }
    const validation = finite(await validationLoss(), epoch);
    history.push({ training: sum / seen, validation });
    if (validation < best.validation) best = { epoch, validation, values: snapshot(params) };
    const ended = signal?.aborted ? "interrupted" : epoch - best.epoch >= patience ? "no improvement" : null;
    if (ended === null && epoch < epochs) continue;
    restore(params, best.values);
    return { epochs: history, bestEpoch: best.epoch, steps, ended: ended ?? "all epochs" };
  }
  throw new RangeError(`fit: expected at least one epoch, got ${epochs}`);
}

/** Takes one step on a batch and gives the loss before it. */
function stepper<S>({ params, rule, loss }: FitTask<S>, maxNorm: number): (batch: Int32Array) => number {
  let state = rule.init(params.map((param) => param.detach()));
  return (batch) => {
    const value = loss(batch);
    zeroGrad(params);
    value.backward();
    noGrad(() => {
      const [gradients] = clipByGlobalNorm(
        params.map((param) => param.grad),
        maxNorm,
      );
      const [moved, next] = rule.update(
        params.map((param) => param.detach()),
        gradients,
        state,
      );
      state = next;
      restore(params, moved);
    });
    return value.item();
  };
}

function snapshot(params: readonly Param[]): Value[] {
  return params.map((param) => param.detach());
}

function restore(params: readonly Param[], values: readonly Value[]): void {
  params.forEach((param, k) => {
    param.set(values[k]!);
  });
}

function finite(loss: number, epoch: number): number {
  if (Number.isFinite(loss)) return loss;
  throw new RangeError(`the loss became ${loss} in epoch ${epoch}: training diverged`);
}
