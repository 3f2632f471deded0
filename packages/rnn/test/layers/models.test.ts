import {
  concat,
  crossEntropy,
  DTypeError,
  InputError,
  logicalNot,
  type Shape,
  ShapeError,
  sort,
  type Value,
  value,
  valueAndGrad,
  where,
} from "@unroll/autograd";
import { compile } from "@unroll/autograd/compile";
import { key } from "@unroll/autograd/random";
import { describe, expect, it } from "vitest";
import {
  additiveAttention,
  dotAttention,
  embeddingTable,
  flattenTree,
  gru,
  type LayerParams,
  linear,
  lstm,
  sequenceToOne,
  sequenceToSequence,
  type SequenceToSequenceParams,
} from "../../src/index.js";
import { draw } from "../draws.js";
import { differences, type Fingerprint } from "../fingerprint.js";
import file from "../references/models.json" with { type: "json" };
import { type Runner, RUNNERS } from "../runners.js";

interface Case {
  readonly name: string;
  readonly shapes: Readonly<Record<string, Shape>>;
  readonly loss: number;
  readonly arrays: Readonly<Record<string, Fingerprint>>;
}

type Named = Readonly<Record<string, Value>>;
/** What a model computes at a point: arrays, and a loss where it is not their sum with cotangents. */
type Model = (point: Named) => { readonly arrays: Named; readonly loss?: Value };

const cases = file.cases as unknown as readonly Case[];
const [T, B, H, U, TOKENS] = [7, 3, 4, 5, 6];
const lengths = [7, 2, 5];

const tokens = (name: string, shape: Shape): Value =>
  value(
    Int32Array.from(draw(name, shape).data, (x) => Math.floor((Number(x) + 0.5) * TOKENS)),
    { shape },
  );

/** The values under a prefix, without it. */
const under = (prefix: string, point: Named): LayerParams =>
  Object.fromEntries(Object.entries(point).flatMap(([name, x]) => (name.startsWith(prefix) ? [[name.slice(prefix.length), x]] : [])));

const partsOf = (point: Named): SequenceToSequenceParams => ({
  encoder: under("encoder.", point),
  decoder: under("decoder.", point),
  readout: under("readout.", point),
  sourceTable: under("sourceTable.", point),
  targetTable: under("targetTable.", point),
});

function translation(attention: boolean): Model {
  const table = embeddingTable({ numEmbeddings: TOKENS, embeddingDim: 3 });
  const network = sequenceToSequence({
    encoder: gru({ inputSize: 3, hiddenSize: H }),
    decoder: gru({ inputSize: 3, hiddenSize: H }),
    readout: linear({ inputSize: attention ? 2 * H : H, outputSize: TOKENS }),
    sourceTable: table,
    targetTable: table,
    attention,
  });
  const [sources, targets] = [tokens("sources", [T, B]), tokens("targets", [U, B])];
  return (point) => {
    const logits = network.apply(partsOf(point), sources, targets, { lengths, start: 1 });
    const free = network.predict(partsOf(point), sources, U, { lengths, start: 1 });
    return { arrays: { logits, free }, loss: crossEntropy(logits.reshape([-1, TOKENS]), targets.reshape([-1])) };
  };
}

function classification(): Model {
  const layer = lstm({ inputSize: 2, hiddenSize: H, numLayers: 2, bidirectional: true });
  const network = sequenceToOne(layer, linear({ inputSize: 2 * H, outputSize: 3 }));
  return (point) => {
    const params = { recurrent: under("recurrent.", point), readout: under("readout.", point) };
    const logits = network.apply(params, point["xs"]!, undefined, { lengths });
    return { arrays: { logits }, loss: crossEntropy(logits, [2, 0, 1]) };
  };
}

function forecast(): Model {
  const [encoder, decoder] = [lstm({ inputSize: 2, hiddenSize: H }), lstm({ inputSize: 2, hiddenSize: H })];
  const network = sequenceToSequence({ encoder, decoder, readout: linear({ inputSize: H, outputSize: 2 }) });
  return (point) => {
    const forced = network.apply(partsOf(point), point["xs"]!, point["targets"]!);
    return { arrays: { forced, free: network.predict(partsOf(point), point["xs"]!, U) } };
  };
}

const additive = additiveAttention({ querySize: 2, outputSize: H, hiddenSize: 5 });
const dot = (given?: readonly number[]): Model => {
  return ({ query, outputs }) => {
    const { context } = dotAttention(query!, outputs!, { lengths: given, scale: 0.7 });
    return { arrays: { context } };
  };
};

