import { describe, expect, test } from "vitest";
import * as autograd from "../../src/index.js";
import { crossEntropy, matmul, scan, type Value, value } from "../../src/index.js";
import { compile } from "../../src/program/index.js";
import { elementwise, type Function_, sampleOf } from "../matrix/calls.js";
import { gradientsOf } from "../matrix/derivatives.js";
import { elementwiseCases, isFloating, structuralCases } from "../matrix/references.js";
import { compiled, tally } from "./compiledRun.js";

/** Operations that run on plain kernels in programs: whoever emits a kernel for one takes it off, whoever loses one sees it here. */
const PLAIN = ["sort"];
const hasElements = ({ data }: { readonly data: readonly number[] }) => data.length > 0;

describe("what runs compiled is counted", () => {
  test("a compiled function is not called again for the same signature, and its program has kernels", () => {
    const before = { ...tally };
    const f = compiled((x: Value) => x.mul(2).exp().sum());
    for (let k = 0; k < 5; k++) f(value([1, 2, k]));
    expect([tally.calls - before.calls, tally.traces - before.traces, tally.emitted - before.emitted]).toEqual([5, 1, 5]);
  });

  test("without WebAssembly everything is plain", () => {
    const run = compile((x: Value) => x.mul(2).exp(), { wasm: false });
    run([1, 2]);
    const { kernels, products, plain } = run.stats();
    expect([kernels, products, new Set(plain)]).toEqual([0, 0, new Set(["mul", "exp"])]);
  });

  test("stats() and explain() say what is in a program", () => {
    const run = compile((x: Value, w: Value) => matmul(x, w).tanh().sum(), { name: "layer" });
    expect(() => run.stats()).toThrow(/layer was not called yet/);
    run(value([[1, 2]]), value([[1], [2]]));
    const { kernels, products, plain } = run.stats();
    expect([kernels > 0, products, plain]).toEqual([true, 1, []]);
    expect(run.explain()).toContain("matmul");
  });

  const plainIn = (f: (...xs: Value[]) => unknown, operands: readonly Value[]): string[] => {
    const run = compile(f as never) as unknown as ((...xs: Value[]) => unknown) & { stats(): { plain: readonly string[] } };
    run(...operands);
    return [...run.stats().plain];
  };

  test.each([...new Set(elementwiseCases.map(({ op }) => op))])("%s has a kernel, and so has its derivative", (op) => {
    const f = elementwise[op] as Function_;
    const points = elementwiseCases.find((reference) => reference.op === op)!.points;
    const operands = points[0]!.map((_, k) => value(Float64Array.from(points, (p) => p[k]!)));
    expect(plainIn(f, operands)).toEqual([]);
    expect(plainIn((...xs: Value[]) => gradientsOf((...ys) => f(...ys).sum(), xs), operands)).toEqual([]);
  });

  test("structural operations and their derivatives run on kernels, but for those of the list", () => {
    // On arrays of no elements there is nothing to gain.
    const cases = structuralCases.filter(({ operands, outputs }) => [...operands, ...outputs].every(hasElements));
    const plain = cases.flatMap((reference) => {
      const { call, operands } = sampleOf(reference);
      const loss = (...xs: Value[]) =>
        call(...xs)
          .filter(isFloating)
          .map((y) => y.square().sum())
          .reduce((a, b) => a.add(b));
      return [...plainIn(call, operands), ...plainIn((...xs: Value[]) => gradientsOf(loss, xs), operands)];
    });
    expect([...new Set(plain)].sort()).toEqual(PLAIN);
  });

  test("integers and conditions have kernels, but for products", () => {
    const x = value(Int32Array.of(1, -2, 3, 4), { shape: [2, 2] });
    const arithmetic = ["add", "sub", "mul", "div", "maximum", "minimum", "eq", "lt", "logicalAnd"] as const;
    const functions = ["neg", "abs", "square", "sign", "relu", "exp"] as const;
    const made = (p: Value, q: Value): Value[] => [
      ...arithmetic.flatMap((op) => [autograd[op](p, q), autograd[op](p, q.gt(0))]),
      ...functions.flatMap((op) => [autograd[op](p), autograd[op](p.gt(0))]),
      ...[{}, { axis: 0 }, { axis: 1 }].flatMap((axes) => [p.sum(axes), p.max(axes), p.gt(0).sum(axes), p.gt(0).min(axes)]),
      autograd.where(p.gt(q), p, q),
      autograd.concat([p, q.gt(0)]),
      autograd.pad(p, [
        [1, 0],
        [0, 1],
      ]),
      autograd.embedding(p, p.maximum(0).minimum(1)),
      p.detach(),
    ]; // prettier-ignore
    expect(plainIn(made, [x, x.mul(x)])).toEqual([]);
    expect(plainIn((p) => matmul(p, p), [x])).toEqual(["matmul"]);
  });

  test("a loop over indices runs on kernels, and so do its derivatives", () => {
    const words = value(Int32Array.of(0, 2, 1, 1), { shape: [2, 2] });
    const loss = (table: Value, scores: Value): Value =>
      scan(
        (h: Value, k: Value) =>
          [h.add(autograd.embedding(table, k).max({ axis: 1 })).tanh(), crossEntropy(scores.mul(h.sum()), k)] as const,
        value([0.1, 0.2]),
        words,
      )[1].sum(); // prettier-ignore
    const operands = [
      value([
        [1, 2],
        [3, 4],
        [5, 7],
      ]),
      value([
        [1, 2, 3],
        [3, 4, 1],
      ]),
    ]; // prettier-ignore
    expect(plainIn(loss as never, operands)).toEqual([]);
    expect(plainIn((...xs: Value[]) => gradientsOf(loss as never, xs), operands)).toEqual([]);
  });
});
