import { describe, expect, test } from "vitest";
import { gather, grad, matmul, max, pad, scan, type Value, value } from "../../src/index.js";
import { compile } from "../../src/program/index.js";
import { ProgramMemory } from "../../src/program/memory.js";
import type { Graph, Instruction } from "../../src/program/graph.js";
import { isLoop, type Loop } from "../../src/program/loop.js";
import { FUSE, type PassName, PASSES } from "../../src/program/passes/index.js";
import type { Program } from "../../src/program/program.js";
import { key, uniform } from "../../src/random/index.js";
import { signatureOf, traced } from "../../src/program/signature.js";
import type { Step } from "../../src/program/step.js";
import { type Kind, KINDS, stepOf, training } from "./networks.js";

const ALL = [...PASSES.map(({ name }) => name), FUSE];
const without = (name: PassName): PassName[] => ALL.filter((pass) => pass !== name);

function programOf(f: (...args: never[]) => unknown, args: readonly unknown[], passes: readonly PassName[] = ALL): Program {
  const options = { name: "test", wasm: true, deterministic: false, kept: 0, reuseOutputs: false, passes, memory: new ProgramMemory() };
  return traced(f as (...args: readonly unknown[]) => unknown, args, signatureOf(args).values, options).program;
}

const bodyOf = ({ op, attributes }: Instruction): Graph | null => (isLoop(op) ? (attributes as Loop).body : null);

function named(graph: Graph, name: string): Instruction[] {
  return graph.instructions.flatMap((x) => {
    const body = bodyOf(x);
    return body === null ? (x.op.name === name ? [x] : []) : [];
  });
}

function namedInLoops(graph: Graph, name: string): Instruction[] {
  return graph.instructions.flatMap((x) => {
    const body = bodyOf(x);
    return body === null ? [] : [...named(body, name), ...namedInLoops(body, name)];
  });
}

/** The products of a program: how many in the bodies of its loops, and outside [rows, summed entries] of each. */
const products = ({ graph }: Program) => ({
  inLoops: namedInLoops(graph, "matmul").length,
  outside: named(graph, "matmul").map(({ operands: [a], attributes }) => {
    const [m, n] = graph.types[a as number]?.shape as [number, number];
    return (attributes as { transposeA: boolean }).transposeA ? [n, m] : [m, n];
  }),
});

const SIZE = { hidden: 4, batch: 2, steps: 5 };
const GATES: Readonly<Record<Kind, number>> = { rnn: 1, lstm: 4, gru: 3 };
const rows = SIZE.steps * SIZE.batch;

describe("hoist", () => {
  test.each(KINDS)("takes the product of what goes in out of the loop, one for all steps: %s", (kind) => {
    const { loss, args } = training(kind, SIZE);
    const hoisted = { inLoops: 1, outside: [[rows, SIZE.hidden]] };
    expect(products(programOf(loss, args, []))).toEqual({ inLoops: 2, outside: [] });
    expect(products(programOf(loss, args, ["hoist"]))).toEqual(hoisted);
    expect(products(programOf(loss, args, without("hoist")))).toEqual({ inLoops: 2, outside: [] });
    expect(products(programOf(loss, args))).toEqual(hoisted);
  });

  test("computes once what is the same at every step", () => {
    const f = (w: Value, xs: Value) => scan((h: Value, x: Value): [Value, null] => [h.mul(w.exp().sum()).add(x), null], 1, xs)[0];
    const inLoop = (passes?: readonly PassName[]) => {
      const { graph } = programOf(f, [value([1, 2]), value([1, 2, 3])], passes);
      return [namedInLoops(graph, "exp").length, named(graph, "exp").length];
    };
    expect([inLoop([]), inLoop(["hoist"]), inLoop(without("hoist")), inLoop()]).toEqual([
      [1, 0],
      [0, 1],
      [1, 0],
      [0, 1],
    ]); // prettier-ignore
  });

  test.each(KINDS)("of what stays in the loop, the weight is packed before it: %s", (kind) => {
    const network = training(kind, { hidden: 64, batch: 8, steps: 5 });
    const steps = programOf(stepOf(network), network.args).machine?.steps ?? [];
    expect(steps.filter((step) => step.kind === "pack").length).toBeGreaterThanOrEqual(2);
    expect(kindsInLoops(steps).filter((x) => x === "product").length).toBe(2);
    expect(kindsInLoops(steps)).not.toContain("pack");
  });
});

