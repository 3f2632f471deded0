import type { ArrayType } from "../ops/array.js";
import type { Graph } from "./graph.js";
import { isLoop, type Loop } from "./loop.js";

/** A graph as text, an instruction a line, bodies of loops indented. */
export function graphText(graph: Graph, indent = ""): string {
  const named = (id: number): string => (graph.constants.has(id) ? constantText(graph, id) : `%${id}`);
  const lines = graph.instructions.flatMap(({ op, attributes, operands, outputs }) => {
    const made = outputs.map((id) => `%${id} ${typeText(graph.types[id] as ArrayType)}`).join(", ");
    const reads = operands.map(named).join(", ");
    if (!isLoop(op)) return [`${indent}${made} = ${op.name}(${reads})${attributes === null ? "" : ` ${JSON.stringify(attributes)}`}`];
    const { body, carries, xs, steps, reverse } = attributes as Loop;
    const inner = body.inputs.map((id, k) => `%${id} ${k < carries ? "carry" : k < carries + xs ? "entry" : "same"}`).join(", ");
    return [
      `${indent}${made} = scan(${reads}), ${steps} steps${reverse ? " in reverse" : ""}: {`,
      `${indent}  (${inner})`,
      graphText(body, `${indent}  `),
      `${indent}}`,
    ];
  });
  return [...lines, `${indent}=> ${graph.outputs.map(named).join(", ")}`].join("\n");
}

function typeText({ dtype, shape }: ArrayType): string {
  return `${dtype}[${shape.join(",")}]`;
}

function constantText({ constants, types }: Graph, id: number): string {
  const x = constants.get(id);
  return x?.type.size === 1 ? String(x.elements[0]) : `constant ${typeText(types[id] as ArrayType)}`;
}

/** How many instructions, those in bodies of loops counted once. */
export function instructionCount({ instructions }: Graph): number {
  return instructions.reduce((n, { op, attributes }) => n + 1 + (isLoop(op) ? instructionCount((attributes as Loop).body) : 0), 0);
}
