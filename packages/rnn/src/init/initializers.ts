/** How weights are drawn before training: seeded functions of a key and a shape. */
import { concat, full, InputError, type Shape, ShapeError, type Value, value } from "@unroll/autograd";
import { type Key, randn, splitKey, uniform } from "@unroll/autograd/random";

export interface DrawOptions {
  /** float64 (default) or float32. */
  readonly dtype?: "float64" | "float32" | undefined;
}

/** Draws an array of a shape; the same key gives the same numbers. */
export type Initializer = (key: Key, shape: Shape, options?: DrawOptions) => Value;

/**
 * Every element the same number.
 *
 * @example
 * import { key } from "@unroll/autograd/random";
 * console.log(constantInit(1)(key(0), [2]).toArray()); // [ 1, 1 ]
 */
export function constantInit(x: number): Initializer {
  return (_key, shape, { dtype = "float64" } = {}) => full(shape, x, { dtype });
}

/**
 * Uniform draws from [low, high). Throws InputError where low > high.
 *
 * @example
 * import { key } from "@unroll/autograd/random";
 * const w = uniformInit({ low: -0.1, high: 0.1 })(key(0), [4, 3]);
 * console.log(w.shape, w.abs().max().item() <= 0.1); // [ 4, 3 ] true
 */
export function uniformInit({ low, high }: { readonly low: number; readonly high: number }): Initializer {
  if (!(low <= high)) throw new InputError(`uniformInit: low is ${low} and high ${high}; low is the smaller one`);
  return (key, shape, { dtype = "float64" } = {}) => uniform(key, shape, { low, high, dtype });
}

/**
 * Normal draws with a mean (default 0) and a standard deviation (default 1). Throws InputError where that is negative.
 *
 * @example
 * import { key } from "@unroll/autograd/random";
 * const w = normalInit({ deviation: 0.1 })(key(0), [100, 100]);
 * console.log(Math.abs(w.mean().item()) < 0.01); // true
 */
export function normalInit({ mean = 0, deviation = 1 }: { readonly mean?: number; readonly deviation?: number } = {}): Initializer {
  if (!(deviation >= 0)) throw new InputError(`normalInit: the standard deviation is ${deviation}; it is a number >= 0`);
  return (key, shape, options) => rounded(randn(key, shape).mul(deviation).add(mean), options);
}

export interface GainOptions {
  /** Factor on the standard deviation, such as 5/3 before tanh; default 1. */
  readonly gain?: number;
}

/**
 * Uniform draws with the variance gain² · 2 / (I + O) for a matrix [O, I], which keeps the variance of signals and gradients in balance.
 * Source: X. Glorot and Y. Bengio, AISTATS 2010. The function given throws ShapeError for an array that is not a matrix.
 *
 * @example
 * import { key } from "@unroll/autograd/random";
 * const w = xavierUniform()(key(0), [20, 10]);
 * console.log(w.abs().max().item() <= Math.sqrt(6 / 30)); // true
 */
export function xavierUniform({ gain = 1 }: GainOptions = {}): Initializer {
  return uniformOf("xavierUniform", ([outputs, inputs]) => (2 * gain ** 2) / (inputs + outputs));
}

/**
 * Normal draws with the variance of xavierUniform.
 *
 * @example
 * import { key } from "@unroll/autograd/random";
 * console.log(xavierNormal()(key(0), [20, 10]).shape); // [ 20, 10 ]
 */
export function xavierNormal({ gain = 1 }: GainOptions = {}): Initializer {
  return normalOf("xavierNormal", ([outputs, inputs]) => (2 * gain ** 2) / (inputs + outputs));
}

export interface KaimingOptions {
  /** Which length of a matrix [O, I] to divide by: "in", I (default), keeps the variance forwards, "out", O, backwards. */
  readonly fan?: "in" | "out";
  /** Factor on the standard deviation; default sqrt(2), for relu. */
  readonly gain?: number;
}

/**
 * Uniform draws with the variance gain² / I for a matrix [O, I]. Source: K. He et al., ICCV 2015. The function given throws ShapeError
 * for an array that is not a matrix.
 *
 * @example
 * import { key } from "@unroll/autograd/random";
 * const w = kaimingUniform()(key(0), [20, 10]);
 * console.log(w.abs().max().item() <= Math.sqrt(6 / 10)); // true
 */
export function kaimingUniform(options: KaimingOptions = {}): Initializer {
  return uniformOf("kaimingUniform", kaimingVariance(options));
}

/**
 * Normal draws with the variance of kaimingUniform.
 *
 * @example
 * import { key } from "@unroll/autograd/random";
 * console.log(kaimingNormal({ fan: "out" })(key(0), [20, 10]).shape); // [ 20, 10 ]
 */
