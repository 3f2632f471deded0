import type { DType, TypedArray } from "../dtype.js";
import { constants as constantPool } from "../wasm/constants.js";
import type { Memory, WasmFunction, WebAssemblyHost } from "../wasm/host.js";

const PAGE = 65536;

export type Exports = Readonly<Record<string, WasmFunction>>;

type Imports = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/** Whoever runs in a memory. */
export interface Occupant {
  /** Called by a kernel that met an index outside its axis, with the number of its step; throws. */
  failOutside(step: number, index: number): void;
}

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
  private owner: Occupant | null = null;

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

  /** The functions of a module that works in this memory, for whoever runs there; instantiated once. */
  instance(id: string, instantiate: (imports: Imports) => Exports): Exports {
    let exports = this.instances.get(id);
    if (exports !== undefined) return exports;
    const outside: WasmFunction = (step, index) => this.owner?.failOutside(step, index);
    exports = instantiate({ env: { memory: this.memory }, host: { outside } });
    this.instances.set(id, exports);
    return exports;
  }

  /** Tells who runs next. Whether that is another than the last time: then its constants are to be written; those of the kernels are there. */
  claim(owner: Occupant): boolean {
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
