import { concat, InputError, param, ShapeError, type Value, value } from "@unroll/autograd";
import { foldIn, key, type Key, randn } from "@unroll/autograd/random";
import { describe, expect, test } from "vitest";
import type { Cell } from "../../src/cells/cell.js";
import { forecastIntervals, freeRunningForecast, type IntervalOptions, oneStepResiduals } from "../../src/generation/forecast.js";

const PHI = 0.8;
const SIGMA = 0.5;

/** The process x_t = φ x_{t-1} + e_t, known exactly. */
const ar1: Cell<Value, null> = (phi, carry, x) => [carry, phi.mul(x)];
/** The same with what it carries: a running sum that the output does not need, and a count. */
const counting: Cell<Value, { sum: Value; n: Value }> = (phi, { sum, n }, x) => [{ sum: sum.add(x), n: n.add(1) }, phi.mul(x)];

/** So many realisations of the process over `steps`, [steps, B, 1], from x_0 of each. */
function realisations(from: Key, steps: number, start: Value): Value {
  const xs = [start];
  for (let t = 1; t <= steps; t++) xs.push(xs[t - 1]!.mul(PHI).add(randn(foldIn(from, t), start.shape).mul(SIGMA)));
  return concat(xs.slice(1).map((x) => x.reshape([1, ...x.shape])));
}

const RESIDUALS = randn(key(77), [4_000, 1]).mul(SIGMA);
const intervalsOf = (history: Value, options: Partial<IntervalOptions> = {}) =>
  forecastIntervals(ar1, value(PHI), null, history, { horizon: 12, residuals: RESIDUALS, paths: 4_000, key: key(5), ...options });

/** The variance of the forecast's error at a horizon, σ² (1 - φ^{2h}) / (1 - φ²) (Box and Jenkins). */
const deviation = (h: number) => SIGMA * Math.sqrt((1 - PHI ** (2 * h)) / (1 - PHI ** 2));

describe("a free-running forecast", () => {
  test("feeds outputs back: φ^h x_T for an AR(1) process", () => {
    const found = freeRunningForecast(
      ar1,
      value(PHI),
      null,
      value([
        [[9], [9]],
        [[3], [-1]],
      ]),
      { horizon: 5 },
    );
    expect(found.shape).toEqual([5, 2, 1]);
    for (let h = 1; h <= 5; h++) {
      expect(found.slice(h - 1, 0, 0).item()).toBeCloseTo(3 * PHI ** h, 14);
      expect(found.slice(h - 1, 1, 0).item()).toBeCloseTo(-(PHI ** h), 14);
    }
  });

  test("starts from the carry that the history leaves", () => {
    // Each output is the mean of all inputs so far.
    const mean: Cell<null, readonly [Value, number]> = (_p, [sum, n], x) => [[sum.add(x), n + 1], sum.add(x).div(n + 1)];
    const found = freeRunningForecast(mean, null, [value([[0]]), 0], value([[[1]], [[2]], [[6]]]), { horizon: 3 });
    expect(found.toArray()).toEqual([[[3]], [[3]], [[3]]]);
  });

  test("feedback makes the next inputs, and knows the horizon", () => {
    // Inputs: the value, and the number of its step; outputs: the value that comes next.
    const horizons: number[] = [];
    const cell: Cell<null, null> = (_p, carry, x) => [carry, x.slice(null, [0, 1]).add(x.slice(null, [1, 2]))];
    const feedback = (output: Value, input: Value, horizon: number): Value => {
      horizons.push(horizon);
      return concat([output, input.slice(null, [1, 2]).add(1)], { axis: 1 });
    };
    const found = freeRunningForecast(cell, null, null, value([[[10, 1]]]), { horizon: 4, feedback });
    expect(found.toArray()).toEqual([[[11]], [[13]], [[16]], [[20]]]);
    expect(horizons).toEqual([1, 2, 3]);
  });

  test("is not recorded", () => {
    expect(freeRunningForecast(ar1, param(PHI), null, value([[[1]]]), { horizon: 2 }).requiresGrad).toBe(false);
  });
});

