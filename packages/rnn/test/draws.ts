import { type Shape, value, type Value } from "@unroll/autograd";

/** The numbers of references/draws.py: the same name and shape give the same array, in [-scale/2, scale/2). */
export function draw(name: string, shape: Shape, scale = 1): Value {
  const stream = streamOf(name);
  const size = shape.reduce((a, b) => a * b, 1);
  return value(
    Float64Array.from({ length: size }, (_, k) => (mixed(Math.imul(k, 0x9e3779b9) + stream) / 2 ** 32 - 0.5) * scale),
    { shape },
  );
}

/** FNV-1a of an ASCII name. */
function streamOf(name: string): number {
  let h = 0x811c9dc5;
  for (let k = 0; k < name.length; k++) h = Math.imul(h ^ name.charCodeAt(k), 0x01000193);
  return h >>> 0;
}

/** The finaliser of MurmurHash3. */
function mixed(k: number): number {
  let h = k >>> 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
