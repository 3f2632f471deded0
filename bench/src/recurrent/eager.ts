import { valueAndGrad } from "@unroll/autograd";
import { loadCompile } from "../compiler.js";
import { problemValues, recurrentLoss, resultsOf } from "./layers.js";
import type { Problem } from "./problem.js";
import { inTurn, type Training } from "./training.js";

/** The same where /compile was imported, which lends its product kernels. */
export async function trainingOnLentKernels(problem: Problem): Promise<Training> {
  await loadCompile();
  return trainingOnEngine(problem);
}

export function trainingOnEngine(problem: Problem): Training {
  const { params, inputs, targets } = problemValues(problem);
  const step = valueAndGrad(recurrentLoss(problem));
  let last: ReturnType<typeof step> | null = null;
  return {
    run: inTurn(() => {
      last = step(params, inputs, targets);
    }),
    results: () => resultsOf(last!),
  };
}
