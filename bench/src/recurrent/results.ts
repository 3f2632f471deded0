import { median, type Ratio, ratioOf } from "../results.js";
import { PEERS, type TrainingVariant } from "./cases.js";
import type { TrainingTimes } from "./clock.js";
import type { Kind, Size } from "./problem.js";

/** Of one process, in ms. */
export interface TrainingMeasurement extends TrainingTimes {
  /** From the start of the process to the end of its first step, without making or moving the data. */
  readonly whole: number;
}

export interface TrainingResult {
  readonly name: string;
  readonly title: string;
  readonly kind: Kind;
  readonly size: Size;
  readonly absent: Readonly<Partial<Record<TrainingVariant, string>>>;
  /** One measurement a round; variants that were measured in the same round have the same index. */
  readonly rounds: Readonly<Partial<Record<TrainingVariant, readonly TrainingMeasurement[]>>>;
}

export type Figure = keyof TrainingMeasurement;

/** The median over the rounds; null where a variant, or this figure of it, was not measured. */
export function figureOf({ rounds }: TrainingResult, variant: TrainingVariant, figure: Figure): number | null {
  const numbers = numbersOf(rounds[variant], figure);
  return numbers === null ? null : median(numbers);
}

/** How many times the figure of `base` that of `variant` is, round by round; null where one was not measured. */
export function trainingRatio({ rounds }: TrainingResult, variant: TrainingVariant, base: TrainingVariant, figure: Figure): Ratio | null {
  const [of, to] = [numbersOf(rounds[variant], figure), numbersOf(rounds[base], figure)];
  return of === null || to === null ? null : ratioOf(of, to);
}

/** The other JavaScript library with the least figure; null where none was measured. */
export function bestPeer(result: TrainingResult, figure: Figure): TrainingVariant | null {
  const measured = PEERS.flatMap((variant) => {
    const number = figureOf(result, variant, figure);
    return number === null ? [] : [{ variant, number }];
  });
  return measured.length === 0 ? null : measured.reduce((best, next) => (next.number < best.number ? next : best)).variant;
}

function numbersOf(rounds: readonly TrainingMeasurement[] | undefined, figure: Figure): number[] | null {
  const numbers = rounds?.map((m) => m[figure]) ?? [];
  return numbers.length > 0 && numbers.every((x) => x !== null) ? numbers : null;
}
