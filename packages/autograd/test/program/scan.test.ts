import { describe, expect, test } from "vitest";
import { embedding, grad, InputError, matmul, param, scan, ShapeError, stack, sum, type Value, value, where } from "../../src/index.js";
import { randomLike } from "../matrix/derivatives.js";
import { isFull } from "../matrix/sampling.js";
import { type Call, single, wrongAgainstEager, wrongElements } from "./agreement.js";
import { both, compiled, RUNNERS } from "./compiledRun.js";

// Steps of the table take trees of many types.
// eslint-disable-next-line @typescript-eslint/no-explicit-any
type Step = (carry: any, x: any) => readonly [unknown, unknown];

/** `scan` with trees of any structure, flattened to a list of Values; null ys are left out. */
function scanned(step: Step, init: unknown, xs: unknown): Value[] {
  const flat = (tree: unknown): Value[] =>
    tree === null || tree === undefined
      ? []
      : typeof (tree as Value).matmul === "function"
        ? [tree as Value]
        : Object.values(tree).flatMap(flat);
  return (scan(step as never, init as never, xs as never) as unknown[]).flatMap(flat);
}

const random = (seed: number, ...shape: number[]): Value =>
  randomLike([{ shape, size: shape.reduce((a, b) => a * b, 1) }], seed)[0]!.mul(0.5);

interface Case {
  readonly name: string;
  readonly call: Call;
  readonly operands: readonly Value[];
  readonly orders?: 1 | 2;
}

const W = random(1, 3, 3);
const B = random(2, 3);
const H0 = random(3, 2, 3);
const xs = (steps: number) => random(4, steps, 2, 3);
const constant = value([0.5, -0.25, 1]);
const held = param([0.3, -0.6, 0.9]);
const heldScalar = param(0.7);

const elman = (w: Value, b: Value) => (h: Value, x: Value) => {
  const next = matmul(h, w).add(x).add(b).tanh();
  return [next, next] as const;
};

