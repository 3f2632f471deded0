import { InputError, param, stack, type Value, value } from "@unroll/autograd";
import { describe, expect, test } from "vitest";
import type { Cell } from "../../src/cells/cell.js";
import { type LstmCellParams, lstmCell, type LstmState } from "../../src/cells/lstm.js";
import { gradientHealth } from "../../src/training/gradientHealth.js";
import type { SequenceTask } from "../../src/training/sequenceTask.js";
import { recurrentSpectralRadius } from "../../src/training/spectralRadius.js";
import reference from "./fixtures/health.json" with { type: "json" };

/** h_t = a h_{t-1} + x_t from h_0, E_t = (h_t - y_t)² / 2. */
function linearTask(xs: readonly number[], ys: readonly number[], init = 0): SequenceTask<Value, Value> {
  return {
    cell: (a, h, x) => {
      const next = a.mul(h).add(x);
      return [next, next];
    },
    init: value(init),
    inputs: value(xs),
    targets: value(ys),
    loss: (_a, outputs, targets) => outputs.sub(targets).square().mul(0.5).sum(),
  };
}

function states(a: number, xs: readonly number[], init: number): number[] {
  const hs = [init];
  for (const x of xs) hs.push(a * hs.at(-1)! + x);
  return hs;
}

const XS = [0.5, -1, 2, 0.25, 1, -0.75];
const YS = [0, 0, 0, 1, 0, 3];

describe("h_t = a h_{t-1} + x_t", () => {
  test.for([0.5, -0.9, 1, 1.7])("with a = %d the length of dE/dh falls as |a|^lag", (a) => {
    const hs = states(a, XS, 0.2);
    const { lags, factor, spectralRadius } = gradientHealth(linearTask(XS, YS, 0.2), value(a));
    expect(lags.map(({ lag }) => lag)).toEqual([0, 1, 2, 3, 4, 5, 6]);
    for (const { lag, norm, norms } of lags) {
      expect(norm).toBeCloseTo(Math.abs(a) ** lag * Math.abs(hs[6]! - 3), 12);
      expect([...norms]).toEqual([["", norm]]);
    }
    expect(factor).toBeCloseTo(Math.abs(a), 12);
    expect(spectralRadius).toMatchObject({ converged: true });
    expect(spectralRadius.radius).toBeCloseTo(Math.abs(a), 12);
  });

  test("the share of a lag is what its step adds to dE/da", () => {
    const a = 0.8;
    const hs = states(a, XS, 0.2);
    const parts = XS.map((_, t) => Math.abs(a ** (XS.length - 1 - t) * hs[t]!)); // step t uses h_t, the state before it
    const total = parts.reduce((x, y) => x + y, 0);
    const { lags } = gradientHealth(linearTask(XS, YS, 0.2), value(a));
    for (const { lag, share } of lags) expect(share).toBeCloseTo(lag === 6 ? 0 : parts[5 - lag]! / total, 12);
  });

  test("the loss of an earlier step leaves the later ones out", () => {
    const hs = states(0.5, XS, 0);
    const { lags } = gradientHealth(linearTask(XS, YS), value(0.5), { step: 4 });
    expect(lags.map(({ norm }) => norm)).toEqual([0, 1, 2, 3, 4].map((lag) => 0.5 ** lag * Math.abs(hs[4]! - 1)));
  });

  test("0.5 over 20 steps vanishes, and the warning says by how much", () => {
    const { verdict, warning } = gradientHealth(linearTask(Array<number>(20).fill(1), Array<number>(20).fill(0)), value(0.5));
    expect(verdict).toBe("vanishing");
    expect(warning).toBe(
      "the gradient vanishes: at distance 10 from the loss, dE/dh is 9.8e-4 times its length at distance 0 (limit 1.0e-3), at distance 20 9.5e-7 times its length at distance 0; the spectral radius of dh_t/dh_(t-1) is 0.5",
    );
  });

  test("2 over 20 steps explodes, and the warning says by how much", () => {
    const { verdict, warning } = gradientHealth(linearTask(Array<number>(20).fill(1), Array<number>(20).fill(0)), value(2));
    expect(verdict).toBe("exploding");
    expect(warning).toBe(
      "the gradient explodes: at distance 10 from the loss, dE/dh is 1024 times its length at distance 0 (limit 1000); the spectral radius of dh_t/dh_(t-1) is 2",
    );
  });

  test.for([0.9, 1, 1.1])("%d over 20 steps is healthy", (a) => {
    const found = gradientHealth(linearTask(Array<number>(20).fill(1), Array<number>(20).fill(0)), value(a));
    expect([found.verdict, found.warning]).toEqual(["healthy", null]);
  });

  test("a carry that is passed on as it is has the gradient of each step, not their sum", () => {
    const cell =
      (passed: (q: Value) => Value): Cell<Value, readonly [Value, Value]> =>
      (a, [h, q], x) => {
        const next = h.mul(a).add(q).add(x);
        return [[next, passed(q)], next];
      };
    const normsBy = (passed: (q: Value) => Value) =>
      gradientHealth(
        { ...linearTask([0, 0, 0, 0], [0, 0, 0, 0]), cell: cell(passed), init: [value(0), value(0)], loss: (_a, y) => y.sum() },
        value(0.5),
      ).lags.map(({ norms }) => norms.get("1"));
    expect(normsBy((q) => q)).toEqual([0, 1, 1.5, 1.75, 1.875]);
    expect(normsBy((q) => q)).toEqual(normsBy((q) => q.add(0)));
  });

  test("the limits are the caller's", () => {
    const task = linearTask(XS, YS);
    expect(gradientHealth(task, value(0.9), { vanishing: 0.6 }).verdict).toBe("vanishing");
    expect(gradientHealth(task, value(1.1), { exploding: 1.5 }).verdict).toBe("exploding");
  });

  test("a gradient that overflows explodes, whatever the limit", () => {
    const task = linearTask(Array<number>(400).fill(1e-300), Array<number>(400).fill(1));
    const { verdict, warning, lags } = gradientHealth({ ...task, loss: (_a, outputs) => outputs.sum() }, value(10), {
      exploding: Infinity,
    });
    expect(verdict).toBe("exploding");
    expect(lags.findIndex(({ norm }) => norm === Infinity)).toBe(309);
    expect(warning).toContain("at distance 309 from the loss, dE/dh is Infinity times");
  });

  test("a state that the loss does not depend on is told", () => {
    const task: SequenceTask<Value, Value> = { ...linearTask(XS, YS), cell: (a, h, x) => [h, x.mul(a)] };
    expect(gradientHealth(task, value(1)).warning).toContain("does not depend on the state");
  });

  test("a state that is cut on the way has no gradient beyond the cut", () => {
    const task = linearTask(XS, YS);
    const { lags, verdict } = gradientHealth({ ...task, cell: (a, h, x) => task.cell(a, h.detach(), x) }, value(0.9));
    expect(lags.map(({ norm }) => norm > 0)).toEqual([true, false, false, false, false, false, false]);
    expect(verdict).toBe("vanishing");
  });

  test("neither the params nor the initial state of the caller collect a gradient", () => {
    const [a, h] = [param(0.9), param(0.1)];
    gradientHealth({ ...linearTask(XS, YS), init: h }, a);
    expect([a.hasGrad, h.hasGrad]).toEqual([false, false]);
  });
});

