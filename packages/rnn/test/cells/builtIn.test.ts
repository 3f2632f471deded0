import { InputError, ones, ShapeError, type Value, zeros } from "@unroll/autograd";
import { contributions } from "@unroll/autograd/inspect";
import { key } from "@unroll/autograd/random";
import { describe, expect, it } from "vitest";
import {
  type Cell,
  cellParams,
  elmanReluCell,
  elmanTanhCell,
  gru,
  gruCell,
  type LayerParams,
  lstm,
  lstmCell,
  rnn,
  unroll,
} from "../../src/index.js";
import { draw } from "../draws.js";
import { RUNNERS } from "../runners.js";

const [T, B, I, H] = [6, 3, 2, 4];
const xs = draw("xs", [T, B, I], 2);
const lengths = [6, 1, 4];
const sizes = { inputSize: I, hiddenSize: H, bidirectional: true };

/** A cell, the layer made of it, and the units of each part of its state. */
const cells = [
  ["elmanTanhCell", elmanTanhCell, rnn(sizes), [H]],
  ["elmanReluCell", elmanReluCell, rnn({ ...sizes, nonlinearity: "relu" }), [H]],
  ["gruCell", gruCell, gru(sizes), [H]],
  ["gruCell without biases", gruCell, gru({ ...sizes, bias: false }), [H]],
  ["lstmCell", lstmCell, lstm(sizes), [H, H]],
  ["lstmCell with projection", lstmCell, lstm({ ...sizes, projSize: 2 }), [2, H]],
] as const;

const distance = (x: Value, y: Value): number => x.sub(y).abs().max().item();

describe.each(RUNNERS)("a built-in cell, one step after the other, is its layer: $name", ({ inside }) => {
  it.each(cells)("%s", (_name, cell, layer, widths) => {
    const params = layer.init(key(1));
    const { outputs } = (
      layer as typeof layer & { apply(p: LayerParams, xs: Value, state: undefined, o: object): { outputs: Value } }
    ).apply(params, xs, undefined, { lengths });
    const parts = widths.map((width) => zeros([B, width]));
    const start = (parts.length === 1 ? parts[0] : parts) as never;
    ["l0", "l0_reverse"].forEach((suffix, k) => {
      const outputsOf = inside(
        (p: LayerParams, x: Value) =>
          unroll(cell as Cell<unknown, unknown>, cellParams(p, suffix), start, x, { lengths, reverse: k === 1 })[1],
      );
      const found = outputsOf(params, xs);
      const width = outputs.shape[2]! / 2;
      expect(distance(found, outputs.slice(null, null, [k * width, (k + 1) * width]))).toBeLessThan(1e-15);
    });
  });
});

it.each(cells)("%s takes one input without a batch, with a state that has none", (_name, cell, layer, widths) => {
  const params = cellParams(layer.init(key(3)));
  const run = (rows: readonly number[]): Value[] => {
    const parts = widths.map((width, k) => draw(`state ${k}`, [width]).reshape([...rows, width]));
    const start = (parts.length === 1 ? parts[0] : parts) as never;
    const [next, output] = (cell as unknown as Cell<typeof params, Value | Value[]>)(params, start, draw("x", [I]).reshape([...rows, I]));
    return [output, ...(Array.isArray(next) ? next : [next])];
  };
  const [alone, among] = [run([]), run([1])];
  expect(alone.map(({ shape }) => shape)).toEqual([[widths[0]], ...widths.map((width) => [width])]);
  alone.forEach((x, k) => expect(x.toArray()).toEqual(among[k]!.slice(0).toArray()));
});

