import type { DType, TypedArray } from "../dtype.js";
import { constants as constantPool } from "../wasm/constants.js";
import type { Memory, WasmFunction, WebAssemblyHost } from "../wasm/host.js";

const PAGE = 65536;

export type Exports = Readonly<Record<string, WasmFunction>>;

/**
 * The memory of programs of which one runs at a time: those of one compiled function, whatever the signature, and their derivatives. It
 * grows to what the largest needs, so that another signature finds pages that were touched before, and kernels that are instances already.
 * Between calls it holds what the program that ran last keeps there. No operation of a program calls other programs: those that a traced
 * function calls are parts of it.
 */
export class ProgramMemory {
  private memory: Memory | null = null;
  private arrays: Record<DType, TypedArray> | null = null;
  private readonly instances = new Map<string, Exports>();
  private owner: object | null = null;

  /** Sees to it that there are as many bytes. What views of it were given out before may have no elements afterwards. */
  reserve(bytes: number, host: WebAssemblyHost): Memory {
    const pages = Math.ceil(bytes / PAGE);
    const memory = (this.memory ??= new host.Memory({ initial: pages }));
    const missing = pages - memory.buffer.byteLength / PAGE;
    if (missing > 0) memory.grow(missing);
    if (this.arrays?.float64.buffer !== memory.buffer) this.arrays = viewsOf(memory.buffer);
    return memory;
  }

  /** All of it, by dtype. */
  get views(): Record<DType, TypedArray> {
    return this.arrays as Record<DType, TypedArray>;
  }

  /** The functions of a module that works in this memory; instantiated once. */
  instance(id: string, instantiate: (memory: Memory) => Exports): Exports {
    let exports = this.instances.get(id);
    if (exports === undefined) this.instances.set(id, (exports = instantiate(this.memory as Memory)));
    return exports;
  }

  /** Tells who runs next. Whether that is another than the last time: then its constants are to be written; those of the kernels are there. */
  claim(owner: object): boolean {
    if (this.owner === owner) return false;
    this.owner = owner;
    constantPool.write(this.memory as Memory);
    return true;
  }
}

function viewsOf(buffer: ArrayBuffer): Record<DType, TypedArray> {
  return {
    float64: new Float64Array(buffer),
    float32: new Float32Array(buffer),
    int32: new Int32Array(buffer),
    bool: new Uint8Array(buffer),
  };
}