describe("one-step residuals", () => {
  test("are what came less what was forecast", () => {
    const found = oneStepResiduals(
      ar1,
      value(PHI),
      null,
      value([
        [[1], [0]],
        [[2], [1]],
        [[0], [3]],
      ]),
    );
    expect(found.shape).toEqual([2, 2, 1]);
    [2 - 0.8, 1, -1.6, 3 - 0.8].forEach((x, k) => expect(found.data[k]).toBeCloseTo(x, 14));
  });

  test("of the true process are its innovations", () => {
    const xs = realisations(key(3), 400, value([[0], [0]]));
    const found = oneStepResiduals(ar1, value(PHI), null, xs);
    expect(Math.sqrt(found.square().mean().item())).toBeCloseTo(SIGMA, 1);
  });
});

describe("prediction intervals for an AR(1) process", () => {
  const { forecast, lower, upper } = intervalsOf(value([[[2]]]));

  test("have the width that theory gives, at every horizon", () => {
    for (let h = 1; h <= 12; h++) {
      const half = 1.6449 * deviation(h);
      const at = (x: Value) => x.slice(h - 1, 0, 0).item();
      expect(at(forecast)).toBeCloseTo(2 * PHI ** h, 12);
      // The quantile of 4,000 draws has a standard deviation of 0.033 σ_h, and as much again comes from the 4,000 residuals.
      expect(Math.abs(at(upper) - (2 * PHI ** h + half))).toBeLessThan(0.15 * deviation(h));
      expect(Math.abs(at(lower) - (2 * PHI ** h - half))).toBeLessThan(0.15 * deviation(h));
    }
  });

  test.for([0.5, 0.9])("hold a share of %d of the futures that come", (level) => {
    // 2,000 sequences, each with its own start, interval and future.
    const count = 2_000;
    const start = randn(key(21), [count, 1]);
    // So few paths do: an interval of type 6 holds its level whatever their number, and without interpolation where 40 divides the places.
    const found = intervalsOf(start.reshape([1, count, 1]), { level, paths: 39 });
    const futures = realisations(key(22), 12, start);
    const inside = futures.ge(found.lower).mul(futures.le(found.upper));
    for (const h of [1, 2, 4, 8, 12]) {
      const share = inside
        .slice(h - 1)
        .mean()
        .item();
      // 4.5 standard deviations of a share of 2,000, and what the residuals' own standard deviation, known to 1.1 %, is worth.
      expect(Math.abs(share - level)).toBeLessThan(4.5 * Math.sqrt((level * (1 - level)) / count) + 0.015);
    }
  });

  test("lie about each sequence's own forecast", () => {
    const found = intervalsOf(value([[[-50], [0], [50]]]), { horizon: 3 });
    const far = found.upper.sub(found.forecast).abs().maximum(found.lower.sub(found.forecast).abs());
    expect(found.forecast.slice(0, 2).item()).toBe(40);
    expect(far.max().item()).toBeLessThan(2);
  });

  test("errors that do not accumulate would leave out many more", () => {
    // What the test above could not pass with: the width of horizon 1 at horizon 12.
    const first = upper.slice(0, 0, 0).item() - lower.slice(0, 0, 0).item();
    const last = upper.slice(11, 0, 0).item() - lower.slice(11, 0, 0).item();
    expect(last / first).toBeGreaterThan(1.5);
  });

  test("grow with the level", () => {
    const widths = [0.5, 0.8, 0.95].map((level) => {
      const found = intervalsOf(value([[[2]]]), { level });
      return found.upper.sub(found.lower).toArray() as number[][][];
    });
    for (let h = 0; h < 12; h++)
      expect(widths[0]![h]![0]![0]! < widths[1]![h]![0]![0]! && widths[1]![h]![0]![0]! < widths[2]![h]![0]![0]!).toBe(true);
  });

  test("are skewed where the residuals are", () => {
    const skewed = value([[3], [-1], [-1], [-1]]);
    const found = intervalsOf(value([[[0]]]), { residuals: skewed, horizon: 1, level: 0.9 });
    expect([found.lower.item(), found.forecast.item(), found.upper.item()]).toEqual([-1, 0, 3]);
  });

  test("the key decides", () => {
    const run = (n: number) => intervalsOf(value([[[2]]]), { key: key(n), paths: 100 }).upper.toArray();
    expect(run(1)).toEqual(run(1));
    expect(run(1)).not.toEqual(run(2));
  });

  test("a carry of several leaves is repeated with the batch", () => {
    const history = value([[[2], [0]]]);
    const carry = { sum: value([[0], [0]]), n: value(0) };
    const found = forecastIntervals(counting, value(PHI), carry, history, { horizon: 12, residuals: RESIDUALS, paths: 4_000, key: key(5) });
    expect(found.upper.shape).toEqual([12, 2, 1]);
    expect(found.upper.toArray()).toEqual(intervalsOf(history).upper.toArray());
  });
});

