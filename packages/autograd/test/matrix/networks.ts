import { matmul, mseLoss, scan, sigmoid, split, stack, sum, tanh, type Value } from "../../src/index.js";
import { disagreements } from "./agreement.js";
import { constant, decodeArray, type NetworkCase, networkCases } from "./references.js";

export type Named<T = Value> = Readonly<Record<string, T>>;

export const read = (arrays: NetworkCase["parameters"] | undefined): Named =>
  Object.fromEntries(Object.entries(arrays ?? {}).map(([name, x]) => [name, constant(decodeArray(x))]));

export function wrongArrays(got: Named, expected: NetworkCase["parameters"]): string[] {
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

export const NETWORKS: readonly Row[] = networkCases.flatMap((reference): Row[] => {
  if (reference.network === "perceptron") return [["a perceptron", reference, perceptron]];
  return [
    [`${reference.network}, by scan`, reference, lstm(byScan)],
    [`${reference.network}, in a loop`, reference, lstm(byLoop)],
  ];
});
