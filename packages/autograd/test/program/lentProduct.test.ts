import { beforeAll, describe, expect, test, vi } from "vitest";
import { grad, matmul, type Value, value } from "../../src/index.js";
import type { LentProduct } from "../../src/ops/products.js";
import { randomLike } from "../matrix/derivatives.js";
import { EPSILON } from "../matrix/agreement.js";
import { type Seen, watched } from "./webAssembly.js";

const lent = vi.hoisted(() => ({ calls: 0 }));

vi.mock("../../src/ops/products.js", async (load) => {
  const products = await load<typeof import("../../src/ops/products.js")>();
  const lendProduct = (product: LentProduct, from: number): void =>
    products.lendProduct((...args) => {
      lent.calls++;
      product(...args);
    }, from);
  return { ...products, lendProduct };
});

const random = (seed: number, ...shape: number[]): Value =>
  randomLike([{ shape, size: shape.reduce((a, b) => a * b, 1) }], seed)[0] as Value;

// Not from a file that imports /compile.
const single = (x: Value): Value => value(Float32Array.from(x.data), { shape: x.shape });

const [A, B] = [random(1, 256, 256), random(2, 256, 256)];

/** What a function gives, how many products of it were lent, and what it asked of WebAssembly. */
function observed(f: () => Value): { result: Value; calls: number; seen: Seen } {
  lent.calls = 0;
  let result: Value | null = null;
  const seen = watched(() => {
    result = f();
  });
  return { result: result as unknown as Value, calls: lent.calls, seen };
}

describe("eager products", () => {
  const plain = observed(() => matmul(A, B));

  beforeAll(async () => void (await import("../../src/program/index.js")));

  test("are plain loops until /compile is imported", () => {
    expect([plain.calls, plain.seen.instances]).toEqual([0, 0]);
  });

  test.each(["float64", "float32"] as const)("of 256 x 256 then run in WebAssembly: %s", (dtype) => {
    const [a, b] = dtype === "float32" ? [single(A), single(B)] : [A, B];
    const first = observed(() => matmul(a, b));
    expect([first.calls, first.seen.instances, first.seen.memories.length]).toEqual([1, 1, 1]);
    const second = observed(() => matmul(a, b));
    expect([second.calls, second.seen.instances, second.seen.memories.length]).toEqual([1, 0, 0]);
    expect(second.result.dtype).toBe(dtype);
    const terms = Math.max(...matmul(A.abs(), B.abs()).data);
    const off = second.result.sub(plain.result).abs().max().item();
    expect(off).toBeLessThan((dtype === "float32" ? 256 : 16) * EPSILON[dtype] * terms);
  });

  test("in gradients, and in batches matrix by matrix", () => {
    expect(observed(() => grad((a: Value) => matmul(a, B).sum())(A)).calls).toBe(2);
    const batch = random(3, 3, 64, 64);
    expect(observed(() => matmul(batch, batch)).calls).toBe(3);
  });

  test("of less than 32 x 32 x 32 stay plain", () => {
    expect([32, 31].map((n) => observed(() => matmul(random(4, 32, n), random(5, n, 32))).calls)).toEqual([1, 0]);
  });
});