const CASES: readonly Case[] = [
  ...[1, 2, 5, 50].map((steps) => ({
    name: `a network of ${steps} steps`,
    call: (w: Value, b: Value, h: Value, x: Value) => scanned(elman(w, b), h, x),
    operands: [W, B, H0, xs(steps)],
    orders: (steps === 50 && !isFull ? 1 : 2) as 1 | 2,
  })),
  {
    name: "a loss that does not use the ys",
    call: (w, b, h, x) => [scanned(elman(w, b), h, x)[0]!],
    operands: [W, B, H0, xs(4)],
  },
  {
    name: "a loss that does not use the last carry",
    call: (w, b, h, x) => [scanned(elman(w, b), h, x)[1]!],
    operands: [W, B, H0, xs(4)],
  },
  {
    name: "a loss of one step's y",
    call: (w, b, h, x) => [scanned(elman(w, b), h, x)[1]!.slice(2)],
    operands: [W, B, H0, xs(4)],
  },
  {
    name: "no ys",
    call: (w, h, x) => scanned((c: Value, e: Value) => [c.mul(w).add(e).sin(), null], h, x),
    operands: [B, H0, xs(4)],
  },
  {
    name: "ys that are the carry from before, the entry, and a constant",
    call: (h, x) => scanned((c: Value, e: Value) => [c.add(e), { before: c, e, k: value([1, 2]), one: 1 }], h, x),
    operands: [H0, xs(3)],
  },
  {
    name: "trees as carries, entries and ys",
    call: (a, b, x, y) =>
      scanned(
        ({ p, q: [r] }: { p: Value; q: [Value] }, { u, v }: { u: Value; v: [Value, Value] }) => [
          { p: p.mul(u).add(r.sum()), q: [r.add(v[0].sum()).tanh()] },
          { first: [p, r], second: { z: v[1].mul(p) } },
        ],
        { p: a, q: [b] },
        { u: x, v: [y, x] },
      ),
    operands: [value(0.4), value([0.2, -0.3]), random(5, 3), random(6, 3, 2)],
  },
  {
    name: "a carry with an optional leaf",
    call: (a, x) =>
      scanned((c: { p: Value; q?: undefined }, e: Value) => [{ p: c.p.add(e), q: undefined }, null], { p: a, q: undefined }, x),
    operands: [value(1), random(7, 3)],
  },
  {
    name: "scalars all the way",
    call: (a, w, x) => scanned((c: Value, e: Value) => [c.mul(w).add(e).tanh(), c.square()], a, x),
    operands: [value(0.4), value(0.8), random(8, 6)],
  },
  {
    name: "captured params, constants, and values of the function around",
    call: (x, y) => {
      const outer = y.exp().add(1);
      return scanned((c: Value, e: Value) => [c.mul(held).add(e.mul(heldScalar)).add(constant).div(outer), c.mul(outer)], y, x);
    },
    operands: [random(9, 4, 3), random(10, 3)],
  },
  {
    name: "what is computed of constants alone, and of captured values alone",
    call: (x, y) => scanned((c: Value, e: Value) => [c.add(e.mul(y.sin().sum())).mul(value([2, 3]).sum()), y.cos()], 0, x),
    operands: [random(11, 4), random(12, 3)],
  },
  {
    name: "a carry that is not used",
    call: (a, x) => scanned((_c: Value, e: Value) => [e.square(), e.sin()], a, x),
    operands: [value(1), random(13, 4)],
  },
  {
    name: "a carry that does not change",
    call: (a, x) => scanned((c: Value, e: Value) => [c, c.mul(e)], a, x),
    operands: [random(14, 3), random(15, 4)],
  },
  {
    name: "carries that are exchanged",
    call: (a, b, x) => scanned(([p, q]: [Value, Value], e: Value) => [[q, p.mul(e)], p], [a, b], x),
    operands: [random(16, 3), random(17, 3), random(18, 4)],
  },
  {
    name: "a carry given twice",
    call: (a, x) => scanned(([p, q]: [Value, Value], e: Value) => [[p.mul(e), p.add(q)], q], [a, a], x),
    operands: [random(19, 3), random(20, 4)],
  },
  {
    name: "entries that are not used",
    call: (a, x, y) => scanned((c: Value, [e]: [Value, Value]) => [c.mul(e), null], a, [x, y]),
    operands: [random(21, 3), random(22, 4), random(23, 4, 2)],
  },
  {
    name: "nothing of the entries at all",
    call: (a, x) => scanned((c: Value) => [c.sin(), c], a, x),
    operands: [random(24, 3), random(25, 4)],
  },
  {
    name: "one sequence, given twice",
    call: (a, x) => scanned((c: Value, [e, d]: [Value, Value]) => [c.mul(e).add(d.square()), null], a, [x, x]),
    operands: [value(0.5), random(26, 4)],
  },
  {
    name: "a reversed sequence",
    call: (a, x) => scanned((c: Value, e: Value) => [c.mul(0.5).add(e), c.mul(e)], a, x.slice([null, null, -1])),
    operands: [random(27, 3), random(28, 5, 3)],
  },
  {
    name: "ys reversed, and scanned again",
    call: (a, x) => {
      const [last, ys] = scanned((c: Value, e: Value) => [c.mul(0.5).add(e).tanh(), c.mul(e)], a, x);
      return scanned((c: Value, e: Value) => [c.sub(e.square()), c], last, ys!.slice([null, null, -1]));
    },
    operands: [random(29, 3), random(30, 5, 3)],
  },
  {
    name: "a scan in a scan, over what the outer one is at",
    call: (w, x) =>
      scanned(
        (c: Value, row: Value) => {
          const [inner, ys] = scanned((d: Value, e: Value) => [d.mul(w).add(e.mul(c)).sin(), d], c, row);
          return [inner, ys];
        },
        value(0.3),
        x,
      ),
    operands: [value(0.8), random(31, 3, 4)],
  },
  {
    name: "three scans, each in the next",
    call: (w, x) =>
      scanned(
        (a: Value, plane: Value) => [
          scanned((b: Value, row: Value) => [scanned((c: Value, e: Value) => [c.mul(w).add(e), null], b, row)[0]!.tanh(), a], a, plane)[0],
          null,
        ],
        value(0.3),
        x,
      ),
    operands: [value(0.8), random(32, 2, 2, 2)],
  },
  {
    name: "a gradient in a step, through a scan, by what is captured",
    call: (w, x) => {
      const loss = (v: Value, row: Value) =>
        scanned((c: Value, e: Value) => [c.mul(v).add(e).tanh(), c.square()], value(0.2), row)
          .map((y) => sum(y))
          .reduce((a, b) => a.add(b));
      return scanned((v: Value, row: Value) => [v.sub(grad((u: Value) => loss(u, row))(v).mul(0.1)), v.mul(w)], w, x);
    },
    operands: [value(0.8), random(33, 2, 3)],
  },
  {
    name: "sequences of no elements",
    call: (a, x) => scanned((c: Value, e: Value) => [c.add(e.sum()), e.mul(c)], a, x),
    operands: [value(0.5), value(new Float64Array(0), { shape: [3, 0] })],
  },
  {
    name: "carries of no elements",
    call: (a, x) => scanned((c: Value, e: Value) => [c.mul(e), c.sum().add(e)], a, x),
    operands: [value(new Float64Array(0), { shape: [0, 2] }), random(34, 3)],
  },
  {
    name: "a mask that keeps a carry, as where a sequence is over",
    call: (a, x) => {
      const present = value([1, 1, 1, 1, 0, 1, 0, 0], { shape: [4, 2], dtype: "bool" });
      return scanned((c: Value, [e, p]: [Value, Value]) => [where(p, c.mul(e).sin(), c), where(p, c, 0)], a, [x, present]);
    },
    operands: [random(35, 2), random(36, 4, 2)],
  },
];

