/** Resident memory of this process, in MB (10^6 bytes). */
function resident(): number {
  return process.memoryUsage.rss() / 1e6;
}

/** The most it ever was. */
export function peak(): number {
  return (process.resourceUsage().maxRSS * 1024) / 1e6;
}

export interface Growth {
  /** The highest resident memory in the first tenth of the steps, and in all of them, in MB. */
  readonly early: number;
  readonly late: number;
}

/** Runs `step` many times and looks at the resident memory 100 times on the way. Nothing is collected by hand. */
export function growthOver(steps: number, step: (k: number) => void): Growth {
  let early = 0;
  let late = 0;
  for (let k = 1; k <= steps; k++) {
    step(k);
    if (k % (steps / 100) !== 0) continue;
    late = Math.max(late, resident());
    if (k === steps / 10) early = late;
  }
  return { early, late };
}
