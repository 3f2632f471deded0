import { GraphError } from "../errors.js";
import type { ArrayType, Payload } from "../ops/array.js";
import type { ElementwiseOp, Op, StructuralOp } from "../ops/op.js";
import { detach } from "../ops/shapes.js";
import { AbstractArray, type Refused, setTracer, type Tracer } from "../ops/tracer.js";
import { isRecording, setRecording } from "../tape/segments.js";
import { Param, Value } from "../tape/value.js";
import { type Graph, GraphBuilder } from "./graph.js";
import { tracedScan } from "./scan.js";

const readsGradient = (what: string): string =>
  `cannot read the gradient of ${what}, which would stay what it is now; pass it as an argument, or call grad in the function`;

const WHY_REFUSED: Readonly<Record<Refused, (what: string) => string>> = {
  backward: () => "has no .grad; call grad or valueAndGrad in it, or backward() on its result",
  set: (what) => `cannot set ${what}; return the new value, and set it after the call`,
  grad: readsGradient,
  hasGrad: readsGradient,
  zeroGrad: (what) => `cannot forget the gradient of ${what}: only its trace would; call zeroGrad before or after it`,
};

/** The reader "traces": operations on abstract arrays become instructions of a graph. */
export class Trace implements Tracer {
  readonly builder = new GraphBuilder();
  /** What the function took in from outside, in order, as inputs of the graph. */
  readonly captured: { readonly value: Value; readonly id: number }[] = [];
  /** The trace in whose course this one is made: of the function around a loop's body. */
  readonly outer: Trace | null;
  readonly name: string;

  /** Whether the function itself takes derivatives: only their transforms record within a trace. */
  differentiates = false;

  /** Whether the function uses the variable of a transform around its call, which is another in every call. */
  get isOfCall(): boolean {
    return this.captured.some(({ value: { origin } }) => origin instanceof Param && origin.isOfCall);
  }

  /** Whether what is traced at the moment counts as constant where the program is differentiated. */
  private isConstant = false;

  constructor(outer: Trace | null, name = outer?.name ?? "the function") {
    this.outer = outer;
    this.name = name;
  }

  /** A new input. */
  input(type: ArrayType): AbstractArray {
    return this.abstract(this.builder.value(type));
  }

  elementwise(op: ElementwiseOp, operands: readonly Payload[]): Payload {
    return this.emit(op, null, operands)[0] as Payload;
  }

  structural<A>(op: StructuralOp<A>, operands: readonly Payload[], attributes: A): Payload[] {
    return this.emit(op as Op, attributes, operands);
  }

  lift<V extends { readonly payload: Payload }>(x: V): V {
    return this.lifted(x as unknown as Value) as unknown as V;
  }

  refuse(op: Refused, what = ""): never {
    throw new GraphError(`${op}: ${this.name}, which compile() traces, ${WHY_REFUSED[op](what)}`);
  }

  scan(step: unknown, init: unknown, xs: unknown): unknown {
    return tracedScan(this, step as never, init, xs);
  }

  withoutDerivatives<R>(f: () => R): R {
    const before = this.isConstant;
    this.isConstant = true;
    try {
      return f();
    } finally {
      this.isConstant = before;
    }
  }

  /** The number of a value in the graph; what is concrete becomes a constant. */
  idOf(x: Payload): number {
    if (!(x instanceof AbstractArray)) return this.builder.constant(x);
    if (x.trace === this) return x.id;
    return this.capture(new Value(null, 0, x)).id;
  }

  abstract(id: number): AbstractArray {
    return new AbstractArray(this.builder.types[id] as ArrayType, this, id);
  }

  /** Runs f with this trace as the tracer, and nothing recorded. */
  during<R>(f: () => R): R {
    const outer = setTracer(this);
    const recording = setRecording(false);
    try {
      return f();
    } finally {
      setTracer(outer);
      setRecording(recording);
    }
  }

  build(inputs: readonly number[], outputs: readonly Payload[]): Graph {
    return this.builder.build(
      inputs,
      outputs.map((x) => this.idOf(x)),
    );
  }

  private emit(op: Op, attributes: unknown, operands: readonly Payload[]): AbstractArray[] {
    if (isRecording()) this.differentiates = true;
    return this.builder
      .emit(
        op,
        attributes,
        operands.map((x) => this.idOf(x)),
      )
      .map((id) => this.abstract(this.isConstant ? (this.builder.emit(detach as Op, null, [id])[0] as number) : id));
  }

  private lifted(x: Value): Value {
    const { payload, origin } = x;
    if (payload instanceof AbstractArray) return payload.trace === this ? x : new Value(null, 0, this.capture(x));
    if (origin === null) return x;
    if (!(origin instanceof Param)) {
      throw new GraphError(
        "compile: the function uses a recorded Value from outside, whose graph a program cannot be part of; pass it as an argument, or detach() it to use it as a constant",
      );
    }
    // In the body of a loop, params come in from outside like everything else; the function around it knows them as leaves.
    return new Value(this.outer === null ? origin : null, 0, this.capture(x));
  }

  /** The same Value is captured once; a detached one is another. */
  private capture(x: Value): AbstractArray {
    const { payload, origin, index } = x;
    if (payload instanceof AbstractArray && !this.isWithin(payload.trace)) {
      throw new GraphError(
        "a Value that compile() traced is used after the trace, or in another one; return what the function computes, and use what the call gives",
      );
    }
    const known = this.captured.find(
      ({ value }) => value.origin === origin && value.index === index && (origin instanceof Param || value.payload === payload),
    );
    if (known !== undefined) return this.abstract(known.id);
    const id = this.builder.value(x.type);
    this.captured.push({ value: x, id });
    return this.abstract(id);
  }

  private isWithin(trace: Tracer): boolean {
    for (let outer = this.outer; outer !== null; outer = outer.outer) if (outer === trace) return true;
    return false;
  }
}
