import { embedding, InputError, param, ShapeError, type Value, value } from "@unroll/autograd";
import { key } from "@unroll/autograd/random";
import { describe, expect, test } from "vitest";
import type { Cell } from "../../src/cells/cell.js";
import { generate } from "../../src/generation/generate.js";

/** Scores of what follows each of four tokens, and a count of the tokens taken in. */
const follows: Cell<Value, number> = (table, count, token) => [count + 1, embedding(table, token)];
const cycle = value([
  [0, 1, 0, 0],
  [0, 0, 1, 0],
  [0, 0, 0, 1],
  [1, 0, 0, 0],
]);
const even = value(new Float64Array(16), { shape: [4, 4] });

/** What follows depends on the sum of all tokens so far, mod 4. */
const sums: Cell<null, Value> = (_params, sum, token) => {
  const next = sum.add(token);
  return [next, embedding(cycle, value(Int32Array.from(next.data, (x) => x % 4)))];
};

describe("generation", () => {
  test("greedy: each token is the most likely after all before it", () => {
    // Sums mod 4: 1 + 2 = 3 → 0; 3 + 0 = 3 → 0; …  and 2 + 3 = 1 → 2; 1 + 2 = 3 → 0.
    const { tokens, carry } = generate(sums, null, value(Int32Array.of(0, 0)), {
      prompt: [
        [1, 2],
        [2, 3],
      ],
      maxLength: 3,
    });
    expect(tokens).toEqual([
      [0, 0, 0],
      [2, 0, 0],
    ]);
    // All but the last token have been taken in.
    expect(carry.toArray()).toEqual([3, 7]);
  });

  test("sequences end at their own end token, which is the last", () => {
    const { tokens, ended, carry } = generate(follows, cycle, 0, { prompt: [[0, 2, 3]], maxLength: 3, endToken: 3 });
    expect(tokens).toEqual([[1, 2, 3], [3], [0, 1, 2]]);
    expect(ended).toEqual([true, true, false]);
    expect(carry).toBe(3); // one token of the prompt, and two of three that followed
  });

  test("it stops once all have ended", () => {
    const { tokens, carry } = generate(follows, cycle, 0, { prompt: [[0, 1]], maxLength: 1000, endToken: 2 });
    expect(tokens).toEqual([[1, 2], [2]]);
    expect(carry).toBe(2);
  });

  test("an end token in the prompt ends nothing", () => {
    expect(generate(follows, cycle, 0, { prompt: [2, 2], maxLength: 2, endToken: 2 }).tokens).toEqual([[3, 0]]);
  });

  test("a maximum length of 0 only takes the prompt in", () => {
    expect(generate(follows, cycle, 0, { prompt: [0, 1, 2], maxLength: 0 })).toEqual({ tokens: [[]], ended: [false], carry: 3 });
  });

  test("drawn: the key decides, and each token has a draw of its own", () => {
    const run = (n: number) => generate(follows, even, 0, { prompt: [0], maxLength: 200, sample: { key: key(n) } }).tokens[0]!;
    expect(run(1)).toEqual(run(1));
    expect(run(1)).not.toEqual(run(2));
    const counts = [0, 1, 2, 3].map((token) => run(1).filter((x) => x === token).length);
    for (const count of counts) expect(Math.abs(count - 50)).toBeLessThan(4.5 * Math.sqrt(200 * 0.25 * 0.75));
  });

  test("sequences of a batch are drawn independently", () => {
    const [first, second] = generate(follows, even, 0, { prompt: [[0, 0]], maxLength: 100, sample: { key: key(4) } }).tokens;
    expect(first).not.toEqual(second);
  });

  test("temperature and top-k are heeded", () => {
    const table = value([
      [0, 1, 2, 3],
      [0, 1, 2, 3],
      [0, 1, 2, 3],
      [0, 1, 2, 3],
    ]);
    const run = (sample: object) =>
      new Set(generate(follows, table, 0, { prompt: [0], maxLength: 300, sample: { key: key(1), ...sample } }).tokens[0]);
    expect(run({})).toEqual(new Set([0, 1, 2, 3]));
    expect(run({ topK: 2 })).toEqual(new Set([2, 3]));
    expect(run({ temperature: 0.01 })).toEqual(new Set([3]));
  });

  test("nothing is recorded", () => {
    let recorded = false;
    const cell: Cell<Value, null> = (table, carry, token) => {
      const logits = embedding(table, token);
      recorded ||= logits.requiresGrad;
      return [carry, logits];
    };
    generate(cell, param(cycle.data, { shape: [4, 4] }), null, { prompt: [0], maxLength: 2 });
    expect(recorded).toBe(false);
  });
});

test.for<[string, () => unknown, typeof InputError | typeof ShapeError]>([
  ["an empty prompt", () => generate(follows, cycle, 0, { prompt: [], maxLength: 1 }), InputError],
  ["a prompt that is a number", () => generate(follows, cycle, 0, { prompt: 1, maxLength: 1 }), InputError],
  ["half a token", () => generate(follows, cycle, 0, { prompt: [0.5], maxLength: 1 }), InputError],
  ["a negative token", () => generate(follows, cycle, 0, { prompt: [-1], maxLength: 1 }), InputError],
  ["a negative length", () => generate(follows, cycle, 0, { prompt: [0], maxLength: -1 }), InputError],
  ["a length without end", () => generate(follows, cycle, 0, { prompt: [0], maxLength: Infinity }), InputError],
  ["half an end token", () => generate(follows, cycle, 0, { prompt: [0], maxLength: 1, endToken: 0.5 }), InputError],
  [
    "a temperature of 0",
    () => generate(follows, cycle, 0, { prompt: [0], maxLength: 1, sample: { key: key(0), temperature: 0 } }),
    InputError,
  ],
  [
    "outputs that are no logits",
    () => generate((_p: Value, c: null, t: Value) => [c, t], cycle, null, { prompt: [0], maxLength: 1 }),
    ShapeError,
  ],
])("refuses %s", ([, call, error]) => {
  expect(call).toThrow(error);
});
