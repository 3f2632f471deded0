import { valueAndGrad } from "@unroll/autograd";
import { loadCompile } from "../compiler.js";
import { problemValues, recurrentLoss, resultsOf } from "./layers.js";
import type { Problem } from "./problem.js";
import { inTurn, type Training } from "./training.js";

export async function trainingCompiled(problem: Problem): Promise<Training> {
  const compile = await loadCompile();
  const { params, inputs, targets } = problemValues(problem);
  const step = compile(valueAndGrad(recurrentLoss(problem)));
  let last: ReturnType<typeof step> | null = null;
  return {
    run: inTurn(() => {
      last = step(params, inputs, targets);
    }),
    results: () => resultsOf(last!),
  };
}
