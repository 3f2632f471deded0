import type { Op } from "../../ops/op.js";
import { matmul, type Transpositions } from "../../ops/products.js";
import { sum } from "../../ops/reductions.js";
import { broadcastTo, cast, concat, reshape, slice, stack, stop, transpose, unstack } from "../../ops/shapes.js";
import { binary, unary } from "../../ops/table.js";
import { isFloating } from "../../dtype.js";
import { sameShape, type Shape } from "../../shape.js";
import type { Range } from "../../ops/algebra.js";
import { type GraphBuilder, type Instruction, rewritten, uniformElement, useCounts } from "../graph.js";
import { everywhere } from "./pass.js";
import { areWhole, rangesOf } from "./ranges.js";

/** What an instruction becomes, if something simpler gives the same; null where not. */
type Rule = (at: Site) => readonly number[] | null;

/** An instruction about to be emitted. */
class Site {
  readonly op: Op;
  readonly attributes: unknown;
  readonly operands: readonly number[];
  readonly builder: GraphBuilder;
  /** Whether nothing else reads operand k. */
  readonly isOnlyReader: (k: number) => boolean;

  constructor({ op, attributes }: Instruction, operands: readonly number[], builder: GraphBuilder, isOnlyReader: (k: number) => boolean) {
    this.op = op;
    this.attributes = attributes;
    this.operands = operands;
    this.builder = builder;
    this.isOnlyReader = isOnlyReader;
  }

  operand(k = 0): number {
    return this.operands[k] as number;
  }

  shape(k = 0): Shape {
    return this.shapeOf(this.operand(k));
  }

  shapeOf(id: number): Shape {
    return this.builder.types[id]?.shape ?? [];
  }

  /** The instruction that made an operand, if it was this operation. */
  madeBy(op: Op | { readonly name: string }, k = 0): Instruction | null {
    const instruction = this.builder.makers.get(this.operand(k));
    return instruction !== undefined && (instruction.op as unknown) === op ? instruction : null;
  }

  isConstant(k: number, x: number): boolean {
    const constant = this.builder.constants.get(this.operand(k));
    return constant !== undefined && Object.is(uniformElement(constant), x);
  }

  sameType(id: number, as: number): boolean {
    const [p, q] = [this.builder.types[id], this.builder.types[as]];
    return p !== undefined && q !== undefined && p.dtype === q.dtype && sameShape(p.shape, q.shape);
  }
}

const attributesOf = <A>({ attributes }: { readonly attributes: unknown }): A => attributes as A;

/** x where the other operand changes neither its elements nor its type. */
function neutral(at: Site, k: number, neutralElement: number): readonly number[] | null {
  if (!at.isConstant(1 - k, neutralElement)) return null;
  const [p, q] = [at.builder.types[at.operand(k)], at.builder.types[at.operand(1 - k)]];
  const fits = p !== undefined && q !== undefined && q.shape.length === 0 && (p.dtype === "float64" || p.dtype === "float32");
  return fits ? [at.operand(k)] : null;
}

const isMatrixTransposition = (order: readonly number[]): boolean =>
  order.length >= 2 && order.every((axis, k) => axis === (k < order.length - 2 ? k : 2 * order.length - 3 - k));

const RULES = new Map<unknown, readonly Rule[]>([
  [unary.identity, [(at) => unlessBool(at, at.operand())]],
  [stop, [(at) => [at.operand()]]],
  [unary.neg, [(at) => doubled(at, unary.neg)]],
  [binary.mul, [(at) => neutral(at, 0, 1) ?? neutral(at, 1, 1)]],
  [binary.div, [(at) => neutral(at, 0, 1)]],
  [binary.sub, [(at) => neutral(at, 0, 0)]],
  [binary.add, [(at) => neutral(at, 0, -0) ?? neutral(at, 1, -0)]],
  [cast, [(at) => (at.builder.types[at.operand()]?.dtype === attributesOf<{ dtype: string }>(at).dtype ? [at.operand()] : null)]],
  [reshape, [sameShapeAsOperand, reshapeOfReshape]],
  [broadcastTo, [sameShapeAsOperand]],
  [transpose, [inOrder, transposeOfTranspose, transposeOfProduct]],
  [slice, [wholeSlice, sliceOfJoined]],
  [unstack, [unstackOfStack]],
  [sum, [sumOfBroadcast]],
  [matmul, [productOfTransposes]],
]);

/** A constant whose elements are all equal is one number, where the other operands alone give the result its type. */
function withScalars(at: Site): readonly number[] | null {
  const { op, operands, builder } = at;
  if (op.kind !== "elementwise" || op.result === "bool" || op.arity === 3) return null;
  const numbers = operands.map((id) => {
    const x = builder.constants.get(id);
    return x === undefined || x.type.shape.length === 0 || !isFloating(x.type.dtype) ? null : uniformElement(x);
  });
  const k = numbers.findIndex((x) => x !== null);
  const other = operands[1 - k];
  if (k < 0 || other === undefined || !at.sameType(operands[k] as number, other)) return null;
  const constant = builder.constant(numbers[k] as number);
  return builder.emit(op, null, k === 0 ? [constant, other] : [other, constant]);
}

function doubled(at: Site, op: Op): readonly number[] | null {
  const inner = at.madeBy(op);
  return inner === null ? null : unlessBool(at, inner.operands[0] as number);
}

/** A value that takes the place of arithmetic on it, of which bool becomes int32. */
function unlessBool({ builder }: Site, id: number): readonly number[] | null {
  return builder.types[id]?.dtype === "bool" ? null : [id];
}

