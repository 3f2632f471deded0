import { isFloating } from "../dtype.js";
import type { ArrayAlgebra } from "../ops/algebra.js";
import { ArrayType, NdArray, newArray, type Payload, toNdArray, toPayload } from "../ops/array.js";
import type { Linearization, Op, StructuralOp } from "../ops/op.js";
import { raw } from "../ops/raw.js";
import { pullBack, pushForward, zerosLike } from "./differentiate.js";
import { type Graph, type Instruction, producers } from "./graph.js";
import { carryOut, interpret, outputsOf } from "./interpret.js";
import { isView } from "./location.js";
import { Trace } from "./trace.js";

/**
 * A loop over time as one operation. Operands are the initial carries, the sequences (stepped through along axis 0), and what every step
 * reads alike; outputs are the last carries, and what the steps gave, stacked along a new axis 0.
 */
export interface Loop {
  /** Inputs: carries, entries of the sequences, what every step reads. Outputs: carries, then one entry of each stack. */
  readonly body: Graph;
  readonly carries: number;
  readonly xs: number;
  readonly steps: number;
  /** From the last entry to the first; stacks are filled in the same order. */
  readonly reverse: boolean;
}

const loops: StructuralOp<Loop>[] = [];

/** The operation on a number of operands, all of which its derivative may read. */
export function loopOf(operands: number): StructuralOp<Loop> {
  return (loops[operands] ??= {
    kind: "structural",
    name: "scan",
    keeps: Array.from({ length: operands }, (_, operand) => ({ operand })),
    types: (_operands, { body, carries, steps }) =>
      body.outputs.map((id, k) => {
        const type = body.types[id] as ArrayType;
        return k < carries ? type : new ArrayType(type.dtype, [steps, ...type.shape]);
      }),
    forward: runPlainly,
    vjp: (m, k, cotangents, at) => transposedLoop(m, cotangents, at)[k] ?? zerosLike(m, at.types[k] as ArrayType),
    jvp: tangentLoop,
  });
}

export function isLoop(op: Op): op is StructuralOp<unknown> {
  return (op as Partial<StructuralOp<Loop>>).forward === runPlainly;
}

/** The loop with these operands, in an algebra. */
function applied<T>(m: ArrayAlgebra<T>, operands: readonly T[], attributes: Loop): T[] {
  return m.apply(loopOf(operands.length), operands, attributes);
}

function runPlainly(operands: readonly NdArray[], { body, carries, xs, steps, reverse }: Loop, outTypes: readonly ArrayType[]): NdArray[] {
  const stacks = outTypes.slice(carries).map(newArray);
  const consts = operands.slice(carries + xs).map(toPayload);
  let carry: Payload[] = operands.slice(0, carries).map(toPayload);
  for (let step = 0; step < steps; step++) {
    const t = reverse ? steps - 1 - step : step;
    const entries = operands
      .slice(carries, carries + xs)
      .map((x, k) => entryOf(x, t, body.types[body.inputs[carries + k] as number] as ArrayType));
    const outputs = outputsOf(body, [...carry, ...entries, ...consts]);
    carry = outputs.slice(0, carries);
    stacks.forEach((stack, k) => {
      const y = toNdArray(outputs[carries + k] as Payload);
      stack.data.set(y.elements, stack.offset + t * y.type.size);
    });
  }
  return [...carry.map(toNdArray), ...stacks];
}

function entryOf(x: NdArray, t: number, type: ArrayType): Payload {
  return toPayload(new NdArray(type, x.data, x.offset + t * type.size));
}

/** What the backward loop of a body looks like; it depends on which outputs a cotangent comes to. */
interface Transposed {
  readonly body: Graph;
  /** Values of the forward body that the backward one reads, to be stacked. */
  readonly residuals: readonly number[];
  /** Positions among the operands of the forward loop: floating carries, sequences and constants. */
  readonly carries: readonly number[];
  readonly sequences: readonly number[];
  readonly consts: readonly number[];
  /** Which stacks of the forward loop it reads cotangents of; which sequences and constants it reads. */
  readonly stacks: readonly number[];
  readonly readSequences: readonly number[];
  readonly readConsts: readonly number[];
}

const cache = new WeakMap<Linearization<unknown, unknown>, unknown>();

