import { type Graph, identityOf, type Instruction, rewritten } from "../graph.js";
import { isLoop, type Loop } from "../loop.js";
import type { Pass } from "./pass.js";

/**
 * Loops that run one body over the same operands become one that gives what any of them gives. A derivative asks for a loop once more, with
 * what its backward loop reads stacked as well; most of the time the first one is needed anyway.
 *
 * Right because a body has no effect but its outputs.
 */
export const mergeLoops = { name: "merge loops", run: merged } as const satisfies Pass;

/** Outer loops first: bodies are told to be the same by their instructions, which any change replaces. */
function merged(graph: Graph): Graph {
  const stacks = new Map<string, number[]>();
  for (const instruction of graph.instructions) {
    if (!isLoop(instruction.op)) continue;
    const { body, carries } = instruction.attributes as Loop;
    const all = stacks.get(keyOf(instruction, instruction.operands)) ?? [];
    stacks.set(keyOf(instruction, instruction.operands), [...new Set([...all, ...body.outputs.slice(carries)])]);
  }
  const emitted = new Map<string, readonly number[]>();
  return rewritten(graph, (instruction, operands, builder) => {
    if (!isLoop(instruction.op)) return builder.keep(instruction, operands);
    const attributes = instruction.attributes as Loop;
    const { body, carries } = attributes;
    const key = keyOf(instruction, instruction.operands);
    const wanted = stacks.get(key) as number[];
    let outputs = emitted.get(key);
    if (outputs === undefined) {
      const whole = merged({ ...body, outputs: [...body.outputs.slice(0, carries), ...wanted] });
      emitted.set(key, (outputs = builder.emit(instruction.op, { ...attributes, body: whole }, operands)));
    }
    const all = outputs;
    return body.outputs.map((id, k) => all[k < carries ? k : carries + wanted.indexOf(id)] as number);
  });
}

/** Bodies that differ in what they give share their instructions. */
function keyOf({ attributes }: Instruction, operands: readonly number[]): string {
  const { body, carries, xs, steps, reverse } = attributes as Loop;
  return [identityOf(body.instructions), carries, xs, steps, reverse, body.outputs.slice(0, carries), operands].join(" ");
}
