import type { Arithmetic, PartialOf } from "./algebra.js";

interface Unary {
  /** An int32 or bool operand stays an integer; otherwise it becomes float64 first. */
  readonly integer?: boolean;
  readonly forward: <T, C>(m: Arithmetic<T, C>, x: T) => T;
  readonly partials: readonly [<T, C>(m: Arithmetic<T, C>, x: T, out: T) => PartialOf<T, C>];
}

interface Binary {
  readonly integer?: boolean;
  readonly forward: <T, C>(m: Arithmetic<T, C>, x: T, y: T) => T;
  readonly partials: readonly [
    <T, C>(m: Arithmetic<T, C>, x: T, y: T, out: T) => PartialOf<T, C>,
    <T, C>(m: Arithmetic<T, C>, x: T, y: T, out: T) => PartialOf<T, C>,
  ];
}

interface Comparison {
  readonly forward: <T, C>(m: Arithmetic<T, C>, x: T, y: T) => C;
}

/**
 * Every elementwise function of the library with a derivative; everything else about them is read from here. The comment of an entry is
 * the first sentence of its public docstring (comments do not ship: as strings they were 1.3 % of the core).
 */
export const unary = {
  /** The value itself, as a new node of the graph. */
  identity: {
    integer: true,
    forward: (_m, x) => x,
    partials: [(m) => m.const(1)],
  },
  /** -x. */
  neg: {
    integer: true,
    forward: (m, x) => m.neg(x),
    partials: [(m) => m.const(-1)],
  },
  /** e to the power x. */
  exp: {
    forward: (m, x) => m.exp(x),
    partials: [(_m, _x, out) => out],
  },
  /** exp(x) - 1, accurate near 0. */
  expm1: {
    forward: (m, x) => m.expm1(x),
    partials: [(m, _x, out) => m.add(out, m.const(1))],
  },
  /** Natural logarithm; NaN below 0. */
  log: {
    forward: (m, x) => m.log(x),
    partials: [(m, x) => m.div(m.const(1), x)],
  },
  /** log(1 + x), accurate near 0; NaN below -1. */
  log1p: {
    forward: (m, x) => m.log1p(x),
    partials: [(m, x) => m.div(m.const(1), m.add(x, m.const(1)))],
  },
  /** Square root; NaN below 0. */
  sqrt: {
    forward: (m, x) => m.sqrt(x),
    partials: [(m, _x, out) => m.div(m.const(0.5), out)],
  },
  /** x times x. */
  square: {
    integer: true,
    forward: (m, x) => m.mul(x, x),
    partials: [(m, x) => m.mul(m.const(2), x)],
  },
  /** Absolute value; its derivative at 0 is 0. */
  abs: {
    integer: true,
    forward: (m, x) => m.abs(x),
    partials: [(m, x) => m.sign(x)],
  },
  /** -1, 0 or 1 (0 and -0 as they are, NaN for NaN); its derivative is 0 everywhere. */
  sign: {
    integer: true,
    forward: (m, x) => m.sign(x),
    partials: [(m) => m.const(0)],
  },
  /** 1 / x. */
  reciprocal: {
    forward: (m, x) => m.div(m.const(1), x),
    partials: [(m, _x, out) => m.neg(m.mul(out, out))],
  },
  /** Sine of x in radians. */
  sin: {
    forward: (m, x) => m.sin(x),
    partials: [(m, x) => m.cos(x)],
  },
  /** Cosine of x in radians. */
  cos: {
    forward: (m, x) => m.cos(x),
    partials: [(m, x) => m.neg(m.sin(x))],
  },
  /** Hyperbolic tangent. */
  tanh: {
    forward: (m, x) => m.tanh(x),
    partials: [(m, _x, out) => m.sub(m.const(1), m.mul(out, out))],
  },
  /** Logistic function 1 / (1 + exp(-x)). */
  sigmoid: {
    forward: (m, x) => m.div(m.const(1), m.add(m.const(1), m.exp(m.neg(x)))),
    partials: [(m, _x, out) => m.mul(out, m.sub(m.const(1), out))],
  },
  /** x where x > 0, else 0; its derivative at 0 is 0. */
  relu: {
    integer: true,
    forward: (m, x) => m.maximum(x, m.const(0)),
    partials: [(m, x) => m.when(m.gt(x, m.const(0)), m.const(1))],
  },
  /** log(1 + exp(x)). */
  softplus: {
    // exp(x) overflows above 709: the exponential is taken of -|x|, and x added back above 0.
    forward: (m, x) => m.add(m.maximum(x, m.const(0)), m.log1p(m.exp(m.neg(m.abs(x))))),
    // The logistic function as 1 - exp(-out): all its derivatives are numbers, also where exp(-x) overflows.
    partials: [(m, _x, out) => m.neg(m.expm1(m.neg(out)))],
  },
} satisfies Record<string, Unary>;

