import {
  concat,
  crossEntropy,
  embedding,
  grad,
  InputError,
  logSoftmax,
  param,
  scan,
  ShapeError,
  type Value,
  value,
  where,
} from "@unroll/autograd";
import { sgd } from "@unroll/autograd/optim";
import { key, randn } from "@unroll/autograd/random";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { lstmCell, type LstmState } from "../../src/cells/lstm.js";
import { gradientHealth } from "../../src/training/gradientHealth.js";
import { outputsOf, type SequenceTask } from "../../src/training/sequenceTask.js";
import { truncatedBptt, truncatedGradient, type Truncation, truncationError } from "../../src/training/truncatedBptt.js";

interface Linear {
  readonly a: Value;
  readonly b: Value;
}

/** h_t = a h_{t-1} + b x_t, E = Σ (h_t - y_t)². */
function linearTask(xs: readonly number[], ys: readonly number[], init = 0.3): SequenceTask<Linear, Value> {
  return {
    cell: ({ a, b }, h, x) => {
      const next = a.mul(h).add(b.mul(x));
      return [next, next];
    },
    init: value(init),
    inputs: value(xs),
    targets: value(ys),
    loss: (_params, outputs, targets) => outputs.sub(targets).square().sum(),
  };
}

/**
 * By hand: dh_t/da = h_{t-1} + a dh_{t-1}/da, dh_t/db = x_t + a dh_{t-1}/db, from zero at the start of the window that the loss of step t
 * falls into. Also the sums of the absolute terms, which rounding errors are in proportion to.
 */
function byHand(xs: readonly number[], ys: readonly number[], init: number, a: number, b: number, { stride, window }: Truncation) {
  const hs = [init];
  for (const x of xs) hs.push(a * hs.at(-1)! + b * x);
  const sums = { a: 0, b: 0, scale: 1 };
  for (let t = 1; t <= xs.length; t++) {
    const end = Math.min(Math.ceil(t / stride) * stride, xs.length);
    let [da, db] = [0, 0];
    for (let s = Math.max(0, end - window) + 1; s <= t; s++) [da, db] = [hs[s - 1]! + a * da, xs[s - 1]! + a * db];
    sums.a += 2 * (hs[t]! - ys[t - 1]!) * da;
    sums.b += 2 * (hs[t]! - ys[t - 1]!) * db;
    sums.scale += Math.abs(2 * (hs[t]! - ys[t - 1]!)) * (Math.abs(da) + Math.abs(db));
  }
  return { ...sums, last: hs.at(-1)! };
}

const small = fc.double({ min: -2, max: 2, noNaN: true });

describe("truncated backpropagation through time", () => {
  test("is the sum over each loss's own window, computed by hand", () => {
    const cases = fc.record({
      pairs: fc.array(fc.tuple(small, small), { minLength: 1, maxLength: 12 }),
      init: small,
      a: fc.double({ min: -1.2, max: 1.2, noNaN: true }),
      b: small,
      stride: fc.integer({ min: 1, max: 14 }),
      beyond: fc.integer({ min: 0, max: 14 }),
    });
    fc.assert(
      fc.property(cases, ({ pairs, init, a, b, stride, beyond }) => {
        const [xs, ys] = [pairs.map(([x]) => x), pairs.map(([, y]) => y)];
        const truncation = { stride, window: stride + beyond };
        const found = truncatedGradient(linearTask(xs, ys, init), { a: value(a), b: value(b) }, truncation);
        const expected = byHand(xs, ys, init, a, b, truncation);
        expect(Math.abs(found.gradient.a.item() - expected.a)).toBeLessThanOrEqual(1e-13 * expected.scale);
        expect(Math.abs(found.gradient.b.item() - expected.b)).toBeLessThanOrEqual(1e-13 * expected.scale);
        expect(found.carry.item()).toBeCloseTo(expected.last, 12);
      }),
    );
  });

  test("on three steps, written out", () => {
    // h = 1, 0.5 + 2, 1.25 + 4 with a = 0.5, b = 1, x = 1, 2, 4; E = Σ h; dE/da with a window of 1 is h_0 + h_1 + h_2.
    const task = { ...linearTask([1, 2, 4], [0, 0, 0], 0), loss: (_: Linear, outputs: Value) => outputs.sum() };
    const at = (stride: number, window: number) =>
      truncatedGradient(task, { a: value(0.5), b: value(1) }, { stride, window }).gradient.a.item();
    expect(at(1, 1)).toBe(0 + 1 + 2.5);
    expect(at(1, 2)).toBe(0 + 1 + (2.5 + 0.5 * 1));
    expect(at(2, 2)).toBe(0 + 1 + (2.5 + 0.5 * 1)); // the last stretch has one step, but a window of two
    expect(at(3, 3)).toBe(0 + 1 + (2.5 + 0.5 * 1));
  });
});

