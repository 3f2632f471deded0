import { performance } from "node:perf_hooks";
import type { Workload } from "./workload.js";

/**
 * The forward pass's share of the time of forward and backward together. Calls are timed for at least `seconds`, without what reading the
 * clock costs.
 */
export function forwardShare(workload: Workload, seconds: number): number {
  if (workload.backward === undefined) return 1;
  const reading = clockReading();
  const end = performance.now() + 1000 * seconds;
  let forward = 0;
  let backward = 0;
  for (;;) {
    const start = performance.now();
    workload.forward();
    const middle = performance.now();
    workload.backward();
    const stop = performance.now();
    forward += middle - start - reading;
    backward += stop - middle - reading;
    if (stop > end) return forward / (forward + backward);
  }
}

/** Milliseconds that one reading adds to what lies between two readings: the least of several tries, since others only add to it. */
function clockReading(): number {
  const READINGS = 1000;
  let least = Infinity;
  for (let attempt = 0; attempt < 20; attempt++) {
    const start = performance.now();
    for (let k = 0; k < READINGS; k++) performance.now();
    least = Math.min(least, (performance.now() - start) / READINGS);
  }
  return least;
}
