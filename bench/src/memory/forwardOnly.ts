import { param, type Value } from "@unroll/autograd";
import { layersOf, predict } from "../mlp/engine.js";
import { mlpProblem, operationsPerPrediction } from "../mlp/problem.js";
import { toyLoss } from "../toy/engine.js";
import { OPERATIONS_PER_STEP, toyProblem } from "../toy/problem.js";

/**
 * Loops of independent forward passes that are recorded (params take part) and never differentiated; nothing is freed by hand. What the
 * passes use was derived from the params before the loop, so that every later segment of the tape imports from the first.
 */
const STEPS = 100;

/** The toy network over 100 steps, again and again. Gives the loss of the last pass. */
export function forwardOnlyToy(nodes: number): number {
  const problem = toyProblem(STEPS);
  const { inputs, targets } = problem;
  const derived = (x: number): Value => param(2 * x).mul(0.5);
  const values = { u: derived(problem.u), v: derived(problem.v), w: derived(problem.w), s: derived(problem.s) };
  let last = 0;
  for (let recorded = 0; recorded < nodes; recorded += STEPS * OPERATIONS_PER_STEP) last = toyLoss(values, inputs, targets).item();
  return last;
}

/** A 2-width-width-1 network on one point after the other. Gives the prediction for the last. */
export function forwardOnlyNetwork(width: number, nodes: number): number {
  const { parameters, inputs } = mlpProblem(width);
  const points = inputs.length / 2;
  const layers = layersOf(
    Array.from(parameters, (x) => param(2 * x).mul(0.5)),
    width,
  );
  const perPass = operationsPerPrediction(width);
  let last = 0;
  for (let recorded = 0, n = 0; recorded < nodes; recorded += perPass, n = (n + 1) % points) {
    last = predict(layers, inputs[2 * n]!, inputs[2 * n + 1]!).item();
  }
  return last;
}
