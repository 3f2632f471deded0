import type { Arithmetic, Partial_ } from "./algebra.js";

/** Intervals of the real line, one an operand, on which an operation is checked, timed and documented. */
export type Domain = readonly (readonly [number, number])[];

interface Unary {
  readonly doc: string;
  readonly domain: Domain;
  /** An int32 or bool operand stays an integer; otherwise it becomes float64 first. */
  readonly integer?: boolean;
  readonly forward: <T, C>(m: Arithmetic<T, C>, x: T) => T;
  readonly partials: readonly [<T, C>(m: Arithmetic<T, C>, x: T, out: T) => Partial_<T, C>];
}

interface Binary {
  readonly doc: string;
  readonly domain: Domain;
  readonly integer?: boolean;
  readonly forward: <T, C>(m: Arithmetic<T, C>, x: T, y: T) => T;
  readonly partials: readonly [
    <T, C>(m: Arithmetic<T, C>, x: T, y: T, out: T) => Partial_<T, C>,
    <T, C>(m: Arithmetic<T, C>, x: T, y: T, out: T) => Partial_<T, C>,
  ];
}

interface Comparison {
  readonly doc: string;
  readonly forward: <T, C>(m: Arithmetic<T, C>, x: T, y: T) => C;
}

interface Logical {
  readonly doc: string;
  readonly forward: <T, C>(m: Arithmetic<T, C>, ...operands: C[]) => C;
}

/** Every elementwise function of the library with a derivative; everything else about them is read from here. */
export const unary = {
  identity: {
    doc: "The value itself, as a new node of the graph",
    domain: [[-3, 3]],
    integer: true,
    forward: (_m, x) => x,
    partials: [(m) => m.const(1)],
  },
  neg: {
    doc: "-x",
    domain: [[-3, 3]],
    integer: true,
    forward: (m, x) => m.neg(x),
    partials: [(m) => m.const(-1)],
  },
  exp: {
    doc: "e to the power x",
    domain: [[-3, 3]],
    forward: (m, x) => m.exp(x),
    partials: [(_m, _x, out) => out],
  },
  expm1: {
    doc: "exp(x) - 1, accurate near 0",
    domain: [[-3, 3]],
    forward: (m, x) => m.expm1(x),
    partials: [(m, _x, out) => m.add(out, m.const(1))],
  },
  log: {
    doc: "Natural logarithm; NaN below 0",
    domain: [[0.1, 4]],
    forward: (m, x) => m.log(x),
    partials: [(m, x) => m.div(m.const(1), x)],
  },
  log1p: {
    doc: "log(1 + x), accurate near 0; NaN below -1",
    domain: [[-0.9, 3]],
    forward: (m, x) => m.log1p(x),
    partials: [(m, x) => m.div(m.const(1), m.add(x, m.const(1)))],
  },
  sqrt: {
    doc: "Square root; NaN below 0",
    domain: [[0.1, 4]],
    forward: (m, x) => m.sqrt(x),
    partials: [(m, _x, out) => m.div(m.const(0.5), out)],
  },
  square: {
    doc: "x times x",
    domain: [[-3, 3]],
    integer: true,
    forward: (m, x) => m.mul(x, x),
    partials: [(m, x) => m.mul(m.const(2), x)],
  },
  abs: {
    doc: "Absolute value; its derivative at 0 is 0",
    domain: [[0.2, 3]],
    integer: true,
    forward: (m, x) => m.abs(x),
    partials: [(m, x) => m.sign(x)],
  },
  sign: {
    doc: "-1, 0 or 1 (0 and -0 as they are, NaN for NaN); its derivative is 0 everywhere",
    domain: [[0.2, 3]],
    integer: true,
    forward: (m, x) => m.sign(x),
    partials: [(m) => m.const(0)],
  },
  reciprocal: {
    doc: "1 / x",
    domain: [[0.2, 3]],
    forward: (m, x) => m.div(m.const(1), x),
    partials: [(m, _x, out) => m.neg(m.mul(out, out))],
  },
  sin: {
    doc: "Sine of x in radians",
    domain: [[-3, 3]],
    forward: (m, x) => m.sin(x),
    partials: [(m, x) => m.cos(x)],
  },
  cos: {
    doc: "Cosine of x in radians",
    domain: [[-3, 3]],
    forward: (m, x) => m.cos(x),
    partials: [(m, x) => m.neg(m.sin(x))],
  },
  tanh: {
    doc: "Hyperbolic tangent",
    domain: [[-3, 3]],
    forward: (m, x) => m.tanh(x),
    partials: [(m, _x, out) => m.sub(m.const(1), m.mul(out, out))],
  },
  sigmoid: {
    doc: "Logistic function 1 / (1 + exp(-x))",
    domain: [[-4, 4]],
    forward: (m, x) => m.div(m.const(1), m.add(m.const(1), m.exp(m.neg(x)))),
    partials: [(m, _x, out) => m.mul(out, m.sub(m.const(1), out))],
  },
  relu: {
    doc: "x where x > 0, else 0; its derivative at 0 is 0",
    domain: [[0.2, 3]],
    integer: true,
    forward: (m, x) => m.maximum(x, m.const(0)),
    partials: [(m, x) => m.when(m.gt(x, m.const(0)), m.const(1))],
  },
  softplus: {
    doc: "log(1 + exp(x))",
    domain: [[-4, 4]],
    // exp(x) overflows above 709: the exponential is taken of -|x|, and x added back above 0.
    forward: (m, x) => m.add(m.maximum(x, m.const(0)), m.log1p(m.exp(m.neg(m.abs(x))))),
    partials: [(m, x) => m.div(m.const(1), m.add(m.const(1), m.exp(m.neg(x))))],
  },
} satisfies Record<string, Unary>;

