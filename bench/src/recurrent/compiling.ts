/**
 * One process, what compiling an LSTM's training step takes: `node recurrent/compiling.js`, with an IPC channel to run.js. Each time from
 * the call to its result, and the median of later calls.
 */
import { tanh, type Value, valueAndGrad } from "@unroll/autograd";
import { loadCompile } from "../compiler.js";
import { median } from "../results.js";
import { type LossFunction, type ProblemValues, problemValues, recurrentLoss } from "./layers.js";
import { type Problem, recurrentProblem } from "./problem.js";
import { FLOAT32_TOLERANCE } from "./reference.js";
import { type CompileMeasurement, type FirstCall, OTHER_LENGTH, SIZE } from "./compileTime.js";
import { inTurn } from "./training.js";
import { send } from "../message.js";

const compile = await loadCompile();
const problem = recurrentProblem("lstm", SIZE);
const shorter = recurrentProblem("lstm", { ...SIZE, steps: OTHER_LENGTH });
const network = recurrentLoss(problem);
// Of equal size, but another program.
const other: LossFunction = (params, inputs, targets) => network(params, tanh(inputs), targets);

const first = compile(valueAndGrad(network));
const measurement: CompileMeasurement = {
  fresh: await firstCall(first, network, problem),
  warm: await firstCall(compile(valueAndGrad(other)), other, problem),
  length: await firstCall(first, network, shorter),
};
send(measurement);

type Step = (...args: [ProblemValues["params"], Value, Value]) => readonly [Value, unknown];

async function firstCall(step: Step, loss: LossFunction, given: Problem): Promise<FirstCall> {
  const { params, inputs, targets } = problemValues(given);
  let last = NaN;
  const run = inTurn(() => {
    last = step(params, inputs, targets)[0].item();
  });
  const [call] = (await run(1)) as [number];
  const expected = loss(params, inputs, targets).item();
  // Written so that NaN disagrees.
  if (!(Math.abs(last - expected) <= FLOAT32_TOLERANCE * expected)) throw new Error(`the loss is ${last}, expected ${expected}`);
  return { call, step: median(await run(7)) };
}
