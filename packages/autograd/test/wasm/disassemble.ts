import type wabt from "wabt";

type Tools = Awaited<ReturnType<typeof wabt>>;

const FEATURES = { simd: true, relaxed_simd: true } as const;

/** The text of a module, which must be valid. */
export function disassemble(tools: Tools, bytes: Uint8Array): string {
  const module = tools.readWasm(bytes, { readDebugNames: false, ...FEATURES });
  try {
    module.validate();
    return module.toText({ foldExprs: false, inlineExport: false });
  } finally {
    module.destroy();
  }
}