const models: Readonly<Record<string, Model>> = {
  "dot attention": dot(),
  "dot attention, lengths": dot(lengths),
  "additive attention, lengths": ({ query, outputs, ...params }) => {
    const { context, weights } = additive.apply(params, query!, outputs!, { lengths });
    return { arrays: { context, weights } };
  },
  "sequence to one": classification(),
  "sequence to sequence of tokens": translation(false),
  "sequence to sequence of tokens, attention": translation(true),
  "sequence to sequence of vectors": forecast(),
};

function lossOf(model: Model, point: Named): Value {
  const { arrays, loss } = model(point);
  return (
    loss ??
    Object.entries(arrays)
      .map(([name, x]) => x.mul(draw(`cotangent ${name}`, x.shape)).sum())
      .reduce((a, b) => a.add(b))
  );
}

function wrong({ name, shapes, loss, arrays }: Case, { inside, outside }: Runner): string[] {
  const model = models[name]!;
  const point: Named = Object.fromEntries(Object.entries(shapes).map(([key, shape]) => [key, draw(key, shape, 2)]));
  const lossAt = inside((at: Named) => lossOf(model, at));
  const [foundLoss, slopes] = outside((at: Named): [Value, Named] => valueAndGrad(lossAt)(at))(point);
  const gradients = Object.entries(slopes).map(([key, x]) => [`d ${key}`, x] as const);
  const found: Named = { ...outside(inside((at: Named) => model(at).arrays))(point), ...Object.fromEntries(gradients) };
  const offLoss = Math.abs(foundLoss.item() - loss) <= 1e-10 * Math.max(1, Math.abs(loss)) ? [] : ["the loss is off"];
  return [...offLoss, ...Object.entries(arrays).flatMap(([key, expected]) => differences(key, found[key]!, expected))];
}

describe.each(RUNNERS)("around recurrent layers, outputs and gradients are PyTorch's, $name", (runner) => {
  it.each(cases.map((c) => [c.name, c] as const))("%s", (_, c) => expect(wrong(c, runner)).toEqual([]));
});

describe("attention", () => {
  it("has weights that add up to 1", () => {
    const { weights } = dotAttention(draw("query", [U, B, H]), draw("outputs", [T, B, H]), { lengths, scale: 0.7 });
    weights.sum({ axis: 2 }).data.forEach((total) => expect(Math.abs(total - 1)).toBeLessThan(1e-14));
  });

  it("gives no weight beyond a sequence's end, and does not see what stands there", () => {
    const outputs = draw("outputs", [T, B, H]);
    const broken = value(
      Float64Array.from(outputs.data, (x, k) => (Math.floor(k / (B * H)) < lengths[Math.floor(k / H) % B]! ? Number(x) : NaN)),
      { shape: [T, B, H] },
    );
    const query = draw("query", [B, H]);
    const { context, weights } = dotAttention(query, broken, { lengths });
    expect(context.toArray()).toEqual(dotAttention(query, outputs, { lengths }).context.toArray());
    lengths.forEach((length, b) => expect(Array.from(weights.slice(b, [length]).data, Number)).toEqual(Array(T - length).fill(0)));
  });

  it("takes many queries as it takes them one by one", () => {
    const [queries, outputs] = [draw("queries", [U, B, H]), draw("outputs", [T, B, H])];
    const layer = additiveAttention({ querySize: H, outputSize: H, hiddenSize: 3 });
    const params = layer.init(key(1));
    const together = layer.apply(params, queries, outputs);
    for (let u = 0; u < U; u++) {
      const alone = layer.apply(params, queries.slice(u), outputs);
      expect(together.context.slice(u).sub(alone.context).abs().max().item()).toBeLessThan(1e-15);
      expect(together.weights.slice(u).sub(alone.weights).abs().max().item()).toBeLessThan(1e-15);
    }
  });
});

describe("embeddingTable", () => {
  it("with a padding index begins that row as zeros and gives it no gradient", () => {
    const table = embeddingTable({ numEmbeddings: 4, embeddingDim: 3, paddingIdx: 2 });
    const params = table.init(key(2));
    const weight = params["weight"]!;
    expect(weight.slice(2).toArray()).toEqual([0, 0, 0]);
    table
      .apply(params, [
        [1, 2],
        [2, 3],
      ])
      .exp()
      .sum()
      .backward();
    expect(weight.grad.slice(2).toArray()).toEqual([0, 0, 0]);
    expect(weight.grad.slice(3).abs().min().item()).toBeGreaterThan(0);
  });
});

