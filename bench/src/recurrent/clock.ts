import { median } from "../results.js";
import type { Training } from "./training.js";

/** Milliseconds. */
export interface TrainingTimes {
  /** The first call: with the compilation, where there is one. */
  readonly first: number;
  /** The first 20 calls together; null where those after the first would take more than `LONGEST`. */
  readonly twenty: number | null;
  /** Median of later calls. */
  readonly step: number;
}

const COUNTED = 20;
/** Milliseconds, after which the first 20 calls are given up, and the few there were stand for the later ones. */
export const LONGEST = 12_000;
// Even the slowest: the first call must not stand for the later ones.
const FEWEST = 3;
// V8 has optimised after this time, as measure.ts has it too.
const WARM_UP = 300;

/** `begun` is told when the first step has ended. */
export async function trainingTimes({ run }: Training, seconds: number, begun: () => void): Promise<TrainingTimes> {
  const [first] = (await run(1)) as [number];
  begun();
  const others: number[] = [];
  let total = 0;
  while (others.length < COUNTED - 1 && (others.length < FEWEST || total < LONGEST)) {
    const [time] = (await run(1)) as [number];
    others.push(time);
    total += time;
  }
  if (others.length < COUNTED - 1) return { first, twenty: null, step: median(others) };
  const later = median(others.slice(COUNTED >> 1));
  await run(callsIn(WARM_UP, later));
  const step = median(await run(Math.max(5, callsIn(1000 * seconds, later))));
  return { first, twenty: first + total, step };
}

function callsIn(milliseconds: number, one: number): number {
  return Math.min(100_000, Math.ceil(milliseconds / one));
}
