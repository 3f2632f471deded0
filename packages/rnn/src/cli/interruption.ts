/** Ctrl-C while training runs. */

/** What reaches the process within this time of a Ctrl-C is the same Ctrl-C, which pnpm and tsx pass on a second time. */
const SAME_KEYSTROKE_MS = 1000;

/**
 * Runs a task that Ctrl-C (SIGINT) stops cleanly, by the signal that it is given; the next Ctrl-C quits the process at once, with exit
 * code 130. When the task is over, Ctrl-C does what it does everywhere.
 */
export async function interruptible<T>(task: (signal: AbortSignal) => Promise<T>, onInterrupt: () => void): Promise<T> {
  const controller = new AbortController();
  let first: number | undefined;
  const interrupt = (): void => {
    const now = performance.now();
    if (first === undefined) {
      first = now;
      controller.abort();
      onInterrupt();
    } else if (now - first > SAME_KEYSTROKE_MS) process.exit(130);
  };
  process.on("SIGINT", interrupt);
  try {
    return await task(controller.signal);
  } finally {
    process.off("SIGINT", interrupt);
  }
}
