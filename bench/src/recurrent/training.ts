/** What a variant of a training step offers: forward, loss, backward to all weights. */
export interface Training {
  /** Does so many steps, one after the other; the milliseconds of each. */
  run(count: number): Promise<number[]>;
  /** What the last step computed, in the order of the problem; null where the equations are others, and nothing is to be compared. */
  results(): Promise<ArrayLike<number>> | ArrayLike<number> | null;
  /** Of a variant that runs in a process of its own: milliseconds from its start to the end of its first step, without reading the data. */
  whole?(): number;
  close?(): void;
}

/** Times a step that is taken in this process. */
export function inTurn(step: () => void | Promise<void>): Training["run"] {
  return async (count) => {
    const times: number[] = [];
    for (let k = 0; k < count; k++) {
      const start = performance.now();
      const pending = step();
      // Awaiting nothing would cost as much as a small step.
      if (pending !== undefined) await pending;
      times.push(performance.now() - start);
    }
    return times;
  };
}