describe("scheduled sampling", () => {
  const options = { hiddenSize: H, numLayers: 2, dropout: 0.5 };
  const table = embeddingTable({ numEmbeddings: TOKENS, embeddingDim: 3 });
  const layer = gru({ inputSize: 3, ...options });
  const ofTokens = sequenceToSequence({
    encoder: layer,
    decoder: layer,
    readout: linear({ inputSize: 2 * H, outputSize: TOKENS }),
    sourceTable: table,
    targetTable: table,
    attention: true,
  });
  const vectors = gru({ inputSize: 2, ...options });
  const ofVectors = sequenceToSequence({ encoder: vectors, decoder: vectors, readout: linear({ inputSize: H, outputSize: 2 }) });
  const CASES = [
    ["tokens", ofTokens, layer, tokens("sources", [T, B]), tokens("targets", [U, B])],
    ["vectors", ofVectors, vectors, draw("xs", [T, B, 2]), draw("targets", [U, B, 2])],
  ] as const;
  const distance = (x: Value, y: Value): number => x.sub(y).abs().max().item();

  describe.each(CASES)("of %s", (_name, network, decoder, sources, targets) => {
    const params = network.init(key(4));
    const isOwn = value(
      [
        [0, 1, 0],
        [1, 0, 1],
        [0, 0, 1],
        [1, 1, 1],
        [0, 1, 0],
      ],
      { dtype: "bool" },
    );
    const masks = (seed: number) => ({
      encoder: decoder.dropoutMasks(key(seed), T, B),
      decoder: decoder.dropoutMasks(key(seed + 1), U, B),
    });

    it("with probability 0 is teacher forcing, dropout included, and with 1 free running", () => {
      const at = (probability: number) => ({ lengths, scheduledSampling: { probability, key: key(1) } });
      const forced = network.apply(params, sources, targets, { lengths, dropoutKey: key(2) });
      expect(distance(network.apply(params, sources, targets, { ...at(0), dropoutKey: key(2) }), forced)).toBeLessThan(1e-14);
      expect(distance(network.apply(params, sources, targets, at(1)), network.predict(params, sources, U, { lengths }))).toBeLessThan(
        1e-14,
      );
    });

    it("draws by its key", () => {
      const run = (seed: number) =>
        network.apply(params, sources, targets, { scheduledSampling: { probability: 0.5, key: key(seed) } }).toArray();
      expect(run(3)).toEqual(run(3));
      expect(run(3)).not.toEqual(run(5));
    });

    it("is teacher forcing by a teacher who says what the network said where it is told to", () => {
      const given = { lengths, dropoutMasks: masks(6) };
      const found = network.apply(params, sources, targets, { ...given, scheduledSampling: isOwn });
      const own = network === ofTokens ? sort(found, { axis: 2, descending: true }).indices.slice(null, null, 0) : found;
      // Of step t + 1 the draws say what becomes of the prediction of step t.
      const after = concat([isOwn.slice([1, null]), isOwn.slice([0, 1])]);
      const said = where(network === ofTokens ? after : after.reshape([U, B, 1]), own, targets);
      expect(distance(network.apply(params, sources, said, given), found)).toBeLessThan(1e-14);
      expect(distance(network.apply(params, sources, targets, given), found)).toBeGreaterThan(1e-4);
    });

    it("compiled, takes draws and dropout masks as arguments: two of them, two results, each the eager one", () => {
      const loss = (p: typeof params, draws: Value, dropoutMasks: ReturnType<typeof masks>) =>
        network.apply(p, sources, targets, { lengths, dropoutMasks, scheduledSampling: draws }).square().sum();
      let traces = 0;
      const step = compile((p: typeof params, draws: Value, dropped: ReturnType<typeof masks>) => {
        traces++;
        return valueAndGrad(loss)(p, draws, dropped);
      });
      const found = [
        [isOwn, masks(6)],
        [logicalNot(isOwn), masks(8)],
      ] as const;
      const losses = found.map(([draws, dropped]) => {
        const [error, slopes] = step(params, draws, dropped);
        const [expected, expectedSlopes] = valueAndGrad(loss)(params, draws, dropped);
        expect(Math.abs(error.item() / expected.item() - 1)).toBeLessThan(1e-12);
        const [got, wanted] = [slopes, expectedSlopes].map((tree) => [...flattenTree(tree).values()]);
        got!.forEach((g, k) => expect(distance(g, wanted![k]!)).toBeLessThan(1e-12 * Math.max(1, expected.item())));
        return expected.item();
      });
      expect(losses[0]).not.toBe(losses[1]);
      expect(traces).toBe(1);
    });

    it.each([
      ["a probability above 1", { scheduledSampling: { probability: 1.5, key: key(0) } }, InputError, /from 0 to 1, got 1.5/],
      [
        "draws of another size",
        { scheduledSampling: isOwn.slice([1, null]) },
        ShapeError,
        /scheduledSampling has shape \[4, 3\], expected \[5, 3\]/,
      ],
      ["draws of numbers", { scheduledSampling: draw("x", [U, B]) }, DTypeError, /scheduledSampling is float64, expected bool/],
      [
        "masks of more steps",
        { scheduledSampling: isOwn, dropoutMasks: { ...masks(1), decoder: decoder.dropoutMasks(key(1), U + 1, B) } },
        ShapeError,
        /dropout mask 0 of the decoder has 6 steps, the targets 5/,
      ],
    ] as const)("%s is refused", (_case, given, kind, message) => {
      const run = () => network.apply(params, sources, targets, given);
      expect(run).toThrow(kind);
      expect(run).toThrow(message);
    });
  });
});