describe("defer", () => {
  test.each(KINDS)("makes the gradient of a weight one product after the loop, in place of one a step: %s", (kind) => {
    const network = training(kind, SIZE);
    const step = (passes?: readonly PassName[]) => products(programOf(stepOf(network), network.args, passes));
    // Forward the recurrence and what goes in, backward the recurrence, and a gradient for each of the two weights.
    const [before, after] = [step(without("defer")), step()];
    expect([before.inLoops, after.inLoops]).toEqual([4, 2]);
    expect(before.outside).toEqual([[rows, SIZE.hidden]]);
    expect(after.outside.slice(0, 1)).toEqual(before.outside);
    const gradient = [GATES[kind] * SIZE.hidden, rows];
    expect(after.outside.slice(1)).toEqual([gradient, gradient]);
  });

  test("makes the gradient of a bias one sum after the loop, which carries it no longer", () => {
    const f = (b: Value, xs: Value) => scan((h: Value, x: Value): [Value, null] => [h.add(x).add(b).tanh(), null], zeros, xs)[0].sum();
    const zeros = value([
      [0, 0],
      [0, 0],
    ]); // prettier-ignore
    const xs = value([1, 2, 3, 4, 5, 6, 7, 8], { shape: [2, 2, 2] });
    const backward = (passes?: readonly PassName[]) => {
      const { graph } = programOf(grad(f), [value([1, 2]), xs], passes);
      const [, loop] = graph.instructions.filter(({ op }) => isLoop(op)) as [Instruction, Instruction];
      return {
        carries: (loop.attributes as Loop).carries,
        inLoops: namedInLoops(graph, "sum").length,
        outside: named(graph, "sum").length,
      };
    };
    expect(backward(without("defer"))).toEqual({ carries: 2, inLoops: 1, outside: 0 });
    expect(backward()).toEqual({ carries: 1, inLoops: 0, outside: 1 });
  });

  describe.each([0, 1])("what every step names of a table, along axis %i", (axis) => {
    const SIDE = 4;
    const STEPS = 5;
    const shape = (names: number) => (axis === 0 ? [STEPS, names, SIDE] : [STEPS, SIDE, names]);
    const indices = (names: number): Value =>
      value(
        Int32Array.from({ length: STEPS * names * SIDE }, (_, k) => (k * k + axis) % SIDE),
        { shape: shape(names) },
      );
    const gathered = (table: Value, at: Value): Value => gather(table, at, { axis }).sum({ axis });
    const largest = (table: Value, x: Value): Value => max(table.add(x), { axis });

    test.each<[string, typeof largest, Value, boolean]>([
      ["by an index", gathered, indices(1), true],
      ["by as many indices as half of its elements", gathered, indices(SIDE / 2), true],
      ["by more, of which stacks would be large", gathered, indices(SIDE / 2 + 1), false],
      ["as the largest of it", largest, uniform(key(2), shape(SIDE)), true],
    ])("%s: its gradient is added up after the loop if that takes less", (_how, of, xs, isDeferred) => {
      const loss = (table: Value, xs: Value): Value =>
        scan((h: Value, x: Value) => [h.add(of(table, x)).tanh(), null] as const, value(new Float64Array(SIDE)), xs)[0].sum();
      const table = uniform(key(1), [SIDE, SIDE]);
      const inLoops = (passes?: readonly PassName[]) => namedInLoops(programOf(grad(loss), [table, xs], passes).graph, "scatterAdd").length;
      expect([inLoops(without("defer")), inLoops()]).toEqual([1, isDeferred ? 0 : 1]);
      const expected = grad(loss)(table, xs).data;
      Array.from(compile(grad(loss))(table, xs).data).forEach((entry, k) => expect(entry).toBeCloseTo(expected[k]!, 12));
    });
  });

  test.each(KINDS)(
    "leaves a backward loop with the carries of the recurrence alone, where two biases have one gradient, too: %s",
    (kind) => {
      const network = training(kind, SIZE);
      const backward = (passes?: readonly PassName[]) => {
        const { graph } = programOf(stepOf(network), network.args, passes);
        const [forward, backward] = graph.instructions.filter(({ op }) => isLoop(op)).map(({ attributes }) => attributes as Loop);
        return { more: backward!.carries - forward!.carries, sums: namedInLoops(graph, "sum").length };
      };
      // A carry for each of two weights and two biases. In a GRU the two biases of a gate have gradients of their own.
      expect(backward(without("defer"))).toEqual({ more: 4, sums: kind === "gru" ? 2 : 1 });
      expect(backward()).toEqual({ more: 0, sums: 0 });
    },
  );
});