/** A readout on an LSTM with H = 3, on T = 9 steps of B = 2 sequences with I = 2. */
interface Network {
  readonly cell: Record<"weight_ih" | "weight_hh" | "bias_ih" | "bias_hh", Value>;
  readonly weight: Value;
}
const draw = (n: number, shape: number[], scale = 1) => randn(key(n), shape).mul(scale);
const network = (): Network => ({
  cell: { weight_ih: draw(1, [12, 2]), weight_hh: draw(2, [12, 3]), bias_ih: draw(3, [12]), bias_hh: draw(4, [12]) },
  weight: draw(5, [3, 1]),
});
const lstmTask: SequenceTask<Network, LstmState> = {
  cell: (params, carry, x) => lstmCell(params.cell, carry, x),
  init: [draw(6, [2, 3]), draw(7, [2, 3])],
  inputs: draw(8, [9, 2, 2]),
  targets: draw(9, [9, 2, 1]),
  loss: ({ weight }, outputs, targets) => outputs.matmul(weight).sub(targets).square().sum(),
};

/** The same loss without any of the machinery. */
function wholeLoss(params: Network): Value {
  const { init, inputs, targets, loss } = lstmTask;
  const [, outputs] = scan<LstmState, Value, Value>((carry, x) => lstmCell(params.cell, carry, x), init, inputs);
  return loss(params, outputs, targets);
}

const flat = ({ cell, weight }: Network) => [cell.weight_ih, cell.weight_hh, cell.bias_ih, cell.bias_hh, weight];

describe("an LSTM", () => {
  const full = grad((params: Network) => wholeLoss(params))(network());

  test.for([9, 10, 1000])("with a stride and a window of %i the gradient is the full one, bit for bit", (k) => {
    const { gradient, loss } = truncatedGradient(lstmTask, network(), { stride: k, window: k });
    expect(flat(gradient).map((g) => g.toArray())).toEqual(flat(full).map((g) => g.toArray()));
    expect(loss).toBe(wholeLoss(network()).item());
  });

  test.for([1, 2, 4, 7])("with a stride of %i and a window over all it is the full one, but for rounding", (stride) => {
    const { relative, cosine } = truncationError(lstmTask, network(), { stride, window: 9 });
    expect(relative).toBeLessThan(1e-14);
    expect(cosine).toBeCloseTo(1, 14);
  });

  test("with a window of one, each step sees only its own use of the weights", () => {
    const { gradient } = truncatedGradient(lstmTask, network(), { stride: 1, window: 1 });
    // The same, by detaching the carry in the loop.
    const cut = grad((params: Network) => {
      let [h, c] = lstmTask.init;
      let sum = value(0);
      for (let t = 0; t < 9; t++) {
        [[h, c]] = lstmCell(params.cell, [h.detach(), c.detach()], lstmTask.inputs.slice(t));
        sum = sum.add(lstmTask.loss(params, h.reshape([1, 2, 3]), lstmTask.targets.slice([t, t + 1])));
      }
      return sum;
    })(network());
    flat(gradient).forEach((g, k) => {
      const [x, y] = [g, flat(cut)[k]!];
      expect(x.sub(y).abs().max().item()).toBeLessThan(1e-13 * y.abs().sum().item());
    });
  });

  test("the error falls as the window grows, and is told by param", () => {
    const errors = [1, 2, 4, 9].map((window) => truncationError(lstmTask, network(), { stride: 1, window }));
    const relative = errors.map((e) => e.relative);
    expect(relative).toEqual([...relative].sort((x, y) => y - x));
    expect(relative[0]).toBeGreaterThan(0.01);
    const [first] = errors;
    expect([...first!.byParameter.keys()]).toEqual(["cell.weight_ih", "cell.weight_hh", "cell.bias_ih", "cell.bias_hh", "weight"]);
    // The readout is used outside of the recurrence, so that truncation does not touch it.
    expect(first!.byParameter.get("weight")!.relative).toBeLessThan(1e-14);
    const { byParameter, error, full: length } = first!;
    expect(Math.hypot(...[...byParameter.values()].map((e) => e.error))).toBeCloseTo(error, 12);
    expect(length).toBeCloseTo(Math.hypot(...flat(full).map((g) => Math.sqrt(g.square().sum().item()))), 12);
    expect(first!.truncatedGradient.weight.shape).toEqual([3, 1]);
  });

  test("params that collect gradients are left alone", () => {
    const params = { cell: network().cell, weight: param(network().weight.data, { shape: [3, 1] }) };
    const { gradient } = truncatedGradient(lstmTask, params, { stride: 2, window: 3 });
    expect(params.weight.hasGrad).toBe(false);
    expect(gradient.weight.requiresGrad).toBe(false);
  });
});

