import { scan, type Value, value, valueAndGrad } from "@unroll/autograd";
import { type Compile, loadCompile } from "../compiler.js";
import type { Workload } from "../workload.js";
import type { ToyValues } from "./engine.js";
import { toyProblem } from "./problem.js";

interface State {
  readonly y: Value;
  readonly sum: Value;
}

/** The loss of the toy network, its time steps as a scan. */
function toyScanLoss({ u, v, w, s }: ToyValues, inputs: Value, targets: Value): Value {
  const [{ sum }] = scan<State, readonly [Value, Value], null>(
    (state, [x, target]) => {
      const y = w.mul(state.y).add(v.mul(x)).sigmoid();
      return [{ y, sum: state.sum.add(u.mul(y).sub(target).square()) }, null];
    },
    { y: s, sum: 0 },
    [inputs, targets],
  );
  return sum;
}

/** Forward and backward are one call. */
export function toyScan(steps: number, compile: Compile): Workload {
  const { u, v, w, s, ...sequences } = toyProblem(steps);
  const params: ToyValues = { u: value(u), v: value(v), w: value(w), s: value(s) };
  const [inputs, targets] = [value(sequences.inputs), value(sequences.targets)];
  const step = compile((values: ToyValues, xs: Value, ys: Value) => valueAndGrad(toyScanLoss)(values, xs, ys));
  let last: readonly [Value, ToyValues] = [value(0), params];
  return {
    forward() {
      last = step(params, inputs, targets);
    },
    results() {
      const [loss, gradient] = last;
      return [loss, gradient.u, gradient.v, gradient.w, gradient.s].map((x) => x.item());
    },
  };
}

export async function toyScanCompiled(steps: number): Promise<Workload> {
  return toyScan(steps, await loadCompile());
}