export function kaimingNormal(options: KaimingOptions = {}): Initializer {
  return normalOf("kaimingNormal", kaimingVariance(options));
}

function kaimingVariance({ fan = "in", gain = Math.SQRT2 }: KaimingOptions): (shape: Matrix) => number {
  return ([outputs, inputs]) => gain ** 2 / (fan === "in" ? inputs : outputs);
}

/**
 * A random matrix with orthonormal columns, or rows where it is wider than high, times a gain; square ones are spread evenly over the
 * orthogonal group. Keeps the norm of what passes through many steps. Source: A. Saxe, J. McClelland and S. Ganguli, ICLR 2014.
 * The function given throws ShapeError for an array that is not a matrix.
 *
 * @example
 * import { key } from "@unroll/autograd/random";
 * const q = orthogonal()(key(0), [3, 3]);
 * const off = q.matmul(q.transpose()).sub([[1, 0, 0], [0, 1, 0], [0, 0, 1]]);
 * console.log(off.abs().max().item() < 1e-14); // true
 */
export function orthogonal({ gain = 1 }: GainOptions = {}): Initializer {
  return (key, shape, options) => {
    const [rows, columns] = matrix("orthogonal", shape);
    const [count, length] = [Math.min(rows, columns), Math.max(rows, columns)];
    const vectors = orthonormal(randn(key, [count, length]).data as Float64Array, count, length);
    const oriented = value(vectors, { shape: [count, length] }).mul(gain);
    return rounded(rows <= columns ? oriented : oriented.transpose(), options);
  };
}

/**
 * Ones on the diagonal, times a gain: with relu, what a recurrent network starts with to remember (Q. Le, N. Jaitly and G. Hinton,
 * arXiv 1504.00941, 2015). The function given throws ShapeError for an array that is not a matrix.
 *
 * @example
 * import { key } from "@unroll/autograd/random";
 * console.log(identityInit()(key(0), [2, 2]).toArray()); // [ [ 1, 0 ], [ 0, 1 ] ]
 */
export function identityInit({ gain = 1 }: GainOptions = {}): Initializer {
  return (_key, shape, options) => {
    const [rows, columns] = matrix("identityInit", shape);
    const ones = Float64Array.from({ length: rows * columns }, (_, k) => (Math.floor(k / columns) === k % columns ? gain : 0));
    return rounded(value(ones, { shape }), options);
  };
}

type Matrix = readonly [outputs: number, inputs: number];

function uniformOf(op: string, variance: (shape: Matrix) => number): Initializer {
  return (key, shape, { dtype = "float64" } = {}) => {
    const bound = Math.sqrt(3 * variance(matrix(op, shape)));
    return uniform(key, shape, { low: -bound, high: bound, dtype });
  };
}

function normalOf(op: string, variance: (shape: Matrix) => number): Initializer {
  return (key, shape, options) => rounded(randn(key, shape).mul(Math.sqrt(variance(matrix(op, shape)))), options);
}

function matrix(op: string, shape: Shape): Matrix {
  const [outputs, inputs] = shape;
  if (shape.length === 2 && outputs !== undefined && inputs !== undefined) return [outputs, inputs];
  throw new ShapeError(`${op}: expected the shape of a matrix [outputs, inputs], got [${shape.join(", ")}]`);
}

/** Draws are made in float64, and rounded once. */
function rounded(x: Value, { dtype = "float64" }: DrawOptions = {}): Value {
  return dtype === "float32" ? value(Float32Array.from(x.data), { shape: x.shape }) : x;
}

/**
 * Rows made orthonormal in turn, each against those before it, twice: once leaves errors where rows were nearly parallel. Each row keeps
 * its direction, which is what spreads the result evenly (F. Mezzadri, Notices of the AMS 54, 2007).
 */
function orthonormal(rows: Float64Array, count: number, length: number): Float64Array {
  const row = (i: number): Float64Array => rows.subarray(i * length, (i + 1) * length);
  for (let i = 0; i < count; i++) {
    for (const j of [...Array(i).keys(), ...Array(i).keys()]) {
      const along = dot(row(i), row(j));
      row(i).forEach((x, k) => {
        row(i)[k] = x - along * row(j)[k]!;
      });
    }
    const norm = Math.sqrt(dot(row(i), row(i)));
    row(i).forEach((x, k) => {
      row(i)[k] = x / norm;
    });
  }
  return rows;
}

const dot = (x: Float64Array, y: Float64Array): number => x.reduce((sum, e, k) => sum + e * y[k]!, 0);

/** Internal: an initialiser for each of n blocks of rows, with a key of its own. */
export function concatInit(initializer: Initializer, n: number): Initializer {
  return (key, [rows, ...rest], options) =>
    concat(splitKey(key, n).map((own) => initializer(own, [(rows as number) / n, ...rest], options)));
}
