import type { Value } from "../../src/index.js";
import { afterEach, describe, expect, test, vi } from "vitest";

/** The host's WebAssembly as a fresh import of the library finds it. */
async function found(): Promise<unknown> {
  vi.resetModules();
  return (await import("../../src/wasm/host.js")).webAssembly();
}

describe("the WebAssembly of the host", () => {
  afterEach(() => void vi.unstubAllGlobals());

  test("is taken where modules can be compiled at once", async () => {
    expect(await found()).not.toBeNull();
  });

  test("is done without where it is missing, or forbidden", async () => {
    const forbidden = class {
      constructor() {
        throw new Error("code generation disallowed by embedder");
      }
    };
    for (const host of [undefined, { Module: forbidden }]) {
      vi.stubGlobal("WebAssembly", host);
      expect(await found()).toBeNull();
    }
  });

  test("a function compiled there runs on plain kernels", async () => {
    vi.stubGlobal("WebAssembly", undefined);
    vi.resetModules();
    const { matmul } = await import("../../src/index.js");
    const { compile } = await import("../../src/program/index.js");
    const product = compile((x: Value) => matmul(x, x));
    expect(
      product([
        [1, 2],
        [3, 4],
      ]).toArray(),
    ).toEqual([
      [7, 10],
      [15, 22],
    ]);
    expect(product.stats()).toMatchObject({ kernels: 0, plain: ["matmul"] });
  });
});
