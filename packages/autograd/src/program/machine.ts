import { bytesPerElement, type TypedArray } from "../dtype.js";
import { InputError } from "../errors.js";
import { ArrayType, NdArray, newArray, type Payload, toNdArray } from "../ops/array.js";
import { pow } from "../ops/ieee.js";
import { checkIndex } from "../ops/indexing.js";
import { ModuleBuilder } from "../wasm/assembler.js";
import type { Features } from "../wasm/features.js";
import { type WasmFunction, webAssembly, type WebAssemblyHost } from "../wasm/host.js";
import type { LaneType } from "../wasm/lanes.js";
import { formOfBIn, type ProductFunction, productsModule } from "../wasm/products.js";
import type { ImportedMath } from "../wasm/vectorArithmetic.js";
import { type Driver, emitDriver, type Imported } from "./driver.js";
import { carryOut } from "./interpret.js";
import { emitKernel, type KernelSpec } from "./kernel.js";
import { bytesOf, type Frame, type Location, MemoryBlock } from "./location.js";
import { RecentlyUsed } from "./recentlyUsed.js";
import { sizeOf } from "../shape.js";
import type { Layout } from "./lower.js";
import type { Exports, Occupant, ProgramMemory } from "./memory.js";
import { liveBytes, type PlannedBlock, planMemory, planOf } from "./plan.js";
import { type KernelStep, limitOf, type LoopStep, type PlainStep, type Step } from "./step.js";

/** A compiled module and the name of a kernel in it. */
interface CompiledKernel {
  readonly module: object;
  readonly id: string;
  readonly name: string;
}

// Kernels and product modules are compiled once a process, for all programs, which hold those that they call.
const kernels = new RecentlyUsed<CompiledKernel>(1024);
const products = new Map<string, object>();
let nextModule = 0;

const MATH: Record<ImportedMath, (...args: number[]) => number> = {
  sin: (x) => Math.sin(x),
  cos: (x) => Math.cos(x),
  pow: (x, y) => pow(x, y),
};

/** How long the calls of one step took in a run, in milliseconds. */
export interface StepTime {
  readonly step: Exclude<Step, LoopStep>;
  readonly calls: number;
  readonly time: number;
}

/** A program in WebAssembly: a plan of its memory, kernels shared with other programs, and a driver that calls them in order. */
export class Machine implements Occupant {
  /** Size of the memory that the program needs. */
  readonly bytes: number;
  readonly plain: readonly PlainStep[];
  private readonly indexed: readonly KernelStep[];
  private readonly layout: Layout;
  private readonly memory: ProgramMemory;
  private readonly drive: WasmFunction;
  private readonly frames = new Map<PlainStep, readonly Frame[]>();
  /** Kept for `profile`: where they lay, other blocks may lie by now. */
  private lastInputs: readonly Payload[] = [];
  private readonly types = new Map<Location, ArrayType>();
  private readonly reuseOutputs: boolean;
  private readonly imports: Record<string, Exports>;
  private readonly features: Features;
  private readonly kernels: ReadonlyMap<KernelSpec, CompiledKernel>;

  constructor(layout: Layout, features: Features, host: WebAssemblyHost, memory: ProgramMemory, reuseOutputs: boolean) {
    this.layout = layout;
    this.reuseOutputs = reuseOutputs;
    this.features = features;
    this.bytes = planMemory(layout);
    const constants = [...layout.constants.keys()].reduce((bytes, { type }) => bytes + bytesOf(type), 0);
    this.memory = memory.placeFor(this.bytes, constants);
    const env = { memory: this.memory.reserve(this.bytes, host) };
    this.kernels = compiledKernels(layout.steps, features, host);
    this.imports = { host: { plain: (k) => this.runPlain(k, this.views.int32) } };
    const driver = this.emit(features, host);
    this.plain = driver.plain;
    this.indexed = driver.indexed;
    this.noteFrames(layout.steps, []);
    const instance = new host.Instance(new host.Module(driver.bytes), { env, ...this.imports });
    this.drive = instance.exports["run"] as WasmFunction;
  }

  private get views() {
    return this.memory.views;
  }

