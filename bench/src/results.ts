import type { Case, Variant } from "./cases.js";
import type { MemoryReport } from "./memory/cases.js";
import type { CompileResult } from "./recurrent/compileTime.js";
import type { TrainingResult } from "./recurrent/results.js";

/** Times of one process, in ns per unit of the case. */
export interface Measurement {
  /** Median of benny's samples of a forward and a backward pass together; divided between the two below. */
  readonly both: number;
  readonly forward: number;
  readonly backward: number;
}

export interface TimedResult {
  readonly name: string;
  readonly title: string;
  readonly unit: Case["unit"];
  readonly base: Variant;
  readonly absent: Readonly<Partial<Record<Variant, string>>>;
  /** One measurement a round; variants that were measured in the same round have the same index. */
  readonly rounds: Readonly<Partial<Record<Variant, readonly Measurement[]>>>;
}

export interface MemoryResult extends MemoryReport {
  readonly name: string;
  readonly title: string;
}

/** Milliseconds from the start of a process to its end. */
export interface StartupResult {
  readonly empty: readonly number[];
  readonly gradient: readonly number[];
}

export interface Results {
  readonly timed: readonly TimedResult[];
  readonly memory: readonly MemoryResult[];
  readonly startup: StartupResult | null;
  readonly training: readonly TrainingResult[];
  readonly compiling: CompileResult | null;
  /** The version of Node that it was measured on, since some targets depend on it. */
  readonly node: string;
}

/** Results with those of the cases that they lack, in the order of these. */
export function withOthers(results: Results, others: Results): Results {
  const joined = <T extends { readonly name: string }>(fresh: readonly T[], old: readonly T[]): T[] => {
    const named = new Map(fresh.map((result) => [result.name, result]));
    const before = old.map((result) => named.get(result.name) ?? result);
    return [...before, ...fresh.filter(({ name }) => !old.some((result) => result.name === name))];
  };
  return {
    node: results.node,
    timed: joined(results.timed, others.timed),
    memory: joined(results.memory, others.memory),
    startup: results.startup ?? others.startup,
    training: joined(results.training, others.training),
    compiling: results.compiling ?? others.compiling,
  };
}

export function median(numbers: readonly number[]): number {
  if (numbers.length === 0) throw new Error("no measurements");
  const sorted = [...numbers].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
}

export interface Ratio {
  readonly median: number;
  readonly low: number;
  readonly high: number;
}

/** Ratios of numbers measured one right after the other, so that slow phases of the machine meet both. */
export function ratioOf(numerators: readonly number[], denominators: readonly number[]): Ratio {
  const ratios = numerators.map((x, k) => x / denominators[k]!);
  return { median: median(ratios), low: Math.min(...ratios), high: Math.max(...ratios) };
}

/** How many times the time of `base` a variant takes, forward and backward together; null where one was not measured. */
export function ratio({ rounds }: TimedResult, variant: Variant, base: Variant): Ratio | null {
  const [of, to] = [rounds[variant], rounds[base]];
  if (of === undefined || to === undefined) return null;
  return ratioOf(
    of.map((m) => m.both),
    to.map((m) => m.both),
  );
}

export function startupRatio({ empty, gradient }: StartupResult): Ratio {
  return ratioOf(gradient, empty);
}
