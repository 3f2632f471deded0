/** The WebAssembly of the host, as far as it is used: neither the language's types nor Node's name it. */
export interface Memory {
  readonly buffer: ArrayBuffer;
  grow(pages: number): number;
}

export type WasmFunction = (...args: number[]) => number | void;

export interface WebAssemblyHost {
  readonly Memory: new (descriptor: { readonly initial: number }) => Memory;
  readonly Module: new (bytes: Uint8Array<ArrayBuffer>) => object;
  readonly Instance: new (
    module: object,
    imports: Readonly<Record<string, Readonly<Record<string, unknown>>>>,
  ) => { readonly exports: Readonly<Record<string, WasmFunction>> };
}

let known: WebAssemblyHost | null | undefined;

/**
 * null where there is none, or where modules cannot be compiled at once: a page may forbid it by its Content-Security-Policy, and browsers
 * refuse modules of more than a few KB outside of workers. Asked once, by a module of that size that does nothing.
 */
export function webAssembly(): WebAssemblyHost | null {
  if (known !== undefined) return known;
  const host = (globalThis as unknown as { readonly WebAssembly?: WebAssemblyHost }).WebAssembly ?? null;
  known = host !== null && compiles(host) ? host : null;
  return known;
}

const PROBE_BYTES = 8192;

function compiles(host: WebAssemblyHost): boolean {
  const bytes = new Uint8Array(PROBE_BYTES);
  // The header, and one custom section (0) without a name, as long as the rest: its length as LEB128 of two bytes.
  const rest = PROBE_BYTES - 11;
  bytes.set([0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00, 0x00, (rest & 0x7f) | 0x80, rest >> 7]);
  try {
    void new host.Module(bytes);
    return true;
  } catch {
    return false;
  }
}
