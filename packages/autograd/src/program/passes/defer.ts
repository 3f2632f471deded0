import type { Op } from "../../ops/op.js";
import { addRows, scatterAdd } from "../../ops/indexing.js";
import { matmul, type Transpositions } from "../../ops/products.js";
import { type Axis, sum } from "../../ops/reductions.js";
import { reshape, transpose } from "../../ops/shapes.js";
import { binary } from "../../ops/table.js";
import type { DType } from "../../dtype.js";
import { sameShape, type Shape, sizeOf } from "../../shape.js";
import { type Graph, type GraphBuilder, type Instruction, producers, rewritten, uniformElement, useCounts } from "../graph.js";
import { isLoop, type Loop, loopOf } from "../loop.js";
import { everywhere } from "./pass.js";

/**
 * What a loop only adds up is added up after it. A carry `a + Pᵀ Q`, which nothing else in the body reads, becomes one product after the
 * loop, in which the steps are more rows of P and Q: the gradient of a weight. A carry `a + sum(x)` becomes one sum, and what is added at indices,
 * the gradient of an embedding, a gather or a largest element, is that of all steps. A stack of `P W`, W the
 * same at every step, becomes one product of the stack of P. Right because sums may be taken in any order; rounding differs.
 */
export const defer = everywhere("defer", (graph) =>
  rewritten(graph, (instruction, operands, builder) =>
    isLoop(instruction.op) ? deferred(instruction, operands, builder) : builder.keep(instruction, operands),
  ),
);

/** Something of every step, to be computed after the loop from stacks of `reads`. */
interface AfterLoop {
  readonly reads: readonly number[];
  /** Emits it, from those stacks. */
  emit(stacks: readonly number[], outer: GraphBuilder): number;
}

function deferred(instruction: Instruction, operands: readonly number[], outer: GraphBuilder): readonly number[] {
  const loop = instruction.attributes as Loop;
  const { body, carries } = loop;
  const rules = new BodyRules(loop);
  const sums = body.outputs.map((_, k) => (k < carries ? rules.total(k) : null));
  const products = body.outputs.map((id, k) => (k < carries ? null : rules.productOfStep(id)));
  if ([...sums, ...products].every((x) => x === null)) return outer.keep(instruction, operands);

  const added = new Set(sums.flatMap((x, k) => (x === null ? [] : [rules.adder(k)])));
  const keptInputs = body.inputs.flatMap((_, k) => (k < carries && sums[k] !== null ? [] : [k]));
  const kept = body.outputs.flatMap((_, k) => (sums[k] === null && products[k] === null ? [k] : []));
  const wanted = [...new Set([...sums, ...products].flatMap((x) => x?.reads ?? []))];
  const stacked = wanted.filter((id) => !rules.isSequence(id));
  const inner: Graph = {
    ...body,
    inputs: keptInputs.map((k) => body.inputs[k] as number),
    instructions: body.instructions.filter((x) => !added.has(x)),
    outputs: [...kept.map((k) => body.outputs[k] as number), ...stacked],
  };
  const given = keptInputs.map((k) => operands[k] as number);
  const outputs = outer.emit(
    loopOf(given.length),
    { ...loop, body: inner, carries: carries - sums.filter((x) => x !== null).length },
    given,
  );
  const stackOf = (id: number): number => {
    const at = stacked.indexOf(id);
    return at >= 0 ? (outputs[kept.length + at] as number) : (operands[body.inputs.indexOf(id)] as number);
  };
  return body.outputs.map((_, k) => {
    const after = sums[k] ?? products[k];
    if (after === null || after === undefined) return outputs[kept.indexOf(k)] as number;
    const computed = after.emit(after.reads.map(stackOf), rules.outside(outer, operands));
    const start = outer.constants.get(operands[k] as number);
    if (sums[k] === null || (start !== undefined && uniformElement(start) === 0)) return computed;
    return outer.emit(binary.add, null, [operands[k] as number, computed])[0] as number;
  });
}

class BodyRules {
  private readonly loop: Loop;
  private readonly made: Map<number, Instruction>;
  private readonly uses: Uint32Array;
  /** By carry, what is added to it in each step; null where more is done with it. */
  private readonly terms: readonly (number | null)[];
  private given: readonly number[] = [];

  constructor(loop: Loop) {
    this.loop = loop;
    this.made = producers(loop.body);
    this.uses = useCounts(loop.body);
    this.terms = loop.body.outputs.slice(0, loop.carries).map((_, k) => this.termOf(k));
  }

  /** The builder of the code after the loop; remembers what the loop was given. */
  outside(outer: GraphBuilder, operands: readonly number[]): GraphBuilder {
    this.given = operands;
    return outer;
  }

  isSequence(id: number): boolean {
    const { body, carries, xs } = this.loop;
    const k = body.inputs.indexOf(id);
    return k >= carries && k < carries + xs;
  }

  /** The instruction that adds to a carry. */
  adder(k: number): Instruction {
    return this.made.get(this.loop.body.outputs[k] as number) as Instruction;
  }

  /** A carry that is only added to. Two may add up the same: the gradients of two biases of one gate. */
  total(k: number): AfterLoop | null {
    const term = this.terms[k] ?? null;
    return term === null ? null : this.sumOverSteps(term, this.terms.filter((other) => other === term).length);
  }

  private termOf(k: number): number | null {
    const { body } = this.loop;
    const [before, after] = [body.inputs[k] as number, body.outputs[k] as number];
    const add = this.made.get(after);
    if (add?.op !== binary.add || this.uses[before] !== 1 || this.uses[after] !== 1 || !add.operands.includes(before)) return null;
    const term = add.operands[0] === before ? (add.operands[1] as number) : (add.operands[0] as number);
    return this.isLike(term, before) ? term : null;
  }