describe("a scan, compiled, is the loop that it stands for", () => {
  describe.each(RUNNERS)("$name", (runner) => {
    // By default every case with one way to compile a derivative, in turns, and every third with both at once.
    const turn = RUNNERS.indexOf(runner);
    const second = isFull || runner !== both;
    test.each(isFull ? CASES : CASES.filter((_, k) => (runner === both ? k % 3 === 0 : k % 2 === turn)))(
      "$name",
      ({ call, operands, orders }) => {
        expect(wrongAgainstEager(call, operands, runner, second ? orders : 1)).toEqual([]);
      },
    );

    test.each(isFull ? CASES : CASES.filter((_, k) => k % 5 === 0))("$name, in float32", ({ call, operands }) => {
      expect(wrongAgainstEager(call, operands.map(single), runner, 1)).toEqual([]);
    });
  });
});

describe("dtypes of carries", () => {
  const f32 = (...numbers: number[]) => value(Float32Array.from(numbers));

  test("a float32 start that the first step makes float64 is float64 throughout", () => {
    const call = (a: Value, x: Value) => scanned((c: Value, e: Value) => [c.mul(e), c.mul(2)], a, x);
    for (const runner of RUNNERS) expect(wrongAgainstEager(call, [single(random(40, 3)), random(41, 4, 3)], runner, 1)).toEqual([]);
  });

  test("of several carries one after the other", () => {
    const call = (a: Value, b: Value, x: Value) => scanned(([p, q]: [Value, Value], e: Value) => [[p.mul(e), q.add(p)], q], [a, b], x);
    for (const runner of RUNNERS)
      expect(wrongAgainstEager(call, [single(random(42, 3)), single(random(43, 3)), random(44, 4, 3)], runner, 1)).toEqual([]);
  });

  test("an int32 count that becomes a float", () => {
    const call = (x: Value) => scanned((c: Value, e: Value) => [c.add(e), c], value([0, 0], { dtype: "int32" }), x);
    expect(wrongElements((x) => [call(x)[0]!], [random(45, 3, 2)])).toEqual([]);
  });

  test("int32 and bool carries and ys are exact: counters, masks, indices", () => {
    const start = { n: value(0, { dtype: "int32" }), seen: value([0, 0, 0], { dtype: "bool" }) };
    const step = ({ n, seen }: typeof start, [x, k]: [Value, Value]) => {
      const next = { n: n.add(x.gt(0).sum()), seen: seen.eq(0).eq(x.gt(0).eq(0)) };
      return [next, { n, seen: next.seen, k: k.add(n), chosen: where(next.seen, x, x.neg()) }] as const;
    };
    const call = (x: Value, k: Value) => scanned(step, start, [x, k]);
    expect(wrongElements(call, [random(46, 5, 3), value([1, 2, 3, 4, 5], { dtype: "int32" })])).toEqual([]);
  });

  test("gradients pass beside integer carries, which have none", () => {
    const count = value(0, { dtype: "int32" });
    const call = (a: Value, x: Value) =>
      scanned(
        ([h, n]: [Value, Value], e: Value) => [
          [h.mul(e).add(n), n.add(1)],
          [n, h.gt(0), h],
        ],
        [a, count],
        x,
      ).filter(({ dtype }) => dtype === "float64");
    for (const runner of RUNNERS) expect(wrongAgainstEager(call, [random(47, 2), random(48, 4, 2)], runner)).toEqual([]);
  });

  test("a sequence of integers, and of bool", () => {
    const call = (a: Value) =>
      scanned((c: Value, [k, p]: [Value, Value]) => [where(p, c.mul(k), c), c.mul(k)], a, [
        value(
          [
            [1, 2],
            [3, 4],
            [5, 6],
          ],
          { dtype: "int32" },
        ), // prettier-ignore
        value([1, 0, 1], { dtype: "bool" }),
      ]);
    for (const runner of RUNNERS) expect(wrongAgainstEager(call, [random(49, 2)], runner)).toEqual([]);
  });

  describe("what is added up is added in the carry's own", () => {
    const huge = (...shape: number[]) => value(new Float32Array(2 * shape.reduce((a, b) => a * b, 1)).fill(3e38), { shape: [2, ...shape] });
    const many = value(Int32Array.of(2e9, 0, 2e9, 0), { shape: [2, 2] });
    const halves = value(new Float64Array(4).fill(0.5), { shape: [2, 2] });
    const total = (term: (x: Value, y: Value) => Value, start: Value) => (xs: Value, ys: Value) =>
      scanned((c: Value, [x, y]: readonly [Value, Value]) => [c.add(term(x, y)), null], start, [xs, ys]);
    const zero = value(0);
    const cases: readonly (readonly [string, Call, Value, Value])[] = [
      ["counts of integers", total((x) => x.gt(0).sum(), zero), many, many],
      ["sums of integers that one alone still holds", total((x) => x.sum(), value(0.5)), many, many],
      ["sums of single precision that one alone still holds", total((x) => x.sum({ axis: 0 }), value([0])), huge(1), huge(1)],
      ["the same as a scalar", total((x) => x.sum({ axis: 0 }).reshape([]), zero), huge(1, 1).reshape([2, 1]), huge(1)],
      ["integers and floats", total((x, y) => x.sum().add(y.sum()), zero), many, halves],
      [
        "both precisions",
        total((x, y) => x.sum({ axis: 0 }).add(y.sum({ axis: 0 })), value([0, 0])),
        huge(1, 2),
        value(new Float64Array(4), { shape: [2, 1, 2] }),
      ],
      [
        "products of single precision",
        total((x) => matmul(x.transpose(), x), value([[0]])),
        value(Float32Array.of(1.1e19, 2e19), { shape: [2, 1, 1] }),
        huge(1),
      ],
    ]; // prettier-ignore

    test.each(cases)("%s", (_, call, x, y) => {
      expect(wrongElements(call, [x, y])).toEqual([]);
    });
  });

  describe("numbers out of a list of single precision are computed with in double", () => {
    const list = value(Float32Array.of(1e30, 0.1));
    const one = value([[1]]);
    const tenth = value(Float32Array.of(0.1), { shape: [1, 1] });
    const rows = value(Int32Array.of(0, 1));
    const product = (of: (x: Value, w: Value) => Value) => (xs: Value, w: Value) =>
      scanned((h: Value, x: Value) => [h.mul(0).add(matmul(of(x, w), w)), null], value([[0]]), xs);
    const cases: readonly (readonly [string, Call, Value, Value])[] = [
      ["products that one precision does not hold", product((x, w) => x.mul(x).mul(w)), list, one],
      ["given none", product((x) => x.reshape([]).mul(x.reshape([])).reshape([1, 1])), list.reshape([2, 1]), one],
      ["given a shape", product((x) => x.reshape([1, 1])), list.slice([1, 2]), tenth],
      ["looked up", product((k, w) => embedding(w.reshape([1]).mul([1, 2]), k).reshape([1, 1])), rows, tenth],
    ]; // prettier-ignore

    test.each(cases)("%s", (_, call, x, w) => {
      expect(wrongElements(call, [x, w])).toEqual([]);
    });
  });

  test("a float32 network stays float32", () => {
    const out = compiled((a: Value, x: Value) => scanned((c: Value, e: Value) => [c.mul(e).tanh(), c.sum()], a, x))(
      f32(1, 2),
      single(random(50, 3, 2)),
    );
    expect(out.map(({ dtype, shape }) => [dtype, shape])).toEqual([
      ["float32", [2]],
      ["float64", [3]],
    ]);
  });
});

