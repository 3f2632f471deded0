import { type Sample, sampleOf } from "./calls.js";
import { type StructuralCase, structuralCases } from "./references.js";

export interface Point {
  readonly op: string;
  readonly x: readonly number[];
  /** Distance to the nearest singularity or kink. */
  readonly radius: number;
}

const one = () => 1;
const near0 = (x: number) => Math.abs(x);
const kinkAt0 = (x: number) => Math.min(1, Math.abs(x));

function points(ops: readonly string[], xs: readonly (readonly number[])[], radius: (...x: number[]) => number): Point[] {
  return ops.flatMap((op) => xs.map((x) => ({ op, x, radius: Math.min(1, radius(...x)) })));
}

const REAL = [[-2.3], [0.4], [1.7]];
const POSITIVE = [[0.3], [1], [2.6]];
export const POINTS: readonly Point[] = [
  ...points(["neg", "exp", "expm1", "square", "sin", "cos", "tanh", "sigmoid", "softplus"], REAL, one),
  ...points(["log", "sqrt"], POSITIVE, near0),
  ...points(["log1p"], [[-0.7], [0.2], [2.5]], (x) => 1 + x),
  ...points(["reciprocal"], [[-2.1], [0.4], [1.9]], near0),
  ...points(["abs", "sign", "relu"], [[-1.3], [0.6], [2.2]], kinkAt0),
  ...points(
    ["add", "sub", "mul"],
    [
      [-1.2, 0.7],
      [0.4, 2.1],
    ],
    one,
  ),
  ...points(
    ["div"],
    [
      [-1.2, 0.7],
      [0.4, -2.1],
      [1.5, 0.3],
    ],
    (_x, y) => Math.abs(y),
  ),
  ...points(
    ["pow"],
    [
      [0.4, -1.5],
      [1.3, 2],
      [2.7, 0.6],
      [0.8, 3],
    ],
    (x) => x,
  ),
  ...points(
    ["maximum", "minimum"],
    [
      [-1.2, 0.7],
      [2.4, 1.1],
    ],
    (x, y) => Math.abs(x - y) / 3,
  ),
];

/** Ties have no derivative, infinities no differences, and beside 1e8 a step of 1/32 is lost. */
function isSmooth({ note, name, operands, outputs }: StructuralCase): boolean {
  const numbers = [...operands, ...outputs].flatMap(({ data }) => data);
  return note === undefined && !name.includes("stable") && numbers.every((x) => Math.abs(x) < 100);
}

export const SMOOTH: readonly Sample[] = structuralCases.filter(isSmooth).map(sampleOf);
