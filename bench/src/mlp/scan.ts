import { scan, type Value, value, valueAndGrad } from "@unroll/autograd";
import { type Compile, loadCompile } from "../compiler.js";
import type { Workload } from "../workload.js";
import { layersOf, predict } from "./engine.js";
import { mlpProblem } from "./problem.js";

/** The loss of the scalar network, its points as a scan. */
function mlpScanLoss(width: number, parameters: readonly Value[], points: readonly Value[]): Value {
  const layers = layersOf(parameters, width);
  const [squares] = scan<Value, readonly [Value, Value, Value], null>(
    (sum, [x, y, target]) => [sum.add(predict(layers, x, y).sub(target).square()), null],
    0,
    points as readonly [Value, Value, Value],
  );
  return squares.mul(1 / points[0]!.shape[0]!);
}

/** Forward and backward are one call. */
export function mlpScan(compile: Compile, width?: number, count?: number): Workload {
  const problem = mlpProblem(width, count);
  const { inputs, targets } = problem;
  const parameters = Array.from(problem.parameters, (x) => value(x));
  const coordinate = (k: number) => value(targets.map((_, n) => inputs[2 * n + k]!));
  const points = [coordinate(0), coordinate(1), value(targets)];
  const loss = (values: readonly Value[], at: readonly Value[]) => mlpScanLoss(problem.width, values, at);
  const step = compile((values: readonly Value[], at: readonly Value[]) => valueAndGrad(loss)(values, at));
  let last: readonly [Value, readonly Value[]] = [value(0), parameters];
  return {
    forward() {
      last = step(parameters, points);
    },
    results: () => [last[0].item(), ...last[1].map((x) => x.item())],
  };
}

export async function mlpScanCompiled(): Promise<Workload> {
  return mlpScan(await loadCompile());
}
