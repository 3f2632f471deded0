import { concat, grad, hvp, type Value } from "@unroll/autograd";
import { describe, expect, it } from "vitest";
import { gru, type LayerParams, lstm, type RecurrentLayer, rnn } from "../../src/index.js";
import { draw } from "../draws.js";
import { differences, type Fingerprint } from "../fingerprint.js";
import file from "../references/layers.json" with { type: "json" };
import { eager, type Runner, RUNNERS } from "../runners.js";

interface Case {
  readonly family: string;
  readonly layers: number;
  readonly bidirectional: boolean;
  readonly bias: boolean;
  readonly state: boolean;
  readonly lengths: boolean;
  readonly steps: number;
  /** null: inputs and states without an axis for sequences. */
  readonly batch: number | null;
  readonly scale: number;
  readonly hvp: boolean;
  readonly arrays: Readonly<Record<string, Fingerprint>>;
}

type Named = Readonly<Record<string, Value>>;

const { inputs, hidden, projected } = file;
const cases = file.cases as unknown as readonly Case[];
const full = process.env["UNROLL_FULL"] === "1";

/** A layer whose state is a list, whatever the family. */
type ListLayer = Pick<RecurrentLayer<unknown>, "parameterShapes"> & {
  run(params: LayerParams, xs: Value, state: readonly Value[] | undefined, lengths: readonly number[] | undefined): readonly Value[];
};

function layerOf({ family, layers: numLayers, bidirectional, bias }: Case): ListLayer {
  const options = { inputSize: inputs, hiddenSize: hidden, numLayers, bidirectional, bias };
  if (!family.startsWith("lstm")) {
    const layer = family === "gru" ? gru(options) : rnn({ ...options, nonlinearity: family === "rnn relu" ? "relu" : "tanh" });
    return {
      ...layer,
      run(params, xs, state, lengths) {
        const found = layer.apply(params, xs, state?.[0], { lengths });
        return [found.outputs, found.state];
      },
    };
  }
  const layer = lstm(family === "lstm projected" ? { ...options, projSize: projected } : options);
  return {
    ...layer,
    run(params, xs, state, lengths) {
      const found = layer.apply(params, xs, state && [state[0]!, state[1]!], { lengths });
      return [found.outputs, ...found.state];
    },
  };
}

/** As in layers.py. */
const lengthsOf = (steps: number, batch: number): number[] =>
  Array.from({ length: batch }, (_, b) => 1 + Math.floor(((steps - 1) * ((2 * b + 1) % batch)) / Math.max(1, batch - 1)));

const stateNames = (family: string): string[] => (family.startsWith("lstm") ? ["h_0", "c_0"] : ["h_0"]);

/** The numbers that a case is computed at: params, inputs, and the initial state if it has one. */
function pointOf(c: Case, layer: ListLayer): Named {
  const params = Object.entries(layer.parameterShapes).map(([name, shape]) => [name, draw(name, shape, c.scale)]);
  const rows = c.layers * (c.bidirectional ? 2 : 1);
  const many = c.batch === null ? [] : [c.batch];
  const width = (name: string) => (name === "h_0" && c.family === "lstm projected" ? projected : hidden);
  const states = c.state ? stateNames(c.family).map((name) => [name, draw(name, [rows, ...many, width(name)])]) : [];
  return Object.fromEntries([...params, ["xs", draw("xs", [c.steps, ...many, inputs], 2)], ...states]) as Named;
}

function arraysOf(c: Case, layer: ListLayer, point: Named): Named {
  const params = Object.fromEntries(Object.keys(layer.parameterShapes).map((name) => [name, point[name]!]));
  const state = c.state ? stateNames(c.family).map((name) => point[name]!) : undefined;
  const found = layer.run(params, point["xs"]!, state, c.lengths ? lengthsOf(c.steps, c.batch!) : undefined);
  return Object.fromEntries(["outputs", "h_n", "c_n"].flatMap((name, k) => (found[k] === undefined ? [] : [[name, found[k]]])));
}

const lossOf = (arrays: Named, power: number): Value =>
  Object.entries(arrays)
    .map(([name, x]) => (power === 1 ? x : x.square()).mul(draw(`cotangent ${name}`, x.shape)).sum())
    .reduce((a, b) => a.add(b));

const prefixed = (prefix: string, arrays: Named): Named =>
  Object.fromEntries(Object.entries(arrays).map(([name, x]) => [`${prefix} ${name}`, x]));

