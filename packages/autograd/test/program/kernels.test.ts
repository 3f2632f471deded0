import { describe, expect, test } from "vitest";
import * as autograd from "../../src/index.js";
import { embedding, gather, grad, IndexError, matmul, scan, stack, type Value, value, where } from "../../src/index.js";
import type { DType } from "../../src/dtype.js";
import { scatterAdd } from "../../src/ops/indexing.js";
import { cast as castOp } from "../../src/ops/shapes.js";
import { compile } from "../../src/program/index.js";
import { applyStructural } from "../../src/tape/apply.js";
import { randomLike } from "../matrix/derivatives.js";
import { isFull, randomFrom } from "../matrix/sampling.js";
import { type Call, single, wrongAgainstEager, wrongElements } from "./agreement.js";
import { compiled, RUNNERS } from "./compiledRun.js";

/** Kernels of structural operations and of integers: what the tables of operations do not reach. That they run is in proof.test.ts. */

const random = (seed: number, ...shape: number[]): Value => randomLike([{ shape, size: shape.reduce((a, b) => a * b, 1) }], seed)[0]!;
const ints = (data: readonly number[], ...shape: number[]): Value =>
  value(Int32Array.from(data), { shape: shape.length > 0 ? shape : [data.length] });
const cast = (x: Value, dtype: DType): Value => applyStructural(castOp, [x], { dtype })[0]!;

/** The eager message, without the place in the source, at which two calls differ. */
const messageOf = (f: () => unknown): string => {
  try {
    f();
  } catch (error) {
    expect(error).toBeInstanceOf(IndexError);
    return String(error).replace(/ \(at .*\)$/s, "");
  }
  throw new Error("nothing was thrown");
};

describe("an index outside its axis", () => {
  const table = random(1, 5, 3);
  const good = ints([0, 4, 2, 2], 2, 2);
  const cases: readonly (readonly [string, (x: Value, at: Value) => Value, Value, Value])[] = [
    ["embedding, too large", embedding, ints([0, 4, 5, 2], 2, 2), good],
    ["embedding, negative", embedding, ints([0, -1, 1, 2], 2, 2), good],
    ["embedding of one row", embedding, ints([5]), ints([1])],
    ["gather along axis 0", (x, at) => gather(x, at, { axis: 0 }), ints([0, 4, 5], 1, 3), ints([0, 4, 1], 1, 3)],
    ["gather along axis 1", (x, at) => gather(x, at, { axis: 1 }), ints([0, 1, 2, 3, 0], 5, 1), ints([0, 1, 2, 2, 0], 5, 1)],
    [
      "scatterAdd",
      (x, at) => applyStructural(scatterAdd, [x, at], { axis: 0, length: 4 })[0]!,
      ints(
        Array.from({ length: 15 }, (_, k) => (k === 7 ? -(2 ** 31) : k % 4)),
        5,
        3,
      ),
      ints(
        Array.from({ length: 15 }, (_, k) => k % 4),
        5,
        3,
      ),
    ],
    [
      "in a loop",
      (x, at) => scan((h, k) => [h.add(embedding(x, k).sum({ axis: 0 })), null], value([0, 0, 0]), at)[0] as Value,
      ints([0, 1, 2, 9], 2, 2),
      good,
    ],
  ]; // prettier-ignore

  test.each(cases)("throws the eager error, and the program goes on: %s", (_name, f, bad, fine) => {
    const run = compile(f);
    const expected = messageOf(() => f(table, bad));
    expect(expected).toMatch(/outside axis . of shape .*indices run from 0 to/);
    for (let k = 0; k < 2; k++) {
      expect(run(table, fine).toArray()).toEqual(f(table, fine).toArray());
      expect(messageOf(() => run(table, bad))).toBe(expected);
    }
    expect(run.stats().plain).toEqual([]);
    expect(messageOf(() => compile(f, { wasm: false })(table, bad))).toBe(expected);
  });

  test("throws where only the gradient of an embedding is left in the program", () => {
    const slope = (x: Value, at: Value) => grad((t: Value) => embedding(t, at).mul([1, 2, 3]).sum())(x);
    const bad = ints([0, 5]);
    const expected = messageOf(() => slope(table, bad));
    for (const options of [{}, { wasm: false }]) {
      const run = compile(slope, options);
      expect(messageOf(() => run(table, bad))).toBe(expected);
      expect(run.stats().plain).toEqual(options.wasm === false ? expect.arrayContaining(["addRows"]) : []);
    }
  });

  test("is found among equal kernels, in whichever step it is", () => {
    const f = (x: Value, p: Value, q: Value) => [embedding(x, p).mul(2), embedding(x.transpose(), q).mul(3)];
    const run = compile(f as never) as unknown as typeof f;
    expect(messageOf(() => run(table, ints([5]), ints([0])))).toContain("[5, 3]");
    expect(messageOf(() => run(table, ints([0]), ints([3])))).toContain("[3, 5]");
  });
});

