import type { Shape, Value } from "@unroll/autograd";
import { key } from "@unroll/autograd/random";
import { describe, expect, it, test } from "vitest";
import {
  constantInit,
  identityInit,
  type Initializer,
  kaimingNormal,
  kaimingUniform,
  normalInit,
  orthogonal,
  uniformInit,
  xavierNormal,
  xavierUniform,
} from "../../src/index.js";

const SHAPE: Shape = [120, 80];
const COUNT = 120 * 80;

/** What the published formulas give for a matrix of 120 outputs and 80 inputs. `fourth`: E x⁴ / (E x²)², 9/5 if uniform, 3 if normal. */
const distributions: readonly (readonly [name: string, Initializer, mean: number, variance: number, fourth: number])[] = [
  ["uniformInit", uniformInit({ low: -0.5, high: 0.5 }), 0, 1 / 12, 9 / 5],
  ["normalInit", normalInit({ mean: 2, deviation: 0.5 }), 2, 0.25, 3],
  ["xavierUniform", xavierUniform(), 0, 2 / 200, 9 / 5],
  ["xavierUniform, gain 5/3", xavierUniform({ gain: 5 / 3 }), 0, (2 / 200) * (25 / 9), 9 / 5],
  ["xavierNormal", xavierNormal(), 0, 2 / 200, 3],
  ["kaimingUniform", kaimingUniform(), 0, 2 / 80, 9 / 5],
  ["kaimingUniform, fan out", kaimingUniform({ fan: "out" }), 0, 2 / 120, 9 / 5],
  ["kaimingNormal, gain 1", kaimingNormal({ gain: 1 }), 0, 1 / 80, 3],
];

const meanOf = (xs: readonly number[]): number => xs.reduce((a, b) => a + b, 0) / xs.length;
const numbers = (x: Value): number[] => Array.from(x.data, Number);

describe("moments", () => {
  it.each(distributions)("%s has the mean, variance and kurtosis of its formula", (_name, draw, mean, variance, fourth) => {
    const deviations = numbers(draw(key(11), SHAPE)).map((x) => x - mean);
    const squares = deviations.map((d) => d * d);
    // Five standard errors of each estimate.
    expect(Math.abs(meanOf(deviations))).toBeLessThan(5 * Math.sqrt(variance / COUNT));
    expect(Math.abs(meanOf(squares) / variance - 1)).toBeLessThan(5 * Math.sqrt((fourth - 1) / COUNT));
    expect(Math.abs(meanOf(squares.map((s) => (s / variance) ** 2)) / fourth - 1)).toBeLessThan(0.15);
  });

  it("a uniform draw stays inside its bounds, and comes near them", () => {
    const bound = Math.sqrt(6 / 200);
    const largest = Math.max(...numbers(xavierUniform()(key(1), SHAPE)).map(Math.abs));
    expect(largest).toBeLessThanOrEqual(bound);
    expect(largest).toBeGreaterThan(0.99 * bound);
  });
});

/** The largest element of Q Qᵀ - g² I, or of Qᵀ Q - g² I where Q is higher than wide. */
function distanceFromOrthonormal(q: Value, gain: number): number {
  const [rows, columns] = q.shape as [number, number];
  const gram = rows <= columns ? q.matmul(q.transpose()) : q.transpose().matmul(q);
  return gram
    .sub(identityInit({ gain: gain ** 2 })(key(0), gram.shape))
    .abs()
    .max()
    .item();
}

describe("orthogonal", () => {
  it.each([[[1, 1]], [[5, 5]], [[40, 40]], [[12, 3]], [[3, 12]]])("%j has orthonormal rows or columns", (shape) => {
    expect(distanceFromOrthonormal(orthogonal()(key(5), shape), 1)).toBeLessThan(1e-14);
    expect(distanceFromOrthonormal(orthogonal({ gain: 3 })(key(5), shape), 3)).toBeLessThan(1e-13);
  });

  it("is spread evenly: over keys, each element has mean 0 and variance 1/n, and rotations are as frequent as reflections", () => {
    const draws = Array.from({ length: 2000 }, (_, seed) => numbers(orthogonal()(key(seed), [2, 2])));
    for (const place of [0, 1, 2, 3]) {
      const elements = draws.map((q) => q[place]!);
      expect(Math.abs(meanOf(elements))).toBeLessThan(5 * Math.sqrt(0.5 / 2000));
      expect(Math.abs(meanOf(elements.map((x) => x * x)) - 0.5)).toBeLessThan(5 * Math.sqrt(0.125 / 2000));
    }
    const rotations = draws.filter(([a, b, c, d]) => a! * d! - b! * c! > 0).length;
    expect(Math.abs(rotations / 2000 - 0.5)).toBeLessThan(5 * Math.sqrt(0.25 / 2000));
  });
});

const all: readonly (readonly [string, Initializer])[] = [
  ...distributions.map(([name, draw]) => [name, draw] as const),
  ["orthogonal", orthogonal()],
  ["identityInit", identityInit()],
  ["constantInit", constantInit(3)],
];

describe("every initialiser", () => {
  it.each(all)("%s gives the same numbers for the same key, in the dtype asked for", (_name, draw) => {
    expect(numbers(draw(key(2), [6, 4]))).toEqual(numbers(draw(key(2), [6, 4])));
    const single = draw(key(2), [6, 4], { dtype: "float32" });
    expect([single.dtype, single.shape]).toEqual(["float32", [6, 4]]);
    expect(numbers(single)).toEqual(Array.from(Float32Array.from(numbers(draw(key(2), [6, 4])))));
  });

  it.each(all.slice(0, -2))("%s gives other numbers for another key", (_name, draw) => {
    expect(numbers(draw(key(2), [6, 4]))).not.toEqual(numbers(draw(key(3), [6, 4])));
  });
});

test.each([
  ["orthogonal", () => orthogonal()(key(0), [3])],
  ["xavierNormal", () => xavierNormal()(key(0), [3, 3, 3])],
  ["identityInit", () => identityInit()(key(0), [])],
])("%s of an array that is no matrix is an error", (name, draw) => {
  expect(draw).toThrow(new RegExp(`^${name}: expected the shape of a matrix`));
});

test.each([
  ["uniformInit", () => uniformInit({ low: 1, high: 0 })],
  ["normalInit", () => normalInit({ deviation: -1 })],
  ["uniformInit", () => uniformInit({ low: Number.NaN, high: 0 })],
])("%s refuses bounds that are none", (name, make) => expect(make).toThrow(name));