function computed(c: Case, change: (point: Named) => Named, { inside, outside }: Runner): Named {
  const layer = layerOf(c);
  const point = change(pointOf(c, layer));
  const arrays = outside(inside((at: Named) => arraysOf(c, layer, at)))(point);
  const loss = inside((at: Named) => lossOf(arraysOf(c, layer, at), 1));
  const gradients = outside((at: Named): Named => grad(loss)(at))(point);
  if (!c.hvp) return { ...arrays, ...prefixed("d", gradients) };
  const vector = Object.fromEntries(Object.entries(point).map(([name, x]) => [name, draw(`vector ${name}`, x.shape)]));
  const squares = inside((at: Named) => lossOf(arraysOf(c, layer, at), 2));
  const products = outside((at: Named, along: Named) => hvp(squares, [at], [along])[0] as Named)(point, vector);
  return { ...arrays, ...prefixed("d", gradients), ...prefixed("H v", products) };
}

function wrong(c: Case, change = (point: Named): Named => point, runner = eager): string[] {
  const arrays = computed(c, change, runner);
  const missing = Object.keys(arrays).filter((name) => c.arrays[name] === undefined);
  return [...missing, ...Object.entries(c.arrays).flatMap(([name, expected]) => differences(name, arrays[name]!, expected))];
}

const nameOf = (c: Case): string =>
  [
    `${c.family}, layers ${c.layers}${c.bidirectional ? " bidirectional" : ""}`,
    `T = ${c.steps}`,
    ...(c.batch === null ? ["no batch"] : []),
    ...(c.bias ? [] : ["no bias"]),
    ...(c.state ? ["state"] : []),
    ...(c.lengths ? ["lengths"] : []),
    ...(c.hvp ? ["Hessian"] : []),
  ].join(", ");

/** By default every fourth of the cases of 20 steps and more, and all shorter ones; each family meets each option, but two meet 1,000 steps. */
const sampled = cases.filter(({ steps }, k) => full || steps < 20 || k % 4 === 0);

/** Hessian-vector products of 1,000 steps take seconds eagerly; compiled they do not. */
const isLong = ({ hvp, steps }: Case): boolean => hvp && steps === 1000;

/** Compiled, every eighth of them, and the long ones. */
function sampledFor(runner: Runner): readonly Case[] {
  if (full) return cases;
  return sampled.filter((c, k) => (runner === eager ? !isLong(c) : k % 8 === 0 || isLong(c)));
}

describe.each(RUNNERS)("layers compute what PyTorch's do, $name: outputs, final states, gradients", (runner) => {
  it.each(sampledFor(runner).map((c) => [nameOf(c), c] as const))("%s", (_, c) => expect(wrong(c, undefined, runner)).toEqual([]));
});

/** Two gates' blocks of a named array exchanged. */
const swapped =
  (name: string, a: number, b: number) =>
  (point: Named): Named => {
    const gates = Array.from({ length: point[name]!.shape[0]! / hidden }, (_, k) => point[name]!.slice([k * hidden, (k + 1) * hidden]));
    [gates[a], gates[b]] = [gates[b]!, gates[a]!];
    return { ...point, [name]: concat(gates) };
  };

describe("the comparison notices", () => {
  const find = (family: string, lengths: boolean): Case =>
    cases.find((c) => c.family === family && c.bias && c.lengths === lengths && c.steps > 1)!;
  it.each([
    ["input and forget gate exchanged", find("lstm", false), swapped("bias_ih_l0", 0, 1)],
    ["cell and output gate exchanged", find("lstm", false), swapped("weight_hh_l0", 2, 3)],
    ["reset and update gate exchanged", find("gru", false), swapped("weight_ih_l0", 0, 1)],
    // A reset gate before the product leaves the candidate's recurrent bias alone, as if it were an input bias.
    [
      "a recurrent bias that is not reset",
      find("gru", false),
      (point: Named): Named => {
        const [ih, hh] = [point["bias_ih_l0"]!, point["bias_hh_l0"]!];
        const candidate = hh.slice([2 * hidden]);
        return {
          ...point,
          bias_ih_l0: concat([ih.slice([0, 2 * hidden]), ih.slice([2 * hidden]).add(candidate)]),
          bias_hh_l0: concat([hh.slice([0, 2 * hidden]), candidate.mul(0)]),
        };
      },
    ],
    [
      "one weight off by 1e-8",
      find("rnn tanh", false),
      (point: Named): Named => ({ ...point, weight_hh_l0: point["weight_hh_l0"]!.add(1e-8) }),
    ],
  ] as const)("%s", (_name, c, change) => {
    expect(wrong(c)).toEqual([]);
    expect(wrong(c, change)).not.toEqual([]);
  });

  it.each(["rnn relu", "gru", "lstm", "lstm projected"])("%s run past its lengths", (family) => {
    const c = find(family, true);
    expect(wrong({ ...c, lengths: false })).not.toEqual([]);
  });
});