describe("an LSTM, against PyTorch", () => {
  const { lstm } = reference;
  const { weight_ih, weight_hh, bias_ih, bias_hh } = lstm.params;
  const params: LstmCellParams = {
    weight_ih: value(weight_ih),
    weight_hh: value(weight_hh),
    bias_ih: value(bias_ih),
    bias_hh: value(bias_hh),
  };
  const xs = value(lstm.xs);
  const task: SequenceTask<LstmCellParams, LstmState> = {
    cell: lstmCell,
    init: [value(lstm.init[0]!), value(lstm.init[1]!)],
    inputs: xs,
    targets: xs,
    loss: (_params, outputs) => outputs.square().sum(),
  };
  const found = gradientHealth(task, params);

  test("dE/dh_t and dE/dc_t are what retain_grad gives", () => {
    const inTime = [...found.lags].reverse();
    const agree = (name: string, expected: readonly number[]) =>
      inTime.forEach(({ norms }, t) => expect(Math.abs(norms.get(name)! / expected[t]! - 1)).toBeLessThan(1e-12));
    agree("0", lstm.normsOfH);
    agree("1", lstm.normsOfC);
    const last = found.lags.at(-1)!;
    expect(last.norm).toBeCloseTo(Math.hypot(lstm.normsOfH[0]!, lstm.normsOfC[0]!), 14);
  });

  test("the spectral radius of the last step's Jacobian is that of NumPy's eigenvalues", () => {
    expect(found.spectralRadius.converged).toBe(true);
    expect(Math.abs(found.spectralRadius.radius / lstm.spectralRadius - 1)).toBeLessThan(1e-6);
  });

  test("shares add up to 1, whatever scopes the cell opens", () => {
    expect(found.lags.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1, 12);
  });
});

