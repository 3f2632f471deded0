import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import { gauge } from "./gauge.js";
import type { Message } from "./message.js";

/** Runs a script of this folder in a process of its own; gives what it sends. */
export async function messageOf<T>(script: string, args: readonly string[]): Promise<T> {
  return (await run(script, args)).content as T;
}

export interface Disturbances {
  /** Processes that were run again. */
  readonly again: number;
  /** Those that count although the processor was slow each time. */
  readonly left: number;
}

let disturbances: Disturbances = { again: 0, left: 0 };
let fastest = Infinity;

/** Of the times taken by this process so far. */
export function disturbancesSoFar(): Disturbances {
  return disturbances;
}

/** The same of a process that takes times: see `leastDisturbed`. */
export async function timesOf<T>(script: string, args: () => readonly string[]): Promise<T> {
  if (fastest === Infinity) fastest = Math.min(...Array.from({ length: 20 }, gauge));
  const found = await leastDisturbed(() => run(script, args()), fastest);
  fastest = found.fastest;
  disturbances = { again: disturbances.again + found.again, left: disturbances.left + (found.isDisturbed ? 1 : 0) };
  return found.content as T;
}

/** How many times as long as at best the gauge may take in a process whose times count. */
const DISTURBED = 1.3;
const ATTEMPTS = 4;

/**
 * Runs a process again where it ended while the processor was slow, up to three times; the least disturbed counts. The gauge knows nothing
 * of what was measured. `fastest` is its least time so far.
 */
export async function leastDisturbed(
  attempt: () => Promise<Message>,
  fastest: number,
): Promise<{ readonly content: unknown; readonly fastest: number; readonly again: number; readonly isDisturbed: boolean }> {
  const messages: Message[] = [];
  const best = () => messages.reduce((x, y) => (y.gauge < x.gauge ? y : x));
  const bound = DISTURBED * fastest;
  do messages.push(await attempt());
  while (messages.length < ATTEMPTS && best().gauge > bound);
  const { content, gauge } = best();
  return { content, fastest: Math.min(fastest, gauge), again: messages.length - 1, isDisturbed: gauge > bound };
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
