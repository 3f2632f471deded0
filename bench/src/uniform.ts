/** Reproducible draws from [low, high): every process makes the same data. Source: mulberry32 (T. Ettinger, public domain). */
export function uniform(seed: number, low = -1, high = 1): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return low + ((t ^ (t >>> 14)) >>> 0) * ((high - low) / 4294967296);
  };
}

export function uniformArray(length: number, seed: number, low = -1, high = 1): Float64Array {
  const draw = uniform(seed, low, high);
  return Float64Array.from({ length }, draw);
}
