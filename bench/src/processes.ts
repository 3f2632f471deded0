import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { gauge } from "./gauge.js";
import type { Message } from "./message.js";

/** Runs a script of this folder in a process of its own; gives what it sends. */
export async function messageOf<T>(script: string, args: readonly string[]): Promise<T> {
  return (await run(script, args)).content as T;
}

/** How many times as long as at best the gauge may take in a process whose times count. */
const DISTURBED = 1.3;
const ATTEMPTS = 4;
let fastest = Infinity;

export interface Disturbances {
  /** Processes that were run again. */
  readonly again: number;
  /** Those that count although the processor was slow each time. */
  readonly left: number;
}

let disturbances: Disturbances = { again: 0, left: 0 };

/** Of the times taken by this process so far. */
export function disturbancesSoFar(): Disturbances {
  return disturbances;
}

/**
 * The same of a process that takes times. One that ends while the processor is slow is run again, up to three times, and the least disturbed
 * counts: the gauge knows nothing of what was measured.
 */
export async function timesOf<T>(script: string, args: () => readonly string[]): Promise<T> {
  if (fastest === Infinity) fastest = Math.min(...Array.from({ length: 20 }, gauge));
  let { again, left } = disturbances;
  let best = await run(script, args());
  fastest = Math.min(fastest, best.gauge);
  for (let attempt = 1; attempt < ATTEMPTS && best.gauge > DISTURBED * fastest; attempt++) {
    const next = await run(script, args());
    if (next.gauge < best.gauge) best = next;
    again++;
  }
  if (best.gauge > DISTURBED * fastest) left++;
  disturbances = { again, left };
  return best.content as T;
}

function run(script: string, args: readonly string[]): Promise<Message> {
  const path = fileURLToPath(new URL(script, import.meta.url));
  return new Promise((resolve, reject) => {
    const child = fork(path, [...args], { execArgv: [], stdio: ["ignore", "ignore", "pipe", "ipc"] });
    let message: Message | null = null;
    let errors = "";
    child.stderr!.setEncoding("utf8").on("data", (text: string) => {
      errors += text;
    });
    child.on("message", (sent) => {
      message = sent as Message;
    });
    child.on("error", reject);
    child.on("close", (code, signal) => {
      if (code === 0 && message !== null) resolve(message);
      else reject(new Error(`${script} ${args.join(" ")} ended with ${signal ?? code}\n${errors}`));
    });
  });
}
