import { type Graph, rewritten } from "../graph.js";
import { isLoop, type Loop } from "../loop.js";

/** A rewriting of programs that changes no result. Each can be switched off. */
export interface Pass {
  readonly name: string;
  run(graph: Graph): Graph;
}

/** The graph with the body of every loop, at any depth, changed first. */
function inBodies(graph: Graph, change: (body: Graph) => Graph): Graph {
  if (!graph.instructions.some(({ op }) => isLoop(op))) return graph;
  return rewritten(graph, (instruction, operands, builder) => {
    if (!isLoop(instruction.op)) return builder.keep(instruction, operands);
    const attributes = instruction.attributes as Loop;
    const body = change(inBodies(attributes.body, change));
    if (body === attributes.body) return builder.keep(instruction, operands);
    return builder.emit(instruction.op, { ...attributes, body }, operands);
  });
}

/** A pass that looks at one graph at a time, run on the bodies of loops first. */
export function everywhere(name: string, run: (graph: Graph) => Graph): Pass {
  return { name, run: (graph) => run(inBodies(graph, run)) };
}

/** How often each value is read, by instructions and as an output. */
export function useCounts({ types, instructions, outputs }: Graph): Uint32Array {
  const counts = new Uint32Array(types.length);
  for (const { operands } of instructions) for (const id of operands) (counts[id] as number)++;
  for (const id of outputs) (counts[id] as number)++;
  return counts;
}
