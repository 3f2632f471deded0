import { broadcastTo, reshape, transpose } from "../ops/shapes.js";
import { type Graph, type Instruction, producers } from "./graph.js";

/** A function and its gradient in one graph, taken apart. */
export interface Partition {
  /** Outputs: the function's, then the residuals. */
  readonly forward: Graph;
  /** Inputs: those of the function in `reads`, the residuals, the cotangents. Outputs: cotangents. */
  readonly backward: Graph;
  readonly reads: readonly number[];
}

// Views of a whole array: what they look at is passed on in their place, and they are taken again.
const REPEATED = new Set<unknown>([reshape, transpose, broadcastTo]);

/**
 * Takes a joint graph apart (see jointGraph) whose first inputs and outputs are those of the function. What depends on a cotangent is the
 * backward part, everything else the forward one; what the one reads of the other are the residuals.
 */
export function partitioned(joint: Graph, inputs: number, outputs: number): Partition {
  const own = joint.inputs.slice(0, inputs);
  const cotangents = joint.inputs.slice(inputs);
  const made = producers(joint);
  const late = new Set(cotangents);
  const residuals = new Set<number>();
  const repeated = new Set<Instruction>();
  const read = new Set<number>();
  const pass = (id: number): void => {
    const maker = made.get(id);
    if (late.has(id) || joint.constants.has(id)) return;
    if (maker === undefined) return void read.add(id);
    if (!REPEATED.has(maker.op)) return void residuals.add(id);
    repeated.add(maker);
    maker.operands.forEach(pass);
  };
  for (const { operands, outputs: results } of joint.instructions) {
    if (!operands.some((id) => late.has(id))) continue;
    operands.forEach(pass);
    for (const id of results) late.add(id);
  }
  const found = joint.outputs.slice(outputs);
  found.forEach(pass);
  const isLate = ({ outputs: results }: Instruction): boolean => results.some((id) => late.has(id));
  const reads = own.flatMap((id, k) => (read.has(id) ? [k] : []));
  return {
    forward: {
      ...joint,
      inputs: own,
      instructions: joint.instructions.filter((x) => !isLate(x)),
      outputs: [...joint.outputs.slice(0, outputs), ...residuals],
    },
    backward: {
      ...joint,
      inputs: [...reads.map((k) => own[k] as number), ...residuals, ...cotangents],
      instructions: joint.instructions.filter((x) => isLate(x) || repeated.has(x)),
      outputs: found,
    },
    reads,
  };
}
