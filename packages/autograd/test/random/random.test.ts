import { describe, expect, test } from "vitest";
import { DTypeError, InputError } from "../../src/index.js";
import { foldIn, key, randn, splitKey, uniform } from "../../src/random/index.js";
import { threefry2x32 } from "../../src/random/threefry.js";

describe("threefry2x32", () => {
  // Known-answer vectors of the Random123 distribution (kat_vectors, threefry2x32, 20 rounds).
  test.each([
    [
      [0, 0],
      [0, 0],
      [0x6b200159, 0x99ba4efe],
    ],
    [
      [0xffffffff, 0xffffffff],
      [0xffffffff, 0xffffffff],
      [0x1cb996fc, 0xbb002be7],
    ],
    [
      [0x13198a2e, 0x03707344],
      [0x243f6a88, 0x85a308d3],
      [0xc4923a9c, 0x483df7a0],
    ],
  ] as const)("key %j, counter %j", ([k0, k1], [x0, x1], expected) => {
    const out = new Uint32Array(2);
    threefry2x32(k0, k1, x0, x1, out);
    expect([...out]).toEqual(expected);
  });
});

describe("draws", () => {
  test("depend on the key alone", () => {
    expect(uniform(key(7), [5]).toArray()).toEqual(uniform(key(7), [5]).toArray());
    expect(uniform(key(7), [5]).toArray()).not.toEqual(uniform(key(8), [5]).toArray());
    const [a, b] = splitKey(key(7));
    const streams = [key(7), a, b, foldIn(key(7), 0), foldIn(key(7), 1)].map((k) => uniform(k as ReturnType<typeof key>, []).item());
    expect(new Set(streams).size).toBe(streams.length);
  });

  test("moments of 100,000 draws lie within five standard errors", () => {
    const n = 100_000;
    const u = uniform(key(1), [n], { low: 2, high: 5 });
    expect(Math.abs(u.mean().item() - 3.5)).toBeLessThan(5 * Math.sqrt(9 / 12 / n));
    expect(Math.abs(u.variance().item() - 0.75)).toBeLessThan(5 * 0.75 * Math.sqrt(0.8 / n));
    const x = randn(key(2), [n]);
    expect(Math.abs(x.mean().item())).toBeLessThan(5 / Math.sqrt(n));
    expect(Math.abs(x.variance().item() - 1)).toBeLessThan(5 * Math.sqrt(2 / n));
    expect(Math.abs(x.pow(4).mean().item() - 3)).toBeLessThan(5 * Math.sqrt(96 / n));
    expect(
      Math.abs(
        x
          .slice([0, -1])
          .mul(x.slice([1, null]))
          .mean()
          .item(),
      ),
    ).toBeLessThan(5 / Math.sqrt(n));
  });

  test("float32, shapes, and what is refused", () => {
    const x = randn(key(3), [2, 3], { dtype: "float32" });
    expect([x.dtype, x.shape]).toEqual(["float32", [2, 3]]);
    expect(() => randn(key(3), [2], { dtype: "int32" })).toThrow(DTypeError);
    expect(() => key(0.5)).toThrow(InputError);
    expect(() => randn(3 as never, [2])).toThrow(/expected a key of numbers, such as key\(0\)/);
    expect(() => foldIn(key(1), -1)).toThrow(InputError);
  });
});

describe("uniform draws stay below their upper end", () => {
  test("also where rounding would bring them there", () => {
    // This key's first draw is within half a step of 1 in single precision.
    expect(uniform(key(43287483), [1], { dtype: "float32" }).item()).toBe(1 - 2 ** -24);
    const next = 1 + 2 ** -52;
    expect(uniform(key(0), [1000], { low: 1, high: next }).max().item()).toBe(1);
    expect(uniform(key(0), [1000], { low: -1, high: 0 }).max().item()).toBeLessThan(0);
    const wide = uniform(key(0), [1000], { low: 1e8, high: 1e8 + 8, dtype: "float32" });
    expect(new Set(wide.data)).toEqual(new Set([1e8]));
  });

  test("and ends between which there is nothing are refused", () => {
    for (const [low, high] of [
      [1, 1],
      [2, 1],
      [NaN, 1],
      [0, Infinity],
      [-1.7e308, 1.7e308],
    ] as const) // prettier-ignore
      expect(() => uniform(key(0), [2], { low, high })).toThrow(InputError);
  });
});
