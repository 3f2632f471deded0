import { describe, expect, it } from "vitest";
import * as autograd from "../../src/index.js";
import { type Value, value, vjp } from "../../src/index.js";
import { disagreements } from "./agreement.js";
import { randomLike } from "./derivatives.js";
import { isFull, randomFrom } from "./sampling.js";

type Shape = readonly number[];
type Binary = (a: Value, b: Value) => Value;
type Plain = (x: number, y: number) => number;

/** Value and partial derivatives in plain numbers, written once more and independently of the library. */
const ARITHMETIC: Readonly<Record<string, readonly [Plain, Plain, Plain]>> = {
  add: [(x, y) => x + y, () => 1, () => 1],
  sub: [(x, y) => x - y, () => 1, () => -1],
  mul: [(x, y) => x * y, (_x, y) => y, (x) => x],
  div: [(x, y) => x / y, (_x, y) => 1 / y, (x, y) => -x / (y * y)],
  pow: [(x, y) => x ** y, (x, y) => y * x ** (y - 1), (x, y) => x ** y * Math.log(x)],
  maximum: [Math.max, (x, y) => (x > y ? 1 : x < y ? 0 : 0.5), (x, y) => (y > x ? 1 : y < x ? 0 : 0.5)],
  minimum: [Math.min, (x, y) => (x < y ? 1 : x > y ? 0 : 0.5), (x, y) => (y < x ? 1 : y > x ? 0 : 0.5)],
};

const CONDITIONS: Readonly<Record<string, (x: number, y: number) => boolean>> = {
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

const PATTERNS: readonly (readonly [Shape, Shape, Shape])[] = [
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

const asValue = (data: readonly number[], shape: Shape) => value(Float64Array.from(data), { shape });

function wrongBroadcast(op: string, [p, q, shape]: readonly [Shape, Shape, Shape], seed: number): string[] {
  const [f, ...partials] = ARITHMETIC[op] as readonly [Plain, Plain, Plain];
  const [a, b] = [drawn(p, seed), drawn(q, seed + 1)];
  const places = Array.from({ length: sizeOf(shape) }, (_, k) => [source(k, shape, p), source(k, shape, q)] as const);
  const run = (autograd as unknown as Record<string, Binary>)[op] as Binary;
  const [out, pullback] = vjp((x: Value, y: Value) => run(x, y), asValue(a, p), asValue(b, q));
  const wrong = disagreements(op, out, { shape, data: places.map(([i, j]) => f(a[i] as number, b[j] as number)) });
  const [cotangent] = randomLike([out], seed + 2) as [Value];
  const gradients = pullback(cotangent);
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

const SEEDS = isFull ? [1, 2, 3, 4, 5] : [1];

describe.each(Object.keys(ARITHMETIC))("%s broadcasts as NumPy does, and its gradients are summed back to their operands' shapes", (op) => {
  it.each(PATTERNS)("%j with %j", (p, q, shape) => {
    for (const seed of SEEDS) expect(wrongBroadcast(op, [p, q, shape], seed)).toEqual([]);
  });
});

describe.each(Object.keys(CONDITIONS))("%s broadcasts as NumPy does", (op) => {
  it.each(PATTERNS)("%j with %j", (p, q, shape) => {
    const [a, b] = [drawn(p, 5).map((x) => x - 0.5), drawn(q, 6).map((x) => x - 0.5)];
    const out = (autograd as unknown as Record<string, Binary>)[op]!(asValue(a, p), asValue(b, q));
    const expected = Array.from({ length: sizeOf(shape) }, (_, k) =>
      CONDITIONS[op]!(a[source(k, shape, p)] as number, b[source(k, shape, q)] as number),
    );
    expect(out.dtype).toBe("bool");
    expect(disagreements(op, out, { shape, data: expected.map(Number) })).toEqual([]);
  });
});

describe("comparisons and logical functions at special points", () => {
  const SPECIAL = [0, -0, 1, -1, Infinity, -Infinity, NaN];
  const grid = SPECIAL.flatMap((x) => SPECIAL.map((y) => [x, y] as const));

  it.each(Object.keys(CONDITIONS))("%s is that of IEEE 754, and NaN counts as true", (op) => {
    const [xs, ys] = [grid.map(([x]) => x), grid.map(([, y]) => y)];
    const f = (autograd as unknown as Record<string, Binary>)[op] as Binary;
    const expected = grid.map(([x, y]) => Number(CONDITIONS[op]!(x, y)));
    expect(f(value(xs), value(ys)).toArray()).toEqual(expected);
    expect(grid.map(([x, y]) => f(value(x), value(y)).item())).toEqual(expected);
  });

  it("logicalNot", () => {
    expect(autograd.logicalNot(value(SPECIAL)).toArray()).toEqual([1, 1, 0, 0, 0, 0, 0]);
  });
});

describe("where broadcasts three operands together", () => {
  const CASES: readonly (readonly [Shape, Shape, Shape, Shape])[] = [
    [[], [2], [3, 1], [3, 2]],
    [[2, 1], [1, 3], [], [2, 3]],
    [[3], [], [], [3]],
    [[2, 1, 1], [3, 1], [2], [2, 3, 2]],
    [[0], [1], [], [0]],
    [[1], [], [0, 2], [0, 2]],
  ];

  it.each(CASES)("%j, %j and %j", (pc, p, q, shape) => {
    const c = drawn(pc, 7).map((x) => Number(x > 0.8));
    const [a, b] = [drawn(p, 8), drawn(q, 9)];
    const [out, pullback] = vjp((x: Value, y: Value) => autograd.where(asValue(c, pc), x, y), asValue(a, p), asValue(b, q)) as unknown as [
      Value,
      (ct: Value) => Value[],
    ];
    const takes = Array.from({ length: sizeOf(shape) }, (_, k) => c[source(k, shape, pc)] === 1);
    const chosen = takes.map((yes, k) => (yes ? a[source(k, shape, p)] : b[source(k, shape, q)]) as number);
    expect(disagreements("where", out, { shape, data: chosen })).toEqual([]);
    const [cotangent] = randomLike([out], 10) as [Value];
    const [da, db] = [a.map(() => 0), b.map(() => 0)];
    takes.forEach((yes, k) => ((yes ? da : db)[source(k, shape, yes ? p : q)]! += cotangent.data[k] as number));
    const [ga, gb] = pullback(cotangent) as [Value, Value];
    expect([
      ...disagreements("gradient of x", ga, { shape: p, data: da }),
      ...disagreements("gradient of y", gb, { shape: q, data: db }),
    ]).toEqual([]);
  });
});