describe("what lies in one place of the memory after the other", () => {
  const square = (n: number, ...more: number[]) => random(11, ...more, n, n);

  test.each([2, 3, 5])("a carry of %i rows that turns about its diagonal while it is read", (n) => {
    const turning: Call = (h, x) =>
      scanned(
        (c: Value, y: Value) => {
          const g = c.add(y);
          return [g.transpose(), g];
        },
        h,
        x,
      );
    const turned: Call = (h, x) => scanned((c: Value, y: Value) => [c.transpose().add(y).tanh(), null], h, x);
    for (const runner of RUNNERS)
      for (const call of [turning, turned]) expect(wrongAgainstEager(call, [square(n), square(n, 3)], runner)).toEqual([]);
  });

  test("matrices of a step and of every second one, from the same place on", () => {
    const second: Call = (h, x) =>
      scanned((c: Value, [a, b]: readonly [Value, Value]) => [c.mul(1.5), [matmul(c, a), matmul(c, b)]], h, [
        x!.slice([0, 2]),
        x!.slice([0, 4, 2]),
      ]);
    const same: Call = (h, x) =>
      scanned((c: Value, [a, b]: readonly [Value, Value]) => [c.mul(1.5), [matmul(c, a), matmul(c, b)]], h, [
        x!,
        x!.slice([0, 1]).broadcastTo(x!.shape),
      ]);
    for (const runner of RUNNERS)
      for (const call of [second, same]) expect(wrongAgainstEager(call, [random(12, 16, 3), random(13, 4, 3, 3)], runner)).toEqual([]);
  });
});

