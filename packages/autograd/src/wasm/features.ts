import { FunctionBuilder, ModuleBuilder } from "./assembler.js";

/** What the WebAssembly of this process can do. */
export interface Features {
  /** Vectors of 128 bits. */
  readonly simd: boolean;
  /** a * b + c in one instruction, which rounds once where the processor can. */
  readonly relaxedMadd: boolean;
}

interface Host {
  readonly WebAssembly?: { validate(bytes: Uint8Array<ArrayBuffer>): boolean };
}

let detected: Features | null = null;

/** Asked of the engine once a process, by modules of one instruction; nothing is switched on. */
export function detectFeatures(): Features {
  detected ??= {
    simd: validates((f) => f.op("v128.not")),
    relaxedMadd: validates((f) => f.get(0).get(0).op("f32x4.relaxed_madd")),
  };
  return detected;
}

function validates(instruction: (f: FunctionBuilder) => FunctionBuilder): boolean {
  const wasm = (globalThis as Host).WebAssembly;
  if (wasm === undefined) return false;
  const f = new FunctionBuilder(["v128"], ["v128"]);
  instruction(f.get(0));
  const module = new ModuleBuilder();
  module.addFunction(f, null);
  return wasm.validate(module.bytes());
}
