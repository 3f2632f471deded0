import type { Range } from "../../ops/algebra.js";
import type { Op } from "../../ops/op.js";
import { concat, unslice } from "../../ops/shapes.js";
import { binary } from "../../ops/table.js";
import { sameShape, type Shape } from "../../shape.js";
import { type Graph, type GraphBuilder, type Instruction, producers, rewritten, useCounts } from "../graph.js";
import { everywhere } from "./pass.js";
import { areWhole, differingAxes, rangesOf } from "./ranges.js";

/** A padded slice: which value, and where it stands in the whole. */
interface Part {
  readonly id: number;
  readonly ranges: readonly Range[];
}

/**
 * Parts of one array, each padded with zeros to the whole, are joined instead of added: the gradients of slices, as of the gates of a cell
 * or the steps of an unrolled loop. Only the sign of a zero can differ.
 */
export const joinSlices = everywhere("join slices", (graph) => {
  const sums = sumsOfSlices(graph);
  if (sums.size === 0) return graph;
  return rewritten(graph, (instruction, operands, builder) => {
    const terms = sums.get(instruction.outputs[0] as number);
    return (terms && joined(terms, builder)) ?? builder.keep(instruction, operands);
  });
});

/** By value, the terms of sums of nothing but padded slices; without those that only a larger such sum reads. */
function sumsOfSlices(graph: Graph): Map<number, readonly number[]> {
  const uses = useCounts(graph);
  const made = producers(graph);
  const shapeOf = (id: number): Shape => graph.types[id]?.shape ?? [];
  const terms = new Map<number, readonly number[]>();
  for (const { op, operands, outputs } of graph.instructions) {
    const [out] = outputs as [number];
    // A term that is broadcast has elements in every row, and is no part of one.
    if ((op as unknown) !== binary.add || operands.some((id) => !sameShape(shapeOf(id), shapeOf(out)))) continue;
    const [x, y] = operands.map((id) => terms.get(id) ?? ((made.get(id)?.op as unknown) === unslice ? [id] : null));
    if (!x || !y) continue;
    for (const id of operands) if (uses[id] === 1) terms.delete(id);
    terms.set(out, [...x, ...y]);
  }
  return terms;
}

/** null where the terms are no parts beside one another along one axis. */
function joined(terms: readonly number[], builder: GraphBuilder): readonly number[] | null {
  const padded = terms.map((id) => builder.makers.get(id) as Instruction);
  const { shape, dtype } = builder.types[terms[0] as number] as { shape: Shape; dtype: string };
  const parts = padded.map((x): Part => ({ id: x.operands[0] as number, ranges: rangesOf(x) }));
  const [axis, ...others] = new Set(parts.flatMap(({ ranges }) => differingAxes(ranges, (parts[0] as Part).ranges)));
  if (axis === undefined || others.length > 0 || parts.some(({ id }) => builder.types[id]?.dtype !== dtype)) return null;
  const runs = runsAlong(parts, axis);
  if (runs === null || runs.length === parts.length) return null;
  const wholes = runs.map((run) => {
    const ids = run.map(({ id }) => id);
    const x = ids.length === 1 ? ids : builder.emit(concat as Op, { axis }, ids);
    const size = run.reduce((sum, { ranges }) => sum + (ranges[axis] as Range).size, 0);
    const ranges = (run[0] as Part).ranges.map((range, k) => (k === axis ? { ...range, size } : range));
    return areWhole(ranges, shape) ? x : builder.emit(unslice as Op, { shape, ranges }, x);
  });
  return wholes.reduce((sum, x) => builder.emit(binary.add as Op, null, [sum[0] as number, x[0] as number]));
}

/** The parts in order, each run of them without a gap; null where they have elements in common, or gaps inside. */
function runsAlong(parts: readonly Part[], axis: number): Part[][] | null {
  const along = ({ ranges }: Part): Range => ranges[axis] as Range;
  const runs: Part[][] = [];
  let end = 0;
  for (const part of [...parts].sort((p, q) => along(p).start - along(q).start)) {
    const { start, size, step } = along(part);
    if (step !== 1 || start < end) return null;
    if (start === end && runs.length > 0) (runs.at(-1) as Part[]).push(part);
    else runs.push([part]);
    end = start + size;
  }
  return runs;
}
