import type { Op } from "../../ops/op.js";
import { takeRows } from "../../ops/indexing.js";
import { matmul, type Transpositions } from "../../ops/products.js";
import { reshape, slice } from "../../ops/shapes.js";
import type { Range } from "../../ops/algebra.js";
import type { Shape } from "../../shape.js";
import { type DType, isFloating } from "../../dtype.js";
import { type Graph, type GraphBuilder, type Instruction, rewritten } from "../graph.js";
import { isLoop, type Loop, loopOf } from "../loop.js";
import { everywhere } from "./pass.js";

/**
 * What the body of a loop computes without its carry runs once for all steps. What depends on no step at all moves before the loop. A
 * product of something of every step with a matrix that stays the same becomes one product before the loop, with all steps as its rows; what
 * leads to its left operand moves with it. Right because no step's share depends on another's.
 */
export const hoist = everywhere("hoist", (graph) =>
  rewritten(graph, (instruction, operands, builder) =>
    isLoop(instruction.op) ? hoisted(instruction, operands, builder) : builder.keep(instruction, operands),
  ),
);

function hoisted(instruction: Instruction, operands: readonly number[], outer: GraphBuilder): readonly number[] {
  const loop = instruction.attributes as Loop;
  const { body, carries, xs } = loop;
  const site = new LoopSite(loop, operands, outer);
  const moved = new Set<Instruction>();
  for (const inner of body.instructions) if (site.moveInvariant(inner)) moved.add(inner);
  for (const inner of body.instructions) {
    if (moved.has(inner) || (inner.op as unknown) !== matmul || !site.isBatched(inner)) continue;
    site.batch(inner.outputs[0] as number);
    moved.add(inner);
  }
  if (moved.size === 0) return outer.keep(instruction, operands);

  // What is left in the body reads what moved as further sequences and constants.
  const rest = body.instructions.filter((inner) => !moved.has(inner));
  const read = new Set([...rest.flatMap((x) => x.operands), ...body.outputs]);
  const fresh = [...moved].flatMap(({ outputs }) => outputs.filter((id) => read.has(id)));
  const sequences = fresh.filter((id) => site.batched.has(id));
  const constants = fresh.filter((id) => !site.batched.has(id));
  const inputs = [...body.inputs.slice(0, carries + xs), ...sequences, ...body.inputs.slice(carries + xs), ...constants];
  const given = [
    ...operands.slice(0, carries + xs),
    ...sequences.map((id) => site.batched.get(id) as number),
    ...operands.slice(carries + xs),
    ...constants.map((id) => site.outside.get(id) as number),
  ];
  return outer.emit(loopOf(given.length), { ...loop, xs: xs + sequences.length, body: { ...body, inputs, instructions: rest } }, given);
}

/** The values of a body, as they are known outside of the loop. */
class LoopSite {
  /** Values that are the same at every step, by their number in the body. */
  readonly outside = new Map<number, number>();
  /** Values of all steps, stacked along a new axis 0. */
  readonly batched = new Map<number, number>();
  private readonly body: Graph;
  private readonly steps: number;
  private readonly outer: GraphBuilder;
  private readonly makers = new Map<number, Instruction>();

  constructor({ body, carries, xs, steps }: Loop, operands: readonly number[], outer: GraphBuilder) {
    this.body = body;
    this.steps = steps;
    this.outer = outer;
    body.inputs.forEach((id, k) => {
      if (k >= carries + xs) this.outside.set(id, operands[k] as number);
      else if (k >= carries) this.batched.set(id, operands[k] as number);
    });
    for (const instruction of body.instructions) for (const id of instruction.outputs) this.makers.set(id, instruction);
  }

  /** Emits an instruction before the loop if no operand depends on the step. */
  moveInvariant(instruction: Instruction): boolean {
    const { op, attributes, operands, outputs } = instruction;
    if (!operands.every((id) => this.outside.has(id) || this.body.constants.has(id))) return false;
    const made = this.outer.emit(
      op,
      attributes,
      operands.map((id) => this.invariant(id)),
    );
    outputs.forEach((id, k) => this.outside.set(id, made[k] as number));
    return true;
  }