describe("trees of inputs, targets, outputs and carries", () => {
  interface Seen {
    readonly token: Value;
    readonly more: readonly [Value];
  }
  interface Wanted {
    readonly next: Value;
    readonly size: Value;
  }
  interface Kept {
    readonly memory: LstmState;
    readonly steps: Value;
  }
  interface Weights extends Network {
    readonly table: Value;
    readonly logits: Value;
  }
  const tokens = (n: number) =>
    value(
      Int32Array.from(draw(n, [9, 2]).data, (x) => Math.abs(Math.trunc(3 * Number(x))) % 4),
      { shape: [9, 2] },
    );
  const task: SequenceTask<Weights, Kept, Seen, Wanted, { readonly scores: Value; readonly size: Value }> = {
    cell: (p, { memory, steps }, { token, more: [x] }) => {
      const [next, h] = lstmCell(p.cell, memory, concat([embedding(p.table, token), x], { axis: 1 }));
      return [
        { memory: next, steps: steps.add(1) },
        { scores: h.matmul(p.logits), size: h.matmul(p.weight) },
      ];
    },
    init: { memory: [draw(6, [2, 3]), draw(7, [2, 3])], steps: value([0, 0]) },
    inputs: { token: tokens(21), more: [draw(22, [9, 2, 1])] },
    targets: { next: tokens(23), size: draw(24, [9, 2, 1]) },
    loss: (_p, { scores, size }, { next, size: wanted }) =>
      crossEntropy(scores.reshape([-1, 4]), next.reshape([-1]), { reduction: "sum" }).add(size.sub(wanted).square().sum()),
  };
  const weights = (): Weights => ({ ...network(), table: draw(25, [4, 1]), logits: draw(26, [3, 4]) });

  /** The same network of one input [T, B, 2], one output [T, B, 5] and one target: the token's number beside the rest. */
  const single: SequenceTask<Weights, LstmState> = {
    cell: (p, memory, x) => {
      const [token, more] = [x.slice(null, [0, 1]), x.slice(null, [1, 2])];
      const row = where(token.eq([0, 1, 2, 3]), 1, 0).matmul(p.table);
      const [next, h] = lstmCell(p.cell, memory, concat([row, more], { axis: 1 }));
      return [next, concat([h.matmul(p.logits), h.matmul(p.weight)], { axis: 1 })];
    },
    init: task.init.memory,
    inputs: concat([task.inputs.token.reshape([9, 2, 1]).mul(1), task.inputs.more[0]], { axis: 2 }),
    targets: concat([task.targets.next.reshape([9, 2, 1]).mul(1), task.targets.size], { axis: 2 }),
    loss: (_p, outputs, targets) => {
      const [scores, size] = [outputs.slice(null, null, [0, 4]), outputs.slice(null, null, [4, 5])];
      const chosen = where(targets.slice(null, null, [0, 1]).eq([0, 1, 2, 3]), logSoftmax(scores, { axis: 2 }), 0)
        .sum()
        .neg();
      return chosen.add(
        size
          .sub(targets.slice(null, null, [1, 2]))
          .square()
          .sum(),
      );
    },
  };
  const parts = ({ table, logits, ...rest }: Weights) => [table, logits, ...flat(rest)];

  test.for([
    [9, 9],
    [2, 3],
    [1, 1],
  ] as const)("with a stride of %i and a window of %i give what single Values give", ([stride, window]) => {
    const [found, expected] = [task, single].map((each) => truncatedGradient(each as typeof single, weights(), { stride, window }));
    expect(Math.abs(found!.loss / expected!.loss - 1)).toBeLessThan(1e-14);
    parts(found!.gradient as Weights).forEach((g, k) => {
      const other = parts(expected!.gradient as Weights)[k]!;
      expect(g.sub(other).abs().max().item()).toBeLessThan(1e-13 * Math.max(1, other.abs().sum().item()));
    });
    const { carry } = truncatedGradient(task, weights(), { stride, window });
    expect(carry.steps.toArray()).toEqual([9, 9]);
    expect(carry.memory[1].sub(expected!.carry[1]).abs().max().item()).toBeLessThan(1e-14);
  });

  test("train, and tell the health of the gradient", () => {
    const rule = sgd({ learningRate: 0.01 });
    const update = (p: Weights, g: Weights) => rule.update(p, g, rule.init(p))[0];
    const options = { stride: 3, window: 6, update };
    let [params, carry] = [weights(), task.init];
    let [others, memory] = [weights(), single.init];
    for (let pass = 0; pass < 5; pass++) {
      const ours = truncatedBptt({ ...task, init: carry }, params, options);
      const theirs = truncatedBptt({ ...single, init: memory }, others, options);
      ours.losses.forEach((loss, k) => expect(Math.abs(loss / theirs.losses[k]! - 1)).toBeLessThan(1e-12));
      [params, carry, others, memory] = [ours.params, ours.carry, theirs.params, theirs.carry];
    }
    expect(carry.steps.toArray()).toEqual([45, 45]);
    const [found, expected] = [gradientHealth(task, weights()), gradientHealth(single, weights())];
    found.lags.forEach(({ norms }, lag) => {
      expect([...norms.keys()]).toEqual(["memory.0", "memory.1", "steps"]);
      expect(norms.get("memory.0")).toBeCloseTo(expected.lags[lag]!.norms.get("0")!, 12);
    });
  });

  test.for<[string, object, string]>([
    ["targets of another length", { targets: { next: tokens(1), size: draw(1, [8, 2, 1]) } }, "targets.size have shape [8, 2, 1]"],
    ["inputs of two lengths", { inputs: { token: tokens(1), more: [draw(1, [8, 2, 1])] } }, "inputs.more.0 have shape [8, 2, 1]"],
    ["no inputs", { inputs: {} }, "no Value in inputs"],
    ["numbers", { inputs: { token: tokens(1), more: [[1, 2]] } }, "inputs must be a Value or a tree of Values"],
  ])("%s are refused", ([, change, message]) => {
    const run = () => truncatedGradient({ ...task, ...change } as typeof task, weights(), { stride: 3, window: 3 });
    expect(run).toThrow(message);
  });
});