describe("tracing a scan", () => {
  test("calls the step once a trace, whatever the number of steps; once more where a carry is promoted", () => {
    let calls = 0;
    const f = compiled((a: Value, x: Value) =>
      scanned(
        (c: Value, e: Value) => {
          calls++;
          return [c.mul(e), null];
        },
        a,
        x,
      ),
    );
    f(value([1]), random(60, 50, 1));
    f(value([2]), random(61, 50, 1));
    expect(calls).toBe(1);
    f(value([1]), random(62, 3, 1));
    expect(calls).toBe(2);
    grad((a: Value) => f(a, random(63, 50, 1))[0]!.sum())(value([1]));
    expect(calls).toBe(2);
    f(value(Float32Array.of(1)), random(64, 50, 1));
    expect(calls).toBe(4);
  });

  test("takes plain numbers and nests as start and sequence", () => {
    const f = compiled((w: Value) => scan((c: Value, x: Value): [Value, Value] => [c.mul(w).add(x), c], 1, [1, 2, 3]));
    const [last, ys] = f(value(2));
    expect([last.item(), ys.toArray()]).toEqual([19, [1, 3, 8]]);
  });

  test("reads captured params at each call", () => {
    const w = param(2);
    const f = compiled((x: Value) => scan((c: Value, e: Value): [Value, null] => [c.mul(w).add(e), null], 0, x)[0]);
    expect(f(value([1, 1])).item()).toBe(3);
    w.set(10);
    const y = f(value([1, 1]));
    expect(y.item()).toBe(11);
    y.backward();
    expect(w.grad.item()).toBe(1);
  });

  test("a plain loop does as well", () => {
    const call = (w: Value, x: Value) => {
      let h: Value = value(0.1);
      const all: Value[] = [];
      for (let t = 0; t < 6; t++) all.push((h = h.mul(w).add(x.slice(t)).tanh()));
      return [stack(all)];
    };
    for (const runner of RUNNERS) expect(wrongAgainstEager(call, [value(1.3), random(65, 6)], runner)).toEqual([]);
  });
});

