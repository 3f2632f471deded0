import { type Param, param, type Value, zeroGrad } from "@unroll/autograd";
import { layersOf, mlpLoss } from "../mlp/engine.js";
import { mlpProblem } from "../mlp/problem.js";
import { type Growth, growthOver } from "./growth.js";

/** Training steps of a scalar 2-16-16-1 network on 10 points whose losses are all kept; with a metric on the tape that is not. */
export function heldScalarLosses(steps: number, withMetric: boolean): Growth {
  const problem = mlpProblem(16, 10);
  const params: Param[] = Array.from(problem.parameters, (x) => param(x));
  const layers = layersOf(params, 16);
  const losses: Value[] = [];
  let metrics = 0;
  const growth = growthOver(steps, () => {
    zeroGrad(params);
    const { loss, metric } = mlpLoss(layers, problem, withMetric);
    metrics += metric?.item() ?? 0;
    loss.backward();
    for (const p of params) p.set(p.item() - 0.05 * p.grad.item());
    losses.push(loss);
  });
  return heldToTheEnd(losses, metrics, growth);
}

/** Uses what was held, after the last look at the memory: it cannot have been collected before. */
export function heldToTheEnd(losses: readonly Value[], metrics: number, growth: Growth): Growth {
  const [first, last] = [losses[0]!.item(), losses[losses.length - 1]!.item()];
  if (!(last < first && metrics >= 0)) throw new Error(`the loss went from ${first} to ${last}: nothing was learnt`);
  return growth;
}
