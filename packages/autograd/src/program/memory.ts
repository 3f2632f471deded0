import type { DType, TypedArray } from "../dtype.js";
import { arrayOf, type NdArray, type Payload } from "../ops/array.js";
import { constants as constantPool } from "../wasm/constants.js";
import { RecentlyUsed } from "./recentlyUsed.js";
import type { Memory, WasmFunction, WebAssemblyHost } from "../wasm/host.js";

const PAGE = 65536;

export type Exports = Readonly<Record<string, WasmFunction>>;

type Imports = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/** Whoever runs in a memory. */
export interface Occupant {
  /** Called by a kernel that met an index outside its axis, with the number of its step; throws. */
  failOutside(step: number, index: number): void;
}

// What is smaller has few pages to touch, and what is larger would be held by whichever small program is still in use.
const LEAST_SHARED = 2 ** 20;
const MOST_SHARED = 2 ** 26;
/** Programs hold those that they call; the others are kept for programs to come, which mostly need the same. */
const MOST_INSTANCES = 256;
/** Constants are written anew when programs take turns: they are at most so much of what a program writes in a run anyway. */
const CONSTANT_SHARE = 1 / 16;

/** Goes with the last program that runs in it. */
let common: WeakRef<ProgramMemory> | null = null;

/**
 * The memory of programs of which one runs at a time: those of one compiled function, whatever the signature, and their derivatives, or
 * those of several functions. It grows to what the largest needs, so that another program finds pages that were touched before, and kernels
 * that are instances already. Between calls it holds what the program that ran last keeps there. No operation of a program calls other
 * programs: those that a traced function calls are parts of it.
 */
export class ProgramMemory {
  /** Whether nobody looks at what a call left there. */
  private readonly isScratch: boolean;
  private memory: Memory | null = null;
  private arrays: Record<DType, TypedArray> | null = null;
  private readonly instances = new RecentlyUsed<Exports>(MOST_INSTANCES);
  private owner: Occupant | null = null;

  constructor(isScratch = false) {
    this.isScratch = isScratch;
  }

  /**
   * Where a program of so many bytes runs: here, or in one memory with those of other functions, whose pages are there. Pages of 15 MB took
   * 10 ms to be touched first, a third of what it took to compile a second network.
   */
  placeFor(bytes: number, constantBytes: number): ProgramMemory {
    const shares = this.isScratch && bytes >= LEAST_SHARED && bytes <= MOST_SHARED && constantBytes <= CONSTANT_SHARE * bytes;
    if (!shares) return this;
    const place = common?.deref() ?? new ProgramMemory();
    common = new WeakRef(place);
    return place;
  }

  /** Sees to it that there are as many bytes. What views of it were given out before may have no elements afterwards. */
  reserve(bytes: number, host: WebAssemblyHost): Memory {
    const pages = Math.ceil(bytes / PAGE);
    const memory = (this.memory ??= new host.Memory({ initial: pages }));
    const missing = pages - memory.buffer.byteLength / PAGE;
    if (missing > 0) memory.grow(missing);
    if (this.arrays?.float64.buffer !== memory.buffer) this.arrays = viewsOf(memory.buffer);
    return memory;
  }

  /**
   * What a call is given, with copies of what lies here: an output that the caller was given as a view. The call writes here, argument after
   * argument, and may let the memory grow.
   */
  apart(inputs: readonly Payload[]): readonly Payload[] {
    const buffer = this.isScratch ? undefined : this.arrays?.float64.buffer;
    const isHere = (x: Payload): x is NdArray => typeof x !== "number" && x.data.buffer === buffer;
    return buffer !== undefined && inputs.some(isHere) ? inputs.map((x) => (isHere(x) ? copied(x) : x)) : inputs;
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

/** With elements of its own. */
export function copied(x: Payload): Payload {
  return typeof x === "number" ? x : arrayOf(x.type, x.elements);
}

function viewsOf(buffer: ArrayBuffer): Record<DType, TypedArray> {
  return {
    float64: new Float64Array(buffer),
    float32: new Float32Array(buffer),
    int32: new Int32Array(buffer),
    bool: new Uint8Array(buffer),
  };
}
