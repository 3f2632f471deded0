import { execFileSync } from "node:child_process";
import { cpus } from "node:os";
import { type Disturbances, disturbancesSoFar } from "./processes.js";
import { torchThere } from "./recurrent/python.js";

/** Where numbers come from. */
export interface Provenance {
  readonly date: string;
  readonly node: string;
  /** PyTorch's version, and the widest instructions that it uses; null where there is none. */
  readonly torch: string | null;
  readonly cpu: string;
  readonly cores: number;
  /** With "+" where files of the packages or of the bench differ from it; null outside a repository. */
  readonly commit: string | null;
  readonly rounds: number;
  /** Of the training steps. */
  readonly trainingRounds: number;
  /** null in results from before they were looked for. */
  readonly disturbances: Disturbances | null;
  /** Where the cases come from that were not measured anew, and which were (`--only`); absent where all were. */
  readonly kept?: { readonly but: readonly string[]; readonly source: Provenance };
}

export function provenance({ rounds, trainingRounds }: Pick<Provenance, "rounds" | "trainingRounds">): Provenance {
  const processors = cpus();
  const torch = torchThere();
  return {
    date: new Date().toISOString(),
    node: process.versions.node,
    torch: torch === null ? null : `${torch.version} (${torch.instructions})`,
    cpu: processors[0]?.model.trim() ?? "unknown processor",
    cores: processors.length,
    commit: commit(),
    rounds,
    trainingRounds,
    disturbances: disturbancesSoFar(),
  };
}

/** "3 rounds", or how many of either. */
export function roundsText({ rounds, trainingRounds }: Pick<Provenance, "rounds" | "trainingRounds">): string {
  const text = rounds === 1 ? "one round" : `${rounds} rounds`;
  return trainingRounds === rounds ? text : `${text} (training steps: ${trainingRounds})`;
}

/** What the processor did to the run; empty where nobody looked. */
export function disturbancesText({ disturbances }: Pick<Provenance, "disturbances">): string {
  if (disturbances === null) return "";
  const { again, left } = disturbances;
  return ` ${again} processes were run again because the processor was slow at their end; ${left} count although it was so each time.`;
}

/** What was measured at another time; empty where all was measured at once. */
export function keptText({ kept }: Pick<Provenance, "kept">): string {
  if (kept === undefined) return "";
  const { but, source } = kept;
  const { date, commit, node } = source;
  return ` All that is not ${but.join(", ")} was measured on ${date.slice(0, 10)} at ${commit ?? "no commit"}, Node ${node}, ${roundsText(source)}.${disturbancesText(source)}${keptText(source)}`;
}

function commit(): string | null {
  try {
    const changed = git("status", "--porcelain", "--", ":/packages", ":/bench/src") !== "";
    return git("rev-parse", "--short", "HEAD") + (changed ? "+" : "");
  } catch {
    return null;
  }
}

function git(...args: readonly string[]): string {
  return execFileSync("git", args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
}
