import { type Payload, toPayload } from "../ops/array.js";
import { runElementwise, runStructural } from "../ops/raw.js";
import type { Graph, Instruction } from "./graph.js";

/**
 * Carries out a graph operation by operation: on plain kernels, or where a tracer runs and the inputs are abstract, into its trace. Gives
 * every value, by number.
 */
export function interpret(graph: Graph, inputs: readonly Payload[]): Payload[] {
  const values = new Array<Payload>(graph.types.length);
  graph.inputs.forEach((id, k) => {
    values[id] = inputs[k] as Payload;
  });
  for (const [id, x] of graph.constants) values[id] = toPayload(x);
  for (const instruction of graph.instructions) {
    const outputs = carryOut(
      instruction,
      instruction.operands.map((id) => values[id] as Payload),
    );
    instruction.outputs.forEach((id, k) => {
      values[id] = outputs[k] as Payload;
    });
  }
  return values;
}

export function carryOut({ op, attributes }: Instruction, operands: readonly Payload[]): readonly Payload[] {
  return op.kind === "elementwise" ? [runElementwise(op, operands)] : runStructural(op, operands, attributes);
}

/** The outputs alone. */
export function outputsOf(graph: Graph, inputs: readonly Payload[]): Payload[] {
  const values = interpret(graph, inputs);
  return graph.outputs.map((id) => values[id] as Payload);
}
