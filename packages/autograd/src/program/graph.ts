import { isFloating } from "../dtype.js";
import { type ArrayType, FLOAT64_SCALAR, NdArray, type Payload, toNdArray, UniformArray } from "../ops/array.js";
import type { Op } from "../ops/op.js";
import { elementwiseType, structuralTypes } from "../ops/raw.js";

/** One operation of a program. Values are numbered; an instruction names those that it reads and those that it makes. */
export interface Instruction {
  readonly op: Op;
  /** Plain data, or for a loop its body; null for elementwise operations. */
  readonly attributes: unknown;
  readonly operands: readonly number[];
  readonly outputs: readonly number[];
}

/** A traced function: instructions in an order in which they can run. Never changed once it is built. */
export interface Graph {
  /** By value. */
  readonly types: readonly ArrayType[];
  readonly inputs: readonly number[];
  readonly constants: ReadonlyMap<number, NdArray>;
  readonly instructions: readonly Instruction[];
  readonly outputs: readonly number[];
}

/** Builds a graph, instruction by instruction. */
export class GraphBuilder {
  readonly types: ArrayType[];
  readonly constants = new Map<number, NdArray>();
  readonly instructions: Instruction[] = [];
  /** By value, the instruction that makes it; inputs and constants have none. */
  readonly makers = new Map<number, Instruction>();
  private readonly known = new Map<NdArray | number | string, number>();

  /** Of a graph that is rewritten, the types: values that stay what they are keep their numbers, and their types are not computed again. */
  constructor(types: readonly ArrayType[] = []) {
    this.types = [...types];
  }

  /** A new value of a type; who calls this says where it comes from. */
  value(type: ArrayType): number {
    this.types.push(type);
    return this.types.length - 1;
  }

  constant(x: Payload): number {
    const known = this.known.get(constantKey(x));
    if (known !== undefined) return known;
    const array = toNdArray(x);
    const id = this.value(array.type);
    this.remember(array, id);
    return id;
  }

  emit(op: Op, attributes: unknown, operands: readonly number[]): readonly number[] {
    const outputs = this.typesOf(op, attributes, operands).map((type) => this.value(type));
    return this.add({ op, attributes, operands, outputs });
  }

  /** An instruction of the graph that is continued, on operands of the same types as before; its outputs keep their numbers. */
  keep(instruction: Instruction, operands: readonly number[]): readonly number[] {
    const isSame = operands.every((id, k) => id === instruction.operands[k]);
    return this.add(isSame ? instruction : { ...instruction, operands });
  }

  /** A constant of the graph that is continued: the number of an equal one that is there already, or its own. */
  keepConstant(id: number, x: NdArray): number {
    const known = this.known.get(constantKey(x));
    if (known !== undefined) return known;
    this.remember(x, id);
    return id;
  }

  build(inputs: readonly number[], outputs: readonly number[]): Graph {
    const { types, constants, instructions } = this;
    return { types, inputs, constants, instructions, outputs };
  }

  private add(instruction: Instruction): readonly number[] {
    this.instructions.push(instruction);
    for (const id of instruction.outputs) this.makers.set(id, instruction);
    return instruction.outputs;
  }

  private remember(x: NdArray, id: number): void {
    this.known.set(constantKey(x), id);
    this.constants.set(id, x);
  }

  private typesOf(op: Op, attributes: unknown, operands: readonly number[]): ArrayType[] {
    const types = operands.map((id) => this.types[id] as ArrayType);
    if (op.kind === "structural") return structuralTypes(op, types, attributes);
    const type = elementwiseType(op, types.map(sampleOf));
    return [isScalar(type) ? FLOAT64_SCALAR : type];
  }
}

function isScalar(type: ArrayType): boolean {
  return type.shape.length === 0 && isFloating(type.dtype);
}

const NOTHING = new Float64Array(0);

