/** The problem on our own layers, for the eager, the compiled and the reference variant. */
import { mseLoss, type Value, value } from "@unroll/autograd";
import { gru, type LayerParams, lstm, rnn } from "@unroll/rnn";
import { flatResults, type Kind, mapParams, type Params, type Problem, shapesOf, type Size } from "./problem.js";

const LAYERS = { rnn, lstm, gru };

export type LossFunction = (params: LayerParams, inputs: Value, targets: Value) => Value;

export function recurrentLoss({ kind, hidden }: { readonly kind: Kind } & Pick<Size, "hidden">): LossFunction {
  const layer = LAYERS[kind]({ inputSize: hidden, hiddenSize: hidden });
  return (params, inputs, targets) => mseLoss(layer.apply(params, inputs).outputs, targets);
}

export interface ProblemValues {
  readonly params: LayerParams;
  readonly inputs: Value;
  readonly targets: Value;
}

export function problemValues(problem: Problem, dtype: "float32" | "float64" = "float32"): ProblemValues {
  const { kind, hidden, batch, steps, params } = problem;
  const shapes = shapesOf(kind, problem);
  const shape = [steps, batch, hidden];
  return {
    params: layerParams(mapParams((name) => value(params[name], { shape: shapes[name], dtype }))),
    inputs: value(problem.inputs, { shape, dtype }),
    targets: value(problem.targets, { shape, dtype }),
  };
}

/** Under the names of a layer's first direction. */
function layerParams(params: Params<Value>): LayerParams {
  return Object.fromEntries(Object.entries(params).map(([name, x]) => [`${name}_l0`, x]));
}

export function resultsOf([loss, gradients]: readonly [Value, LayerParams]): Float64Array {
  return flatResults(
    loss.item(),
    mapParams((name) => gradients[`${name}_l0`]!.data),
  );
}
