import * as autograd from "../../src/index.js";
import { type Value, value, vjp } from "../../src/index.js";
import { disagreements } from "./agreement.js";
import { randomLike } from "./derivatives.js";
import { eager } from "./runners.js";
import { randomFrom } from "./sampling.js";

type Shape = readonly number[];
export type Pattern = readonly [x: Shape, y: Shape, out: Shape];
type Binary = (a: Value, b: Value) => Value;
type Plain = (x: number, y: number) => number;

/** Value and partial derivatives in plain numbers, written once more and independently of the library. */
export const ARITHMETIC: Readonly<Record<string, readonly [Plain, Plain, Plain]>> = {
  add: [(x, y) => x + y, () => 1, () => 1],
  sub: [(x, y) => x - y, () => 1, () => -1],
  mul: [(x, y) => x * y, (_x, y) => y, (x) => x],
  div: [(x, y) => x / y, (_x, y) => 1 / y, (x, y) => -x / (y * y)],
  pow: [(x, y) => x ** y, (x, y) => y * x ** (y - 1), (x, y) => x ** y * Math.log(x)],
  maximum: [Math.max, (x, y) => (x > y ? 1 : x < y ? 0 : 0.5), (x, y) => (y > x ? 1 : y < x ? 0 : 0.5)],
  minimum: [Math.min, (x, y) => (x < y ? 1 : x > y ? 0 : 0.5), (x, y) => (y < x ? 1 : y > x ? 0 : 0.5)],
};

export const CONDITIONS: Readonly<Record<string, (x: number, y: number) => boolean>> = {
  eq: (x, y) => x === y,
  ne: (x, y) => x !== y,
  lt: (x, y) => x < y,
  le: (x, y) => x <= y,
  gt: (x, y) => x > y,
  ge: (x, y) => x >= y,
  logicalAnd: (x, y) => x !== 0 && y !== 0,
  logicalOr: (x, y) => x !== 0 || y !== 0,
  logicalXor: (x, y) => (x !== 0) !== (y !== 0),
};

export const PATTERNS: readonly Pattern[] = [
  [[], [], []],
  [[], [3], [3]],
  [[3], [], [3]],
  [[1], [], [1]],
  [[1], [3], [3]],
  [[3], [1], [3]],
  [[1], [1], [1]],
  [[3], [3], [3]],
  [[2, 3], [], [2, 3]],
  [[2, 3], [1], [2, 3]],
  [[2, 3], [3], [2, 3]],
  [[3], [2, 3], [2, 3]],
  [
    [2, 3],
    [1, 1],
    [2, 3],
  ],
  [
    [2, 1],
    [1, 3],
    [2, 3],
  ],
  [
    [1, 3],
    [2, 1],
    [2, 3],
  ],
  [[2, 1], [3], [2, 3]],
  [
    [2, 3],
    [1, 3],
    [2, 3],
  ],
  [
    [2, 1],
    [2, 3],
    [2, 3],
  ],
  [
    [2, 3, 2],
    [3, 2],
    [2, 3, 2],
  ],
  [
    [2, 1, 2],
    [3, 1],
    [2, 3, 2],
  ],
  [
    [1, 1, 2],
    [2, 3, 1],
    [2, 3, 2],
  ],
  [
    [2, 3, 2],
    [2, 1, 2],
    [2, 3, 2],
  ],
  [
    [2, 1, 2],
    [1, 3, 1],
    [2, 3, 2],
  ],
  [
    [1, 2, 1, 2],
    [3, 1, 2, 1],
    [3, 2, 2, 2],
  ],
  [
    [2, 1, 1, 2],
    [2, 1],
    [2, 1, 2, 2],
  ],
  [[0], [], [0]],
  [[0], [1], [0]],
  [[], [0], [0]],
  [[0], [0], [0]],
  [[0, 3], [3], [0, 3]],
  [
    [2, 0],
    [2, 1],
    [2, 0],
  ],
  [
    [1, 0],
    [3, 1],
    [3, 0],
  ],
  [
    [0, 1],
    [1, 0],
    [0, 0],
  ],
  [
    [1, 3],
    [0, 1],
    [0, 3],
  ],
];

const sizeOf = (shape: Shape) => shape.reduce((size, n) => size * n, 1);

/** Where element k of an array of `shape` reads an operand that was broadcast to it. */
function source(k: number, shape: Shape, operand: Shape): number {
  let rest = k;
  let stride = 1;
  let at = 0;
  for (let axis = 1; axis <= shape.length; axis++) {
    const length = shape[shape.length - axis] as number;
    const own = operand[operand.length - axis] ?? 1;
    if (own !== 1) at += (rest % length) * stride;
    stride *= own;
    rest = Math.floor(rest / length);
  }
  return at;
}

/** Positive numbers with a tie here and there, which every function takes. */
function drawn(shape: Shape, seed: number): number[] {
  const random = randomFrom(seed);
  return Array.from({ length: sizeOf(shape) }, () => Math.ceil(random() * 6) / 4);
}

const functionOf = (op: string) => (autograd as unknown as Record<string, Binary>)[op] as Binary;
const asValue = (data: readonly number[], shape: Shape) => value(Float64Array.from(data), { shape });

