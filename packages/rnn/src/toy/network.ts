import { type Param, param, scope, type Value, value } from "@unroll/autograd";
import { checkInputs, checkPairs, checkParameters } from "./pairs.js";
import { forEachParameter, type ToyParameters, type ToyTree } from "./parameters.js";

/**
 * The parameters as leaves that collect a gradient, named after themselves.
 *
 * @throws InputError for a parameter that is not a finite number.
 * @example const { u, v, w, s } = toyParams({ u: 0.7, v: -0.4, w: 1.3, s: 0.25 });
 */
export function toyParams(parameters: ToyParameters): ToyTree<Param> {
  checkParameters("toyParams", parameters);
  return forEachParameter((name) => param(parameters[name], { name }));
}

/**
 * The predictions p_1, …, p_T of the network with one input, one hidden sigmoid unit and one linear output, unrolled over a sequence:
 *
 *     y_0 = s        y_t = sigmoid(w y_{t-1} + v x_t)        p_t = u y_t
 *
 * It only records the graph; that u, v and w are shared by all time steps needs nothing more. What step t records has the label
 * `step t`, t = 1, …, T.
 *
 * @returns T scalars (float64).
 * @throws InputError for no inputs, or one that is not finite.
 * @example toyPredictions(toyParams({ u: 2, v: 1, w: 0, s: 0 }), [0, 0]).map((p) => p.item()); // [1, 1]
 */
export function toyPredictions(parameters: Readonly<ToyTree<Value>>, inputs: ArrayLike<number>): Value[] {
  checkInputs("toyPredictions", inputs);
  const predictions: Value[] = [];
  let state = parameters.s;
  for (let t = 1; t <= inputs.length; t++) {
    scope(`step ${t}`, () => {
      state = nextState(parameters, state, inputs[t - 1]!);
      predictions.push(parameters.u.mul(state));
    });
  }
  return predictions;
}

/**
 * The sum of squared errors of the network's predictions over a whole sequence, E = sum_t (t_t - p_t)^2, as a graph to call `backward()`
 * on. What step t records has the label `step t`, t = 1, …, T.
 *
 * @returns a scalar (float64).
 * @throws InputError for no inputs, a wrong number of targets, or an input or target that is not finite.
 * @example
 * const parameters = toyParams({ u: 0.7, v: -0.4, w: 1.3, s: 0.25 });
 * const { inputs, targets } = nextElementPairs([0.5, -1, 2, 0.1]);
 * toyLoss(parameters, inputs, targets).backward();
 * parameters.w.grad.item(); // -0.0311…
 */
export function toyLoss(parameters: Readonly<ToyTree<Value>>, inputs: ArrayLike<number>, targets: ArrayLike<number>): Value {
  checkPairs("toyLoss", inputs, targets);
  let state = parameters.s;
  let loss = value(0);
  for (let t = 1; t <= inputs.length; t++) {
    scope(`step ${t}`, () => {
      state = nextState(parameters, state, inputs[t - 1]!);
      const prediction = parameters.u.mul(state);
      loss = loss.add(prediction.sub(targets[t - 1]!).square());
    });
  }
  return loss;
}

function nextState({ v, w }: Readonly<ToyTree<Value>>, state: Value, input: number): Value {
  return w.mul(state).add(v.mul(input)).sigmoid();
}