function sameShapeAsOperand(at: Site): readonly number[] | null {
  return sameShape(attributesOf<{ shape: Shape }>(at).shape, at.shape()) ? [at.operand()] : null;
}

function reshapeOfReshape(at: Site): readonly number[] | null {
  const inner = at.madeBy(reshape);
  // An element of a float32 array is a double, and stays one when it is given a shape again.
  const converted = inner !== null && at.builder.types[inner.operands[0] as number]?.dtype !== at.builder.types[at.operand()]?.dtype;
  return inner === null || converted ? null : at.builder.emit(at.op, at.attributes, inner.operands);
}

function inOrder(at: Site): readonly number[] | null {
  return attributesOf<{ order: readonly number[] }>(at).order.every((axis, k) => axis === k) ? [at.operand()] : null;
}

function transposeOfTranspose(at: Site): readonly number[] | null {
  const inner = at.madeBy(transpose);
  if (inner === null) return null;
  const first = attributesOf<{ order: readonly number[] }>(inner).order;
  const order = attributesOf<{ order: readonly number[] }>(at).order.map((axis) => first[axis] as number);
  return order.every((axis, k) => axis === k) ? inner.operands : at.builder.emit(at.op, { order }, inner.operands);
}

/** (A B)ᵀ = Bᵀ Aᵀ, which a product takes as it is. */
function transposeOfProduct(at: Site): readonly number[] | null {
  const inner = at.madeBy(matmul);
  if (inner === null || at.shape().length !== 2 || !at.isOnlyReader(0)) return null;
  const { transposeA, transposeB } = attributesOf<Transpositions>(inner);
  const [a, b] = inner.operands as [number, number];
  return at.builder.emit(matmul as Op, { transposeA: !transposeB, transposeB: !transposeA }, [b, a]);
}

/** A product reads its operands either way: a transposed copy is not needed. */
function productOfTransposes(at: Site): readonly number[] | null {
  let { transposeA, transposeB } = attributesOf<Transpositions>(at);
  let [a, b] = at.operands as [number, number];
  const turned = (k: number): number | null => {
    const inner = at.madeBy(transpose, k);
    return inner !== null && isMatrixTransposition(attributesOf<{ order: number[] }>(inner).order) ? (inner.operands[0] as number) : null;
  };
  const [left, right] = [turned(0), turned(1)];
  if (left === null && right === null) return null;
  if (left !== null) [a, transposeA] = [left, !transposeA];
  if (right !== null) [b, transposeB] = [right, !transposeB];
  return at.builder.emit(at.op, { transposeA, transposeB }, [a, b]);
}

function wholeSlice(at: Site): readonly number[] | null {
  return areWhole(rangesOf(at), at.shape()) ? [at.operand()] : null;
}

/** A slice that lies within one part of a concatenation is a slice of that part. */
function sliceOfJoined(at: Site): readonly number[] | null {
  const inner = at.madeBy(concat);
  if (inner === null) return null;
  const { axis } = attributesOf<{ axis: number }>(inner);
  const ranges = rangesOf(at);
  const range = ranges[axis] as Range;
  if (range.step !== 1 || range.size === 0) return null;
  let start = 0;
  for (const part of inner.operands) {
    const length = at.shapeOf(part)[axis] as number;
    if (range.start >= start && range.start + range.size <= start + length) {
      if (at.builder.types[part]?.dtype !== at.builder.types[at.operand()]?.dtype) return null;
      const own = ranges.map((r, k) => (k === axis ? { ...range, start: range.start - start } : r));
      return at.builder.emit(at.op, { ranges: own }, [part]);
    }
    start += length;
  }
  return null;
}

function unstackOfStack(at: Site): readonly number[] | null {
  const inner = at.madeBy(stack);
  if (inner === null || attributesOf<{ axis: number }>(inner).axis !== attributesOf<{ axis: number }>(at).axis) return null;
  const { dtype } = at.builder.types[at.operand()] ?? {};
  return inner.operands.every((id) => at.builder.types[id]?.dtype === dtype) ? inner.operands : null;
}

/** Summed over the axes along which it was stretched, a value is multiplied by their length. */
function sumOfBroadcast(at: Site): readonly number[] | null {
  const inner = at.madeBy(broadcastTo);
  const { axes } = attributesOf<{ axes: readonly number[] }>(at);
  if (inner === null) return null;
  const from = at.shapeOf(inner.operands[0] as number);
  const to = at.shape();
  if (to.length !== from.length + axes.length || axes.some((axis, k) => axis !== k) || !sameShape(from, to.slice(axes.length))) return null;
  const count = axes.reduce((n, axis) => n * (to[axis] as number), 1);
  const { dtype } = at.builder.types[at.operand()] ?? {};
  // Nothing times Infinity is no sum of nothing.
  if (count === 0 || (dtype !== "float64" && dtype !== "float32")) return null;
  return at.builder.emit(binary.mul, null, [inner.operands[0] as number, at.builder.constant(count)]);
}

function simplerBy(rules: readonly Rule[] = [], at: Site): readonly number[] | null {
  for (const rule of rules) {
    const simpler = rule(at);
    if (simpler !== null) return simpler;
  }
  return null;
}

/** Operations that undo one another, do nothing, or that another operation does on the side. */
export const cleanUp = everywhere("clean up", (graph) => {
  const uses = useCounts(graph);
  return rewritten(graph, (instruction, operands, builder) => {
    const site = new Site(instruction, operands, builder, (k) => uses[instruction.operands[k] as number] === 1);
    return withScalars(site) ?? simplerBy(RULES.get(instruction.op), site) ?? builder.keep(instruction, operands);
  });
});