describe("the error of truncation", () => {
  test("of nothing is nothing", () => {
    const task = { ...linearTask([0, 0], [0, 0], 0) };
    const found = truncationError(task, { a: value(1), b: value(1) }, { stride: 1, window: 1 });
    expect(found).toMatchObject({ full: 0, truncated: 0, error: 0, relative: 0, cosine: 1 });
  });

  test("gives length, relative length and cosine", () => {
    const task: SequenceTask<Value, Value> = {
      cell: (p, h, x) => {
        const next = h.add(p.mul(x).sum());
        return [next, next];
      },
      init: value(0),
      inputs: value([
        [3, 0],
        [0, 4],
      ]), // h_1 = 3 p_0, h_2 = h_1 + 4 p_1
      targets: value([0, 0]),
      loss: (_p, outputs) => outputs.sum(), // full: (3 + 3, 4); with a window of one: (3, 4)
    };
    const { full, truncated, error, relative, cosine } = truncationError(task, value([1, 1]), { stride: 1, window: 1 });
    expect([truncated, error]).toEqual([5, 3]);
    expect(full).toBeCloseTo(Math.sqrt(52), 14);
    expect(relative).toBeCloseTo(3 / Math.sqrt(52), 15);
    expect(cosine).toBeCloseTo((18 + 16) / (5 * Math.sqrt(52)), 15);
  });

  test("is refused where the loss is a mean over the steps", () => {
    const task = { ...lstmTask, loss: (_: Network, outputs: Value) => outputs.square().mean() };
    expect(() => truncationError(task, network(), { stride: 2, window: 4 })).toThrow(/must be a sum over the steps/);
  });
});

