import type { Op } from "../../ops/op.js";
import { rewritten } from "../graph.js";
import { isLoop } from "../loop.js";
import { everywhere } from "./pass.js";

/**
 * What is computed twice, by the same operation from the same operands, is computed once. Right because operations have no effect but their
 * outputs, and attributes are plain data, which tell by their text whether they are equal.
 */
export const commonSubexpressions = everywhere("common subexpressions", (graph) => {
  const known = new Map<string, readonly number[]>();
  const numbers = new Map<Op, number>();
  const numberOf = (op: Op): number => {
    const number = numbers.get(op) ?? numbers.size;
    numbers.set(op, number);
    return number;
  };
  return rewritten(graph, (instruction, operands, builder) => {
    const { op, attributes } = instruction;
    if (isLoop(op)) return builder.keep(instruction, operands); // see mergeLoops
    const key = `${numberOf(op)} ${operands.join()} ${JSON.stringify(attributes)}`;
    let outputs = known.get(key);
    if (outputs === undefined) known.set(key, (outputs = builder.keep(instruction, operands)));
    return outputs;
  });
});