export const binary = {
  /** x + y. */
  add: {
    integer: true,
    forward: (m, x, y) => m.add(x, y),
    partials: [(m) => m.const(1), (m) => m.const(1)],
  },
  /** x - y. */
  sub: {
    integer: true,
    forward: (m, x, y) => m.sub(x, y),
    partials: [(m) => m.const(1), (m) => m.const(-1)],
  },
  /** x times y. */
  mul: {
    integer: true,
    forward: (m, x, y) => m.mul(x, y),
    partials: [(_m, _x, y) => y, (_m, x) => x],
  },
  /** x / y, in floating point for integers too. */
  div: {
    forward: (m, x, y) => m.div(x, y),
    partials: [(m, _x, y) => m.div(m.const(1), y), (m, _x, y, out) => m.neg(m.div(out, y))],
  },
  /** x to the power y; NaN for x < 0 and a y that is not whole. */
  pow: {
    forward: (m, x, y) => m.pow(x, y),
    partials: [
      // x^0 is constant; without the guard its derivative at x = 0 would be 0 * 0^-1 = NaN.
      (m, x, y) => m.when(m.ne(y, m.const(0)), m.mul(y, m.pow(x, m.sub(y, m.const(1))))),
      // 0^y is 0 for every y > 0; without the guard 0 * log 0 = NaN.
      (m, x, y, out) => m.when(m.logicalNot(m.logicalAnd(m.eq(x, m.const(0)), m.ge(y, m.const(0)))), m.mul(out, m.log(x))),
    ],
  },
  /** The larger of x and y, elementwise; NaN if either is; ties share the gradient. */
  maximum: {
    integer: true,
    forward: (m, x, y) => m.maximum(x, y),
    partials: [
      (m, x, y) => m.when(m.ge(x, y), m.where(m.eq(x, y), m.const(0.5), m.const(1))),
      (m, x, y) => m.when(m.ge(y, x), m.where(m.eq(x, y), m.const(0.5), m.const(1))),
    ],
  },
  /** The smaller of x and y, elementwise; NaN if either is; ties share the gradient. */
  minimum: {
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
  eq: { forward: (m, x, y) => m.eq(x, y) },
  ne: { forward: (m, x, y) => m.ne(x, y) },
  lt: { forward: (m, x, y) => m.lt(x, y) },
  le: { forward: (m, x, y) => m.le(x, y) },
  gt: { forward: (m, x, y) => m.gt(x, y) },
  ge: { forward: (m, x, y) => m.ge(x, y) },
} satisfies Record<string, Comparison>;

/** Logical functions of conditions: any number counts as true unless it is 0 (NaN is true, as in NumPy). */
export const logical = {
  logicalAnd: { forward: (m, x, y) => m.logicalAnd(x, y) },
  logicalOr: { forward: (m, x, y) => m.logicalOr(x, y) },
  logicalXor: { forward: (m, x, y) => m.logicalXor(x, y) },
  logicalNot: { forward: (m, x) => m.logicalNot(x) },
} satisfies Record<string, { forward: <T, C>(m: Arithmetic<T, C>, x: C, y: C) => C }>;

/** Elementwise choice: the operand not taken gets no gradient, not even 0 * Infinity. */
export const choice = {
  /** x where the condition holds, y elsewhere. */
  where: {
    integer: true,
    forward: (m, c, x, y) => m.where(c, x, y),
    partials: [null, (m, c) => m.when(c, m.const(1)), (m, c) => m.when(m.logicalNot(c), m.const(1))],
  },
} satisfies Record<
  string,
  {
    integer: boolean;
    forward: <T, C>(m: Arithmetic<T, C>, c: C, x: T, y: T) => T;
    partials: readonly [
      null,
      <T, C>(m: Arithmetic<T, C>, c: C, x: T, y: T, out: T) => PartialOf<T, C>,
      <T, C>(m: Arithmetic<T, C>, c: C, x: T, y: T, out: T) => PartialOf<T, C>,
    ];
  }
>;