describe("training", () => {
  test("updates after each stretch, from the carry that the last pass left", () => {
    const seen: number[] = [];
    const xs = [1, 2, 3, 4, 5];
    const task = linearTask(xs, [0, 0, 0, 0, 0], 0);
    const update = (params: Linear, _gradient: unknown, loss: number) => {
      seen.push(loss);
      return { a: params.a.mul(0.5), b: params.b };
    };
    const { params, losses, carry } = truncatedBptt(task, { a: value(1), b: value(1) }, { stride: 2, window: 3, update });
    // Steps 1, 2 with a = 1: h = 1, 3. Steps 2, 3, 4 with a = 0.5 from h_1 = 1: 2.5, 4.25, 6.125. Steps 3, 4, 5 with a = 0.25 from h_2 = 2.5.
    const [h3, h4] = [0.25 * 2.5 + 3, 0.25 * (0.25 * 2.5 + 3) + 4];
    expect(losses).toEqual([1 + 9, 4.25 ** 2 + 6.125 ** 2, (0.25 * h4 + 5) ** 2]);
    expect(h3).toBe(3.625);
    expect(seen).toEqual(losses);
    expect(carry.item()).toBe(0.25 * h4 + 5);
    expect(params.a.item()).toBe(0.125);
  });

  test("params that are changed in place are read anew", () => {
    const a = param(1);
    const task = linearTask([1, 1], [0, 0], 0);
    const update = (params: Linear) => {
      a.set(0);
      return params;
    };
    expect(truncatedBptt(task, { a, b: value(1) }, { stride: 1, window: 1, update }).losses).toEqual([1, 1]);
  });

  test("with one stretch it is a step of gradient descent", () => {
    const rule = sgd({ learningRate: 0.1 });
    const params = network();
    const update = (p: Network, g: Network) => rule.update(p, g, rule.init(p))[0];
    const moved = truncatedBptt(lstmTask, params, { stride: 9, window: 9, update }).params;
    const full = grad((p: Network) => wholeLoss(p))(params);
    expect(moved.weight.toArray()).toEqual(params.weight.sub(full.weight.mul(0.1)).toArray());
  });

  test("keeps no more carries than windows need, and no graph", () => {
    const steps = 2_000;
    const task = linearTask(Array<number>(steps).fill(0.1), Array<number>(steps).fill(0));
    const { loss } = truncatedGradient(task, { a: value(0.9), b: value(1) }, { stride: 1, window: 5 });
    expect(loss).toBeGreaterThan(0);
  });
});

test("outputs of a stretch are those of the whole", () => {
  const all = outputsOf("test", lstmTask, network(), lstmTask.init, [0, 9], () => {});
  let state = lstmTask.init;
  outputsOf("test", lstmTask, network(), state, [0, 4], (next) => (state = next));
  expect(outputsOf("test", lstmTask, network(), state, [4, 9], () => {}).toArray()).toEqual(all.slice([4, null]).toArray());
});

describe("bad input", () => {
  const task = linearTask([1, 2], [1, 2]);
  const params = { a: value(1), b: value(1) };
  test.for<[string, () => unknown, typeof InputError | typeof ShapeError, string]>([
    [
      "a window shorter than the stride",
      () => truncatedGradient(task, params, { stride: 2, window: 1 }),
      InputError,
      "shorter than the stride",
    ],
    ["a stride of 0", () => truncatedGradient(task, params, { stride: 0, window: 1 }), InputError, "stride is a whole number of steps"],
    ["half a window", () => truncatedGradient(task, params, { stride: 1, window: 1.5 }), InputError, "window is a whole number of steps"],
    [
      "targets of another length",
      () => truncatedGradient({ ...task, targets: value([1]) }, params, { stride: 1, window: 1 }),
      ShapeError,
      "2 steps",
    ],
    [
      "no steps",
      () => truncatedGradient({ ...task, inputs: value([1]).slice([0, 0]) }, params, { stride: 1, window: 1 }),
      ShapeError,
      "no steps",
    ],
    ["a scalar", () => truncatedGradient({ ...task, inputs: value(1) }, params, { stride: 1, window: 1 }), ShapeError, "no steps"],
    [
      "plain arrays",
      () => truncatedGradient({ ...task, inputs: [1, 2] as never }, params, { stride: 1, window: 1 }),
      InputError,
      "make one with value",
    ],
  ])("%s", ([, call, error, message]) => {
    expect(call).toThrow(error);
    expect(call).toThrow(message);
  });
});