describe("numbers that float32 does not hold", () => {
  const small = value(Float32Array.of(0, 1e-10, -3));
  const mask = value(Float32Array.of(0, 1, 0));

  test.each<[string, Call]>([
    ["a factor", (x) => [x!.mul(1e39)]],
    ["a divisor", (x) => [x!.div(1e-46)]],
    ["what a mask is multiplied with", (x, m) => [x!.add(m!.mul(-Number.MAX_VALUE))]],
    ["Infinity, which it does hold", (x) => [x!.add(1).mul(Infinity)]],
  ])("%s", (_, call) => {
    expect(wrongElements(call, [small, mask])).toEqual([]);
  });

  test("partials of a float64 operand are float64, whatever the other is", () => {
    const third = value(Float32Array.of(3));
    for (const f of [
      (x: Value) => x.div(third),
      (x: Value) => x.mul(third).div(third),
      (x: Value) => x.pow(third),
      (x: Value) => third.pow(x),
    ]) {
      const slope: Call = (x) => [grad((y: Value) => f(y).sum())(x!), grad((y: Value) => grad((z: Value) => f(z).sum())(y).sum())(x!)];
      expect(wrongElements(slope, [value([1.7])])).toEqual([]);
    }
  });
});

describe("gather and embedding", () => {
  const at = ints([1, 1, 4, 0, 3, 1], 3, 2);
  const calls: readonly (readonly [string, Call, readonly Value[]])[] = [
    ["rows of an odd length", (t) => [embedding(t, at)], [random(2, 5, 7)]],
    ["rows of rows", (t) => [embedding(t, at)], [random(3, 5, 2, 3)]],
    ["single elements", (t) => [embedding(t, at)], [random(4, 5)]],
    ["one row", (t) => [embedding(t, ints([2]).reshape([]))], [random(4, 5, 4)]],
    ["one element", (t) => [embedding(t, ints([2]).reshape([]))], [random(4, 5)]],
    ["columns of a transposed table", (t) => [embedding(t.transpose(), at)], [random(5, 6, 5)]],
    ["rows backwards", (t) => [embedding(t.slice([null, null, -1]), at)], [random(5, 5, 6)]],
    ["rows of one element, stretched", (t) => [embedding(t!.broadcastTo([5, 7]), at)], [random(5, 5, 1)]],
    ["rows that are all the same", (t) => [embedding(t!.broadcastTo([5, 7]), at)], [random(5, 1, 7)]],
    ["one element in all places", (t) => [embedding(t!.broadcastTo([5, 7]), at)], [random(5)]],
    ["the means of rows, stretched", (t) => [embedding(t!.mean({ axis: 1, keepDims: true }).broadcastTo([5, 6]), at)], [random(5, 5, 6)]],
    ["along the first axis", (x) => [gather(x, ints([1, 1, 4, 0, 3, 1], 3, 2), { axis: 0 })], [random(6, 5, 2)]],
    ["along the last axis, more than there are", (x) => [gather(x, ints([1, 1, 1, 0, 1, 1], 2, 3), { axis: 1 })], [random(7, 2, 2)]],
    ["along an axis in between", (x) => [gather(x, ints([2, 0, 1, 1, 1, 2, 0, 0], 2, 2, 2), { axis: 1 })], [random(8, 2, 3, 2)]],
    ["of one element", (x) => [gather(x, ints([0], 1, 1), { axis: 1 })], [random(8, 1, 1)]],
    ["no indices", (x) => [embedding(x, ints([], 0)).sum()], [random(8, 3, 2)]],
    ["that go on in a kernel", (t, b) => [embedding(t, at).add(b!).tanh()], [random(9, 5, 4), random(10, 4)]],
  ]; // prettier-ignore

  describe.each(calls)("%s", (_name, call, operands) => {
    test.each(RUNNERS)("of float64 and float32, and derivatives: $name", (runner) => {
      expect(wrongAgainstEager(call, operands, runner)).toEqual([]);
      expect(wrongAgainstEager(call, operands.map(single), runner)).toEqual([]);
    });
  });

  test("of integers and conditions, and sums of them", () => {
    const table = ints([7, -(2 ** 31), 2 ** 31 - 1, 5, 0, -1], 3, 2);
    const rows = ints([2, 0, 0, 1]);
    const call: Call = (t) => [
      embedding(t!, rows),
      embedding(t!.gt(0), rows),
      embedding(t!.slice(null, [0, 1]).broadcastTo([3, 9]), rows),
      embedding(t!.slice(null, [0, 1]).gt(0).broadcastTo([3, 9]), rows),
      gather(t!, ints([1, 0, 1], 3, 1), { axis: 1 }),
      ...applyStructural(scatterAdd, [t!, ints([0, 0, 0, 0, 1, 0], 3, 2)], { axis: 0, length: 2 }),
      autograd.pad(t!, [
        [1, 0],
        [0, 2],
      ]),
    ]; // prettier-ignore
    expect(wrongElements(call, [table])).toEqual([]);
  });

  const recurrent = (table: Value, w: Value, projection: Value, words: Value): Value[] => {
    const step = (h: Value, k: Value) => {
      const next = matmul(h, w)
        .add(matmul(embedding(table, k), projection))
        .tanh();
      return [next, next] as const;
    };
    return scan(step, value(new Float64Array(8), { shape: [2, 4] }), words) as unknown as Value[];
  };

  test("in a loop: derivatives of both modes", () => {
    const words = ints([0, 3, 3, 1, 2, 3], 3, 2);
    for (const runner of RUNNERS)
      expect(
        wrongAgainstEager((t, w, p) => recurrent(t!, w!, p!, words), [random(11, 4, 3), random(12, 4, 4), random(13, 3, 4)], runner),
      ).toEqual([]);
  });

  test("in a loop: rows are projected before it, and the table's gradient is added up after it", () => {
    const loss = (t: Value, w: Value, p: Value, k: Value) =>
      grad((...xs: Value[]) => recurrent(xs[0]!, xs[1]!, xs[2]!, k)[1]!.sum(), { argnums: [0, 1, 2] })(t, w, p); // prettier-ignore
    const run = compile(loss);
    run(
      random(11, 40, 3),
      random(12, 4, 4),
      random(13, 3, 4),
      ints(
        Array.from({ length: 10 }, (_, k) => k),
        5,
        2,
      ),
    ); // prettier-ignore
    const text = run.explain();
    expect(text).toMatch(/kernel float64 \[.*\]: gather: .* in 1 calls/);
    expect(text).toMatch(/kernel float64 \[.*\]: scatter add: .* in 1 calls/);
    expect(run.stats().plain).toEqual([]);
  });
});