/** The value, and the gradients summed back to their operands' shapes. */
export function wrongBroadcast(op: string, [p, q, shape]: Pattern, seed: number, { inside, outside } = eager): string[] {
  const [f, ...partials] = ARITHMETIC[op] as readonly [Plain, Plain, Plain];
  const [a, b] = [drawn(p, seed), drawn(q, seed + 1)];
  const places = Array.from({ length: sizeOf(shape) }, (_, k) => [source(k, shape, p), source(k, shape, q)] as const);
  const run = inside(functionOf(op));
  const [cotangent] = randomLike([{ shape, size: sizeOf(shape) }], seed + 2) as [Value];
  const pulled = outside((x: Value, y: Value) => {
    const [out, pullback] = vjp(run, x, y);
    return [out, ...pullback(cotangent)];
  });
  const [out, ...gradients] = pulled(asValue(a, p), asValue(b, q)) as [Value, ...Value[]];
  const wrong = disagreements(op, out, { shape, data: places.map(([i, j]) => f(a[i] as number, b[j] as number)) });
  const expected = [drawn(p, 0).fill(0), drawn(q, 0).fill(0)];
  places.forEach((at, k) =>
    at.forEach((i, operand) => {
      (expected[operand]![i] as number) += (cotangent.data[k] as number) * partials[operand]!(a[at[0]] as number, b[at[1]] as number);
    }),
  );
  const shapes = [p, q];
  return [
    ...wrong,
    ...gradients.flatMap((g, k) =>
      disagreements(`gradient ${k} of ${op}`, g, { shape: shapes[k] as Shape, data: expected[k] as number[] }),
    ),
  ];
}

export function wrongCondition(op: string, [p, q, shape]: Pattern, { inside } = eager): string[] {
  const [a, b] = [drawn(p, 5).map((x) => x - 0.5), drawn(q, 6).map((x) => x - 0.5)];
  const out = inside(functionOf(op))(asValue(a, p), asValue(b, q));
  const expected = Array.from({ length: sizeOf(shape) }, (_, k) =>
    CONDITIONS[op]!(a[source(k, shape, p)] as number, b[source(k, shape, q)] as number),
  );
  return [...(out.dtype === "bool" ? [] : [`${op} gives ${out.dtype}`]), ...disagreements(op, out, { shape, data: expected.map(Number) })];
}

const SPECIAL = [0, -0, 1, -1, Infinity, -Infinity, NaN];

/** Of every pair of special numbers: by IEEE 754, and NaN counts as true. As one array, and one by one. */
export function wrongSpecialConditions(op: string, { inside } = eager): string[] {
  const grid = SPECIAL.flatMap((x) => SPECIAL.map((y) => [x, y] as const));
  const f = inside(functionOf(op));
  const array = f(value(grid.map(([x]) => x)), value(grid.map(([, y]) => y)));
  return grid.flatMap(([x, y], k) => {
    const expected = Number(CONDITIONS[op]!(x, y));
    const [one, other] = [array.data[k], f(value(x), value(y)).item()];
    return one === expected && other === expected ? [] : [`${op}(${x}, ${y}): ${one} in an array, ${other} alone, expected ${expected}`];
  });
}

export type WhereCase = readonly [condition: Shape, x: Shape, y: Shape, out: Shape];
export const WHERE: readonly WhereCase[] = [
  [[], [2], [3, 1], [3, 2]],
  [[2, 1], [1, 3], [], [2, 3]],
  [[3], [], [], [3]],
  [[2, 1, 1], [3, 1], [2], [2, 3, 2]],
  [[0], [1], [], [0]],
  [[1], [], [0, 2], [0, 2]],
];

export function wrongWhere([pc, p, q, shape]: WhereCase, { inside, outside } = eager): string[] {
  const c = drawn(pc, 7).map((x) => Number(x > 0.8));
  const [a, b] = [drawn(p, 8), drawn(q, 9)];
  const choose = inside((x: Value, y: Value) => autograd.where(asValue(c, pc), x, y));
  const [cotangent] = randomLike([{ shape, size: sizeOf(shape) }], 10) as [Value];
  const pulled = outside((x: Value, y: Value) => {
    const [out, pullback] = vjp(choose, x, y);
    return [out, ...pullback(cotangent)];
  });
  const [out, ga, gb] = pulled(asValue(a, p), asValue(b, q)) as [Value, Value, Value];
  const takes = Array.from({ length: sizeOf(shape) }, (_, k) => c[source(k, shape, pc)] === 1);
  const [da, db] = [a.map(() => 0), b.map(() => 0)];
  takes.forEach((yes, k) => ((yes ? da : db)[source(k, shape, yes ? p : q)]! += cotangent.data[k] as number));
  return [
    ...disagreements("where", out, {
      shape,
      data: takes.map((yes, k) => (yes ? a[source(k, shape, p)] : b[source(k, shape, q)]) as number),
    }),
    ...disagreements("gradient of x", ga, { shape: p, data: da }),
    ...disagreements("gradient of y", gb, { shape: q, data: db }),
  ];
}