describe("fuse", () => {
  const SETS: readonly (readonly [string, readonly PassName[]])[] = [
    ["alone", [FUSE]],
    ["left out", without(FUSE)],
  ]; // prettier-ignore

  test.each(KINDS.flatMap((kind) => SETS.map(([how, passes]) => [how, kind, passes] as const)))(
    "%s, changes no loss and no gradient: %s",
    (_how, kind, passes) => {
      const network = training(kind, SIZE, "float64");
      const step = stepOf(network);
      const flat = ([loss, grads]: ReturnType<typeof step>) => [loss, ...Object.values(grads)].flatMap((x) => Array.from<number>(x.data));
      const [got, expected] = [flat(compile(step, { passes })(...network.args)), flat(step(...network.args))];
      const scale = Math.max(1, ...expected.map(Math.abs));
      expect(got.length).toBe(expected.length);
      expect(Math.max(...got.map((x, k) => Math.abs(x - expected[k]!)))).toBeLessThan(1e-13 * scale);
    },
  );

  test("joins elementwise operations, and the reduction that follows, in one kernel", () => {
    const chain = (x: Value) => x.mul(2).add(1).tanh().sum();
    const kernels = (passes: readonly PassName[]) => programOf(chain, [value([1, 2, 3])], passes).stats().kernels;
    expect([kernels(ALL), kernels([FUSE]), kernels([]), kernels(without(FUSE))]).toEqual([1, 1, 4, 4]);
  });

  test("computes what only one later kernel reads in that", () => {
    // The sum could be taken before the product, too, and would wait in memory for it.
    const step = (h: Value, [x, y]: readonly [Value, Value]): [Value, null] => [x.add(y).add(matmul(h, w)).tanh(), null];
    const w = uniform(key(5), [4, 4]);
    const xs = [uniform(key(6), [3, 4, 4]), uniform(key(7), [3, 4, 4])] as const;
    const program = programOf((x: Value, y: Value) => scan(step, w, [x, y] as const)[0], xs);
    expect(kindsInLoops(program.machine?.steps ?? [])).toEqual(["product", "kernel"]);
    // Outside of loops both would wait in its place: there it is added up at once.
    const once = (h: Value, x: Value, y: Value): Value => step(h, [x, y])[0];
    const kinds = programOf(once, [w, xs[0].slice(0), xs[1].slice(0)]).machine?.steps.map(({ kind }) => kind) ?? [];
    expect(kinds.filter((kind) => kind === "kernel").length).toBe(2);
  });

  test.each(KINDS)("leaves fewer kernels in a training step: %s", (kind) => {
    const network = training(kind, SIZE);
    const kernels = (passes: readonly PassName[]) => programOf(stepOf(network), network.args, passes).stats().kernels;
    expect(kernels(ALL)).toBeLessThan(kernels(without(FUSE)));
    expect(kernels([FUSE])).toBeLessThan(kernels([]));
  });
});

test("the sum of no copies is zero, also of Infinity", () => {
  const f = (x: Value) => x.broadcastTo([0, 2]).sum({ axis: 0 });
  expect(compile(f)([Infinity, 1]).toArray()).toEqual([0, 0]);
});

