import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { compilerAbsent } from "../compiler.js";
import type { Options } from "../options.js";
import { messageOf } from "../processes.js";
import type { TrainingCase, TrainingVariant } from "./cases.js";
import { torchAbsent } from "./python.js";
import type { TrainingMeasurement, TrainingResult } from "./results.js";

/** Round after round, a process for each case and variant, PyTorch's between the others; a reference for each case before. */
export async function trainingResults(
  cases: readonly TrainingCase[],
  { rounds, quick }: Options,
  note: (text: string) => void,
): Promise<TrainingResult[]> {
  if (cases.length === 0) return [];
  const missing = await missingVariants();
  for (const why of Object.values(missing)) note(why);
  const folder = mkdtempSync(join(tmpdir(), "unroll-bench-"));
  try {
    const fileOf = ({ name }: TrainingCase) => join(folder, name);
    for (const c of cases) {
      note(`reference: ${c.name}`);
      await messageOf("recurrent/refer.js", [c.name, fileOf(c)]);
    }
    const measured = cases.map((c) => ({ c, variants: {} as Partial<Record<TrainingVariant, TrainingMeasurement[]>> }));
    for (let round = 1; round <= rounds; round++) {
      for (const { c, variants } of measured) {
        for (const variant of Object.keys(c.variants) as TrainingVariant[]) {
          if (missing[variant] !== undefined) continue;
          note(`round ${round} of ${rounds}: ${c.name}, ${variant}`);
          const started = performance.timeOrigin + performance.now();
          const args = [c.name, variant, fileOf(c), `${started}`, ...(quick ? ["--quick"] : [])];
          (variants[variant] ??= []).push(await messageOf<TrainingMeasurement>("recurrent/measure.js", args));
        }
      }
    }
    return measured.map(({ c: { name, title, kind, size, absent }, variants }) => ({
      name,
      title,
      kind,
      size,
      absent: { ...absent, ...missing },
      rounds: variants,
    }));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Why variants cannot be measured on this machine, or not yet. */
async function missingVariants(): Promise<Partial<Record<TrainingVariant, string>>> {
  const compiled = await compilerAbsent();
  const torch = torchAbsent();
  return { ...(compiled === null ? {} : { compiled }), ...(torch === null ? {} : { torch }) };
}
