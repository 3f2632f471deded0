import { readFileSync } from "node:fs";
import type { LaneType } from "../../src/wasm/lanes.js";
import type { VectorArithmetic } from "../../src/wasm/vectorArithmetic.js";
import { randomFrom } from "../matrix/sampling.js";
import { elementwise, type Form } from "./kernels.js";

/** The functions that are computed by polynomials, with JavaScript's float64 results, against which float32 is measured. */
const TRANSCENDENTAL = {
  exp: Math.exp,
  expm1: Math.expm1,
  log: Math.log,
  log1p: Math.log1p,
  tanh: Math.tanh,
  sigmoid: (x: number) => (x < 0 ? Math.exp(x) / (1 + Math.exp(x)) : 1 / (1 + Math.exp(-x))),
  softplus: (x: number) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))),
  sin: Math.sin,
  cos: Math.cos,
} satisfies Record<string, (x: number) => number>;

export type TranscendentalName = keyof typeof TRANSCENDENTAL;

export const NAMES = Object.keys(TRANSCENDENTAL) as TranscendentalName[];

/** What is promised: units in the last place of float32, and relative error in float64. */
export const TOLERANCE: Record<LaneType, number> = { float32: 3, float64: 1e-15 };

/** The interval in which a function does what it is used for: it is sampled evenly, beside the whole range. */
const INTERVALS: Record<TranscendentalName, readonly [number, number]> = {
  exp: [-105, 90],
  expm1: [-20, 90],
  log: [0, 4],
  log1p: [-1, 4],
  tanh: [-11, 11],
  sigmoid: [-105, 40],
  softplus: [-105, 40],
  sin: [-1e3, 1e3],
  cos: [-1e3, 1e3],
};

/** Where two pieces of code meet, and the special values, with their neighbours in float32. */
const HARD = [
  0,
  -0,
  Infinity,
  -Infinity,
  NaN,
  1,
  2,
  -1,
  2 ** -149,
  2 ** -126,
  2 ** -24,
  2 ** -25,
  0.5,
  Math.SQRT1_2,
  Math.SQRT2,
  Math.SQRT2 - 1,
  Math.SQRT1_2 - 1,
  Math.LN2,
  Math.LN2 / 2,
  (3 / 2) * Math.LN2,
  88.72284,
  87.33655,
  103.97208,
  104,
  89,
  9.010914,
  10,
  16.635532,
  30,
  Math.PI,
  Math.PI / 2,
  3 * (Math.PI / 2),
  1e4 * (Math.PI / 2),
  2 ** 20,
  2 ** 20 + 1,
  3e38,
]; // prettier-ignore

const floats = new Float32Array(1);
const words = new Int32Array(floats.buffer);

function float32OfBits(bits: number): number {
  words[0] = bits;
  return floats[0]!;
}

function neighbours(x: number): number[] {
  floats[0] = x;
  const bits = words[0]!;
  return [float32OfBits(bits), float32OfBits(bits - 1), float32OfBits(bits + 1)];
}

/** `count` bit patterns of float32, evenly spread over all of them, then as many seeded points of the function's interval, then HARD. */
export function float32Points(name: TranscendentalName, count: number, seed: number): Float32Array<ArrayBuffer> {
  const random = randomFrom(seed);
  const [low, high] = INTERVALS[name];
  const step = 2 ** 32 / count;
  const whole = Array.from({ length: count }, (_, k) => float32OfBits(Math.floor((k + random()) * step) | 0));
  const inner = Array.from({ length: count }, () => low + (high - low) * random());
  return Float32Array.from([...whole, ...inner, ...[...HARD, ...HARD.map((x) => -x)].flatMap(neighbours)]);
}

/** Units in the last place of float32 at y. */
function unit(y: number): number {
  return 2 ** (Math.floor(Math.log2(Math.max(Math.abs(y), 2 ** -126))) - 23);
}

/** 0 where both are the same; Infinity counts as the number that would follow the largest one; a special value must be met. */
function float32Error(got: number, exact: number): number {
  const rounded = Math.fround(exact);
  if (Object.is(got, rounded)) return 0;
  if (Number.isNaN(exact) || Math.abs(exact) === Infinity || exact === 0 || Number.isNaN(got)) return Infinity;
  const bounded = (y: number) => Math.max(-(2 ** 128), Math.min(y, 2 ** 128));
  if (got === 0 && Math.sign(1 / got) !== Math.sign(exact)) return Infinity;
  return Math.abs(bounded(got) - bounded(exact)) / unit(bounded(exact));
}

/** Relative to the exact value, to the smallest normal number below that. */
function float64Error(got: number, exact: number): number {
  if (Object.is(got, exact)) return 0;
  if (!Number.isFinite(exact) || exact === 0 || !Number.isFinite(got)) return Infinity;
  if (got === 0 && Math.sign(1 / got) !== Math.sign(exact)) return Infinity;
  return Math.abs(got - exact) / Math.max(Math.abs(exact), 2 ** -1022);
}

export interface Worst {
  readonly error: number;
  readonly x: number;
  readonly got: number;
  readonly exact: number;
}

/** Where `got` is farthest from `exact`. */
export function worstOf(dtype: LaneType, xs: ArrayLike<number>, got: ArrayLike<number>, exact: (x: number, k: number) => number): Worst {
  const errorOf = dtype === "float32" ? float32Error : float64Error;
  let worst: Worst = { error: 0, x: NaN, got: NaN, exact: NaN };
  for (let k = 0; k < xs.length; k++) {
    const error = errorOf(got[k]!, exact(xs[k]!, k));
    if (error > worst.error) worst = { error, x: xs[k]!, got: got[k]!, exact: exact(xs[k]!, k) };
  }
  return worst;
}

/** One of the functions as an operation of the arithmetic. */
export function emitterOf(name: TranscendentalName) {
  return (m: VectorArithmetic, [x]: readonly number[]) => m[name](x!);
}

export interface Float64Reference {
  readonly x: Float64Array<ArrayBuffer>;
  readonly y: Float64Array<ArrayBuffer>;
}

/** The values of test/references/vector.py. */
export function float64References(): Record<TranscendentalName, Float64Reference> {
  const file = new URL("../references/fixtures/vector.json", import.meta.url);
  const { cases } = JSON.parse(readFileSync(file, "utf8")) as { cases: { op: TranscendentalName; x: string; y: string }[] };
  return Object.fromEntries(cases.map(({ op, x, y }) => [op, { x: decode(x), y: decode(y) }])) as Record<
    TranscendentalName,
    Float64Reference
  >;
}

function decode(hex: string): Float64Array<ArrayBuffer> {
  const view = new DataView(new ArrayBuffer(8));
  return Float64Array.from(hex.split(" "), (bits) => {
    view.setBigUint64(0, BigInt(`0x${bits}`));
    return view.getFloat64(0);
  });
}

/** The largest error of a function in a form, over the points that the tests use. */
export function worstError(name: TranscendentalName, form: Form, count: number, seed: number): Worst {
  const run = elementwise(form, 1, emitterOf(name));
  if (form.dtype === "float64") {
    const { x, y } = float64References()[name];
    return worstOf("float64", x, run(x), (_, k) => y[k]!);
  }
  const xs = float32Points(name, count, seed);
  return worstOf("float32", xs, run(xs), TRANSCENDENTAL[name]);
}
