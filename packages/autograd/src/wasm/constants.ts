/** Below it nothing is kept: an address of 0 stays one that means nothing. */
export const CONSTANTS_START = 64;
/** Where the rest of a memory begins. */
export const CONSTANTS_END = 16_384;

const VECTOR = 16;

/** How the bits of a constant are written. */
export type ConstantType = "float32" | "float64" | "int32" | "int64";

/**
 * Vectors of equal lanes, at fixed addresses at the start of every memory: V8 runs kernels that load their constants twice as fast as
 * kernels that carry them in the code (Node 24). Compiled kernels are shared between memories, so an address once given stays, and there
 * is one pool a process: `constants`.
 */
export class ConstantPool {
  private readonly addresses = new Map<string, number>();
  private readonly bytes = new Uint8Array(CONSTANTS_END - CONSTANTS_START);
  private used = 0;

  /** How many bytes of a memory hold constants: when it has grown, memories written before lack the new ones. */
  get end(): number {
    return CONSTANTS_START + this.used;
  }

  /** The address of the 16 bytes, aligned to 16; null when the pool is full. */
  address(type: ConstantType, x: number | bigint): number | null {
    const vector = splat(type, x);
    const key = String.fromCharCode(...vector);
    const known = this.addresses.get(key);
    if (known !== undefined) return known;
    if (this.used + VECTOR > this.bytes.length) return null;
    const address = this.end;
    this.bytes.set(vector, this.used);
    this.used += VECTOR;
    this.addresses.set(key, address);
    return address;
  }

  /** Copies all constants into a memory; to be done after the kernels have been made and before they run. */
  write(memory: { readonly buffer: ArrayBufferLike }): void {
    new Uint8Array(memory.buffer, CONSTANTS_START, this.used).set(this.bytes.subarray(0, this.used));
  }
}

/** The pool of this process. */
export const constants = new ConstantPool();

/** The 16 bytes of a vector whose lanes are all x. */
export function splat(type: ConstantType, x: number | bigint): Uint8Array {
  const view = new DataView(new ArrayBuffer(VECTOR));
  const size = type === "float32" || type === "int32" ? 4 : 8;
  for (let at = 0; at < VECTOR; at += size) writeLane(view, at, type, x);
  return new Uint8Array(view.buffer);
}

function writeLane(view: DataView, at: number, type: ConstantType, x: number | bigint): void {
  switch (type) {
    case "float32":
      return view.setFloat32(at, Number(x), true);
    case "float64":
      return view.setFloat64(at, Number(x), true);
    case "int32":
      return view.setInt32(at, Number(x), true);
    case "int64":
      return view.setBigInt64(at, BigInt(x), true);
  }
}
