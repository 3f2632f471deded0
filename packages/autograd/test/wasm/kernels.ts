import { FunctionBuilder, ModuleBuilder } from "../../src/wasm/assembler.js";
import { constants, CONSTANTS_END } from "../../src/wasm/constants.js";
import type { LaneType } from "../../src/wasm/lanes.js";
import { type ImportedMath, VectorArithmetic } from "../../src/wasm/vectorArithmetic.js";
import { pow } from "../../src/ops/ieee.js";

interface Memory {
  readonly buffer: ArrayBuffer;
}

type Exports = Record<string, (...args: number[]) => number>;

interface WebAssemblyApi {
  readonly Memory: new (descriptor: { initial: number }) => Memory;
  readonly Module: new (bytes: Uint8Array<ArrayBuffer>) => object;
  readonly Instance: new (module: object, imports: Record<string, Record<string, unknown>>) => { readonly exports: Exports };
}

/** Neither the library's types nor Node's name it. */
const wasm = (globalThis as unknown as { WebAssembly: WebAssemblyApi }).WebAssembly;

const IMPORTED: Record<ImportedMath, (...args: number[]) => number> = {
  sin: Math.sin,
  cos: Math.cos,
  pow: (x, y) => pow(x!, y!),
};

/** How a test kernel computes. */
export interface Form {
  readonly dtype: LaneType;
  readonly lanes: 1 | 2 | 4;
  readonly relaxedMadd: boolean;
}

export function scalar(dtype: LaneType): Form {
  return { dtype, lanes: 1, relaxedMadd: false };
}

export function vector(dtype: LaneType, relaxedMadd = false): Form {
  return { dtype, lanes: dtype === "float32" ? 4 : 2, relaxedMadd };
}

/** An emitter of one result from operands that are loaded. */
export type Emit = (m: VectorArithmetic, operands: readonly number[]) => number;

/** A module with the kernel "run" (operand addresses, result address, bytes of an operand): one loop over whole vectors. */
export function elementwiseModule(form: Form, arity: number, emit: Emit): Uint8Array<ArrayBuffer> {
  const module = new ModuleBuilder();
  const imports = {
    sin: module.importFunction("math", "sin", ["f64"], ["f64"]),
    cos: module.importFunction("math", "cos", ["f64"], ["f64"]),
    pow: module.importFunction("math", "pow", ["f64", "f64"], ["f64"]),
  };
  const operands = Array.from({ length: arity }, (_, k) => k);
  const f = new FunctionBuilder([...operands, 0, 0].map(() => "i32"));
  const m = new VectorArithmetic(f, { ...form, importMath: (name) => imports[name] });
  const [out, length] = [arity, arity + 1];
  const step = form.lanes * (form.dtype === "float32" ? 4 : 8);
  const end = f.local("i32");
  f.get(out).get(length).op("i32.add").set(end);
  f.block((leave) => {
    f.loop((again) => {
      f.get(out).get(end).op("i32.ge_u").brIf(leave);
      m.store(
        out,
        emit(
          m,
          operands.map((x) => m.load(x)),
        ),
      );
      for (const address of [...operands, out]) f.get(address).i32(step).op("i32.add").set(address);
      f.br(again);
    });
  });
  module.addFunction(f, "run");
  return module.bytes();
}

/** The exports of a module and a fresh memory that holds the constants. */
export function instantiate(bytes: Uint8Array<ArrayBuffer>, pages = 1): { memory: Memory; exports: Exports } {
  const memory = new wasm.Memory({ initial: pages });
  constants.write(memory);
  const { exports } = new wasm.Instance(new wasm.Module(bytes), { env: { memory }, math: IMPORTED });
  return { memory, exports };
}

const ARRAYS = { float32: Float32Array, float64: Float64Array };

/** Compiles an elementwise function; what it gives takes arrays of any equal length. */
export function elementwise(
  form: Form,
  arity: number,
  emit: Emit,
): (...operands: readonly ArrayLike<number>[]) => Float32Array | Float64Array {
  const module = elementwiseModule(form, arity, emit);
  const Floats = ARRAYS[form.dtype];
  return (...operands) => {
    const length = operands[0]!.length;
    const whole = Math.ceil(length / form.lanes) * form.lanes;
    const bytes = Math.ceil((whole * Floats.BYTES_PER_ELEMENT) / 16) * 16;
    const at = (k: number) => CONSTANTS_END + k * bytes;
    const { memory, exports } = instantiate(module, Math.ceil(at(arity + 1) / 65_536));
    operands.forEach((x, k) => new Floats(memory.buffer, at(k), length).set(x));
    exports["run"]!(...operands.map((_, k) => at(k)), at(arity), whole * Floats.BYTES_PER_ELEMENT);
    return new Floats(memory.buffer, at(arity), length);
  };
}
