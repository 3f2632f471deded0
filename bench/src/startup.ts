import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { StartupResult } from "./results.js";

/** Alternates an empty process and one that computes a gradient. */
export function measureStartup(pairs: number): StartupResult {
  const scripts = { empty: pathOf("empty.mjs"), gradient: pathOf("gradient.mjs") };
  const result = { empty: [] as number[], gradient: [] as number[] };
  // The first pair reads the files from the disk.
  for (let k = -1; k < pairs; k++) {
    for (const name of ["empty", "gradient"] as const) {
      const time = lifetime(scripts[name]);
      if (k >= 0) result[name].push(time);
    }
  }
  return result;
}

// These scripts are not compiled: they run as they are written.
function pathOf(script: string): string {
  return fileURLToPath(new URL(`../src/startup/${script}`, import.meta.url));
}

function lifetime(script: string): number {
  const start = performance.now();
  const { status, stderr } = spawnSync(process.execPath, [script], { encoding: "utf8" });
  const time = performance.now() - start;
  if (status !== 0) throw new Error(`${script} ended with ${status}\n${stderr}`);
  return time;
}