describe("a cell says what does not fit", () => {
  const weights = { weight_ih: ones([4 * H, I]), weight_hh: ones([4 * H, H]), bias_ih: ones([4 * H]), bias_hh: ones([4 * H]) };
  const [h, c, x] = [zeros([B, H]), zeros([B, H]), ones([B, I])];
  const { weight_hh: _, ...incomplete } = weights;
  it.each([
    [
      "inputs of another size",
      () => lstmCell(weights, [h, c], ones([B, I + 1])),
      ShapeError,
      /lstmCell: the input has shape \[3, 3\], expected \[B, 2\]/,
    ],
    ["inputs over time", () => lstmCell(weights, [h, c], ones([T, B, I])), ShapeError, /the input has shape \[6, 3, 2\]/],
    ["inputs that are no Value", () => lstmCell(weights, [h, c], [[1, 2]] as never), InputError, /the input must be a Value/],
    [
      "a state of another batch",
      () => lstmCell(weights, [h, zeros([1, H])], x),
      ShapeError,
      /the state c has shape \[1, 4\], expected \[3, 4\]/,
    ],
    [
      "a state of another width",
      () => lstmCell(weights, [zeros([B, 5]), c], x),
      ShapeError,
      /the state h has shape \[3, 5\], expected \[3, 4\]/,
    ],
    ["half a state", () => lstmCell(weights, h as never, x), InputError, /lstmCell: expected as state \[h, c\], a list of Values/],
    [
      "too much of a state",
      () => gruCell({ weight_ih: ones([12, I]), weight_hh: ones([12, H]) }, [h, c] as never, x),
      InputError,
      /gruCell: expected as state h, one Value/,
    ],
    ["missing weights", () => lstmCell(incomplete as never, [h, c], x), InputError, /weight_ih and weight_hh must be Values; cellParams/],
    [
      "weights of other gates",
      () => gruCell(weights, h, x),
      ShapeError,
      /gruCell: weight_ih has shape \[16, 2\], expected \[G H, I\] for the 3 gates/,
    ],
    [
      "weights of another shape",
      () => lstmCell({ ...weights, weight_hh: ones([H, 4 * H]) }, [h, c], x),
      ShapeError,
      /weight_hh has shape \[4, 16\], expected \[16, 4\]/,
    ],
    [
      "a bias that would stretch",
      () => lstmCell({ ...weights, bias_hh: ones([1]) }, [h, c], x),
      ShapeError,
      /bias_hh has shape \[1\], expected \[16\]/,
    ],
    [
      "a projection of another shape",
      () => lstmCell({ ...weights, weight_hr: ones([H, 3]) }, [h, c], x),
      ShapeError,
      /weight_hr has shape \[4, 3\], expected \[4, 4\]/,
    ],
  ] as const)("%s", (_name, act, kind, message) => {
    expect(act).toThrow(kind);
    expect(act).toThrow(message);
  });
});

it("a cell that is unrolled leaves a use of its weights in each step, whose contributions add up to the gradient", () => {
  const params = cellParams(gru({ inputSize: I, hiddenSize: H }).init(key(2)));
  const [last] = unroll(gruCell, params, zeros([B, H]), xs);
  const shares = contributions(last.sum(), params.weight_hh, { by: "scope" });
  expect(shares.map(({ label }) => label)).toEqual(Array.from({ length: T }, (_, t) => `step ${t + 1}`));
  last.sum().backward();
  const total = shares.map((share) => share.value).reduce((a, b) => a.add(b));
  expect(distance(total, params.weight_hh.grad)).toBeLessThan(1e-15);
});

describe("unroll", () => {
  /** Carries a tree: the sum of what it saw, and how many steps that were. */
  const counter: Cell<null, { readonly sum: Value; readonly count: readonly [Value] }> = (_params, { sum, count }, x) => {
    const next = { sum: sum.add(x), count: [count[0].add(1)] as const };
    return [next, next.sum];
  };
  const start = { sum: zeros([B, I]), count: [zeros([B])] as const };

  it("carries trees of Values of any rank, each sequence to its own end", () => {
    const [last] = unroll(counter, null, start, ones([T, B, I]), { lengths });
    expect(last.sum.toArray()).toEqual([
      [6, 6],
      [1, 1],
      [4, 4],
    ]);
    expect(last.count[0].toArray()).toEqual([6, 1, 4]);
  });

  it("in reverse starts at each sequence's own end, and leaves outputs at their steps", () => {
    const steps = draw("steps", [T, B, I]);
    const [last, outputs] = unroll(counter, null, start, steps, { lengths, reverse: true });
    lengths.forEach((length, b) => {
      const own = steps.slice([0, length], b);
      expect(distance(last.sum.slice(b), own.sum({ axis: 0 }))).toBeLessThan(1e-15);
      expect(distance(outputs.slice(length - 1, b), own.slice(length - 1))).toBe(0);
      if (length < T) expect(outputs.slice([length], b).abs().max().item()).toBe(0);
    });
  });

  it.each([
    [[6, 6], /unroll: got 2 lengths for 3 sequences/],
    [[6, 7, 1], /unroll: the length of sequence 1 is 7; lengths are whole numbers from 1 to the 6 steps/],
    [[0, 1, 1], /unroll: the length of sequence 0 is 0/],
  ])("refuses the lengths %j", (odd, message) => expect(() => unroll(counter, null, start, xs, { lengths: odd })).toThrow(message));

  it("says that lengths need a batch", () => {
    const sum: Cell<null, Value> = (_params, total, x) => [total.add(x), total.add(x)];
    expect(() => unroll(sum, null, zeros([]), ones([3]), { lengths: [3] })).toThrow(/unroll: lengths are for inputs \[T, B, ...\]/);
  });
});