describe("int32, compiled, is what it is eagerly", () => {
  const EDGES = [0, 1, -1, 2, -2, 3, 46341, 65536, -65536, 2 ** 30, 2 ** 31 - 1, -(2 ** 31), 1234567891, -1987654321];
  const next = randomFrom(7);
  const some = Array.from({ length: 61 }, () => Math.floor((next() - 0.5) * 2 ** (1 + Math.floor(next() * 32))));
  const xs = [...EDGES.flatMap((x) => EDGES.map(() => x)), ...some];
  const ys = [...EDGES.flatMap(() => EDGES), ...some.slice().reverse()];
  const [x, y] = [ints(xs, xs.length), ints(ys, ys.length)];
  const three = value(3, { dtype: "int32" });

  test.each([...(["add", "sub", "mul", "div", "maximum", "minimum", "eq", "ne", "lt", "le", "gt", "ge"] as const)])("%s", (op) => {
    expect(wrongElements((p, q) => [autograd[op](p!, q!), autograd[op](p!, three), autograd[op](p!, q!.gt(0))], [x, y])).toEqual([]);
  });

  test.each(["neg", "abs", "square", "sign", "relu", "identity", "exp"] as const)("%s", (op) => {
    expect(wrongElements((p) => [autograd[op](p!), autograd[op](p!.gt(0)), autograd[op](autograd[op](p!.gt(0)))], [x])).toEqual([]);
  });

  test("in one kernel wraps around after each operation, and has no -0", () => {
    const call: Call = (p, q) => [
      p!.mul(three).add(q!).neg().sub(p!.square()),
      autograd.reciprocal(p!.mul(q!).neg()),
      where(p!.mul(q!).gt(p!), p!.add(q!), p!.sub(q!).abs()).div(2),
      p!.add(q!).mul(0.5),
      p!.gt(q!).add(q!.gt(three)).add(p!),
    ];
    expect(wrongElements(call, [x, y])).toEqual([]);
    const run = compile(((p: Value, q: Value) => call(p, q)) as never) as unknown as ((p: Value, q: Value) => Value[]) &
      ReturnType<typeof compile>;
    run(x, y);
    expect([run.stats().kernels, run.stats().plain]).toEqual([1, []]);
  });

  test("of any length, and in other orders", () => {
    for (let n = 1; n <= 9; n++) {
      const p = ints(xs.slice(20, 20 + 2 * n), n, 2);
      expect(
        wrongElements((a) => [a!.mul(three), a!.transpose().add(a!.slice([null, null, -1]).transpose()), a!.neg().sum()], [p]),
      ).toEqual([]);
    }
  });

  test("casts truncate and wrap around, and what is no number becomes 0", () => {
    const points = [
      0,
      -0,
      0.5,
      -0.5,
      1.9,
      -1.9,
      2 ** 31,
      -(2 ** 31) - 1,
      2 ** 32 + 5,
      -(2 ** 32) - 0.5,
      2 ** 52 + 1,
      -(2 ** 53),
      2 ** 63,
      -(2 ** 63) - 2048,
      2 ** 70 + 2 ** 20,
      2 ** 83 + 2 ** 31,
      -1e300,
      NaN,
      Infinity,
      -Infinity,
      5e-324,
    ]; // prettier-ignore
    const doubles = value(Float64Array.from(points));
    for (const from of [doubles, single(doubles), ints(xs, xs.length), x.gt(0)])
      expect(wrongElements((p) => (["int32", "bool", "float32", "float64"] as const).map((dtype) => cast(p!, dtype)), [from])).toEqual([]);
  });

  test("sums, maxima and minima over any axes, also of conditions", () => {
    const p = ints(xs.slice(0, 120), 4, 5, 6);
    const over: Call = (a) =>
      [a!, a!.gt(0)].flatMap((z) =>
        [undefined, 0, 1, 2, [0, 1], [0, 2], [1, 2]].flatMap((axis) => {
          const options = axis === undefined ? {} : { axis };
          return [z.sum(options), z.max(options), z.min(options)];
        }),
      );
    expect(wrongElements(over, [p])).toEqual([]);
  });
});