/** What tells a constant from others: of scalars their number, where a map would take -0 for 0. */
function constantKey(x: Payload): NdArray | number | string {
  if (typeof x !== "number" && x.type !== FLOAT64_SCALAR) return x;
  const number = typeof x === "number" ? x : (x.data[x.offset] as number);
  return Object.is(number, -0) ? "-0" : number;
}

/** What stands for an operand where only its type counts: a floating scalar is weak, as a plain number. */
function sampleOf(type: ArrayType): Payload {
  return isScalar(type) ? 0 : new NdArray(type, NOTHING, 0);
}

/** What an instruction of the old graph becomes: values of the new one, for its outputs, of the same types. */
export type Rewrite = (instruction: Instruction, operands: readonly number[], builder: GraphBuilder) => readonly number[];

/**
 * The graph with every instruction rewritten, in order; the graph itself where that changes nothing. Constants are carried over where
 * something reads them.
 */
export function rewritten(graph: Graph, rewrite: Rewrite): Graph {
  const builder = new GraphBuilder(graph.types);
  const replaced = new Map<number, number>();
  const at = (id: number): number => {
    const constant = graph.constants.get(id);
    if (constant !== undefined && !replaced.has(id)) replaced.set(id, builder.keepConstant(id, constant));
    return replaced.get(id) ?? id;
  };
  for (const instruction of graph.instructions) {
    const outputs = rewrite(instruction, instruction.operands.map(at), builder);
    if (outputs !== instruction.outputs) instruction.outputs.forEach((id, k) => replaced.set(id, outputs[k] as number));
  }
  const outputs = graph.outputs.map(at);
  const isSame = (list: readonly unknown[], as: readonly unknown[]): boolean =>
    list.length === as.length && list.every((x, k) => x === as[k]);
  if (isSame(builder.instructions, graph.instructions) && isSame(outputs, graph.outputs)) return graph;
  return builder.build(graph.inputs, outputs);
}

/** The places in a list of values of those by which one may differentiate. */
export function floatingPositions({ types }: Graph, values: readonly number[]): number[] {
  return values.flatMap((id, k) => (isFloating((types[id] as ArrayType).dtype) ? [k] : []));
}

/** By value, the instruction that makes it. */
export function producers({ instructions }: Graph): Map<number, Instruction> {
  const made = new Map<number, Instruction>();
  for (const instruction of instructions) for (const id of instruction.outputs) made.set(id, instruction);
  return made;
}

/** How often each value is read, by instructions and as an output. */
export function useCounts({ types, instructions, outputs }: Graph): Uint32Array {
  const counts = new Uint32Array(types.length);
  for (const { operands } of instructions) for (const id of operands) (counts[id] as number)++;
  for (const id of outputs) (counts[id] as number)++;
  return counts;
}

const uniform = new WeakMap<NdArray, number | null>();

/** The number that every element of a constant is; null where they differ, or there is none. Told apart by bits: -0 is not 0. */
export function uniformElement(x: NdArray): number | null {
  if (x instanceof UniformArray && x.type.size > 0) return x.element;
  const known = uniform.get(x);
  if (known !== undefined) return known;
  const element = isUniform(x) ? (x.data[x.offset] ?? null) : null;
  uniform.set(x, element);
  return element;
}

function isUniform({ data, offset, type }: NdArray): boolean {
  const first = data[offset] as number;
  // A loop without calls: constants of a million elements are looked at in each trace.
  const odd = Object.is(first, -0) || Number.isNaN(first);
  for (let k = 1; k < type.size; k++) {
    const e = data[offset + k] as number;
    if (odd ? !Object.is(e, first) : e !== first || (first === 0 && 1 / e < 0)) return false;
  }
  return type.size > 0;
}

const identities = new WeakMap<object, number>();
let nextIdentity = 0;

/** A number that stands for an object in keys: equal for the same object alone. */
export function identityOf(x: object): number {
  let known = identities.get(x);
  if (known === undefined) identities.set(x, (known = nextIdentity++));
  return known;
}
