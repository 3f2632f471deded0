import { type Value, value } from "../../src/index.js";
import { elementwise } from "./calls.js";
import { randomFrom } from "./sampling.js";

/** Around 256 float64 (512 float32) elements arrays move from a shared slab to memory of their own. */
export const LENGTHS: readonly number[] = [1, 2, 3, 255, 256, 257, 512, 513, 4097];

/** Operands for an elementwise function, which it takes as many of as it has. */
export function randomOperands(op: string, length: number): Value[] {
  const f = elementwise[op]!;
  const arity = f(value(0.5), value(0.25)).item() === f(value(0.5), value(0.75)).item() && !["maximum", "minimum"].includes(op) ? 1 : 2;
  const random = randomFrom(length);
  return Array.from({ length: arity }, () => value(Float64Array.from({ length }, () => 0.1 + random())));
}