describe("reductions over leading axes", () => {
  const over =
    (axes: readonly number[]): Call =>
    (x) => [x!.sum({ axis: axes }), x!.max({ axis: axes }), x!.min({ axis: axes })];

  test("of any number of rows and columns", () => {
    for (const rows of isFull ? [1, 2, 3, 4, 5, 7, 8, 9] : [1, 3, 4, 9])
      for (const columns of isFull ? [1, 2, 3, 5, 8] : [1, 3, 8]) {
        const x = random(100 * rows + columns, rows, columns);
        expect(wrongElements(over([0]), [x])).toEqual([]);
        expect(wrongElements(over([0]), [x.mul(1000).gt(0)])).toEqual([]);
        expect(wrongAgainstEager(over([0]), [single(x)], RUNNERS[1]!, 1)).toEqual([]);
      }
  });

  test("of axes that are in one piece, and of others", () => {
    const x = random(15, 3, 5, 2, 6);
    for (const axes of [[0, 1], [0, 2], [1, 2], [0, 1, 2], [1], [2]]) {
      expect(wrongElements(over(axes), [x])).toEqual([]);
      expect(wrongElements((y) => over(axes)(y!.slice([null, null, -1], [1, 4]).transpose([2, 0, 1, 3])), [x])).toEqual([]);
    } // prettier-ignore
  });

  test("are taken in float64", () => {
    const x = value(
      Float32Array.from({ length: 18 }, (_, k) => (k < 2 ? 2 ** 24 : 1)),
      { shape: [9, 2] },
    );
    expect(compiled((y: Value) => y.sum({ axis: 0 }))(x).toArray()).toEqual([2 ** 24 + 8, 2 ** 24 + 8]);
  });
});

