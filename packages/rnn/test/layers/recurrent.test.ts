import { DTypeError, grad, InputError, ones, param, ShapeError, type Value, value, zeros } from "@unroll/autograd";
import { key } from "@unroll/autograd/random";
import { describe, expect, it } from "vitest";
import { dropout, dropoutMask, gru, type LayerParams, lstm, orthogonal, rnn, xavierUniform } from "../../src/index.js";
import { draw } from "../draws.js";

const T = 6;
const B = 3;
const I = 2;
const H = 4;
const sizes = { inputSize: I, hiddenSize: H };
const xs = draw("xs", [T, B, I], 2);
const numbers = (x: Value): number[] => Array.from(x.data, Number);

/** One of each family, with its params and a function that gives outputs and states as a list. */
const layers = [
  ["rnn", (options: object) => rnn({ ...sizes, ...options })],
  ["gru", (options: object) => gru({ ...sizes, ...options })],
  ["lstm", (options: object) => lstm({ ...sizes, ...options })],
] as const;

describe.each(layers)("%s", (_name, make) => {
  const run = (layer: ReturnType<typeof make>, params: LayerParams, x: Value, options?: object): Value[] => {
    const { outputs, state } = (layer as ReturnType<typeof gru>).apply(params, x, undefined, options) as {
      outputs: Value;
      state: Value | Value[];
    };
    return [outputs, ...(Array.isArray(state) ? state : [state])];
  };

  it("with batchFirst takes and gives [B, T, ...], and states as ever", () => {
    const [first, time] = [make({ batchFirst: true, bidirectional: true }), make({ bidirectional: true })];
    const params = time.init(key(1));
    const [outputs, ...states] = run(first, params, xs.transpose([1, 0, 2]));
    const [expected, ...expectedStates] = run(time, params, xs);
    expect(outputs!.transpose([1, 0, 2]).toArray()).toEqual(expected!.toArray());
    expect(states.map((x) => x.toArray())).toEqual(expectedStates.map((x) => x.toArray()));
  });

  it("with lengths does not see what stands beyond them, NaN either, and passes it no gradient", () => {
    const layer = make({ numLayers: 2, bidirectional: true });
    const params = layer.init(key(2));
    const lengths = [T, 1, 4];
    const beyond = (x: number): Value =>
      value(
        Float64Array.from(xs.data, (e, k) => (Math.floor(k / (B * I)) < lengths[Math.floor(k / I) % B]! ? Number(e) : x)),
        { shape: [T, B, I] },
      );
    const expected = run(layer, params, beyond(0), { lengths }).map(numbers);
    expect(run(layer, params, beyond(NaN), { lengths }).map(numbers)).toEqual(expected);
    const loss = (x: Value, weights: LayerParams): Value =>
      run(layer, weights, x, { lengths }).reduce((sum, y) => sum.add(y.square().sum()), value(0));
    const [slopes, byWeight] = grad(loss, { argnums: [0, 1] })(beyond(NaN), params);
    for (const [name, slope] of Object.entries(byWeight)) expect(slope.sum().item(), name).not.toBeNaN();
    for (let b = 0; b < B; b++) {
      const own = slopes.slice([0, lengths[b]!], b).abs().min().item();
      expect(own).toBeGreaterThan(0);
      if (lengths[b]! < T) expect(slopes.slice([lengths[b]!], b).abs().max().item()).toBe(0);
    }
  });

  it("runs a sequence within a batch of longer ones as it runs it alone", () => {
    const layer = make({ numLayers: 2, bidirectional: true });
    const params = layer.init(key(3));
    const lengths = [2, 5, 6];
    const together = run(layer, params, xs, { lengths });
    lengths.forEach((length, b) => {
      const alone = run(layer, params, xs.slice([0, length], [b, b + 1]));
      const rows = together.map((x, k) => (k === 0 ? x.slice([0, length], [b, b + 1]) : x.slice(null, [b, b + 1])));
      rows.forEach((row, k) => expect(row.sub(alone[k]!).abs().max().item()).toBeLessThan(1e-15));
      if (length < T) expect(together[0]!.slice([length], b).abs().max().item()).toBe(0);
    });
  });

  it("runs one sequence without a batch as a batch of one, and gives outputs and states without one", () => {
    const options = { numLayers: 2, bidirectional: true, dropout: 0.5 };
    const params = make(options).init(key(13));
    const parts = (make(options) as ReturnType<typeof gru>).stateShapes().map((shape, k) => draw(`state ${k}`, shape));
    const start = (axis: boolean) => {
      const given = parts.map((x) => (axis ? x.reshape([4, 1, H]) : x));
      return (given.length === 1 ? given[0] : given) as Value;
    };
    const layer = (more: object) => make({ ...options, ...more }) as ReturnType<typeof gru>;
    const [alone, among] = [xs.slice(null, 1), xs.slice(null, [1, 2])];
    for (const [given, single, many] of [
      [true, {}, {}],
      [false, { lengths: 4, dropoutKey: key(1) }, { lengths: [4], dropoutKey: key(1) }],
      [true, { lengths: value(4) }, { lengths: [4] }],
    ] as const) {
      const expected = layer({}).apply(params, among, given ? start(true) : undefined, many);
      for (const batchFirst of [false, true]) {
        const found = layer({ batchFirst }).apply(params, alone, given ? start(false) : undefined, single);
        const listOf = (state: unknown) => (Array.isArray(state) ? (state as Value[]) : [state as Value]);
        expect(found.outputs.shape).toEqual([T, 2 * H]);
        expect(listOf(found.state).map(({ shape }) => shape)).toEqual(parts.map(() => [4, H]));
        expect([found.outputs, ...listOf(found.state)].map(numbers)).toEqual([expected.outputs, ...listOf(expected.state)].map(numbers));
        const last = layer({}).lastOutputs(found.state);
        expect(last.shape).toEqual([2 * H]);
        expect(numbers(last)).toEqual(numbers(layer({}).lastOutputs(expected.state)));
      }
    }
  });

  it("drops by masks what the key that they are drawn from drops", () => {
    for (const variational of [false, true]) {
      const options = { numLayers: 3, bidirectional: true, dropout: 0.4, variational };
      const layer = make(options) as ReturnType<typeof gru>;
      const params = layer.init(key(14));
      const masks = layer.dropoutMasks(key(15), T, B);
      expect(masks.map(({ shape }) => shape)).toEqual([1, 2].map(() => [variational ? 1 : T, B, 2 * H]));
      const found = run(layer as ReturnType<typeof make>, params, xs, { dropoutMasks: masks });
      expect(found.map(numbers)).toEqual(run(make(options), params, xs, { dropoutKey: key(15) }).map(numbers));
      expect(numbers(found[0]!)).not.toEqual(numbers(run(make(options), params, xs)[0]!));
      const single = layer.dropoutMasks(key(16), T);
      expect(single.map(({ shape }) => shape)).toEqual([1, 2].map(() => [variational ? 1 : T, 2 * H]));
      const alone = (given: object) => numbers(layer.apply(params, xs.slice(null, 0), undefined, given).outputs);
      expect(alone({ dropoutMasks: single })).toEqual(alone({ dropoutKey: key(16) }));
    }
    expect((make({ numLayers: 3 }) as ReturnType<typeof gru>).dropoutMasks(key(0), T, B)).toEqual([]);
  });

  it("takes lengths as a list, a typed array or a Value", () => {
    const layer = make({});
    const params = layer.init(key(3));
    const [first, ...others] = [[3, 6, 1], Int32Array.of(3, 6, 1), value([3, 6, 1], { dtype: "int32" })].map((lengths) =>
      numbers(run(layer, params, xs, { lengths })[0]!),
    );
    others.forEach((other) => expect(other).toEqual(first));
  });

  it("begins with a learned state, which gets a gradient and goes to every sequence", () => {
    const layer = make({ learnedState: true, numLayers: 2 });
    const params = layer.init(key(4));
    params["h_0"]!.set(draw("h_0", [2, 1, H]));
    const plain = make({ numLayers: 2 });
    const { h_0, c_0, ...rest } = params;
    const parts = [h_0!, ...(c_0 === undefined ? [] : [c_0])].map((x) => x.broadcastTo([2, B, H]));
    const given = (plain as ReturnType<typeof gru>).apply(rest, xs, (parts.length === 1 ? parts[0] : parts) as Value).outputs;
    const [learned] = run(layer, params, xs);
    expect(numbers(learned!)).toEqual(numbers(given));
    learned!.sum().backward();
    expect(h_0!.grad.abs().min().item()).toBeGreaterThan(0);
  });

  it("drops nothing without a key, and with one the same for the same key", () => {
    const layer = make({ numLayers: 2, dropout: 0.5 });
    const params = layer.init(key(5));
    const outputs = (dropoutKey?: ReturnType<typeof key>) => numbers(run(layer, params, xs, { dropoutKey })[0]!);
    expect(outputs()).toEqual(numbers(run(make({ numLayers: 2 }), params, xs)[0]!));
    expect(outputs(key(1))).toEqual(outputs(key(1)));
    expect(outputs(key(1))).not.toEqual(outputs(key(2)));
    expect(outputs(key(1))).not.toEqual(outputs());
  });

  it("drops between layers only: with everything dropped, the last layer sees zeros, and the first none of it", () => {
    const layer = make({ numLayers: 2, dropout: 1 });
    const params = layer.init(key(6));
    const [outputs, h] = run(layer, params, xs, { dropoutKey: key(1) });
    const top = Object.fromEntries(
      Object.entries(params).flatMap(([name, x]) => (name.endsWith("l1") ? [[name.replace("l1", "l0"), x]] : [])),
    );
    const alone = (make({ inputSize: H }) as ReturnType<typeof gru>).apply(top as LayerParams, zeros([T, B, H]));
    expect(numbers(outputs!)).toEqual(numbers(alone.outputs));
    expect(numbers(h!.slice(0))).toEqual(numbers(run(make({ numLayers: 2 }), params, xs)[1]!.slice(0)));
  });

  it("computes in float32 where params and inputs are", () => {
    const layer = make({ numLayers: 2, bidirectional: true, learnedState: true });
    const params = layer.init(key(7), { dtype: "float32" });
    const single = value(Float32Array.from(xs.data), { shape: xs.shape });
    const found = run(layer, params, single, { lengths: [6, 2, 3] });
    expect(found.map(({ dtype }) => dtype)).toEqual(found.map(() => "float32"));
    const double = Object.fromEntries(
      Object.entries(params).map(([name, x]) => [name, value(Float64Array.from(x.data), { shape: x.shape })]),
    );
    const expected = run(layer, double, value(Float64Array.from(single.data), { shape: xs.shape }), { lengths: [6, 2, 3] });
    found.forEach((x, k) =>
      expect(value(Float64Array.from(x.data), { shape: x.shape }).sub(expected[k]!).abs().max().item()).toBeLessThan(1e-6),
    );
    run(make({}), make({}).init(key(7), { dtype: "float32" }), single).forEach(({ dtype }) => expect(dtype).toBe("float32"));
  });
});