  get live(): number {
    return liveBytes(this.layout);
  }

  get plan(): readonly PlannedBlock[] {
    return planOf(this.layout);
  }

  get steps(): readonly Step[] {
    return this.layout.steps;
  }

  run(inputs: readonly Payload[], asViews: boolean): Payload[] {
    this.lastInputs = inputs;
    this.setInputs(inputs, 0);
    this.drive();
    return this.layout.outputs.map((from) => this.read(from, asViews));
  }

  /** Runs on the inputs from number `kept` on; those before are what they were. The first `kept` outputs become those inputs. */
  advance(inputs: readonly Payload[], kept: number): Payload[] {
    this.lastInputs = inputs;
    this.setInputs(inputs, kept);
    this.drive();
    const { layout, views } = this;
    const targets = layout.inputs.slice(0, kept);
    const places = targets.map(({ block }) => block);
    const results = layout.outputs.slice(kept).map((from) => this.read(from, this.reuseOutputs && !places.includes(from.block)));
    const sources = layout.outputs.slice(0, kept).map((from) => {
      const whole = views[from.dtype].subarray(this.placeOf(from), this.placeOf(from) + sizeOf(from.shape));
      // What is an input itself must be read before it is written.
      return places.includes(from.block) ? whole.slice() : whole;
    });
    targets.forEach((to, k) => views[to.dtype].set(sources[k] as TypedArray, this.placeOf(to)));
    return results;
  }

  setInputs(inputs: readonly Payload[], from: number): void {
    if (this.memory.claim(this)) for (const [x, location] of this.layout.constants) this.write(location, x);
    for (let k = 0; k < inputs.length; k++) this.write(this.layout.inputs[from + k] as Location, inputs[k] as Payload);
  }

  /** Lets go of what the last run was given. */
  forget(): void {
    this.lastInputs = [];
  }

  /** What the first inputs are. */
  inputs(count: number): Payload[] {
    return this.layout.inputs.slice(0, count).map((location) => this.read(location, false));
  }

  private placeOf({ block, dtype, offset }: Location): number {
    return block.address / bytesPerElement(dtype) + offset;
  }

  /** Runs the program on the inputs of its last run step by step, from here instead of the driver, with a clock at each. */
  profile(now: () => number): StepTime[] {
    if (this.lastInputs.some(isGone)) {
      throw new InputError(
        "explain: an argument of the last call was a view of another function's memory, which has moved since; call the function once more",
      );
    }
    this.setInputs(this.lastInputs, this.layout.kept);
    const times = new Map<Step, { step: Exclude<Step, LoopStep>; calls: number; time: number }>();
    const counters = new Map<Frame, number>();
    const walk = (steps: readonly Step[]): void => {
      for (const step of steps) {
        if (step.kind === "loop") {
          const { frame, body } = step;
          for (let k = 0; k < frame.steps; k++) {
            counters.set(frame, frame.reverse ? frame.steps - 1 - k : k);
            walk(body);
          }
          continue;
        }
        const call = this.callOf(step, counters);
        const start = now();
        call();
        const time = now() - start;
        const known = times.get(step);
        if (known === undefined) times.set(step, { step, calls: 1, time });
        else {
          known.calls++;
          known.time += time;
        }
      }
    };
    walk(this.layout.steps);
    return [...times.values()];
  }

  private callOf(step: Exclude<Step, LoopStep>, counters: ReadonlyMap<Frame, number>): () => void {
    const { functions } = this;
    const at = ({ block, dtype, offset, steps }: Location): number => {
      let place = offset;
      for (const [frame, by] of steps) place += by * (counters.get(frame) as number);
      return block.address + place * bytesPerElement(dtype);
    };
    switch (step.kind) {
      case "kernel": {
        const { counts, locations, within } = step;
        const args = [...counts, ...locations.map(at), ...(within === undefined ? [] : [limitOf(within), this.indexed.indexOf(step)])];
        return () => functions.kernel(step)(...args);
      }
      case "pack": {
        const args = [at(step.source), step.ld, step.inner, step.columns, step.target.address];
        return () => functions.product(step)(...args);
      }
      case "product": {
        const { rows, columns, inner, a, lda, b, ldb, c, ldc, scratch } = step;
        const right = b instanceof MemoryBlock ? b.address : at(b);
        const args = [rows, columns, inner, at(a), lda, right, ldb, at(c), ldc, 0, scratch?.address ?? 0];
        return () => functions.product(step)(...args);
      }
      case "plain":
        return () =>
          this.runPlain(
            this.plain.indexOf(step),
            (this.frames.get(step) ?? []).map((frame) => counters.get(frame) as number),
          );
    }
  }

