/** What the library asks of the host's WebAssembly, seen from outside. */
type Constructor = new (...args: never[]) => object;
type Kind = "Memory" | "Module" | "Instance";

export interface Seen {
  /** The bytes of each module that was compiled. */
  readonly modules: Uint8Array[];
  readonly memories: { readonly buffer: ArrayBuffer }[];
  instances: number;
}

/** Notes, while f runs, what is compiled and allocated. */
export function watched(f: () => void): Seen {
  const host = (globalThis as unknown as { WebAssembly: Record<Kind, Constructor> }).WebAssembly;
  const { Memory, Module, Instance } = host;
  const seen: Seen = { modules: [], memories: [], instances: 0 };
  const noting = (constructor: Constructor, note: (made: object, args: readonly unknown[]) => void): Constructor =>
    new Proxy(constructor, {
      construct(target, args) {
        const made = Reflect.construct(target, args) as object;
        note(made, args);
        return made;
      },
    });
  host.Memory = noting(Memory, (made) => seen.memories.push(made as { readonly buffer: ArrayBuffer }));
  host.Module = noting(Module, (_made, [bytes]) => seen.modules.push(bytes as Uint8Array));
  host.Instance = noting(Instance, () => seen.instances++);
  try {
    f();
  } finally {
    Object.assign(host, { Memory, Module, Instance });
  }
  return seen;
}
