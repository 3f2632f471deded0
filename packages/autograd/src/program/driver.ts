import { bytesPerElement } from "../dtype.js";
import { FunctionBuilder, ModuleBuilder, type ValueType } from "../wasm/assembler.js";
import { GraphError } from "../errors.js";
import { CONSTANTS_START } from "../wasm/constants.js";
import { type Frame, type Location, MemoryBlock } from "./location.js";
import { type KernelStep, limitOf, type PlainStep, type Step } from "./step.js";

/** How deep loops may be nested around an operation without a kernel: it finds their steps in the first bytes of the memory. */
const PLAIN_DEPTH = CONSTANTS_START / 4;

/** A function that the driver calls: where it is imported from, and its parameters. */
export interface Imported {
  readonly module: string;
  readonly name: string;
  readonly params: number;
}

/** What the driver is made of: the function that carries out each kind of step. */
export interface DriverImports {
  kernel(step: Extract<Step, { kind: "kernel" }>): Imported;
  product(step: Extract<Step, { kind: "pack" | "product" }>): Imported;
}

export interface Driver {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Operations without kernels, by the number with which the driver calls for them. */
  readonly plain: readonly PlainStep[];
  /** Kernels that read indices, by the number that they tell the host when one is outside. */
  readonly indexed: readonly KernelStep[];
}

/** The function `run`: a program's steps in order, as calls with addresses that depend on nothing but the steps of loops. */
export function emitDriver(steps: readonly Step[], imports: DriverImports): Driver {
  const emitter = new DriverEmitter(steps, imports);
  return { bytes: emitter.module.bytes(), plain: emitter.plain, indexed: emitter.indexed };
}

class DriverEmitter {
  readonly module = new ModuleBuilder();
  readonly plain: PlainStep[] = [];
  readonly indexed: KernelStep[] = [];
  private readonly f = new FunctionBuilder([]);
  private readonly functions = new Map<string, number>();
  private readonly imports: DriverImports;
  private readonly counters = new Map<Frame, number>();
  private readonly hostPlain: number;

  constructor(steps: readonly Step[], imports: DriverImports) {
    this.imports = imports;
    this.hostPlain = this.module.importFunction("host", "plain", i32s(1));
    this.declare(steps);
    this.emit(steps, []);
    this.module.addFunction(this.f, "run");
  }

  private declare(steps: readonly Step[]): void {
    for (const step of steps) {
      if (step.kind === "loop") this.declare(step.body);
      else if (step.kind !== "plain") this.importOf(step);
    }
  }

  private importOf(step: Exclude<Step, { kind: "loop" | "plain" }>): number {
    const { module, name, params } = step.kind === "kernel" ? this.imports.kernel(step) : this.imports.product(step);
    const key = `${module}/${name}`;
    let index = this.functions.get(key);
    if (index === undefined) this.functions.set(key, (index = this.module.importFunction(module, name, i32s(params))));
    return index;
  }

  private emit(steps: readonly Step[], frames: readonly Frame[]): void {
    for (const step of steps) this.step(step, frames);
  }

  private step(step: Step, frames: readonly Frame[]): void {
    const { f } = this;
    switch (step.kind) {
      case "kernel":
        for (const count of step.counts) f.i32(count);
        for (const location of step.locations) this.address(location);
        if (step.within !== undefined) f.i32(limitOf(step.within)).i32(this.indexed.push(step) - 1);
        f.call(this.importOf(step));
        break;
      case "pack":
        this.address(step.source);
        f.i32(step.ld).i32(step.inner).i32(step.columns).i32(step.target.address).call(this.importOf(step));
        break;
      case "product": {
        const { rows, columns, inner, a, lda, b, ldb, c, ldc, scratch } = step;
        f.i32(rows).i32(columns).i32(inner);
        this.address(a);
        f.i32(lda);
        if (b instanceof MemoryBlock) f.i32(b.address);
        else this.address(b);
        f.i32(ldb);
        this.address(c);
        f.i32(ldc)
          .i32(0)
          .i32(scratch?.address ?? 0)
          .call(this.importOf(step));
        break;
      }
      case "plain":
        this.plainCall(step, frames);
        break;
      case "loop":
        this.loop(step, frames);
    }
  }

  /** The host is told which operation, and where in the loops. */
  private plainCall(step: PlainStep, frames: readonly Frame[]): void {
    const { f } = this;
    if (frames.length > PLAIN_DEPTH)
      throw new GraphError(`compile: ${step.instruction.op.name} stands in more than ${PLAIN_DEPTH} nested loops`);
    frames.forEach((frame, depth) => {
      f.i32(0)
        .get(this.counters.get(frame) as number)
        .memory("i32.store", 4 * depth);
    });
    f.i32(this.plain.push(step) - 1).call(this.hostPlain);
  }

  private loop({ frame, body }: Extract<Step, { kind: "loop" }>, frames: readonly Frame[]): void {
    const { f } = this;
    const counter = f.local("i32");
    this.counters.set(frame, counter);
    f.i32(frame.reverse ? frame.steps - 1 : 0).set(counter);
    f.loop((again) => {
      this.emit(body, [...frames, frame]);
      f.get(counter)
        .i32(frame.reverse ? -1 : 1)
        .op("i32.add")
        .tee(counter);
      if (frame.reverse) f.i32(0).op("i32.ge_s");
      else f.i32(frame.steps).op("i32.lt_s");
      f.brIf(again);
    });
  }

  private address({ block, dtype, offset, steps }: Location): void {
    const { f } = this;
    const size = bytesPerElement(dtype);
    f.i32(block.address + offset * size);
    for (const [frame, step] of steps) {
      if (step === 0) continue;
      f.get(this.counters.get(frame) as number)
        .i32(step * size)
        .op("i32.mul")
        .op("i32.add");
    }
  }
}

function i32s(count: number): ValueType[] {
  return new Array<ValueType>(count).fill("i32");
}