  private get functions() {
    const { imports, kernels, features } = this;
    return {
      kernel: ({ spec }: Extract<Step, { kind: "kernel" }>): WasmFunction => {
        const { id, name } = kernels.get(spec) as CompiledKernel;
        return imports[id]?.[name] as WasmFunction;
      },
      product: (step: ProductStep): WasmFunction => {
        const name = step.kind === "pack" ? step.pack : step.product;
        return imports[productsId(step.dtype, productIn(step), features)]?.[name] as WasmFunction;
      },
    };
  }

  private emit(features: Features, host: WebAssemblyHost): Driver {
    const instantiated = (id: string, module: () => object): void => {
      this.imports[id] ??= this.memory.instance(id, (imports) => new host.Instance(module(), { ...imports, math: MATH }).exports);
    };
    return emitDriver(this.layout.steps, {
      kernel: ({ spec, locations, counts, within }): Imported => {
        const { id, name, module } = this.kernels.get(spec) as CompiledKernel;
        instantiated(id, () => module);
        return { module: id, name, params: counts.length + locations.length + (within === undefined ? 0 : 2) };
      },
      product: (step): Imported => {
        const id = productsId(step.dtype, productIn(step), features);
        instantiated(id, () => productsOf(step.dtype, productIn(step), features, host));
        return step.kind === "pack" ? { module: id, name: step.pack, params: 5 } : { module: id, name: step.product, params: 11 };
      },
    });
  }

  private write(location: Location, x: Payload): void {
    const { dtype } = location;
    const at = this.placeOf(location);
    if (typeof x === "number") this.views[dtype][at] = x;
    else this.views[dtype].set(x.elements, at);
  }

  private read(location: Location, asView: boolean): Payload {
    const { dtype, shape } = location;
    const at = this.placeOf(location);
    const from = this.views[dtype];
    if (shape.length === 0 && dtype === "float64") return from[at] as number;
    const type = this.typeOf(location);
    if (asView) return new NdArray(type, from, at);
    const out = newArray(type);
    out.data.set(from.subarray(at, at + out.type.size), out.offset);
    return out;
  }

  /** Types are made once, so that arrays of one place share theirs. */
  private typeOf(location: Location): ArrayType {
    let type = this.types.get(location);
    if (type === undefined) this.types.set(location, (type = new ArrayType(location.dtype, location.shape)));
    return type;
  }

  /** What a kernel calls that met an index outside its axis: the error of the eager operation. */
  failOutside(k: number, index: number): void {
    const { op, axis, shape } = this.indexed[k]?.within as NonNullable<KernelStep["within"]>;
    checkIndex(op, index, shape[axis] as number, axis, shape);
  }

  /** An operation without a kernel, on arrays that are views of the memory. */
  private runPlain(k: number, counters: ArrayLike<number>): void {
    const step = this.plain[k] as PlainStep;
    const frames = this.frames.get(step) ?? [];
    const placeOf = ({ block, dtype, offset, steps }: Location): number => {
      let at = block.address / bytesPerElement(dtype) + offset;
      for (const [frame, step] of steps) at += step * (counters[frames.indexOf(frame)] as number);
      return at;
    };
    const operands = step.operands.map((x) => {
      if (x.shape.length === 0 && x.dtype === "float64") return this.views.float64[placeOf(x)] as number;
      return new NdArray(new ArrayType(x.dtype, x.shape), this.views[x.dtype], placeOf(x));
    });
    carryOut(step.instruction, operands).forEach((out, j) => {
      const target = step.outputs[j] as Location;
      this.views[target.dtype].set(toNdArray(out).elements, placeOf(target));
    });
  }

