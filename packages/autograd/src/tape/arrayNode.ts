import { InputError } from "../errors.js";
import { ArrayType, type Payload, typeOf } from "../ops/array.js";
import type { Linearization, Op } from "../ops/op.js";
import type { Hook } from "./hooks.js";
import { currentScope, openCoreOf, seal, Segment, viewOf } from "./segments.js";
import type { Param } from "./value.js";

/** What a recorded operand leads back to: a leaf, an array node, or a scalar's segment; with the output or offset there. */
export type Origin = Param | ArrayNode | Segment;

/** The backward pass keeps the operand itself, or where it is not needed only its type. */
export type Kept = Payload | ArrayType;

// An open segment that imports array nodes must not pin more of them than this; it is sealed instead.
const PINNED_BYTES = 4 << 20;
let nextSequence = 0;
let recordedBytes = 0;

/** A recorded array operation: a plain object, so that arrays live exactly as long as somebody can still need them. */
export class ArrayNode {
  readonly sequence = nextSequence++;
  /** Where in the order of scalar nodes it stands: before the node at `offset` of segment `segmentId`. */
  readonly segmentId: number;
  readonly offset: number;
  readonly scope: string | null;
  readonly op: Op;
  readonly attributes: unknown;
  /** null where the operand needs no gradient. */
  origins: (Origin | null)[];
  readonly indices: readonly number[];
  operands: Kept[];
  outputs: Kept[];
  released = false;
  /** Of a pending backward pass: the cotangent of each output; `owned` ones were summed here and may be added to in place. */
  cotangents: (Payload | null)[] | null = null;
  owned = false;
  pendingIn: object | null = null;
  /** By output. */
  hooks: (Hook[] | undefined)[] | null = null;

  constructor(op: Op, attributes: unknown, origins: (Origin | null)[], indices: readonly number[], operands: Kept[], outputs: Kept[]) {
    this.op = op;
    this.attributes = attributes;
    this.origins = origins;
    this.indices = indices;
    this.operands = operands;
    this.outputs = outputs;
    const core = openCoreOf();
    this.segmentId = core.id;
    this.offset = core.n;
    this.scope = currentScope();
  }

  release(): void {
    this.released = true;
    this.origins = [];
    this.operands = [];
    this.outputs = [];
  }

  /** Keeps of a sealed segment only what its operands there depend on. */
  narrow(whole: Segment): void {
    this.origins.forEach((origin, k) => {
      if (origin === whole) this.origins[k] = viewOf(whole, this.indices[k] as number);
    });
  }
}

/** The type of an operand or output, whether or not it was kept itself. */
export function typeOfKept(x: Kept): ArrayType {
  return x instanceof ArrayType ? x : typeOf(x);
}

function kept(x: Kept | undefined): Payload {
  if (x === undefined || x instanceof ArrayType) throw new InputError("a rule reads what it does not list under `keeps`");
  return x;
}

/** What rules read of a recorded node, as values of a reader. Throws InputError where a rule reads more than it declares. */
export function linearizationOf<T>(
  { attributes, operands, outputs }: Pick<ArrayNode, "attributes" | "operands" | "outputs">,
  operand: (x: Payload, k: number) => T,
  output: (x: Payload, k: number) => T,
): Linearization<T, unknown> {
  return {
    attributes,
    types: operands.map(typeOfKept),
    outTypes: outputs.map(typeOfKept),
    operand: (k) => operand(kept(operands[k]), k),
    output: (k) => output(kept(outputs[k]), k),
  };
}

/** Notes that an array node was recorded: a sealed segment is kept only as far as the node needs it. */
export function noteRecorded(node: ArrayNode, bytes: number): void {
  const core = openCoreOf();
  for (const origin of node.origins) {
    if (!(origin instanceof Segment)) continue;
    if (origin.core === core) core.arrayUsers.push(node);
    else node.narrow(origin);
  }
  noteBytes(bytes);
}

/** Counts what array nodes hold; seals the open segment where it pins too much of that. */
export function noteBytes(bytes: number): void {
  recordedBytes += bytes;
  if (recordedBytes < PINNED_BYTES) return;
  recordedBytes = 0;
  const core = openCoreOf();
  if (core.importsArrays || core.arrayUsers.length > 0) seal();
}

/** The sequence number of the array node recorded next. */
export function nextArraySequence(): number {
  return nextSequence;
}
