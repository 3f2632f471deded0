/**
 * Threefry-2x32 with 20 rounds: a counter-based generator (Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3",
 * SC 2011). The words of a block depend on key and counter alone, so that any draw can be made again, in any order.
 */
const ROTATIONS = [13, 15, 26, 6, 17, 29, 16, 24] as const;
const PARITY = 0x1bd11bda;

/** Encrypts the counter (x0, x1) under the key; writes two 32-bit words to `out`. */
export function threefry2x32(k0: number, k1: number, x0: number, x1: number, out: Uint32Array): void {
  const keys = [k0 | 0, k1 | 0, PARITY ^ k0 ^ k1] as const;
  let a = (x0 + keys[0]) | 0;
  let b = (x1 + keys[1]) | 0;
  for (let group = 0; group < 5; group++) {
    for (let round = 0; round < 4; round++) {
      const r = ROTATIONS[(group % 2) * 4 + round] as number;
      a = (a + b) | 0;
      b = ((b << r) | (b >>> (32 - r))) ^ a;
    }
    a = (a + (keys[(group + 1) % 3] as number)) | 0;
    b = (b + (keys[(group + 2) % 3] as number) + group + 1) | 0;
  }
  out[0] = a;
  out[1] = b;
}