  /** The sum over all steps of a value of each; null where it is better added up step by step, or something but its `readers` needs it. */
  private sumOverSteps(id: number, readers = 1): AfterLoop | null {
    const made = this.made.get(id);
    if (made === undefined || this.uses[id] !== readers) return null;
    const { op, attributes, operands } = made;
    if (op === binary.add) return this.sumOfBoth(id, operands as [number, number]);
    if (([reshape, transpose] as unknown[]).includes(op)) {
      if (this.dtype(operands[0] as number) !== this.dtype(id)) return null;
      const inner = this.sumOverSteps(operands[0] as number);
      return inner && { reads: inner.reads, emit: (stacks, outer) => outer.emit(op, attributes, [inner.emit(stacks, outer)])[0] as number };
    }
    if ((op as unknown) === sum) {
      const axes = [0, ...(attributes as { axes: readonly number[] }).axes.map((axis) => axis + 1)];
      return { reads: operands, emit: (stacks, outer) => outer.emit(op, { axes }, stacks)[0] as number };
    }
    if ((op as unknown) === addRows) {
      if (this.isInvariant(operands[1] as number) || this.shape(operands[0] as number).length === 0) return null;
      return { reads: operands, emit: (stacks, outer) => outer.emit(op, attributes, stacks)[0] as number };
    }
    if ((op as unknown) === scatterAdd) return this.sumOfScattered(made);
    if ((op as unknown) === matmul) return this.sumOfProducts(op, attributes as Transpositions, operands as [number, number]);
    return null;
  }

  private sumOfBoth(id: number, [x, y]: [number, number]): AfterLoop | null {
    const fit = [x, y].every((operand) => this.isLike(operand, id));
    const [p, q] = fit ? [this.sumOverSteps(x), this.sumOverSteps(y)] : [null, null];
    if (p === null || q === null) return null;
    const n = p.reads.length;
    return {
      reads: [...p.reads, ...q.reads],
      emit: (stacks, outer) =>
        outer.emit(binary.add, null, [p.emit(stacks.slice(0, n), outer), q.emit(stacks.slice(n), outer)])[0] as number,
    };
  }

  /**
   * What is added at indices of every step: the steps are further entries of its axis. With more than half as many indices as there are
   * elements, to stack them takes longer than to add up all elements in each step.
   */
  private sumOfScattered({ op, attributes, operands: [x, at], outputs: [out] }: Instruction): AfterLoop | null {
    const { axis } = attributes as Axis;
    const own = this.shape(x as number);
    if (this.isInvariant(at as number) || 2 * sizeOf(own) > sizeOf(this.shape(out as number))) return null;
    const axes = own.map((_, k) => k + 1);
    const order = [...axes.slice(0, axis), 0, ...axes.slice(axis)];
    const shape = own.map((n, k) => (k === axis ? this.loop.steps * n : n));
    return {
      reads: [x as number, at as number],
      emit: (stacks, outer) => {
        const entries = stacks.map((stack) => {
          const beside = outer.emit(transpose as Op, { order }, [stack]);
          return outer.emit(reshape as Op, { shape }, beside)[0] as number;
        });
        return outer.emit(op, attributes, entries)[0] as number;
      },
    };
  }

  /** Σ Pᵀ Q: the steps are more rows of both. */
  private sumOfProducts(op: Op, { transposeA, transposeB }: Transpositions, operands: [number, number]): AfterLoop | null {
    if (!transposeA || transposeB || operands.some((id) => this.shape(id).length !== 2 || this.isInvariant(id))) return null;
    return {
      reads: operands,
      emit: (stacks, outer) => {
        const rows = stacks.map((stack, k) => {
          const [inner, width] = this.shape(operands[k] as number) as [number, number];
          return outer.emit(reshape as Op, { shape: [this.loop.steps * inner, width] }, [stack])[0] as number;
        });
        return outer.emit(op, { transposeA, transposeB }, rows)[0] as number;
      },
    };
  }

  /** A stack of products with a matrix that stays the same: one product of the stack. */
  productOfStep(id: number): AfterLoop | null {
    const made = this.made.get(id);
    if (made === undefined || (made.op as unknown) !== matmul || this.uses[id] !== 1) return null;
    const [p, w] = made.operands as [number, number];
    const { transposeA } = made.attributes as Transpositions;
    const k = this.loop.body.inputs.indexOf(w);
    if (transposeA || this.shape(p).length !== 2 || this.shape(w).length !== 2 || k < this.loop.carries + this.loop.xs) return null;
    if (this.isInvariant(p)) return null;
    const [rows, inner] = this.shape(p) as [number, number];
    return {
      reads: [p],
      emit: ([stack], outer) => {
        const flat = outer.emit(reshape as Op, { shape: [this.loop.steps * rows, inner] }, [stack as number])[0] as number;
        const product = outer.emit(made.op, made.attributes, [flat, this.given[k] as number])[0] as number;
        return outer.emit(reshape as Op, { shape: [this.loop.steps, ...this.shape(id)] }, [product])[0] as number;
      },
    };
  }

  private isInvariant(id: number): boolean {
    const { body, carries, xs } = this.loop;
    return body.constants.has(id) || body.inputs.indexOf(id) >= carries + xs;
  }

  private shape(id: number): Shape {
    return this.loop.body.types[id]?.shape ?? [];
  }

  private dtype(id: number): DType | undefined {
    return this.loop.body.types[id]?.dtype;
  }

  /** Sums over the steps are taken in the dtype in which the loop adds up: a narrower one would round, overflow or wrap around. */
  private isLike(id: number, other: number): boolean {
    return this.dtype(id) === this.dtype(other) && sameShape(this.shape(id), this.shape(other));
  }
}
