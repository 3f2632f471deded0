import { InputError, ShapeError, value } from "@unroll/autograd";
import { foldIn, key } from "@unroll/autograd/random";
import { describe, expect, test } from "vitest";
import { greedyTokens, sampleTokens, type SamplingOptions } from "../../src/generation/sampling.js";

const LOGITS = [Math.log(0.5), Math.log(0.3), -Infinity, Math.log(0.15), Math.log(0.05)];

/** How often each token comes in n draws of a row. */
function frequencies(logits: readonly number[], options: SamplingOptions, n = 20_000): number[] {
  const rows = value(
    Float64Array.from({ length: n * logits.length }, (_, k) => logits[k % logits.length]!),
    { shape: [n, logits.length] },
  );
  const counts = logits.map(() => 0);
  for (const token of sampleTokens(key(11), rows, options).data) counts[token]! += 1;
  return counts.map((count) => count / n);
}

/** Within 4.5 standard deviations of a share of n draws: a correct sampler fails about once in 100,000 such checks. */
function expectShares(found: readonly number[], expected: readonly number[], n = 20_000): void {
  expected.forEach((p, k) => {
    if (p === 0) expect(found[k]).toBe(0);
    else expect(Math.abs(found[k]! - p)).toBeLessThan(4.5 * Math.sqrt((p * (1 - p)) / n) + 1e-12);
  });
}

describe("drawing tokens", () => {
  test("follows softmax, and never takes what is ruled out", () => expectShares(frequencies(LOGITS, {}), [0.5, 0.3, 0, 0.15, 0.05]));

  test("temperature 0.5 squares the odds", () => {
    const squares = [0.25, 0.09, 0, 0.0225, 0.0025];
    expectShares(
      frequencies(LOGITS, { temperature: 0.5 }),
      squares.map((x) => x / 0.365),
    );
  });

  test("temperature 2 takes their root", () => {
    const roots = [0.5, 0.3, 0, 0.15, 0.05].map(Math.sqrt);
    const total = roots.reduce((x, y) => x + y);
    expectShares(
      frequencies(LOGITS, { temperature: 2 }),
      roots.map((x) => x / total),
    );
  });

  test("top-2 leaves the two most likely in their proportion", () =>
    expectShares(frequencies(LOGITS, { topK: 2 }), [0.625, 0.375, 0, 0, 0]));

  test("of equal logits top-k takes the first", () =>
    expectShares(frequencies([1, 3, 1, 1], { topK: 2 }), softmax([1, 3, -Infinity, -Infinity])));

  test("top-1 is greedy", () => {
    const rows = value([
      [1, 4, 4],
      [9, -2, 3],
    ]);
    expect(sampleTokens(key(3), rows, { topK: 1 }).toArray()).toEqual(greedyTokens(rows).toArray());
  });

  test("top-k above the number of tokens takes all", () => expect(frequencies(LOGITS, { topK: 99 })).toEqual(frequencies(LOGITS, {})));

  test("large logits and small temperatures do not overflow", () => {
    expect(frequencies([1e308, 0.9e308], { temperature: 1e-300 }, 100)).toEqual([1, 0]);
    expectShares(frequencies([1e6, 1e6], {}), [0.5, 0.5]);
  });

  test("the same key draws the same, another key something else", () => {
    const rows = value(
      Float64Array.from({ length: 400 }, (_, k) => k % 7),
      { shape: [100, 4] },
    );
    const draw = (n: number) => sampleTokens(foldIn(key(5), n), rows).toArray();
    expect(draw(1)).toEqual(draw(1));
    expect(draw(1)).not.toEqual(draw(2));
  });

  test("float32 logits are taken, and tokens are int32", () => {
    expect(sampleTokens(key(1), value(Float32Array.of(0, 50), { shape: [1, 2] })).dtype).toBe("int32");
    expect(greedyTokens(value([[0, 1]])).dtype).toBe("int32");
  });
});

test("greedy takes the first of equal ones", () => {
  expect(
    greedyTokens(
      value([
        [1, 3, 3],
        [-Infinity, -5, -7],
        [-1, -1, -1],
      ]),
    ).toArray(),
  ).toEqual([1, 1, 0]);
});

describe.for([
  ["greedyTokens", (rows: number[][]) => greedyTokens(value(rows))],
  ["sampleTokens", (rows: number[][]) => sampleTokens(key(0), value(rows))],
] as const)("%s", ([, choose]) => {
  test.for([
    [[[0, NaN]]],
    [[[0, Infinity]]],
    [
      [
        [1, 2],
        [-Infinity, -Infinity],
      ],
    ],
  ])("refuses logits %j", ([rows]) => {
    expect(() => choose(rows!)).toThrow(InputError);
  });
  test("refuses other shapes", () => {
    expect(() => choose([1, 2] as never)).toThrow(ShapeError);
  });
});

test.for([
  { temperature: 0 },
  { temperature: -1 },
  { temperature: NaN },
  { temperature: Infinity },
  { topK: 0 },
  { topK: 1.5 },
  { topK: NaN },
])("refuses %j", (options) => {
  expect(() => sampleTokens(key(0), value([[1, 2]]), options)).toThrow(InputError);
});

function softmax(xs: readonly number[]): number[] {
  const weights = xs.map(Math.exp);
  const total = weights.reduce((x, y) => x + y);
  return weights.map((x) => x / total);
}