describe("the spectral radius", () => {
  const linear: Cell<Value, Value> = (w, h, x) => [w.matmul(h).add(x), h];
  const of = (matrix: readonly (readonly number[])[], options = {}) =>
    recurrentSpectralRadius(linear, value(matrix), value(matrix.map((_, k) => k)), value(matrix.map(() => 1)), options);

  test.for(reference.matrices.map((m) => [m.name, m] as const))("%s", ([, { matrix, spectralRadius }]) => {
    const { radius, converged } = of(matrix);
    expect(converged).toBe(true);
    expect(Math.abs(radius / spectralRadius - 1)).toBeLessThan(1e-7);
  });

  test("of a nilpotent matrix is 0", () => {
    expect(
      of([
        [0, 1, 5],
        [0, 0, 1],
        [0, 0, 0],
      ]),
    ).toMatchObject({ radius: 0, converged: true });
  });

  test("where the iterations do not suffice, says so and gives the mean growth", () => {
    const found = of(reference.matrices[0]!.matrix, { iterations: 20 });
    expect(found).toMatchObject({ iterations: 20, converged: false });
    expect(Math.abs(found.radius / reference.matrices[0]!.spectralRadius - 1)).toBeLessThan(0.5);
  });

  test("of a batch is the largest of its sequences'", () => {
    const square: Cell<null, Value> = (_p, h, x) => [h.square().add(x), h]; // dh/dh = 2 h
    const found = recurrentSpectralRadius(square, null, value([[0.1], [-0.7], [0.3]]), value([[0], [0], [0]]));
    expect(found.radius).toBeCloseTo(1.4, 8);
  });

  test("of a float32 carry converges as far as float32 goes", () => {
    const w = reference.matrices[1]!;
    const single = (x: Value) => value(Float32Array.from(x.data), { shape: x.shape });
    const found = recurrentSpectralRadius(linear, single(value(w.matrix)), single(value([1, 2, 3, 4, 5])), single(value([0, 0, 0, 0, 0])));
    expect(found.converged).toBe(true);
    expect(Math.abs(found.radius / w.spectralRadius - 1)).toBeLessThan(1e-4);
  });

  test("integers in the carry have no part in it", () => {
    const counting: Cell<Value, readonly [Value, Value]> = (a, [h, n], x) => [[a.mul(h).add(x), n.add(1)], h];
    expect(recurrentSpectralRadius(counting, value(0.3), [value([1, 2]), value(Int32Array.of(3))], value([0, 0])).radius).toBeCloseTo(
      0.3,
      12,
    );
  });
});

test("a cell that labels its own parts has the same shares", () => {
  const task = linearTask(XS, YS, 0.2);
  const vector: SequenceTask<Value, Value> = { ...task, cell: (a, h, x) => task.cell(stack([a, a]).sum().mul(0.5), h, x) };
  const [plain, labelled] = [task, vector].map((t) => gradientHealth(t, value(0.8)).lags.map(({ share }) => share));
  labelled!.forEach((share, k) => expect(share).toBeCloseTo(plain![k]!, 12));
});

test.for<[string, () => unknown, string]>([
  ["a step that is not there", () => gradientHealth(linearTask(XS, YS), value(1), { step: 7 }), "step 7 is not one of 1 to 6"],
  ["a vanishing share above 1", () => gradientHealth(linearTask(XS, YS), value(1), { vanishing: 2 }), "from 0 to 1"],
  ["an exploding multiple below 1", () => gradientHealth(linearTask(XS, YS), value(1), { exploding: 0.1 }), "from 1 on"],
  [
    "a loss that is no scalar",
    () => gradientHealth({ ...linearTask(XS, YS), loss: (_a, outputs) => stack([outputs, outputs]) }, value(1)),
    "must be a scalar",
  ],
  [
    "one iteration",
    () => recurrentSpectralRadius((a: Value, h: Value, x: Value) => [a.mul(h), x], value(1), value(1), value(1), { iterations: 1 }),
    "from 2 on",
  ],
  [
    "a carry of integers",
    () => recurrentSpectralRadius((_a: null, n: Value, x: Value) => [n, x], null, value(Int32Array.of(1)), value(1)),
    "no floating leaf",
  ],
])("refuses %s", ([, call, message]) => {
  expect(call).toThrow(InputError);
  expect(call).toThrow(message);
});