describe("dropout", () => {
  const x = ones([50, 40, 10]);
  it("keeps a share of 1 - rate, scaled so that the mean stays", () => {
    const kept = numbers(dropout(x, 0.3, key(1)));
    expect(new Set(kept)).toEqual(new Set([0, 1 / 0.7]));
    const share = kept.filter((e) => e !== 0).length / kept.length;
    expect(Math.abs(share - 0.7)).toBeLessThan(5 * Math.sqrt(0.21 / kept.length));
  });

  it("with a mask of one step drops the same units in all steps; layers do so where they are variational", () => {
    const mask = dropout(x, 0.5, key(2), { maskShape: [1, 40, 10] });
    expect(numbers(mask.slice(49))).toEqual(numbers(mask.slice(0)));
    expect(new Set(numbers(mask))).toEqual(new Set([0, 2]));
  });

  // A first layer that gives ones and a second that adds up what it is given show the mask.
  const shown = (variational: boolean): number[][] => {
    const layer = rnn({ inputSize: 1, hiddenSize: 1, numLayers: 2, nonlinearity: "relu", dropout: 0.5, variational });
    const one = value([[1]]);
    const none = { bias_ih: value([0]), bias_hh: value([0]), weight_hh: value([[0]]) };
    const params = Object.fromEntries(
      ["l0", "l1"].flatMap((l) => Object.entries({ ...none, weight_ih: one }).map(([name, w]) => [`${name}_${l}`, w])),
    ) as LayerParams;
    const { outputs } = layer.apply(params, ones([30, 20, 1]), undefined, { dropoutKey: key(3) });
    return Array.from({ length: 30 }, (_, t) => numbers(outputs.slice(t)));
  };
  it("of a variational layer has one mask over time", () => {
    const [first, ...rest] = shown(true);
    expect(new Set(first)).toEqual(new Set([0, 2]));
    rest.forEach((step) => expect(step).toEqual(first));
  });
  it("of another layer has a mask for each step", () => {
    const [first, ...rest] = shown(false);
    rest.forEach((step) => expect(step).not.toEqual(first));
  });
});

