import type { Case, Variant } from "./cases.js";
import type { Options } from "./options.js";
import { timesOf } from "./processes.js";
import type { Measurement, TimedResult } from "./results.js";

type Measured = Partial<Record<Variant, Measurement[]>>;

/** Round after round, so that slow phases of the machine meet all variants of a case. */
export async function timedResults(
  cases: readonly Case[],
  { rounds, quick }: Options,
  note: (text: string) => void,
): Promise<TimedResult[]> {
  const measured = cases.map((c): { c: Case; variants: Measured } => ({ c, variants: {} }));
  for (let round = 1; round <= rounds; round++) {
    for (const { c, variants } of measured) {
      for (const variant of Object.keys(c.workloads) as Variant[]) {
        note(`round ${round} of ${rounds}: ${c.name}, ${variant}`);
        const args = [c.name, variant, ...(quick ? ["--quick"] : [])];
        (variants[variant] ??= []).push(await timesOf<Measurement>("measure.js", () => args));
      }
    }
  }
  return measured.map(({ c: { name, title, unit, base, absent = {} }, variants }) => ({
    name,
    title,
    unit,
    base,
    absent,
    rounds: variants,
  }));
}