  private noteFrames(steps: readonly Step[], frames: readonly Frame[]): void {
    for (const step of steps) {
      if (step.kind === "loop") this.noteFrames(step.body, [...frames, step.frame]);
      else if (step.kind === "plain") this.frames.set(step, frames);
    }
  }
}

/** Whether the memory that an array was a view of has grown, and lies elsewhere. */
function isGone(x: Payload): boolean {
  return typeof x !== "number" && x.data.length < x.type.size;
}

function keyOf(spec: KernelSpec, { simd, relaxedMadd }: Features): string {
  return `${simd} ${relaxedMadd} ${JSON.stringify(spec)}`;
}

/** The kernels of a program; those that none has needed before are compiled, all in one module. */
function compiledKernels(steps: readonly Step[], features: Features, host: WebAssemblyHost): ReadonlyMap<KernelSpec, CompiledKernel> {
  const keys = new Map<KernelSpec, string>();
  const found = new Map<string, CompiledKernel>();
  const missing = new Map<string, KernelSpec>();
  for (const step of leafSteps(steps)) {
    if (step.kind !== "kernel") continue;
    const key = keyOf(step.spec, features);
    keys.set(step.spec, key);
    const known = found.get(key) ?? kernels.get(key);
    if (known === undefined) missing.set(key, step.spec);
    else found.set(key, known);
  }
  for (const [key, kernel] of compileKernels(missing, features, host)) {
    found.set(key, kernel);
    kernels.set(key, kernel);
  }
  return new Map([...keys].map(([spec, key]) => [spec, found.get(key) as CompiledKernel]));
}

function compileKernels(
  specs: ReadonlyMap<string, KernelSpec>,
  features: Features,
  host: WebAssemblyHost,
): (readonly [string, CompiledKernel])[] {
  if (specs.size === 0) return [];
  const builder = new ModuleBuilder();
  const imported = {
    outside: builder.importFunction("host", "outside", ["i32", "i32"]),
    sin: builder.importFunction("math", "sin", ["f64"], ["f64"]),
    cos: builder.importFunction("math", "cos", ["f64"], ["f64"]),
    pow: builder.importFunction("math", "pow", ["f64", "f64"], ["f64"]),
  };
  const names = [...specs].map(([key, spec], k) => {
    builder.addFunction(
      emitKernel(spec, features, (name) => imported[name]),
      `k${k}`,
    );
    return { key, name: `k${k}` };
  });
  const module = new host.Module(builder.bytes());
  const id = `kernels ${nextModule++}`;
  return names.map(({ key, name }) => [key, { module, id, name }] as const);
}

function* leafSteps(steps: readonly Step[]): Generator<Exclude<Step, LoopStep>> {
  for (const step of steps) {
    if (step.kind === "loop") yield* leafSteps(step.body);
    else yield step;
  }
}

type ProductStep = Extract<Step, { kind: "pack" | "product" }>;

/** What packs is in both modules; the one whose products read what is packed is there anyway. */
function productIn(step: ProductStep): ProductFunction {
  return step.kind === "pack" ? "productBlocksPacked" : step.product;
}

function productsId(dtype: LaneType, product: ProductFunction, { simd, relaxedMadd }: Features): string {
  return `products ${dtype} ${formOfBIn(product)} ${simd} ${relaxedMadd}`;
}

/** The module that has a function for products of a dtype. */
export function productsOf(dtype: LaneType, product: ProductFunction, features: Features, host: WebAssemblyHost): object {
  const id = productsId(dtype, product, features);
  let module = products.get(id);
  if (module === undefined) products.set(id, (module = new host.Module(productsModule({ dtype, ...features }, formOfBIn(product)))));
  return module;
}

/** A machine for a program; null where there is no WebAssembly. */
export function machineFor(layout: () => Layout, features: Features, memory: ProgramMemory, reuseOutputs: boolean): Machine | null {
  const host = webAssembly();
  return host === null ? null : new Machine(layout(), features, host, memory, reuseOutputs);
}
