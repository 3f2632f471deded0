import { GraphError } from "../errors.js";
import { type ArrayType, NdArray, type Payload } from "./array.js";
import type { ElementwiseOp, StructuralOp } from "./op.js";

const NO_ELEMENTS = new Float64Array(0);

/** Stands for an array whose elements are not known yet: what a traced Value holds. Whoever asks for the elements is told so. */
export class AbstractArray extends NdArray {
  /** What it was made by. */
  readonly trace: Tracer;
  /** Which value of the trace it is. */
  readonly id: number;

  constructor(type: ArrayType, trace: Tracer, id: number) {
    super(type, NO_ELEMENTS, 0);
    this.trace = trace;
    this.id = id;
    Object.defineProperty(this, "data", { get: () => refuse(trace.name) });
  }

  override get isAbstract(): boolean {
    return true;
  }
}

function refuse(name: string): never {
  throw new GraphError(
    `this value is traced by compile(): its elements are not known while ${name} is traced, so .item(), .data, toArray() and shapes ` +
      "that depend on them cannot be had here. Return it and read it after the call, or compute with operations: where(…) instead of an if",
  );
}

export type Refused = "backward" | "set" | "grad" | "hasGrad" | "zeroGrad";

/** Carries out operations on abstract arrays, and knows what traced functions take in from outside. */
export interface Tracer {
  /** Of the function that is traced, for messages. */
  readonly name: string;
  elementwise(op: ElementwiseOp, operands: readonly Payload[]): Payload;
  structural<A>(op: StructuralOp<A>, operands: readonly Payload[], attributes: A): Payload[];
  /** An operand as the trace sees it: a param, or a value of an enclosing trace, becomes an input. */
  lift<V extends { readonly payload: Payload }>(x: V): V;
  /** Runs f, through whose results no derivative passes. */
  withoutDerivatives<R>(f: () => R): R;
  /** Throws: a function that is traced can neither change a leaf nor know its gradient. */
  refuse(op: Refused, what?: string): never;
  /** A loop as one instruction. */
  scan(step: unknown, init: unknown, xs: unknown): unknown;
}

/** The trace being made; null while operations are carried out at once. */
export let tracer: Tracer | null = null;

/** Starts or ends tracing; gives the tracer before. */
export function setTracer(next: Tracer | null): Tracer | null {
  const before = tracer;
  tracer = next;
  return before;
}

export function isAbstract(x: Payload): boolean {
  return typeof x !== "number" && x.isAbstract;
}
