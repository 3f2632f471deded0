/** The WebAssembly of the host, as far as it is used: neither the language's types nor Node's name it. */
export interface Memory {
  readonly buffer: ArrayBuffer;
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

/** null where there is none. */
export function webAssembly(): WebAssemblyHost | null {
  return (globalThis as { readonly WebAssembly?: WebAssemblyHost }).WebAssembly ?? null;
}
