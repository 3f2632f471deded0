import { createHash } from "node:crypto";
import { beforeAll, describe, expect, test } from "vitest";
import wabt from "wabt";
import { expm1, log1p, matmul, type Value } from "../../src/index.js";
import { compile } from "../../src/program/index.js";
import { productsModule } from "../../src/wasm/products.js";
import { randomLike } from "../matrix/derivatives.js";
import { disassemble } from "../wasm/disassemble.js";
import { single } from "./agreement.js";
import { KINDS, stepOf, training } from "./networks.js";
import { watched } from "./webAssembly.js";

let tools: Awaited<ReturnType<typeof wabt>>;

beforeAll(async () => {
  tools = await wabt();
});

const relaxedIn = (bytes: Uint8Array): string[] => disassemble(tools, bytes).match(/\S*relaxed\S*/g) ?? [];

const random = (seed: number, ...shape: number[]): Value =>
  randomLike([{ shape, size: shape.reduce((a, b) => a * b, 1) }], seed)[0] as Value;

/** The bits of arrays, shortened. */
function hashOf(arrays: readonly Value[]): string {
  const hash = createHash("sha256");
  for (const { data } of arrays) hash.update(new Uint8Array(data.slice().buffer));
  return hash.digest("hex").slice(0, 16);
}

describe("deterministic: true", () => {
  test("relaxed instructions are found where there are any", () => {
    expect(relaxedIn(productsModule({ dtype: "float32", simd: true, relaxedMadd: true }, "Packed"))).toContain("f32x4.relaxed_madd");
  });

  // A module is compiled once a process: this comes before what would compile it unseen.
  test("compiles no relaxed instruction: products, functions of the arithmetic, networks in both dtypes", () => {
    const { modules } = watched(() => {
      for (const dtype of ["float32", "float64"] as const)
        for (const kind of KINDS) {
          const network = training(kind, { hidden: 9, batch: 3, steps: 4 }, dtype);
          compile(stepOf(network), { deterministic: true })(...network.args);
        }
      const all = (x: Value) => [x.exp(), x.abs().log(), x.tanh(), x.sigmoid(), x.softplus(), x.sin(), x.cos(), expm1(x), log1p(x)];
      for (const x of [random(1, 7), single(random(1, 7))]) compile(all, { deterministic: true })(x);
    });
    // Products of two dtypes in two forms, the kernels of eight programs, and as many drivers.
    expect(modules.length).toBe(20);
    expect(modules.flatMap(relaxedIn)).toEqual([]);
  });

  const product = (x: Value, y: Value) => [matmul(x, y)];
  const functions = (x: Value) => [x.tanh()];
  /** The bits that Node 20.20.2 gave on x64, where no vectors are relaxed; Node 24 must give them, too. */
  const BITS: readonly (readonly [string, (...xs: Value[]) => Value[], readonly Value[], string])[] = [
    ["a product in float32", product as never, [random(2, 37, 53), random(3, 53, 29)].map(single), "c197f67f4042aeef"],
    ["a product in float64", product as never, [random(2, 37, 53), random(3, 53, 29)], "1303fdab781a282b"],
    ["tanh in float32", functions as never, [single(random(4, 1001).mul(3))], "ea7bf9bb21012fa3"],
    ["tanh in float64", functions as never, [random(4, 1001).mul(3)], "780f9ce794d12d12"],
  ];

  test.each(BITS)("%s: the same bits at each call, compiled anew, and on Node 20 and 24", (_name, f, xs, bits) => {
    const run = compile(f, { deterministic: true });
    const hashes = [hashOf(run(...xs)), hashOf(run(...xs)), hashOf(compile((...ys: Value[]) => f(...ys), { deterministic: true })(...xs))];
    expect(hashes).toEqual([bits, bits, bits]);
  });

  test.each(KINDS)("a training step of %s: the same bits at each call, and compiled anew", (kind) => {
    const network = training(kind, { hidden: 17, batch: 3, steps: 5 });
    const [f, g] = [0, 1].map(() => compile(stepOf(network), { deterministic: true }));
    const hashes = [f!, f!, g!].map((run) => {
      const [loss, grads] = run(...network.args);
      return hashOf([loss, ...Object.values(grads)]);
    });
    expect(new Set(hashes).size).toBe(1);
  });
});
