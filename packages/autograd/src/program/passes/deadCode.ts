import { type Graph, type Instruction, rewritten } from "../graph.js";
import { isLoop, type Loop, loopOf } from "../loop.js";
import type { Pass } from "./pass.js";

/** What nothing reads is not computed: instructions, and of a loop stacks, carries and operands. */
export const deadCode = { name: "dead code", run: withoutDeadCode } as const satisfies Pass;

function withoutDeadCode(graph: Graph): Graph {
  const live = new Set(graph.outputs);
  const kept: Instruction[] = [];
  const trimmed = new Map<Instruction, Trimmed>();
  for (let at = graph.instructions.length - 1; at >= 0; at--) {
    const instruction = graph.instructions[at] as Instruction;
    if (!instruction.outputs.some((id) => live.has(id))) continue;
    const loop = isLoop(instruction.op) ? trimmedLoop(instruction, live) : null;
    // Operands that a loop no longer has are made by nothing in the new graph.
    const rest = loop === null ? instruction : { ...instruction, operands: loop.operands.map((k) => instruction.operands[k] as number) };
    if (loop !== null) trimmed.set(rest, loop);
    kept.push(rest);
    for (const id of rest.operands) live.add(id);
  }
  if (kept.length === graph.instructions.length && trimmed.size === 0) return graph;
  return rewritten({ ...graph, instructions: kept.reverse() }, (instruction, operands, builder) => {
    const loop = trimmed.get(instruction);
    if (loop === undefined) return builder.keep(instruction, operands);
    const outputs = builder.emit(loopOf(operands.length), loop.attributes, operands);
    const { body, carries } = instruction.attributes as Loop;
    const placeOf = (k: number): number =>
      loop.outputs.findIndex((j) => j === k || (k >= carries && j >= carries && body.outputs[j] === body.outputs[k]));
    return instruction.outputs.map((_, k) => outputs[placeOf(k)] ?? -1);
  });
}

interface Trimmed {
  readonly attributes: Loop;
  /** Which operands and outputs are left. */
  readonly operands: readonly number[];
  readonly outputs: readonly number[];
}

/** null where every part of a loop is needed. */
function trimmedLoop({ attributes, outputs }: Instruction, live: ReadonlySet<number>): Trimmed | null {
  const loop = attributes as Loop;
  const { body, carries, xs } = loop;
  const isLive = (k: number): boolean => live.has(outputs[k] as number);
  const stacks = body.outputs.flatMap((_, k) => (k >= carries && isLive(k) && !hasEarlier(body, k, carries, isLive) ? [k] : []));
  // A carry is needed for its last value, or where something that is needed reads it: until nothing is added.
  let carried = body.outputs.flatMap((_, k) => (k < carries && isLive(k) ? [k] : []));
  for (;;) {
    const read = inputsRead(body, [...carried, ...stacks]);
    const more = body.inputs.flatMap((id, k) => (k < carries && (carried.includes(k) || read.has(id)) ? [k] : []));
    if (more.length === carried.length) break;
    carried = more;
  }
  const kept = [...carried, ...stacks];
  const read = inputsRead(body, kept);
  const operands = body.inputs.flatMap((id, k) => (k < carries ? (carried.includes(k) ? [k] : []) : read.has(id) ? [k] : []));
  const isWhole = operands.length === body.inputs.length && kept.length === body.outputs.length;
  const inputs = operands.map((k) => body.inputs[k] as number);
  const inner = withoutDeadCode(isWhole ? body : { ...body, inputs, outputs: kept.map((k) => body.outputs[k] as number) });
  if (inner === body) return null;
  const rest = operands.filter((k) => k >= carries && k < carries + xs).length;
  return { attributes: { ...loop, body: inner, carries: carried.length, xs: rest }, operands, outputs: kept };
}

/** Whether the same value is stacked before, at a position that is needed: then once is enough. */
function hasEarlier({ outputs }: Graph, k: number, carries: number, isLive: (k: number) => boolean): boolean {
  return outputs.some((id, j) => j >= carries && j < k && id === outputs[k] && isLive(j));
}

/** The inputs that some outputs of a body depend on. */
function inputsRead(body: Graph, outputs: readonly number[]): Set<number> {
  const live = new Set(outputs.map((k) => body.outputs[k] as number));
  for (let at = body.instructions.length - 1; at >= 0; at--) {
    const instruction = body.instructions[at] as Instruction;
    if (instruction.outputs.some((id) => live.has(id))) for (const id of instruction.operands) live.add(id);
  }
  return live;
}
