import { isFloating } from "../dtype.js";
import type { ArrayType, Payload } from "../ops/array.js";
import { raw } from "../ops/raw.js";
import { pullBack, pushForward, zerosLike } from "./differentiate.js";
import type { Graph } from "./graph.js";
import { interpret } from "./interpret.js";
import { Trace } from "./trace.js";

/** The graph of a function's derivative, from the function's own. */

const floats = ({ types }: Graph, id: number): boolean => isFloating((types[id] as ArrayType).dtype);

/** Inputs: the function's, then a cotangent of each output in `given`. Outputs: the cotangents of the inputs in `wanted`. */
export function gradientGraph(graph: Graph, given: readonly number[], wanted: readonly number[]): Graph {
  const { build, backward } = withCotangents(graph, given, wanted);
  return build(backward);
}

/** The same, and the function's own outputs before the cotangents. */
export function jointGraph(graph: Graph, given: readonly number[], wanted: readonly number[]): Graph {
  const { build, forward, backward } = withCotangents(graph, given, wanted);
  return build([...forward, ...backward]);
}

function withCotangents(graph: Graph, given: readonly number[], wanted: readonly number[]) {
  const trace = new Trace(null);
  const inputs = graph.inputs.map((id) => trace.input(graph.types[id] as ArrayType));
  const cotangents = given.map((k) => trace.input(graph.types[graph.outputs[k] as number] as ArrayType));
  return trace.during(() => {
    const values = interpret(graph, inputs);
    const seeds = new Map<number, Payload>();
    given.forEach((k, j) => {
      const id = graph.outputs[k] as number;
      const before = seeds.get(id);
      const d = cotangents[j] as Payload;
      seeds.set(id, before === undefined ? d : raw.add(before, d));
    });
    const by = wanted.map((k) => graph.inputs[k] as number);
    const found = pullBack(graph, by, seeds, (id) => values[id] as Payload);
    const ids = [...inputs, ...cotangents].map(({ id }) => id);
    return {
      build: (outputs: readonly Payload[]): Graph => trace.build(ids, outputs),
      forward: graph.outputs.map((id) => values[id] as Payload),
      backward: by.map((id) => found.get(id) ?? zerosLike<Payload>(raw, graph.types[id] as ArrayType)),
    };
  });
}

/** Inputs: the function's, then a tangent of each input in `given`. Outputs: the tangents of the floating outputs. */
export function tangentGraph(graph: Graph, given: readonly number[]): Graph {
  const trace = new Trace(null);
  const inputs = graph.inputs.map((id) => trace.input(graph.types[id] as ArrayType));
  const tangents = given.map((k) => trace.input(graph.types[graph.inputs[k] as number] as ArrayType));
  return trace.during(() => {
    const values = interpret(graph, inputs);
    const seeds = new Map(given.map((k, j) => [graph.inputs[k] as number, tangents[j] as Payload]));
    const found = pushForward(graph, seeds, (id) => values[id] as Payload);
    const outputs = graph.outputs
      .filter((id) => floats(graph, id))
      .map((id) => found.get(id) ?? zerosLike<Payload>(raw, graph.types[id] as ArrayType));
    return trace.build(
      [...inputs, ...tangents].map(({ id }) => id),
      outputs,
    );
  });
}