describe("models that do not fit are errors when they are made", () => {
  const encoder = gru({ inputSize: 2, hiddenSize: H });
  const readout = linear({ inputSize: H, outputSize: 2 });
  const network = sequenceToSequence({ encoder, decoder: encoder, readout });
  const params = network.init(key(3));
  const [xs, ys] = [draw("xs", [T, B, 2]), draw("ys", [U, B, 2])];
  it.each([
    [
      "a readout of another width",
      () => sequenceToOne(encoder, linear({ inputSize: 5, outputSize: 1 })),
      InputError,
      /takes 5 features, but is given 4/,
    ],
    [
      "a decoder in both directions",
      () => sequenceToSequence({ encoder, decoder: gru({ inputSize: 2, hiddenSize: H, bidirectional: true }), readout }),
      InputError,
      /does not know the future/,
    ],
    [
      "batch first",
      () => sequenceToSequence({ encoder: gru({ inputSize: 2, hiddenSize: H, batchFirst: true }), decoder: encoder, readout }),
      InputError,
      /time first/,
    ],
    [
      "attention with a narrow readout",
      () => sequenceToSequence({ encoder, decoder: encoder, readout, attention: true }),
      InputError,
      /but is given 8/,
    ],
    [
      "predictions that cannot be fed back",
      () => sequenceToSequence({ encoder, decoder: encoder, readout: linear({ inputSize: H, outputSize: 3 }) }),
      InputError,
      /gives 3 numbers/,
    ],
    [
      "a table of another width",
      () => sequenceToSequence({ encoder, decoder: encoder, readout, sourceTable: embeddingTable({ numEmbeddings: 9, embeddingDim: 3 }) }),
      InputError,
      /source table gives 3 features/,
    ],
    [
      "targets of another batch",
      () => network.apply(params, xs, ys.slice(null, [0, 2])),
      ShapeError,
      /targets of shape \[5, 2, 2\]; expected \[U, 3, O\]/,
    ],
    [
      "sources without a batch",
      () => network.apply(params, xs.slice(null, 0), ys),
      ShapeError,
      /sources of shape \[7, 2\]; expected \[T, B, 2\]/,
    ],
    ["vectors for tokens", () => network.predict(params, [[1]] as never, 1), InputError, /sources must be a Value/],
    ["no steps", () => network.predict(params, xs, 0), InputError, /steps is 0/],
    [
      "a state of other layers",
      () => sequenceToSequence({ encoder, decoder: gru({ inputSize: 2, hiddenSize: H, numLayers: 2 }), readout }),
      InputError,
      /state/,
    ],
    [
      "a padding index outside",
      () => embeddingTable({ numEmbeddings: 4, embeddingDim: 3, paddingIdx: 4 }),
      InputError,
      /rows run from 0 to 3/,
    ],
    [
      "a query of another width",
      () => dotAttention(draw("q", [B, 5]), xs),
      ShapeError,
      /a query of shape \[3, 5\] for outputs of shape \[7, 3, 2\]/,
    ],
    [
      "features of another width",
      () => readout.apply(readout.init(key(0)), xs),
      ShapeError,
      /linear: the inputs have shape \[7, 3, 2\], expected 4 features/,
    ],
  ] as const)("%s", (_name, make, kind, message) => {
    expect(make).toThrow(kind);
    expect(make).toThrow(message);
  });
});
