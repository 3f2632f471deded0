import { beforeAll, describe, expect, test } from "vitest";
import wabt from "wabt";
import { FunctionBuilder, ModuleBuilder, type ValueType } from "../../src/wasm/assembler.js";
import { LANE_OPCODES, type LaneOpcode, MEMORY_OPCODES, type MemoryOpcode, type Opcode, OPCODES } from "../../src/wasm/opcodes.js";
import { disassemble } from "./disassemble.js";

let tools: Awaited<ReturnType<typeof wabt>>;

beforeAll(async () => {
  tools = await wabt();
});

/** The lines of the body of a function, validated, without those that surround what `write` emits. */
function linesOf(write: (f: FunctionBuilder) => void, params: readonly ValueType[] = [], results: readonly ValueType[] = []): string[] {
  const module = new ModuleBuilder();
  const f = new FunctionBuilder(params, results);
  write(f);
  module.addFunction(f, "run");
  const text = disassemble(tools, module.bytes());
  const body = /\(func \(;0;\) \(type 0\)(?: \((?:param|result) [^)]*\))*\n([\s\S]*?)\)\n {2}\(export/.exec(text);
  return body === null ? [] : body[1]!.split("\n").map((line) => line.trim());
}

/** An instruction where any operands are valid: after `unreachable`, and before another that drops its results. */
function alone(write: (f: FunctionBuilder) => FunctionBuilder): string {
  const [first, instruction, last] = linesOf((f) => void write(f.op("unreachable")).op("unreachable"));
  expect([first, last]).toEqual(["unreachable", "unreachable"]);
  return instruction!;
}

describe("every instruction of the tables has the bytes of its name", () => {
  test.each(Object.keys(OPCODES) as Opcode[])("%s", (name) => {
    expect(alone((f) => f.op(name))).toBe(name);
  });

  test.each(Object.keys(MEMORY_OPCODES) as MemoryOpcode[])("%s", (name) => {
    const bytes = MEMORY_OPCODES[name][1];
    // The text leaves out the alignment that is the natural one.
    const align = bytes > 4 ? " align=4" : "";
    expect(alone((f) => f.memory(name, 300))).toBe(`${name} offset=300${align}`);
  });

  test.each(Object.keys(LANE_OPCODES) as LaneOpcode[])("%s", (name) => {
    expect(alone((f) => f.lane(name, 1))).toBe(`${name} 1`);
  });
});

describe("instructions with literals", () => {
  test.each([0, 1, -1, 63, 64, -64, -65, 127, 128, 8191, 8192, 2 ** 31 - 1, -(2 ** 31)])("i32.const %i", (x) => {
    expect(alone((f) => f.i32(x))).toBe(`i32.const ${x}`);
  });

  test.each([0n, -1n, 63n, 64n, -64n, -65n, 2n ** 31n, 2n ** 63n - 1n, -(2n ** 63n)])("i64.const %s", (x) => {
    expect(alone((f) => f.i64(x))).toBe(`i64.const ${x}`);
  });

  test("f32.const, f64.const, v128.const, i8x16.shuffle", () => {
    expect(alone((f) => f.f32(0.75))).toMatch(/^f32\.const 0x1\.8p-1 /);
    expect(alone((f) => f.f64(-3))).toMatch(/^f64\.const -0x1\.8p\+1 /);
    expect(alone((f) => f.v128(Uint8Array.from({ length: 16 }, (_, k) => k)))).toBe(
      "v128.const i32x4 0x03020100 0x07060504 0x0b0a0908 0x0f0e0d0c",
    );
    const bytes = Array.from({ length: 16 }, (_, k) => 31 - k);
    expect(alone((f) => f.shuffle(...bytes))).toBe(`i8x16.shuffle ${bytes.join(" ")}`);
  });
});

describe("functions", () => {
  test("parameters come before locals, which are declared in runs of a type", () => {
    const f = new FunctionBuilder(["i32", "f64"], ["f64"]);
    const [a, b, c] = [f.local("v128"), f.local("v128"), f.local("i64")];
    expect([a, b, c]).toEqual([2, 3, 4]);
    expect([0, 1, 2, 3, 4].map((k) => f.typeOf(k))).toEqual(["i32", "f64", "v128", "v128", "i64"]);
    expect(() => f.typeOf(5)).toThrow("no local 5");
    f.get(1);
    const module = new ModuleBuilder();
    module.addFunction(f, "run");
    expect(disassemble(tools, module.bytes())).toContain("(local v128 v128 i64)\n    local.get 1)");
  });

  test("branches name the block that they leave or the loop that they repeat", () => {
    const lines = linesOf(
      (f) =>
        f.block((leave) => {
          f.loop((again) => {
            f.get(0).brIf(leave);
            f.get(0).if(
              () => f.br(again),
              (end) => f.br(end),
            );
            f.br(again);
          });
        }),
      ["i32"],
    );
    expect(lines.map((line) => line.replace(/ {2};;.*/, ""))).toEqual([
      "block",
      "loop",
      "local.get 0",
      "br_if 1 (;@1;)",
      "local.get 0",
      "if",
      "br 1 (;@2;)",
      "else",
      "br 0 (;@3;)",
      "end",
      "br 0 (;@2;)",
      "end",
      "end",
    ]);
  });

  test("imports are numbered before functions, and a call names either", () => {
    const module = new ModuleBuilder();
    const imported = module.importFunction("math", "sin", ["f64"], ["f64"]);
    const f = new FunctionBuilder(["f64"], ["f64"]);
    f.get(0).call(imported);
    const first = module.addFunction(f, null);
    const g = new FunctionBuilder(["f64"], ["f64"]);
    g.get(0).call(first);
    expect([imported, first, module.addFunction(g, "run")]).toEqual([0, 1, 2]);
    expect(disassemble(tools, module.bytes())).toContain('(export "run" (func 2))');
    expect(() => module.importFunction("math", "cos", [], [])).toThrow("imports come before functions");
  });
});
