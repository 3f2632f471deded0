import { init, jit, nn, numpy as np, valueAndGrad } from "@jax-js/jax";
import { flatResults, type Kind, mapParams, type Params, type Problem, shapesOf } from "./problem.js";
import { inTurn, type Training } from "./training.js";

type Weights = Params<np.Array>;
type Step = (h: np.Array, x: np.Array) => np.Array;

interface Cell {
  readonly step: Step;
  /** Lets go of what the steps shared: arrays are counted by hand in this library. */
  dispose(): void;
}

/** Inputs and targets are lists over time: a slice of a longer array would be padded with zeros on the way back, once a step. */
export async function trainingOnJax(problem: Problem): Promise<Training> {
  await init("wasm");
  const { kind } = problem;
  const shapes = shapesOf(kind, problem);
  const weights = mapParams((name) => np.array(problem.params[name]).reshape([...shapes[name]]));
  const inputs = overTime(problem.inputs, problem);
  const targets = overTime(problem.targets, problem);
  const step = jit(valueAndGrad((params: Weights, xs: np.Array[], ys: np.Array[]) => lossOf(kind, params, xs, ys) as never)) as unknown as (
    params: Weights,
    xs: np.Array[],
    ys: np.Array[],
  ) => [np.Array, Weights];
  let loss = NaN;
  let gradients: Params<ArrayLike<number>> | null = null;
  return {
    run: inTurn(() => {
      const result = step(
        mapParams((name) => weights[name].ref),
        inputs.map((x) => x.ref),
        targets.map((y) => y.ref),
      );
      // Reading is what ends a step here: before, it may be pending.
      loss = (result[0].dataSync() as Float32Array)[0]!;
      gradients = mapParams((name) => result[1][name].dataSync() as Float32Array);
    }),
    results: () => flatResults(loss, gradients!),
  };
}

function overTime(data: Float32Array, { steps, batch, hidden }: Problem): np.Array[] {
  const length = batch * hidden;
  return Array.from({ length: steps }, (_, t) => np.array(data.slice(t * length, (t + 1) * length)).reshape([batch, hidden]));
}

function lossOf(kind: Kind, weights: Weights, inputs: readonly np.Array[], targets: readonly np.Array[]): np.Array {
  const [batch, hidden] = inputs[0]!.shape as [number, number];
  const { step, dispose } = CELLS[kind](weights, batch, hidden);
  let h = np.zeros([batch, hidden]);
  const squares = inputs.map((x, t) => {
    h = step(h, x);
    return np.square(h.ref.sub(targets[t]!)).sum();
  });
  h.dispose();
  dispose();
  return squares.reduce((sum, x) => sum.add(x)).mul(1 / (inputs.length * batch * hidden));
}

const CELLS: Readonly<Record<Kind, (weights: Weights, batch: number, hidden: number) => Cell>> = {
  rnn({ weight_ih, weight_hh, bias_ih, bias_hh }) {
    const share = affine(weight_ih, bias_ih.add(bias_hh));
    const recurrent = weight_hh.transpose();
    return {
      step: (h, x) => np.tanh(share.of(x).add(np.matmul(h, recurrent.ref))),
      dispose: () => disposeAll(share, recurrent),
    };
  },
  lstm({ weight_ih, weight_hh, bias_ih, bias_hh }, batch, hidden) {
    const share = affine(weight_ih, bias_ih.add(bias_hh));
    const recurrent = weight_hh.transpose();
    let c = np.zeros([batch, hidden]);
    return {
      step(h, x) {
        const [i, f, g, o] = blocks(share.of(x).add(np.matmul(h, recurrent.ref)), 4) as [np.Array, np.Array, np.Array, np.Array];
        c = nn
          .sigmoid(f)
          .mul(c)
          .add(nn.sigmoid(i).mul(np.tanh(g)));
        return nn.sigmoid(o).mul(np.tanh(c.ref));
      },
      dispose: () => {
        disposeAll(share, recurrent);
        c.dispose();
      },
    };
  },
  gru({ weight_ih, weight_hh, bias_ih, bias_hh }) {
    const share = affine(weight_ih, bias_ih);
    const recurrent = affine(weight_hh, bias_hh);
    return {
      step(h, x) {
        const [hr, hz, hn] = blocks(recurrent.of(h.ref), 3) as [np.Array, np.Array, np.Array];
        const [xr, xz, xn] = blocks(share.of(x), 3) as [np.Array, np.Array, np.Array];
        const candidate = np.tanh(xn.add(nn.sigmoid(xr.add(hr)).mul(hn)));
        return candidate.ref.add(nn.sigmoid(xz.add(hz)).mul(h.sub(candidate)));
      },
      dispose: () => disposeAll(share, recurrent),
    };
  },
};

interface Disposable {
  dispose(): void;
}

function disposeAll(...shared: readonly Disposable[]): void {
  for (const x of shared) x.dispose();
}

/** x Wᵀ + b for many x. */
function affine(weight: np.Array, bias: np.Array): Disposable & { of(x: np.Array): np.Array } {
  const turned = weight.transpose();
  return {
    of: (x) => np.matmul(x, turned.ref).add(bias.ref),
    dispose: () => disposeAll(turned, bias),
  };
}

/** [B, n H] as its n blocks [B, H]. */
function blocks(x: np.Array, n: number): np.Array[] {
  const width = x.shape[1]! / n;
  const parts = Array.from({ length: n }, (_, k) => x.ref.slice([], [k * width, (k + 1) * width]));
  x.dispose();
  return parts;
}
