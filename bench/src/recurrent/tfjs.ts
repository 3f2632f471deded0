import { createRequire } from "node:module";
import { dirname } from "node:path";
import * as tf from "@tensorflow/tfjs";
import { setWasmPaths } from "@tensorflow/tfjs-backend-wasm";
import { flatResults, type Kind, mapParams, type Params, PARAMETERS, type Problem, shapesOf } from "./problem.js";
import { inTurn, type Training } from "./training.js";

type Weights = Params<tf.Tensor2D>;
type Step = (h: tf.Tensor2D, x: tf.Tensor2D) => tf.Tensor2D;

export async function trainingOnTfjs(problem: Problem, backend: "wasm" | "cpu"): Promise<Training> {
  await startBackend(backend);
  const { kind, hidden, batch, steps } = problem;
  const shapes = shapesOf(kind, problem);
  const weights = PARAMETERS.map((name) => tf.tensor(problem.params[name], [...shapes[name]]));
  const inputs = tf.tensor2d(problem.inputs, [steps * batch, hidden]);
  const targets = tf.tensor3d(problem.targets, [steps, batch, hidden]);
  const gradientsOf = tf.valueAndGrads((...tensors: tf.Tensor[]) => lossOf(kind, named(tensors), inputs, targets));
  let last: { readonly value: tf.Tensor; readonly grads: tf.Tensor[] } | null = null;
  return {
    run: inTurn(() => {
      if (last !== null) tf.dispose([last.value, ...last.grads]);
      last = gradientsOf(weights);
      last.value.dataSync();
    }),
    results: () => {
      const gradients = named(last!.grads);
      return flatResults(
        last!.value.dataSync()[0]!,
        mapParams((name) => gradients[name].dataSync()),
      );
    },
  };
}

async function startBackend(backend: "wasm" | "cpu"): Promise<void> {
  setWasmPaths(`${dirname(createRequire(import.meta.url).resolve("@tensorflow/tfjs-backend-wasm"))}/`);
  if (!(await tf.setBackend(backend))) throw new Error(`tfjs has no backend ${backend}`);
  await tf.ready();
}

function named(tensors: readonly tf.Tensor[]): Weights {
  return mapParams((name) => tensors[PARAMETERS.indexOf(name)] as tf.Tensor2D);
}

function lossOf(kind: Kind, weights: Weights, inputs: tf.Tensor2D, targets: tf.Tensor3D): tf.Scalar {
  const [steps, batch, hidden] = targets.shape;
  const { weight_ih, bias_ih } = weights;
  // The inputs' share of the gates for all steps in one product.
  const projected = tf.matMul(inputs, weight_ih, false, true).add(bias_ih).reshape([steps, batch, -1]);
  const step = CELLS[kind](weights, batch, hidden);
  let h = tf.zeros<tf.Rank.R2>([batch, hidden]);
  const outputs = tf.unstack(projected).map((x) => {
    h = step(h, x as tf.Tensor2D);
    return h;
  });
  // In two steps, since this library adds up one element after the other: all at once the loss would be off by 6e-5.
  return tf.stack(outputs).sub(targets).square().mean(2).mean();
}

const CELLS: Readonly<Record<Kind, (weights: Weights, batch: number, hidden: number) => Step>> = {
  rnn: (weights) => (h, x) => x.add<tf.Tensor2D>(recurrent(weights, h)).tanh(),
  lstm(weights, batch, hidden) {
    let c = tf.zeros<tf.Rank.R2>([batch, hidden]);
    return (h, x) => {
      const [i, f, g, o] = tf.split(x.add<tf.Tensor2D>(recurrent(weights, h)), 4, 1) as [
        tf.Tensor2D,
        tf.Tensor2D,
        tf.Tensor2D,
        tf.Tensor2D,
      ];
      c = f.sigmoid().mul<tf.Tensor2D>(c).add(i.sigmoid().mul(g.tanh()));
      return o.sigmoid().mul(c.tanh());
    };
  },
  gru: (weights) => (h, x) => {
    const [hr, hz, hn] = tf.split(recurrent(weights, h), 3, 1) as [tf.Tensor2D, tf.Tensor2D, tf.Tensor2D];
    const [xr, xz, xn] = tf.split(x, 3, 1) as [tf.Tensor2D, tf.Tensor2D, tf.Tensor2D];
    const candidate = xn.add<tf.Tensor2D>(xr.add(hr).sigmoid().mul(hn)).tanh();
    return candidate.add(xz.add(hz).sigmoid().mul(h.sub(candidate)));
  },
};

function recurrent({ weight_hh, bias_hh }: Weights, h: tf.Tensor2D): tf.Tensor2D {
  return tf.matMul(h, weight_hh, false, true).add(bias_hh);
}
