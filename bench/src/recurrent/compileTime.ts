import { timesOf } from "../processes.js";
import { median } from "../results.js";

export const SIZE = { hidden: 128, batch: 32, steps: 64 };
export const OTHER_LENGTH = 48;

/** In ms. */
export interface FirstCall {
  /** From the call to its result: tracing, compiling, and the step itself. */
  readonly call: number;
  /** Median of later calls. */
  readonly step: number;
}

export interface CompileMeasurement {
  /** In a process that has compiled nothing before. */
  readonly fresh: FirstCall;
  /** Of another network of equal size, afterwards. */
  readonly warm: FirstCall;
  /** Of the first network, for sequences of another length. */
  readonly length: FirstCall;
}

/** One measurement a round, each of a process of its own. */
export interface CompileResult {
  readonly rounds: readonly CompileMeasurement[];
}

export async function compileResult(rounds: number, note: (text: string) => void): Promise<CompileResult> {
  const measured: CompileMeasurement[] = [];
  for (let round = 1; round <= rounds; round++) {
    note(`round ${round} of ${rounds}: compile time`);
    measured.push(await timesOf<CompileMeasurement>("recurrent/compiling.js", () => []));
  }
  return { rounds: measured };
}

/** Median over the rounds of the time from a call to its result. */
export function callTime(result: CompileResult, which: keyof CompileMeasurement): number {
  return median(result.rounds.map((m) => m[which].call));
}

/** The same without the step that the call takes once it is compiled. */
export function compileTime(result: CompileResult, which: keyof CompileMeasurement): number {
  return median(result.rounds.map((m) => m[which].call - m[which].step));
}