describe("initialisation", () => {
  it("is PyTorch's by default: uniform from ±1/sqrt(H), under its names, in its order", () => {
    const layer = lstm({ inputSize: 30, hiddenSize: 100, projSize: 20, numLayers: 2, bidirectional: true });
    const params = layer.init(key(8));
    const names = ["weight_ih", "weight_hh", "bias_ih", "bias_hh", "weight_hr"];
    expect(Object.keys(params)).toEqual(
      ["l0", "l0_reverse", "l1", "l1_reverse"].flatMap((suffix) => names.map((name) => `${name}_${suffix}`)),
    );
    expect(Object.values(layer.parameterShapes).slice(10, 15)).toEqual([[400, 40], [400, 20], [400], [400], [20, 100]]);
    for (const [name, x] of Object.entries(params)) {
      expect([x.name, x.shape]).toEqual([name, layer.parameterShapes[name]]);
      expect(x.abs().max().item(), name).toBeLessThanOrEqual(0.1);
      expect(Math.abs(x.variance().item() / (0.01 / 3) - 1), name).toBeLessThan(5 * Math.sqrt(0.8 / x.size));
    }
    expect(new Set(Object.values(params).flatMap((x) => numbers(x))).size).toBe(Object.values(params).reduce((n, x) => n + x.size, 0));
  });

  it("takes initialisers for the block of each gate", () => {
    const params = gru({ ...sizes, hiddenSize: 8 }).init(key(9), { recurrent: orthogonal(), input: xavierUniform() });
    for (const gate of [0, 1, 2]) {
      const block = params["weight_hh_l0"]!.slice([8 * gate, 8 * gate + 8]);
      expect(
        block
          .matmul(block.transpose())
          .sub(
            value(
              Float64Array.from({ length: 64 }, (_, k) => Number(k % 9 === 0)),
              { shape: [8, 8] },
            ),
          )
          .abs()
          .max()
          .item(),
      ).toBeLessThan(1e-14);
    }
    expect(params["weight_ih_l0"]!.abs().max().item()).toBeLessThanOrEqual(Math.sqrt(6 / 10));
    expect(params["weight_ih_l0"]!.abs().max().item()).toBeGreaterThan(1 / Math.sqrt(8));
  });

  it("sets the bias of the forget gate as the sum of its two, and no other", () => {
    const layer = lstm({ ...sizes, numLayers: 2 });
    const [plain, params] = [layer.init(key(10)), layer.init(key(10), { forgetBias: 1 })];
    for (const suffix of ["l0", "l1"]) {
      const [ih, hh] = [params[`bias_ih_${suffix}`]!, params[`bias_hh_${suffix}`]!];
      expect(numbers(ih.add(hh).slice([H, 2 * H]))).toEqual([1, 1, 1, 1]);
      const others = (x: Value) => [...numbers(x.slice([0, H])), ...numbers(x.slice([2 * H]))];
      expect(others(ih)).toEqual(others(plain[`bias_ih_${suffix}`]!));
      expect(numbers(params[`weight_ih_${suffix}`]!)).toEqual(numbers(plain[`weight_ih_${suffix}`]!));
    }
  });
});

