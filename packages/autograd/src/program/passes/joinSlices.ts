import type { Range } from "../../ops/algebra.js";
import type { Op } from "../../ops/op.js";
import { concat, unslice } from "../../ops/shapes.js";
import { binary } from "../../ops/table.js";
import { type Graph, type GraphBuilder, producers, rewritten, useCounts } from "../graph.js";
import { everywhere } from "./pass.js";

/** A part of an array, along the axis along which it is joined. */
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
  const terms = new Map<number, readonly number[]>();
  for (const { op, operands, outputs } of graph.instructions) {
    if ((op as unknown) !== binary.add || graph.types[outputs[0] as number]?.shape.length === 0) continue;
    const all = operands.map((id) => terms.get(id) ?? ((made.get(id)?.op as unknown) === unslice ? [id] : null));
    const [x, y] = all;
    if (!x || !y) continue;
    for (const id of operands) if (uses[id] === 1) terms.delete(id);
    terms.set(outputs[0] as number, [...x, ...y]);
  }
  return terms;
}

function joined(terms: readonly number[], builder: GraphBuilder): readonly number[] | null {
  const padded = terms.map((id) => builder.makers.get(id));
  const [first] = padded;
  const { shape } = first?.attributes as { shape: readonly number[] };
  const parts = padded.map((x): Part => ({ id: x?.operands[0] as number, ranges: (x?.attributes as { ranges: readonly Range[] }).ranges }));
  const axes = shape.flatMap((_, k) => (parts.every(({ ranges }) => sameRange(ranges[k], parts[0]?.ranges[k])) ? [] : [k]));
  const [axis] = axes;
  if (axes.length !== 1 || axis === undefined) return null;
  const along = ({ ranges }: Part): Range => ranges[axis] as Range;
  const end = (part: Part): number => along(part).start + along(part).size;
  const sorted = parts.sort((p, q) => along(p).start - along(q).start);
  const isApart = sorted.every((part, k) => along(part).step === 1 && (k === 0 || end(sorted[k - 1] as Part) <= along(part).start));
  const sameDType = parts.every(({ id }) => builder.types[id]?.dtype === builder.types[terms[0] as number]?.dtype);
  if (!isApart || !sameDType) return null;
  const runs: Part[][] = [];
  for (const part of sorted) {
    const run = runs.at(-1);
    if (run !== undefined && end(run.at(-1) as Part) === along(part).start) run.push(part);
    else runs.push([part]);
  }
  if (runs.length === sorted.length) return null;
  const wholes = runs.map((run) => {
    const ids = run.map(({ id }) => id);
    const x = ids.length === 1 ? ids : builder.emit(concat as Op, { axis }, ids);
    const { ranges } = run[0] as Part;
    const range = { start: along(run[0] as Part).start, size: run.reduce((n, part) => n + along(part).size, 0), step: 1 };
    const all = ranges.map((r, k) => (k === axis ? range : r));
    const isWhole = all.every(({ start, size, step }, k) => start === 0 && step === 1 && size === shape[k]);
    return isWhole ? x : builder.emit(unslice as Op, { shape, ranges: all }, x);
  });
  return wholes.reduce((sum, x) => builder.emit(binary.add as Op, null, [sum[0] as number, x[0] as number]));
}

function sameRange(p: Range | undefined, q: Range | undefined): boolean {
  return p?.start === q?.start && p?.size === q?.size && p?.step === q?.step;
}
