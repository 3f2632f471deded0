import { isFloating } from "../dtype.js";
import type { ArrayAlgebra } from "../ops/algebra.js";
import type { ArrayType, Payload } from "../ops/array.js";
import { cotangentOf, tangentsOf } from "../ops/differentiate.js";
import type { Linearization, StructuralOp } from "../ops/op.js";
import { raw } from "../ops/raw.js";
import type { Graph, Instruction } from "./graph.js";
import { interpret } from "./interpret.js";
import { Trace } from "./trace.js";

/** Derivatives of graphs, by the same rules as those of recorded graphs; what they emit goes to the tracer that runs. */

type Values = (id: number) => Payload;

/** Zeros of a type, in any algebra: what stands for a cotangent or a tangent that there is none of. */
export function zerosLike<T>(m: ArrayAlgebra<T>, { shape, dtype }: ArrayType): T {
  return shape.length === 0 ? m.const(0) : m.broadcastTo(m.cast(m.reshape(m.const(0), [1]), dtype), shape);
}

/** Which values depend on inputs by which one may differentiate. */
function differentiable(graph: Graph, inputs: readonly number[]): Set<number> {
  const reached = new Set(inputs.filter((id) => isFloating((graph.types[id] as ArrayType).dtype)));
  for (const { op, operands, outputs } of graph.instructions) {
    if (!operands.some((id, k) => reached.has(id) && carries(op, k))) continue;
    for (const id of outputs) if (isFloating((graph.types[id] as ArrayType).dtype)) reached.add(id);
  }
  return reached;
}

function carries(op: Instruction["op"], k: number): boolean {
  return op.kind === "elementwise" ? op.partials[k] !== null && op.partials[k] !== undefined : !(op.constants?.includes(k) ?? false);
}

function linearization(graph: Graph, { attributes, operands, outputs }: Instruction, values: Values): Linearization<Payload, unknown> {
  return {
    attributes,
    types: operands.map((id) => graph.types[id] as ArrayType),
    outTypes: outputs.map((id) => graph.types[id] as ArrayType),
    operand: (k) => values(operands[k] as number),
    output: (k) => values(outputs[k] as number),
  };
}

/** Reverse mode: by value, the cotangents of what depends on `inputs`, from those in `seeds`. `values` gives what the rules read. */
export function pullBack(
  graph: Graph,
  inputs: readonly number[],
  seeds: ReadonlyMap<number, Payload>,
  values: Values,
): Map<number, Payload> {
  const reached = differentiable(graph, inputs);
  const cotangents = new Map<number, Payload>();
  const deliver = (id: number, d: Payload): void => {
    if (!reached.has(id)) return;
    const before = cotangents.get(id);
    cotangents.set(id, before === undefined ? d : raw.add(before, d));
  };
  for (const [id, seed] of seeds) deliver(id, seed);
  for (let at = graph.instructions.length - 1; at >= 0; at--) {
    const instruction = graph.instructions[at] as Instruction;
    const { op, operands, outputs } = instruction;
    const incoming = outputs.map((id) => cotangents.get(id) ?? null);
    if (incoming.every((d) => d === null)) continue;
    const linear = linearization(graph, instruction, values);
    operands.forEach((id, k) => {
      if (reached.has(id) && carries(op, k)) deliver(id, cotangentOf(raw, op, k, incoming, linear));
    });
  }
  return cotangents;
}

/** Forward mode: by value, the tangents, from those of inputs. */
export function pushForward(graph: Graph, seeds: ReadonlyMap<number, Payload>, values: Values): Map<number, Payload> {
  const tangents = new Map(seeds);
  for (const instruction of graph.instructions) {
    const { op, operands, outputs } = instruction;
    const incoming = operands.map((id, k) => (carries(op, k) ? (tangents.get(id) ?? null) : null));
    if (incoming.every((t) => t === null) || !outputs.some((id) => isFloating((graph.types[id] as ArrayType).dtype))) continue;
    const found = tangentsOf(raw, op, incoming, linearization(graph, instruction, values), transposedOfVjp);
    outputs.forEach((id, k) => {
      const t = found[k] ?? null;
      if (t !== null) tangents.set(id, t);
    });
  }
  return tangents;
}

/** A rule that gives its vjp alone: u ↦ vjp(u) is linear, and the tangent map is its transpose, which pulling back through the vjp gives. */
function transposedOfVjp(op: StructuralOp, tangents: readonly (Payload | null)[], at: Linearization<Payload, unknown>): (Payload | null)[] {
  const trace = new Trace(null);
  const reads: { readonly x: Payload; readonly id: number }[] = [];
  const read = (x: Payload): Payload => {
    const input = trace.input(raw.typeOf(x));
    reads.push({ x, id: input.id });
    return input;
  };
  const duals = at.outTypes.map((type) => (isFloating(type.dtype) ? trace.input(type) : null));
  const inner = { ...at, operand: (k: number) => read(at.operand(k)), output: (k: number) => read(at.output(k)) };
  const total = trace.during(() =>
    tangents
      .flatMap((t, k) => (t === null ? [] : [raw.mul(cotangentOf(raw, op, k, duals, inner), read(t))]))
      .map((product) =>
        raw.sum(
          product,
          raw.typeOf(product).shape.map((_, axis) => axis),
        ),
      )
      .reduce((x, y) => raw.add(x, y)),
  );
  const dualIds = duals.flatMap((dual) => (dual === null ? [] : [dual.id]));
  const graph = trace.build([...dualIds, ...reads.map(({ id }) => id)], [total]);
  const zeros = graph.inputs.slice(0, dualIds.length).map((id) => raw.broadcastTo(0, (graph.types[id] as ArrayType).shape));
  const values = interpret(graph, [...zeros, ...reads.map(({ x }) => x)]);
  const found = pullBack(graph, dualIds, new Map([[graph.outputs[0] as number, 1]]), (id) => values[id] as Payload);
  return duals.map((dual) => (dual === null ? null : (found.get(dual.id) ?? null)));
}
