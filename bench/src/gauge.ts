import { performance } from "node:perf_hooks";

// Long enough to see a processor that somebody else uses too, short beside any case.
const MILLISECONDS = 30;
const SIZE = 64;

/**
 * How fast the processor is at this moment: the median time of a small product of matrices, in ms. On shared machines whole processes run at
 * half the speed, whatever they run.
 */
export function gauge(): number {
  const [a, b, c] = [ramp(), ramp(), ramp()];
  const times: number[] = [];
  for (let start = performance.now(), end = start + MILLISECONDS; start < end; ) {
    multiply(a, b, c);
    const stop = performance.now();
    times.push(stop - start);
    start = stop;
  }
  // The first half ran before V8 had optimised.
  const later = times.slice(times.length >> 1).sort((x, y) => x - y);
  return later[later.length >> 1]!;
}

function ramp(): Float64Array {
  return Float64Array.from({ length: SIZE * SIZE }, (_, k) => k / SIZE);
}

/** A loop of its own: one that a case has run would come with what V8 learned of it there. */
function multiply(a: Float64Array, b: Float64Array, c: Float64Array): void {
  for (let i = 0; i < SIZE; i++) {
    for (let j = 0; j < SIZE; j++) {
      let sum = 0;
      for (let k = 0; k < SIZE; k++) sum += a[i * SIZE + k]! * b[k * SIZE + j]!;
      c[i * SIZE + j] = sum;
    }
  }
}