describe("join slices", () => {
  const x = uniform(key(3), [3, 8]);
  const parts = (ranges: readonly (readonly [number, number])[]) => (x: Value) =>
    ranges
      .map(([from, to], k) =>
        x
          .slice(null, [from, to])
          .pow(k + 2)
          .sum(),
      )
      .reduce((a, b) => a.add(b)); // prettier-ignore
  const unrolled = (x: Value): Value =>
    [0, 1, 2]
      .map((t) => x.slice([t, t + 1]).mul(t + 1))
      .reduce((h, x) => h.add(x).tanh())
      .sum();

  test.each<[string, (x: Value) => Value, { unslice: number; concat: number; add: number }]>([
    [
      "that are the whole",
      parts([
        [0, 2],
        [2, 5],
        [5, 8],
      ]),
      { unslice: 0, concat: 1, add: 0 },
    ],
    [
      "in any order",
      parts([
        [5, 8],
        [0, 2],
        [2, 5],
      ]),
      { unslice: 0, concat: 1, add: 0 },
    ],
    [
      "beside one another",
      parts([
        [1, 4],
        [4, 6],
      ]),
      { unslice: 1, concat: 1, add: 0 },
    ],
    [
      "of two runs",
      parts([
        [0, 2],
        [4, 5],
        [5, 8],
        [2, 3],
      ]),
      { unslice: 2, concat: 2, add: 1 },
    ],
    [
      "none of which touch",
      parts([
        [0, 2],
        [4, 6],
      ]),
      { unslice: 2, concat: 0, add: 1 },
    ],
    [
      "that overlap",
      parts([
        [0, 5],
        [4, 8],
      ]),
      { unslice: 2, concat: 0, add: 1 },
    ],
    ["the steps of an unrolled loop", unrolled, { unslice: 0, concat: 1, add: 0 }],
  ])("%s", (_name, f, left) => {
    const { graph } = programOf(grad(f), [x]);
    const after = graph.instructions.findIndex(({ op }) => op.name === "unslice" || op.name === "concat");
    const adds = graph.instructions.slice(after).filter(({ op }) => op.name === "add").length;
    expect({ unslice: named(graph, "unslice").length, concat: named(graph, "concat").length, add: adds }).toEqual(left);
    const expected = grad(f)(x).data;
    Array.from(compile(grad(f))(x).data).forEach((entry, k) => expect(entry).toBeCloseTo(expected[k]!, 13));
  }); // prettier-ignore

  test("but none that the sum broadcasts: it has elements beside the other in every row", () => {
    const f = (x: Value, y: Value): Value =>
      pad(x, [
        [0, 2],
        [0, 2],
      ]).add(
        pad(y, [
          [0, 0],
          [2, 0],
        ]),
      ); // prettier-ignore
    const [x, y] = [value([[1, 2]]), value([[3, 4]])];
    expect(compile(f)(x, y).toArray()).toEqual([
      [1, 2, 3, 4],
      [0, 0, 3, 4],
      [0, 0, 3, 4],
    ]); // prettier-ignore
  });

  test("two sums that have parts in common", () => {
    const f = (x: Value, y: Value): Value => {
      const [a, b, c] = [
        [0, 2],
        [2, 5],
        [5, 8],
      ].map(([from, to]) => [x, y].map((v) => v.slice(null, [from!, to!]))); // prettier-ignore
      const [p, q] = [a![0]!.add(a![1]!).sin(), b![0]!.add(b![1]!).cos()];
      return [p, q, c![0]!.mul(c![1]!)].map((v) => v.sum()).reduce((v, w) => v.add(w));
    };
    const slopes = (x: Value, y: Value) => grad(f, { argnums: [0, 1] })(x, y);
    expect(named(programOf(slopes, [x, x.exp()]).graph, "unslice").length).toBe(0);
    const [got, expected] = [compile(slopes), slopes].map((g) => g(x, x.exp()).flatMap(({ data }) => Array.from<number>(data)));
    got!.forEach((entry, k) => expect(entry).toBeCloseTo(expected![k]!, 14));
  });

  test.each(KINDS)("leaves no padded slice in the loops of a network whose gates are slices: %s", (kind) => {
    const network = training(kind, SIZE);
    expect(namedInLoops(programOf(stepOf(network), network.args).graph, "unslice").length).toBe(0);
  });
});

describe("views first", () => {
  const x = uniform(key(4), [3, 8]);
  const two = (first: number, second: number) => (x: Value) => {
    const y = x.mul(2).add([1, 2, 3, 4, 5, 6, 7, 8]);
    return [y.slice(null, [0, first]).exp(), y.slice(null, [second, 8]).tanh()];
  };

  test("slices of a sum are sums of slices, in the kernel that goes on with them, if they have nothing in common", () => {
    const kernels = (first: number, second: number) => programOf(two(first, second), [x]).stats().kernels;
    expect([kernels(4, 4), kernels(3, 4), kernels(5, 4)]).toEqual([1, 2, 3]);
    for (const f of [two(4, 4), two(5, 4)]) compile(f)(x).forEach((y, k) => expect(y.sub(f(x)[k]!).abs().max().item()).toBeLessThan(1e-14));
  });
});

/** What is done in loops. */
function kindsInLoops(steps: readonly Step[]): string[] {
  const all = (list: readonly Step[]): string[] => list.flatMap((step) => (step.kind === "loop" ? all(step.body) : [step.kind]));
  return steps.flatMap((step) => (step.kind === "loop" ? all(step.body) : []));
}