/** By operand of the forward loop, its cotangent; computed once for all operands. */
function transposedLoop<T>(m: ArrayAlgebra<T>, cotangents: readonly (T | null)[], at: Linearization<T, Loop>): readonly (T | undefined)[] {
  const known = cache.get(at);
  if (known !== undefined) return known as readonly (T | undefined)[];
  const { attributes } = at;
  const { body, carries, xs, steps, reverse } = attributes;
  const operands = at.types.map((_, k) => at.operand(k));
  const backward = transposedBody(
    attributes,
    cotangents.flatMap((d, k) => (k >= carries && d !== null ? [k - carries] : [])),
  );
  // The same loop once more, with the residuals stacked; where the first one is still needed, the two become one (passes/mergeLoops).
  const stacked = applied(m, operands, { ...attributes, body: withOutputs(body, backward.residuals) });
  const residuals = stacked.slice(body.outputs.length);
  const zeros = (k: number): T => zerosLike(m, at.types[k] as ArrayType);
  const outputs = applied(
    m,
    [
      ...backward.carries.map((k) => cotangents[k] ?? zeros(k)),
      ...backward.consts.map(zeros),
      ...residuals,
      ...backward.readSequences.map((k) => operands[k] as T),
      ...backward.stacks.map((k) => cotangents[carries + k] as T),
      ...backward.readConsts.map((k) => operands[k] as T),
    ],
    {
      body: backward.body,
      carries: backward.carries.length + backward.consts.length,
      xs: residuals.length + backward.readSequences.length + backward.stacks.length,
      steps,
      reverse: !reverse,
    },
  );
  const found: (T | undefined)[] = new Array<undefined>(carries + xs + (at.types.length - carries - xs)).fill(undefined);
  [...backward.carries, ...backward.consts, ...backward.sequences].forEach((operand, k) => {
    found[operand] = outputs[k];
  });
  cache.set(at, found);
  return found;
}

function withOutputs(body: Graph, more: readonly number[]): Graph {
  return { ...body, outputs: [...body.outputs, ...more] };
}

function transposedBody({ body, carries, xs }: Loop, stacks: readonly number[]): Transposed {
  const trace = new Trace(null);
  const made = producers(body);
  const typeOf = (id: number): ArrayType => body.types[id] as ArrayType;
  const floating = (k: number): boolean => isFloating(typeOf(body.inputs[k] as number).dtype);
  const positions = body.inputs.map((_, k) => k);
  const carried = positions.slice(0, carries).filter(floating);
  const sequences = positions.slice(carries, carries + xs).filter(floating);
  const consts = positions.slice(carries + xs).filter(floating);

  const cotangentCarries = carried.map((k) => trace.input(typeOf(body.outputs[k] as number)));
  const totals = consts.map((k) => trace.input(typeOf(body.inputs[k] as number)));
  const cotangentStacks = stacks.map((k) => trace.input(typeOf(body.outputs[carries + k] as number)));
  const known = new Map<number, Payload>();
  const residuals: { readonly id: number; readonly input: number }[] = [];
  const read: { readonly k: number; readonly input: number }[] = [];

  /** A value of the forward body, as the backward one has it. */
  const valueOf = (id: number): Payload => {
    let x = known.get(id);
    if (x === undefined) known.set(id, (x = lookUp(id)));
    return x;
  };
  const lookUp = (id: number): Payload => {
    const constant = body.constants.get(id);
    if (constant !== undefined) return toPayload(constant);
    const instruction = made.get(id);
    // Repeated in the backward loop, which costs nothing, instead of kept.
    if (instruction !== undefined && isView(instruction)) return repeated(instruction, id, valueOf);
    const input = trace.input(typeOf(id));
    const k = body.inputs.indexOf(id);
    if (k >= carries) read.push({ k, input: input.id });
    else residuals.push({ id, input: input.id });
    return input;
  };

  return trace.during(() => {
    const seeds = new Map<number, Payload>();
    const seed = (id: number, d: Payload): void => {
      const before = seeds.get(id);
      seeds.set(id, before === undefined ? d : raw.add(before, d));
    };
    carried.forEach((k, j) => seed(body.outputs[k] as number, cotangentCarries[j] as Payload));
    stacks.forEach((k, j) => seed(body.outputs[carries + k] as number, cotangentStacks[j] as Payload));
    const inputs = [...carried, ...sequences, ...consts].map((k) => body.inputs[k] as number);
    const cotangents = pullBack(body, inputs, seeds, valueOf);
    const found = (k: number): Payload => cotangents.get(body.inputs[k] as number) ?? zerosLike(raw, typeOf(body.inputs[k] as number));
    const outputs = [
      ...carried.map(found),
      ...consts.map((k, j) => {
        const d = cotangents.get(body.inputs[k] as number);
        return d === undefined ? (totals[j] as Payload) : raw.add(totals[j] as Payload, d);
      }),
      ...sequences.map(found),
    ];
    const ids = (list: readonly { readonly id: number }[]) => list.map(({ id }) => id);
    const readSequences = read.filter(({ k }) => k < carries + xs);
    const readConsts = read.filter(({ k }) => k >= carries + xs);
    const graph = trace.build(
      [
        ...ids(cotangentCarries),
        ...ids(totals),
        ...residuals.map(({ input }) => input),
        ...readSequences.map(({ input }) => input),
        ...ids(cotangentStacks),
        ...readConsts.map(({ input }) => input),
      ],
      outputs,
    );
    return {
      body: graph,
      residuals: ids(residuals),
      carries: carried,
      sequences,
      consts,
      stacks,
      readSequences: readSequences.map(({ k }) => k),
      readConsts: readConsts.map(({ k }) => k),
    };
  });
}

