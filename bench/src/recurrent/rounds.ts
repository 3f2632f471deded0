import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Options } from "../options.js";
import { messageOf, timesOf } from "../processes.js";
import type { TrainingCase, TrainingVariant } from "./cases.js";
import { torchAbsent, torchNotHeld } from "./python.js";
import type { TrainingMeasurement, TrainingResult } from "./results.js";

const OURS: readonly TrainingVariant[] = ["eager", "lent", "compiled", "floor"];

type Reasons = Partial<Record<TrainingVariant, string>>;

/** A case under way. */
interface Measuring {
  readonly c: TrainingCase;
  readonly reference: string;
  readonly rounds: Partial<Record<TrainingVariant, TrainingMeasurement[]>>;
  readonly absent: Reasons;
}

/** Round after round, a process for each case and variant, PyTorch's between the others; a reference for each case before. */
export async function trainingResults(
  cases: readonly TrainingCase[],
  { trainingRounds, quick }: Options,
  note: (text: string) => void,
): Promise<TrainingResult[]> {
  if (cases.length === 0) return [];
  const missing = missingVariants();
  for (const why of Object.values(missing)) note(why);
  const folder = mkdtempSync(join(tmpdir(), "unroll-bench-"));
  try {
    const measuring: Measuring[] = [];
    for (const c of cases) {
      note(`reference: ${c.name}`);
      const reference = await messageOf<string>("recurrent/refer.js", [c.name, join(folder, c.name)]);
      measuring.push({ c, reference, rounds: {}, absent: { ...c.absent, ...missing } });
    }
    for (let round = 1; round <= trainingRounds; round++) {
      for (const one of measuring) {
        for (const variant of Object.keys(one.c.variants) as TrainingVariant[]) {
          if (one.absent[variant] !== undefined) continue;
          note(`round ${round} of ${trainingRounds}: ${one.c.name}, ${variant}`);
          await measure(one, variant, quick, note);
        }
      }
    }
    return measuring.map(({ c: { name, title, kind, size }, absent, rounds }) => ({ name, title, kind, size, absent, rounds }));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** What others compute wrong, or fail at, is left out and said; a failure of ours ends the run. */
async function measure(
  { c, reference, rounds, absent }: Measuring,
  variant: TrainingVariant,
  quick: boolean,
  note: (text: string) => void,
) {
  const args = () => [c.name, variant, reference, `${performance.timeOrigin + performance.now()}`, ...(quick ? ["--quick"] : [])];
  try {
    (rounds[variant] ??= []).push(await timesOf<TrainingMeasurement>("recurrent/measure.js", args));
  } catch (error) {
    if (OURS.includes(variant)) throw error;
    delete rounds[variant];
    absent[variant] = `not reported: ${reasonOf(error)}`;
    note(absent[variant]);
  }
}

/** The line of a process's output that names the error. */
function reasonOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return /^\w*Error: (.*)$/m.exec(text)?.[1] ?? text.split("\n")[0]!;
}

/** Why variants cannot be measured on this machine. */
function missingVariants(): Reasons {
  const [torch, torchAvx2] = [torchAbsent(), torchNotHeld()];
  return { ...(torch !== null && { torch }), ...(torchAvx2 !== null && { torchAvx2 }) };
}
