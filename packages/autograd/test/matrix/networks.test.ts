import { describe, expect, it } from "vitest";
import {
  grad,
  hvp,
  jvp,
  matmul,
  mseLoss,
  noGrad,
  param,
  type Param,
  scan,
  sigmoid,
  split,
  stack,
  sum,
  tanh,
  type Value,
} from "../../src/index.js";
import { disagreement, disagreements } from "./agreement.js";
import { along, gradientsOf, inner, randomLike } from "./derivatives.js";
import { constant, decodeArray, type NetworkCase, networkCases } from "./references.js";

type Named<T = Value> = Readonly<Record<string, T>>;

const read = (arrays: NetworkCase["parameters"] | undefined): Named =>
  Object.fromEntries(Object.entries(arrays ?? {}).map(([name, x]) => [name, constant(decodeArray(x))]));

function wrongArrays(got: Named, expected: NetworkCase["parameters"]): string[] {
  return Object.entries(expected).flatMap(([name, x]) => disagreements(name, got[name] as Value, decodeArray(x)));
}

interface Outcome {
  readonly loss: Value;
  readonly outputs: Named;
}

function perceptron({ w1, b1, w2, b2 }: Named, { x, target }: Named): Outcome {
  const hidden = tanh(matmul(x!, w1!).add(b1!));
  const prediction = matmul(hidden, w2!).add(b2!);
  return { loss: mseLoss(prediction, target!), outputs: { prediction } };
}

type State = readonly [Value, Value];

function lstmStep([h, c]: State, x: Value, { weightIh, weightHh, biasIh, biasHh }: Named): State {
  const gates = matmul(x, weightIh!.transpose()).add(biasIh!).add(matmul(h, weightHh!.transpose())).add(biasHh!);
  const [i, f, g, o] = split(gates, 4, { axis: 1 }) as unknown as [Value, Value, Value, Value];
  const next = sigmoid(f)
    .mul(c)
    .add(sigmoid(i).mul(tanh(g)));
  return [sigmoid(o).mul(tanh(next)), next];
}

function byScan(p: Named): Named {
  const step = ([h, c]: State, x: Value) => {
    const next = lstmStep([h, c], x, p);
    return [next, next[0]] as [State, Value];
  };
  const [[h, c], outputs] = scan(step as never, [p["h0"], p["c0"]] as never, p["x"] as never) as unknown as [State, Value];
  return { outputs, h, c };
}

function byLoop(p: Named): Named {
  let state: State = [p["h0"]!, p["c0"]!];
  const rows: Value[] = [];
  for (let t = 0; t < p["x"]!.shape[0]!; t++) {
    state = lstmStep(state, p["x"]!.slice(t), p);
    rows.push(state[0]);
  }
  return { outputs: stack(rows, { axis: 0 }), h: state[0], c: state[1] };
}

const lstm =
  (run: (p: Named) => Named) =>
  (p: Named, _inputs: Named, cotangents: Named): Outcome => {
    const outputs = run(p);
    const loss = Object.keys(cotangents)
      .map((name) => sum(outputs[name]!.mul(cotangents[name]!)))
      .reduce((a, b) => a.add(b));
    return { loss, outputs };
  };

type Row = readonly [string, NetworkCase, (p: Named, inputs: Named, cotangents: Named) => Outcome];

const NETWORKS: readonly Row[] = networkCases.flatMap((reference): Row[] => {
  if (reference.network === "perceptron") return [["a perceptron", reference, perceptron]];
  return [
    [`${reference.network}, by scan`, reference, lstm(byScan)],
    [`${reference.network}, in a loop`, reference, lstm(byLoop)],
  ];
});

describe.each(NETWORKS)("%s", (_name, reference, network) => {
  const [parameters, inputs, cotangents] = [read(reference.parameters), read(reference.inputs), read(reference.cotangents)];
  const wrongLoss = (loss: number) => disagreement(loss, reference.loss, 1e-13 * Math.max(1, Math.abs(reference.loss)));

  it("has PyTorch's outputs and loss", () => {
    const { loss, outputs } = network(parameters, inputs, cotangents);
    expect([wrongLoss(loss.item()), ...wrongArrays(outputs, reference.outputs)]).toEqual([null]);
  });

  it("has PyTorch's gradients by backward()", () => {
    const leaves: Named<Param> = Object.fromEntries(
      Object.entries(parameters).map(([name, x]) => [name, param(x.data.slice(), { shape: x.shape, name })]),
    );
    network(leaves, inputs, cotangents).loss.backward();
    const gradients = Object.fromEntries(Object.entries(leaves).map(([name, leaf]) => [name, leaf.grad]));
    expect(wrongArrays(gradients, reference.gradients)).toEqual([]);
  });

  it("has PyTorch's gradients by grad() over a tree", () => {
    const gradients = grad((p: Named) => network(p, inputs, cotangents).loss)(parameters) as unknown as Named;
    expect(wrongArrays(gradients, reference.gradients)).toEqual([]);
  });

  it("has the same derivative along a direction in forward mode", () => {
    const names = Object.keys(parameters);
    const primals = names.map((name) => parameters[name]!);
    const directions = randomLike(primals, 31);
    const loss = (...xs: Value[]) => network(Object.fromEntries(names.map((name, k) => [name, xs[k]!])), inputs, cotangents).loss;
    const [, tangent] = jvp(loss as never, primals as never, directions as never);
    const expected = inner(
      names.map((name) => constant(decodeArray(reference.gradients[name]!))),
      directions,
    ).item();
    expect(disagreement(tangent.item(), expected, 1e-13 * Math.max(1, Math.abs(expected)))).toBeNull();
  });

  it("has one Hessian-vector product by hvp and by differentiating the derivative along the vector", () => {
    const names = Object.keys(parameters);
    const primals = names.map((name) => parameters[name]!);
    const directions = randomLike(primals, 32);
    const loss = (...xs: Value[]) => network(Object.fromEntries(names.map((name, k) => [name, xs[k]!])), inputs, cotangents).loss;
    const products = hvp(loss as never, primals as never, directions as never) as unknown as Value[];
    const twice = gradientsOf(along(loss, directions, "reverse"), primals);
    expect(products.flatMap((p, k) => disagreements(names[k]!, p, twice[k]!, 1e-12))).toEqual([]);
  });

  it("computes the same without recording", () => {
    const leaves = Object.fromEntries(Object.entries(parameters).map(([name, x]) => [name, param(x.data.slice(), { shape: x.shape })]));
    const { loss } = noGrad(() => network(leaves, inputs, cotangents));
    expect([wrongLoss(loss.item()), loss.requiresGrad]).toEqual([null, false]);
  });
});