describe("what cannot be a loop is refused as eagerly", () => {
  const two = value([1, 2]);
  const REFUSED: readonly (readonly [string, () => unknown, new (message: string) => Error])[] = [
    ["no steps", () => scanned((c: Value, x: Value) => [c, x], 0, value([], { shape: [0] })), InputError],
    ["nothing to step over", () => scanned((c: Value, x: Value) => [c, x], 0, []), InputError],
    ["a scalar as sequence", () => scanned((c: Value, x: Value) => [c, x], 0, value(1)), InputError],
    ["lengths that differ", () => scanned((c: Value, x: { a: Value }) => [c, x.a], 0, { a: [1, 2], b: [1, 2, 3] }), ShapeError],
    ["a carry of another shape", () => scanned((c: Value, x: Value) => [stack([c, c]), x], 0, two), ShapeError],
    ["a carry of another structure", () => scanned(([c]: [Value], x: Value) => [[c, c], x], [value(0)], two), InputError],
    ["a leaf less in the carry", () => scanned(([c]: [Value, Value], x: Value) => [[c], x], [0, value(1)], two), InputError],
    ["a carry of other names", () => scanned(({ a }: { a: Value }, x: Value) => [{ b: a }, x], { a: 0 }, two), InputError],
    ["no pair", () => scanned((c: Value) => c as never, 0, two), InputError],
    ["three in place of two", () => scanned((c: Value, x: Value) => [c, x, x] as never, 0, two), InputError],
    ["a step that returns nothing", () => scanned(() => undefined as never, 0, two), InputError],
    ["an async step", () => scanned((async (c: Value) => [c, null]) as never, 0, two), InputError],
    ["a y that is no number", () => scanned((c: Value) => [c, "text"], 0, two), InputError],
  ];

  const thrown = (call: () => unknown): { kind: unknown; message: string } => {
    try {
      call();
    } catch (error) {
      // The place differs by the column of the two calls alone.
      return { kind: (error as Error).constructor, message: (error as Error).message.replace(/ \(at .*\)$/, "") };
    }
    return { kind: null, message: "nothing was thrown" };
  };

  test.each(REFUSED)("%s", (_name, call, kind) => {
    const eagerly = thrown(call);
    expect(eagerly.kind).toBe(kind);
    expect(thrown(() => compiled(() => [value(1), call()] as never)())).toEqual(eagerly);
    expect(param(1).mul(2).requiresGrad).toBe(true);
  });
});
