import type { Graph } from "../graph.js";
import { isLoop, type Loop } from "../loop.js";

/** A rewriting of programs that changes no result. Each can be switched off. */
export interface Pass<N extends string = string> {
  readonly name: N;
  run(graph: Graph): Graph;
}

/** The graph with the body of every loop, at any depth, changed first. Around it nothing changes: a body gives what it gave, by type. */
function inBodies(graph: Graph, change: (body: Graph) => Graph): Graph {
  let isSame = true;
  const instructions = graph.instructions.map((instruction) => {
    if (!isLoop(instruction.op)) return instruction;
    const attributes = instruction.attributes as Loop;
    const body = change(inBodies(attributes.body, change));
    if (body === attributes.body) return instruction;
    isSame = false;
    return { ...instruction, attributes: { ...attributes, body } };
  });
  return isSame ? graph : { ...graph, instructions };
}

/** A pass that looks at one graph at a time, run on the bodies of loops first. */
export function everywhere<const N extends string>(name: N, run: (graph: Graph) => Graph): Pass<N> {
  return { name, run: (graph) => run(inBodies(graph, run)) };
}
