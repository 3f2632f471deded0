import { median } from "../results.js";
import type { Training } from "./training.js";

/** Milliseconds. */
export interface TrainingTimes {
  /** The first call: with the compilation, where there is one. */
  readonly first: number;
  /** The first 20 calls together; null where they would take more than ten seconds. */
  readonly twenty: number | null;
  /** Median of later calls. */
  readonly step: number;
}

const COUNTED = 20;
const LONGEST = 10_000;
// V8 has optimised after this time, as measure.ts has it too.
const WARM_UP = 300;

/** `begun` is told when the first step has ended. */
export async function trainingTimes({ run }: Training, seconds: number, begun: () => void): Promise<TrainingTimes> {
  const [first] = (await run(1)) as [number];
  begun();
  const times = [first];
  for (let total = first; times.length < COUNTED && total < LONGEST; total += times.at(-1)!) times.push(...(await run(1)));
  if (times.length < COUNTED) return { first, twenty: null, step: median(times.slice(times.length >> 1)) };
  const later = median(times.slice(COUNTED >> 1));
  await run(callsIn(WARM_UP, later));
  const step = median(await run(Math.max(5, callsIn(1000 * seconds, later))));
  return { first, twenty: times.reduce((sum, x) => sum + x), step };
}

function callsIn(milliseconds: number, one: number): number {
  return Math.min(100_000, Math.ceil(milliseconds / one));
}