test("residuals of several outputs are drawn together", () => {
  // Two outputs whose errors are opposite: their sum, a third, has none.
  const cell: Cell<null, null> = (_p, carry, x) => [carry, x];
  const residuals = value([
    [1, -1],
    [-1, 1],
    [0.5, -0.5],
  ]);
  const feedback = (output: Value): Value => {
    expect(Math.max(...output.sum({ axis: 1 }).abs().data)).toBeLessThan(1e-12);
    return output;
  };
  const found = forecastIntervals(cell, null, null, value([[[1, -1]]]), { horizon: 3, residuals, paths: 100, key: key(2), feedback });
  expect(found.upper.shape).toEqual([3, 1, 2]);
});

test("residuals by sequence are pooled", () => {
  const options = { horizon: 2, paths: 100, key: key(2) };
  const run = (residuals: Value) => forecastIntervals(ar1, value(PHI), null, value([[[1]]]), { ...options, residuals }).upper.toArray();
  expect(
    run(
      value([
        [[1], [2]],
        [[3], [4]],
      ]),
    ),
  ).toEqual(run(value([[1], [2], [3], [4]])));
});

const HISTORY = value([[[1]]]);
const OPTIONS = { horizon: 1, residuals: value([[1]]), key: key(0) };
const intervals = (options: object, history = HISTORY) => forecastIntervals(ar1, value(PHI), null, history, { ...OPTIONS, ...options });

test.for<[string, () => unknown, typeof InputError | typeof ShapeError, string]>([
  ["a horizon of 0", () => freeRunningForecast(ar1, value(1), null, HISTORY, { horizon: 0 }), InputError, "horizon is a whole number"],
  [
    "a history without steps",
    () => freeRunningForecast(ar1, value(1), null, value(new Float64Array(0), { shape: [0, 1, 1] }), { horizon: 1 }),
    ShapeError,
    "at least one step",
  ],
  [
    "outputs unlike inputs",
    () => freeRunningForecast((_p: null, c: null, x: Value) => [c, concat([x, x], { axis: 1 })], null, null, HISTORY, { horizon: 2 }),
    ShapeError,
    "say by feedback",
  ],
  ["a level of 1", () => intervals({ level: 1 }), InputError, "level is a share"],
  ["a level in per cent", () => intervals({ level: 90 }), InputError, "level is a share"],
  ["too few paths for the level", () => intervals({ level: 0.99, paths: 199 }), InputError, "at least 200"],
  ["residuals of another width", () => intervals({ residuals: value([[1, 2]]) }), ShapeError, "expected [N, 1]"],
  ["residuals without rows", () => intervals({ residuals: value(new Float64Array(0), { shape: [0, 1] }) }), InputError, "at least one"],
  ["residuals that are NaN", () => intervals({ residuals: value([[NaN]]) }), InputError, "finite"],
  [
    "a carry without the batch",
    () => forecastIntervals(counting, value(1), { sum: value([[1], [2]]), n: value(0) }, HISTORY, OPTIONS),
    ShapeError,
    'leaf "sum"',
  ],
  ["one step for residuals", () => oneStepResiduals(ar1, value(1), null, HISTORY), ShapeError, "at least two steps"],
])("refuses %s", ([, call, error, message]) => {
  expect(call).toThrow(error);
  expect(call).toThrow(message);
});