test.each(["float64", "float32"] as const)("one value reduced twice in one kernel, of %s: both results are the whole one", (dtype) => {
  const x = value([1, 2, 3, 4, 5, 6, 7], { dtype });
  const f = (x: Value) => {
    const y = x.mul(2);
    return [y.sum(), y.sum().mul(3), y.max(), y.max().add(1)];
  };
  // Without the pass that makes one sum of the two.
  const run = compile(f, { passes: ["fuse"] });
  expect(run(x).map((y) => y.item())).toEqual([56, 168, 14, 15]);
  expect(run.stats().kernels).toBeLessThan(4);
});

test("a kernel has two functions of many instructions, and any number of short ones", () => {
  const f = compile((x: Value) => x.tanh().add(1).sqrt().exp().div(3).sqrt().sigmoid().mul(x).tanh().sqrt().log());
  f([0.1, 0.2, 0.3]);
  expect(f.stats().kernels).toBe(3);
});

describe("max and min along one axis", () => {
  const rows = [
    [1, 3, 2, 3],
    [-0, 0, -0, 0],
    [0, -0, 0, -0],
    [-Infinity, -Infinity, -Infinity, -Infinity],
    [NaN, 1, NaN, 5],
    [5, 1, NaN, NaN],
    [Infinity, 2, Infinity, -Infinity],
  ];
  const x = value(rows);
  const along: Call = (a) => [0, 1].flatMap((axis) => [a!.max({ axis }), a!.min({ axis })]);

  test("of ties, zeros of both signs, infinities and NaN", () => {
    for (const p of [x, single(x), x.transpose(), x.gt(1)]) expect(wrongElements(along, [p])).toEqual([]);
    const strided: Call = (a) =>
      along(a!.slice([null, null, -2]), a!).concat(along(a!.transpose(), a!), along(a!.slice([0, null, 3], [1, 2]), a!));
    expect(wrongElements(strided, [x])).toEqual([]);
  });

  test("of three axes, and of axes of length 1", () => {
    const call: Call = (a) => [0, 1, 2, 3].flatMap((axis) => [a!.max({ axis }), a!.min({ axis, keepDims: true })]);
    expect(wrongElements(call, [random(14, 3, 1, 4, 5)])).toEqual([]);
  });

  test("ties: the first one gets the gradient, in every way of running", () => {
    const loss = (a: Value) =>
      a
        .max({ axis: 1 })
        .add(a.min({ axis: 1 }).mul(10))
        .sum();
    const ties = value([
      [2, 2, 1, 1],
      [3, 3, 3, 3],
    ]); // prettier-ignore
    for (const { inside, outside } of RUNNERS)
      expect(outside((a: Value) => grad(inside(loss))(a))(ties).toArray()).toEqual([
        [1, 0, 10, 0],
        [11, 0, 0, 0],
      ]); // prettier-ignore
  });

  test("a reduced axis of one element beside one that is not in a row", () => {
    const call: Call = (a) =>
      [a!.slice([null, null, 2]).reshape([3, 1])].flatMap((z) => [z.sum({ axis: 1 }), z.max({ axis: [1] }), z.min({ axis: 1 })]);
    const operands = [value([1, 2, 3, 4, 5, 6])];
    expect(wrongElements(call, operands)).toEqual([]);
    const run = compiled((a: Value) => stack([...call(a)]), { passes: [] });
    expect(run(operands[0]!).toArray()).toEqual([
      [1, 3, 5],
      [1, 3, 5],
      [1, 3, 5],
    ]); // prettier-ignore
  });
});

test("a matrix that all products of a batch share is packed once", () => {
  const run = compile((x: Value, w: Value) => matmul(x, w));
  const [x, w] = [random(14, 5, 16, 3), random(15, 3, 4)];
  expect(wrongAgainstEager((a, b) => [matmul(a!, b!)], [x, w], RUNNERS[0]!)).toEqual([]);
  run(x, w);
  expect(run.explain()).toMatch(/pack .* ms in 1 calls/);
});
