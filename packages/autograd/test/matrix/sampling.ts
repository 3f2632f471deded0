/** UNROLL_FULL=1 checks every case, otherwise the same seeded part of them in every run; UNROLL_SEED=n takes another part. */
export const isFull = process.env["UNROLL_FULL"] === "1";

const SEED = Number(process.env["UNROLL_SEED"] ?? 20_261_124);

/** Uniform numbers in [0, 1): mulberry32. */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** All cases of a full run; otherwise one in `every` and at least one a group, so that no operation goes unchecked. */
export function sampled<T>(cases: readonly T[], every: number, groupOf: (x: T) => string): T[] {
  if (isFull) return [...cases];
  const random = randomFrom(SEED);
  const groups = grouped(cases, groupOf);
  return [...groups.values()].flatMap((group) => {
    const kept = group.filter(() => random() < 1 / every);
    return kept.length > 0 ? kept : [group[Math.floor(random() * group.length)] as T];
  });
}

function grouped<T>(cases: readonly T[], groupOf: (x: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const x of cases) groups.set(groupOf(x), [...(groups.get(groupOf(x)) ?? []), x]);
  return groups;
}