  private invariant(id: number): number {
    const known = this.outside.get(id);
    if (known !== undefined) return known;
    const x = this.body.constants.get(id);
    if (x === undefined) throw new Error("not the same at every step");
    return this.outer.constant(x.type.shape.length === 0 && isFloating(x.type.dtype) ? (x.data[x.offset] as number) : x);
  }

  private isInvariant(id: number): boolean {
    return this.outside.has(id) || this.body.constants.has(id);
  }

  private shape(id: number): Shape {
    return this.body.types[id]?.shape ?? [];
  }

  /** A product that becomes one with all steps as its rows. */
  isBatched({ attributes, operands }: Instruction): boolean {
    const [a, b] = operands as [number, number];
    const { transposeA } = attributes as Transpositions;
    const matrices = this.shape(a).length === 2 && this.shape(b).length === 2;
    return matrices && !transposeA && this.isInvariant(b) && this.canBatch(a);
  }

  /** Whether a value of every step can be had for all steps at once. */
  private canBatch(id: number): boolean {
    const stack = this.batched.get(id);
    // An entry of a float32 list is a float64 number, and is computed with as one.
    if (stack !== undefined) return this.outer.types[stack]?.dtype === this.dtype(id);
    const instruction = this.makers.get(id);
    if (instruction === undefined) return false;
    const { op, operands } = instruction;
    const [x, at] = operands as [number, number];
    // What only has another shape, or is looked up, would be float64 as a scalar.
    const keepsDType = this.dtype(x) === this.dtype(id);
    if ((op as unknown) === reshape || (op as unknown) === slice) return keepsDType && this.canBatch(x);
    if ((op as unknown) === matmul) return this.isBatched(instruction);
    if ((op as unknown) === takeRows) return keepsDType && this.isInvariant(x) && this.canBatch(at);
    return op.kind === "elementwise" && operands.every((x) => this.isAligned(x, id) && (this.isInvariant(x) || this.canBatch(x)));
  }

  private dtype(id: number): DType | undefined {
    return this.body.types[id]?.dtype;
  }

  /** Stacked, a floating scalar is no longer weak, and could widen the result. */
  private isAligned(operand: number, out: number): boolean {
    return this.isInvariant(operand) || this.dtype(operand) === this.dtype(out) || this.shape(operand).length > 0;
  }

  /** The value of all steps, stacked. */
  batch(id: number): number {
    const known = this.batched.get(id);
    if (known !== undefined) return known;
    const stacked = this.emitBatched(this.makers.get(id) as Instruction, this.shape(id));
    this.batched.set(id, stacked);
    return stacked;
  }

  private emitBatched({ op, attributes, operands }: Instruction, shape: Shape): number {
    const emit = (of: Op | { readonly name: string }, a: unknown, on: readonly number[]) => this.outer.emit(of as Op, a, on)[0] as number;
    const [x] = operands as [number];
    const whole: Range = { start: 0, size: this.steps, step: 1 };
    if ((op as unknown) === reshape) return emit(reshape, { shape: [this.steps, ...shape] }, [this.batch(x)]);
    if ((op as unknown) === slice)
      return emit(slice, { ranges: [whole, ...(attributes as { ranges: readonly Range[] }).ranges] }, [this.batch(x)]);
    if ((op as unknown) === matmul) {
      const [rows, inner] = this.shape(x) as [number, number];
      const flat = emit(reshape, { shape: [this.steps * rows, inner] }, [this.batch(x)]);
      const product = emit(op, attributes, [flat, this.invariant(operands[1] as number)]);
      return emit(reshape, { shape: [this.steps, ...shape] }, [product]);
    }
    if ((op as unknown) === takeRows) return emit(op, attributes, [this.invariant(x), this.batch(operands[1] as number)]);
    const aligned = operands.map((id) => {
      if (this.isInvariant(id)) return this.invariant(id);
      const own = this.shape(id);
      const padded = [this.steps, ...new Array<number>(shape.length - own.length).fill(1), ...own];
      return own.length === shape.length ? this.batch(id) : emit(reshape, { shape: padded }, [this.batch(id)]);
    });
    return emit(op, attributes, aligned);
  }
}