function repeated(instruction: Instruction, id: number, valueOf: (id: number) => Payload): Payload {
  const outputs = carryOut(instruction, instruction.operands.map(valueOf));
  return outputs[instruction.outputs.indexOf(id)] as Payload;
}

/** The loop that carries tangents beside the values. */
function tangentLoop<T>(m: ArrayAlgebra<T>, tangents: readonly (T | null)[], at: Linearization<T, Loop>): (T | null)[] {
  const { attributes } = at;
  const { body, carries, xs } = attributes;
  const floating = (id: number): boolean => isFloating((body.types[id] as ArrayType).dtype);
  const typeOf = (id: number): ArrayType => body.types[id] as ArrayType;
  const moving = body.inputs.flatMap((id, k) => (floating(id) && (k < carries || tangents[k] !== null) ? [k] : []));
  const trace = new Trace(null);
  const primals = body.inputs.map((id) => trace.input(typeOf(id)));
  const directions = moving.map((k) => trace.input(typeOf(body.inputs[k] as number)));
  const graph = trace.during(() => {
    const values = interpret(body, primals);
    const seeds = new Map(moving.map((k, j) => [body.inputs[k] as number, directions[j] as Payload]));
    const pushed = pushForward(body, seeds, (id) => values[id] as Payload);
    const tangentOf = (id: number): Payload => pushed.get(id) ?? zerosLike(raw, typeOf(id));
    const outCarries = body.outputs.slice(0, carries);
    const outStacks = body.outputs.slice(carries);
    const split = (list: readonly { readonly id: number }[], from: number, to: number, at: (j: number) => number) =>
      list.filter((_, j) => at(j) >= from && at(j) < to).map(({ id }) => id);
    const own = (j: number) => j;
    const moved = (j: number) => moving[j] as number;
    const end = body.inputs.length;
    return trace.build(
      [
        ...split(primals, 0, carries, own),
        ...split(directions, 0, carries, moved),
        ...split(primals, carries, carries + xs, own),
        ...split(directions, carries, carries + xs, moved),
        ...split(primals, carries + xs, end, own),
        ...split(directions, carries + xs, end, moved),
      ],
      [
        ...outCarries.map((id) => values[id] as Payload),
        ...outCarries.filter(floating).map(tangentOf),
        ...outStacks.filter(floating).map(tangentOf),
      ],
    );
  });
  const operands = at.types.map((_, k) => at.operand(k));
  const between = (from: number, to: number): T[] => [
    ...operands.slice(from, to),
    ...moving.filter((k) => k >= from && k < to).map((k) => tangents[k] ?? zerosLike(m, at.types[k] as ArrayType)),
  ];
  const movingCarries = moving.filter((k) => k < carries).length;
  const outputs = applied(m, [...between(0, carries), ...between(carries, carries + xs), ...between(carries + xs, operands.length)], {
    ...attributes,
    body: graph,
    carries: carries + movingCarries,
    xs: xs + moving.filter((k) => k >= carries && k < carries + xs).length,
  });
  let next = carries;
  return body.outputs.map((id) => (floating(id) ? (outputs[next++] as T) : null));
}