describe("bad input is one clear error", () => {
  const layer = lstm({ ...sizes, bidirectional: true });
  const params = layer.init(key(11));
  const stacked = gru({ ...sizes, numLayers: 2, dropout: 0.5 });
  const stackedParams = stacked.init(key(11));
  const state = (batch: number, c = H) => [zeros([2, batch, H]), zeros([2, batch, c])] as const;
  const { bias_hh_l0_reverse: _, ...incomplete } = params;
  const cases: readonly (readonly [string, () => unknown, typeof InputError | typeof ShapeError | typeof DTypeError, RegExp])[] = [
    [
      "inputs of another size",
      () => layer.apply(params, ones([T, B, I + 1])),
      ShapeError,
      /lstm: the inputs have shape \[6, 3, 3\], expected \[T, B, 2\]/,
    ],
    [
      "inputs of one axis",
      () => layer.apply(params, ones([I])),
      ShapeError,
      /lstm: the inputs have shape \[2\], expected \[T, B, 2\], or \[T, 2\] for one sequence without a batch/,
    ],
    ["one sequence of another size", () => layer.apply(params, ones([T, I + 1])), ShapeError, /the inputs have shape \[6, 3\], expected/],
    ["one sequence without steps", () => layer.apply(params, ones([0, I])), ShapeError, /no steps/],
    [
      "a state with a batch for one sequence",
      () => layer.apply(params, ones([T, I]), state(1)),
      ShapeError,
      /the initial state h has shape \[2, 1, 4\], expected \[2, 4\]/,
    ],
    [
      "lengths for one sequence",
      () => layer.apply(params, ones([T, I]), undefined, { lengths: [6] }),
      InputError,
      /a list of lengths for inputs without a batch; give their length as a number/,
    ],
    [
      "one length beyond T",
      () => layer.apply(params, ones([T, I]), undefined, { lengths: 7 }),
      InputError,
      /the length of sequence 0 is 7; .* to the 6 steps/,
    ],
    [
      "one length for a batch",
      () => layer.apply(params, xs, undefined, { lengths: 6 }),
      InputError,
      /lstm: got one length for 3 sequences; give a list/,
    ],
    [
      "lengths of two axes",
      () => layer.apply(params, xs, undefined, { lengths: value([[6, 6, 6]]) }),
      InputError,
      /got lengths of shape \[1, 3\] for 3 sequences/,
    ],
    ["inputs that are no Value", () => layer.apply(params, [[[1, 2]]] as never), InputError, /lstm: the input must be a Value/],
    ["no steps", () => layer.apply(params, zeros([0, B, I])), ShapeError, /no steps/],
    ["no sequences", () => layer.apply(params, zeros([T, 0, I])), ShapeError, /no sequences/],
    [
      "a length beyond T",
      () => layer.apply(params, xs, undefined, { lengths: [6, 7, 1] }),
      InputError,
      /lstm: the length of sequence 1 is 7; .* to the 6 steps/,
    ],
    ["a length of zero", () => layer.apply(params, xs, undefined, { lengths: [6, 6, 0] }), InputError, /the length of sequence 2 is 0/],
    ["a broken length", () => layer.apply(params, xs, undefined, { lengths: [1.5, 6, 1] }), InputError, /the length of sequence 0 is 1.5/],
    ["too few lengths", () => layer.apply(params, xs, undefined, { lengths: [6, 6] }), InputError, /2 lengths for 3 sequences/],
    [
      "a state of another batch",
      () => layer.apply(params, xs, state(B + 1)),
      ShapeError,
      /the initial state h has shape \[2, 4, 4\], expected \[2, 3, 4\]/,
    ],
    [
      "a state of another width",
      () => layer.apply(params, xs, state(B, 5)),
      ShapeError,
      /the initial state c has shape \[2, 3, 5\], expected \[2, 3, 4\]/,
    ],
    [
      "half a state",
      () => layer.apply(params, xs, [zeros([2, B, H])] as never),
      InputError,
      /lstm: expected as initial state \[h, c\], a list/,
    ],
    [
      "h alone for an LSTM",
      () => layer.apply(params, xs, zeros([2, B, H]) as never),
      InputError,
      /expected as initial state \[h, c\], a list/,
    ],
    [
      "a list for a GRU",
      () => gru(sizes).apply(gru(sizes).init(key(0)), xs, [zeros([1, B, H])] as never),
      InputError,
      /gru: expected as initial state h, one Value/,
    ],
    ["a missing parameter", () => layer.apply(incomplete, xs), InputError, /lstm: the parameter bias_hh_l0_reverse \[16\] is missing/],
    [
      "parameters under the names of a larger model",
      () => layer.apply(Object.fromEntries(Object.entries(params).map(([name, x]) => [`lstm.${name}`, x])), xs),
      InputError,
      /weight_ih_l0 \[16, 2\] is missing; given are lstm.weight_ih_l0, lstm.weight_hh_l0/,
    ],
    ["no parameters", () => layer.apply(undefined as never, xs), InputError, /lstm: params must be an object of Values by name/],
    [
      "a parameter that is no Value",
      () => layer.apply({ ...params, bias_hh_l0: Array(16).fill(0) as never }, xs),
      InputError,
      /the parameter bias_hh_l0 must be a Value/,
    ],
    [
      "a parameter of integers",
      () => layer.apply({ ...params, bias_hh_l0: zeros([16], { dtype: "int32" }) }, xs),
      DTypeError,
      /the parameter bias_hh_l0 is int32, expected float64 or float32/,
    ],
    [
      "tokens",
      () => layer.apply(params, zeros([T, B, I], { dtype: "int32" })),
      DTypeError,
      /the input is int32, .*for tokens there is embeddingTable/,
    ],
    [
      "a state of integers",
      () => layer.apply(params, xs, [zeros([2, B, H]), zeros([2, B, H], { dtype: "int32" })]),
      DTypeError,
      /the initial state c is int32/,
    ],
    ["lengths that are null", () => layer.apply(params, xs, undefined, { lengths: null as never }), InputError, /got 0 lengths for 3/],
    ["a key that is a number", () => stacked.apply(stackedParams, xs, undefined, { dropoutKey: 3 as never }), InputError, /expected a key/],
    [
      "masks that are no list",
      () => stacked.apply(stackedParams, xs, undefined, { dropoutMasks: ones([T, B, H]) as never }),
      InputError,
      /got no list of dropoutMasks/,
    ],
    ["masks of half a step", () => stacked.dropoutMasks(key(0), 2.5, B), InputError, /gru: steps is 2.5/],
    [
      "another nonlinearity",
      () => rnn({ ...sizes, nonlinearity: "sigmoid" as never }),
      InputError,
      /nonlinearity is "tanh" or "relu", got "sigmoid"/,
    ],
    ["a size that is a text", () => gru({ inputSize: 2, hiddenSize: "4" as never }), InputError, /gru: hiddenSize is "4"/],
    [
      "a parameter of another shape",
      () => layer.apply({ ...params, weight_hh_l0: zeros([H, 4 * H]) }, xs),
      ShapeError,
      /the parameter weight_hh_l0 has shape \[4, 16\], expected \[16, 4\]/,
    ],
    [
      "an unknown parameter",
      () => layer.apply({ ...params, weight_hr_l0: zeros([2, H]) }, xs),
      InputError,
      /no parameter weight_hr_l0 in this layer/,
    ],
    ["no hidden units", () => lstm({ inputSize: 1, hiddenSize: 0 }), InputError, /lstm: hiddenSize is 0/],
    ["half a layer", () => gru({ ...sizes, numLayers: 1.5 }), InputError, /gru: numLayers is 1.5/],
    [
      "masks of another layer",
      () => stacked.apply(stackedParams, xs, undefined, { dropoutMasks: [] }),
      InputError,
      /gru: got 0 dropoutMasks, expected 1, as the layer's dropoutMasks\(…\) draws/,
    ],
    [
      "masks of another size",
      () => stacked.apply(stackedParams, xs, undefined, { dropoutMasks: stacked.dropoutMasks(key(0), T + 1, B) }),
      ShapeError,
      /gru: dropout mask 0 has shape \[7, 3, 4\], expected \[6, 3, 4\]/,
    ],
    [
      "a mask of numbers",
      () => stacked.apply(stackedParams, xs, undefined, { dropoutMasks: [ones([T, B, H])] }),
      DTypeError,
      /gru: dropout mask 0 is float64, expected bool/,
    ],
    [
      "a key and masks",
      () => stacked.apply(stackedParams, xs, undefined, { dropoutKey: key(0), dropoutMasks: stacked.dropoutMasks(key(0), T, B) }),
      InputError,
      /give one of them/,
    ],
    ["a dropout mask of numbers", () => dropout(xs, 0.5, ones([I])), DTypeError, /dropout: a mask is of bool/],
    [
      "a dropout mask that does not stretch",
      () => dropout(ones([I]), 0.5, dropoutMask(key(0), [B, I], 0.5)),
      ShapeError,
      /dropout: a mask of shape \[3, 2\] does not stretch to \[2\]/,
    ],
    [
      "dropout above 1",
      () => rnn({ ...sizes, numLayers: 2, dropout: 1.1 }),
      InputError,
      /a dropout rate is a probability, from 0 to 1, got 1.1/,
    ],
    ["dropout in one layer", () => rnn({ ...sizes, dropout: 0.1 }), InputError, /dropout acts between layers/],
    ["a projection that does not project", () => lstm({ ...sizes, projSize: H }), InputError, /projSize is 4; .* fewer units/],
    ["a forget bias without biases", () => lstm({ ...sizes, bias: false }).init(key(0), { forgetBias: 1 }), InputError, /without biases/],
  ];
  it.each(cases)("%s", (_name, act, kind, message) => {
    expect(act).toThrow(kind);
    expect(act).toThrow(message);
  });

  it("and options that make no sense do not compile", () => {
    // @ts-expect-error: nothing is dropped, so no mask can be kept
    expect(rnn({ ...sizes, variational: true }).outputSize).toBe(H);
    // @ts-expect-error: a GRU has no projection
    expect(gru({ ...sizes, projSize: 2 }).outputSize).toBe(H);
    // @ts-expect-error: a GRU has no forget gate
    expect(() => gru(sizes).init(key(0), { forgetBias: 1 })).not.toThrow();
    // @ts-expect-error: an LSTM's state is [h, c]
    expect(() => layer.apply(params, xs, zeros([2, B, H]))).toThrow(InputError);
  });
});

it("params that are constants give constants, and params of a tree of params their gradients", () => {
  const layer = rnn(sizes);
  const params = layer.init(key(12));
  expect(layer.apply(params, xs).outputs.requiresGrad).toBe(true);
  const constants = Object.fromEntries(Object.entries(params).map(([name, x]) => [name, x.detach()]));
  expect(layer.apply(constants, xs).outputs.requiresGrad).toBe(false);
  expect(layer.apply(constants, param(xs.data, { shape: xs.shape })).outputs.requiresGrad).toBe(true);
});