export const binary = {
  add: {
    doc: "x + y",
    domain: [
      [-3, 3],
      [-3, 3],
    ],
    integer: true,
    forward: (m, x, y) => m.add(x, y),
    partials: [(m) => m.const(1), (m) => m.const(1)],
  },
  sub: {
    doc: "x - y",
    domain: [
      [-3, 3],
      [-3, 3],
    ],
    integer: true,
    forward: (m, x, y) => m.sub(x, y),
    partials: [(m) => m.const(1), (m) => m.const(-1)],
  },
  mul: {
    doc: "x times y",
    domain: [
      [-3, 3],
      [-3, 3],
    ],
    integer: true,
    forward: (m, x, y) => m.mul(x, y),
    partials: [(_m, _x, y) => y, (_m, x) => x],
  },
  div: {
    doc: "x / y, in floating point for integers too",
    domain: [
      [-3, 3],
      [0.3, 3],
    ],
    forward: (m, x, y) => m.div(x, y),
    partials: [(m, _x, y) => m.div(m.const(1), y), (m, _x, y, out) => m.neg(m.div(out, y))],
  },
  pow: {
    doc: "x to the power y; NaN for x < 0 and a y that is not whole",
    domain: [
      [0.3, 3],
      [-2, 3],
    ],
    forward: (m, x, y) => m.pow(x, y),
    partials: [
      // x^0 is constant; without the guard its derivative at x = 0 would be 0 * 0^-1 = NaN.
      (m, x, y) => m.when(m.ne(y, m.const(0)), m.mul(y, m.pow(x, m.sub(y, m.const(1))))),
      // 0^y is 0 for every y > 0; without the guard 0 * log 0 = NaN.
      (m, x, y, out) => m.when(m.logicalNot(m.logicalAnd(m.eq(x, m.const(0)), m.ge(y, m.const(0)))), m.mul(out, m.log(x))),
    ],
  },
  maximum: {
    doc: "The larger of x and y, elementwise; NaN if either is; ties share the gradient",
    domain: [
      [1, 3],
      [-2, 0.5],
    ],
    integer: true,
    forward: (m, x, y) => m.maximum(x, y),
    partials: [
      (m, x, y) => m.when(m.ge(x, y), m.where(m.eq(x, y), m.const(0.5), m.const(1))),
      (m, x, y) => m.when(m.ge(y, x), m.where(m.eq(x, y), m.const(0.5), m.const(1))),
    ],
  },
  minimum: {
    doc: "The smaller of x and y, elementwise; NaN if either is; ties share the gradient",
    domain: [
      [1, 3],
      [-2, 0.5],
    ],
    integer: true,
    forward: (m, x, y) => m.minimum(x, y),
    partials: [
      (m, x, y) => m.when(m.le(x, y), m.where(m.eq(x, y), m.const(0.5), m.const(1))),
      (m, x, y) => m.when(m.le(y, x), m.where(m.eq(x, y), m.const(0.5), m.const(1))),
    ],
  },
} satisfies Record<string, Binary>;

/** Comparisons: bool out, no gradient; NaN compares as IEEE says. */
export const comparison = {
  eq: { doc: "x = y", forward: (m, x, y) => m.eq(x, y) },
  ne: { doc: "x is not y", forward: (m, x, y) => m.ne(x, y) },
  lt: { doc: "x < y", forward: (m, x, y) => m.lt(x, y) },
  le: { doc: "x <= y", forward: (m, x, y) => m.le(x, y) },
  gt: { doc: "x > y", forward: (m, x, y) => m.gt(x, y) },
  ge: { doc: "x >= y", forward: (m, x, y) => m.ge(x, y) },
} satisfies Record<string, Comparison>;

/** Logical functions of conditions: any number counts as true unless it is 0 (NaN is true, as in NumPy). */
export const logical = {
  logicalAnd: { doc: "x and y", forward: (m, x, y) => m.logicalAnd(x, y) },
  logicalOr: { doc: "x or y", forward: (m, x, y) => m.logicalOr(x, y) },
  logicalXor: { doc: "either x or y, not both", forward: (m, x, y) => m.logicalXor(x, y) },
  logicalNot: { doc: "not x", forward: (m, x) => m.logicalNot(x) },
} satisfies Record<string, { doc: string; forward: <T, C>(m: Arithmetic<T, C>, x: C, y: C) => C }>;

/** Elementwise choice: the operand not taken gets no gradient, not even 0 * Infinity. */
export const choice = {
  where: {
    doc: "x where the condition holds, y elsewhere",
    domain: [
      [0, 1],
      [-3, 3],
      [-3, 3],
    ],
    integer: true,
    forward: (m, c, x, y) => m.where(c, x, y),
    partials: [null, (m, c) => m.when(c, m.const(1)), (m, c) => m.when(m.logicalNot(c), m.const(1))],
  },
} satisfies Record<
  string,
  {
    doc: string;
    domain: Domain;
    integer: boolean;
    forward: <T, C>(m: Arithmetic<T, C>, c: C, x: T, y: T) => T;
    partials: readonly [
      null,
      <T, C>(m: Arithmetic<T, C>, c: C, x: T, y: T, out: T) => Partial_<T, C>,
      <T, C>(m: Arithmetic<T, C>, c: C, x: T, y: T, out: T) => Partial_<T, C>,
    ];
  }
>;

export type { Binary, Comparison, Logical, Unary };
