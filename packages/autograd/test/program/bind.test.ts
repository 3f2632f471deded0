import { describe, expect, test, vi } from "vitest";
import {
  embedding,
  grad,
  GraphError,
  IndexError,
  InputError,
  matmul,
  max,
  mseLoss,
  noGrad,
  param,
  scan,
  sort,
  type Value,
  value,
  valueAndGrad,
} from "../../src/index.js";
import { adam } from "../../src/optim/index.js";
import { compile } from "../../src/program/index.js";
import { ProgramMemory } from "../../src/program/memory.js";
import { key, uniform } from "../../src/random/index.js";

interface Params {
  readonly w: Value;
  readonly b: Value;
}

const rule = adam({ learningRate: 0.05 });
type State = ReturnType<typeof rule.init>;

const loss = (p: Params, x: Value, y: Value): Value => mseLoss(matmul(x, p.w).add(p.b).tanh(), y);

function step(params: Params, state: State, x: Value, y: Value): readonly [Params, State, Value] {
  const [error, grads] = valueAndGrad(loss)(params, x, y);
  const [next, nextState] = rule.update(params, grads as unknown as Params, state);
  return [next, nextState, error];
}

const start: Params = { w: uniform(key(0), [4, 3]), b: uniform(key(1), [3]) };
const batch = (n: number) => [uniform(key(n), [n, 4]), uniform(key(n + 100), [n, 3])] as const;

describe.each([true, false])("state that stays in the program, in WebAssembly: %s", (wasm) => {
  const bound = () => compile(step, { wasm }).bind(start, rule.init(start));

  test("steps as the function does, over batches of several sizes", () => {
    const training = bound();
    let [params, state]: [Params, State] = [start, rule.init(start)];
    for (const n of [5, 5, 7, 5]) {
      const [x, y] = batch(n);
      const eager = step(params, state, x, y);
      [params, state] = [eager[0], eager[1]];
      const [error] = training(x, y);
      expect(error.item()).toBeCloseTo(eager[2].item(), 12);
    }
    const [w] = [training.state()[0].w];
    Array.from(w.data).forEach((entry, k) => expect(entry).toBeCloseTo(params.w.data[k]!, 12));
    expect(training.state()[1].steps.item()).toBe(4);
  });

  test("is read back as a copy, and set", () => {
    const training = bound();
    const [x, y] = batch(5);
    const [first] = training(x, y);
    const before = training.state()[0].b;
    const numbers = [...before.data];
    training(x, y);
    expect([...before.data]).toEqual(numbers);
    training.set(start, rule.init(start));
    expect(training.state()[0].b.toArray()).toEqual(start.b.toArray());
    expect(training(x, y)[0].item()).toBe(first.item());
  });

  test("a call that fails leaves it as it was", () => {
    const rows = uniform(key(5), [6, 4]);
    const f = (table: Value, tokens: Value): readonly [Value, Value] => {
      const rowsOf = (table: Value) => embedding(table, tokens).tanh();
      // What is computed before the index is looked up could lie where the table did.
      const doubled = table.mul(2).add(1).sub(table).sub(1);
      return [doubled.add(rowsOf(doubled).sum()), rowsOf(doubled)];
    };
    const training = compile(f, { wasm }).bind(rows);
    const tokens = (...list: number[]) => value(Int32Array.from(list));
    training(tokens(0, 5));
    const before = [...training.state()[0].data];
    expect(() => training(tokens(0, 6))).toThrow(IndexError);
    expect([...training.state()[0].data]).toEqual(before);
    training(tokens(1, 2));
    const expected = f(f(rows, tokens(0, 5))[0], tokens(1, 2))[0];
    [...training.state()[0].data].forEach((entry, k) => expect(entry).toBeCloseTo(expected.data[k]!, 12));
  });

  test("does not mind calls of the compiled function itself", () => {
    const compiled = compile(step, { wasm });
    const training = compiled.bind(start, rule.init(start));
    const [x, y] = batch(5);
    training(x, y);
    const state = training.state()[0].b.toArray();
    compiled({ w: start.w.mul(0), b: start.b.mul(0) }, rule.init(start), x, y);
    expect(training.state()[0].b.toArray()).toEqual(state);
  });

  test("keeps 32 signatures, as the compiled function does, and the state through all of them", () => {
    const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
    let traces = 0;
    const counting = (total: Value, x: Value): readonly [Value, Value] => {
      traces++;
      return [total.add(x.sum()), total];
    };
    const running = compile(counting, { wasm }).bind(0);
    const zeros = (n: number) => new Float64Array(n);
    running([5]);
    for (let n = 2; n <= 32; n++) running(zeros(n));
    running([1]);
    expect(traces).toBe(32);
    running(zeros(33)); // Now 2 is dropped.
    running([2]);
    expect(traces).toBe(33);
    running(zeros(2));
    expect(traces).toBe(34);
    expect(running.state()[0].item()).toBe(8);
    expect(warn).toHaveBeenCalledTimes(1);
    expect(String(warn.mock.calls[0]?.[0])).toMatch(/counting.*8 times/);
    warn.mockRestore();
  });

  test("errors say what does not fit", () => {
    expect(() => compile((x: Value) => x, { wasm }).bind()).toThrow(/got no state/);
    const grows = compile((s: Value, x: Value) => [s.add(x), s], { wasm, name: "grows" }).bind(1);
    expect(() => grows([1, 2])).toThrow(/next state 0.*shape \[2\], expected \[\]/);
    // @ts-expect-error what it returns is no list
    const alone: () => unknown = compile((s: Value) => s, { wasm, name: "alone" }).bind(1);
    expect(() => alone()).toThrow(/alone must return a list that begins with the next state/);
    expect(() => bound().set({ w: start.b, b: start.b }, rule.init(start))).toThrow(/the state 0/);
    // @ts-expect-error one entry is missing
    expect(() => bound().set(start)).toThrow(/^set: the state has 2 entries, got 1/);
  });

  test("what is no state of the function is an error of the types, too", () => {
    const counting = compile((n: Value, x: Value) => [n.add(1), x.mul(n)] as const, { wasm });
    // @ts-expect-error text is no number
    expect(() => counting.bind("none")).toThrow(InputError);
    // @ts-expect-error more than the function takes
    counting.bind(1, 2, 3);
    // @ts-expect-error the entry that is left is one
    counting.bind(1)(1, 2);
    const one: number = counting.bind(1)(5)[0].item();
    expect(one).toBe(5);
  });
});

describe("signatures of one function share a memory", () => {
  const table = value(Float64Array.from({ length: 5 }, (_, k) => k - 2));
  const f = (x: Value): Value => x.reshape([-1, 1]).mul(table).exp().sum();
  const data = (length: number) => Float64Array.from({ length }, (_, k) => Math.sin(k));

  test("in turns, small and large: constants and results are those of the call", () => {
    const run = compile(f);
    for (const length of [3, 20_000, 3, 5, 20_000, 5, 3])
      expect(run(data(length)).item() / f(value(data(length))).item()).toBeCloseTo(1, 12);
  });

  test("derivatives between the calls of the function, too", () => {
    const run = compile(f);
    for (const length of [3, 30_000, 3]) {
      const x = param(data(length));
      const y = run(x);
      const other = run(data(length + 1));
      y.backward();
      const expected = param(data(length));
      f(expected).backward();
      const entries = expected.grad.data;
      Array.from(x.grad.data).forEach((entry, k) => expect(entry).toBeCloseTo(entries[k]!, 12));
      expect(other.item() / f(value(data(length + 1))).item()).toBeCloseTo(1, 12);
    }
  });

  test("explain() runs the program of the last call on what it was given, whatever ran between", () => {
    const run = compile(f);
    run(data(3));
    run(data(30_000));
    expect(run.explain()).toContain("ms in 1 calls");
    expect(run(data(3)).item()).toBeCloseTo(f(value(data(3))).item(), 9);
  });
});

describe("functions share a memory", () => {
  const MB = 2 ** 20;
  const placed = (isScratch: boolean, bytes: number, constants = 0) => new ProgramMemory(isScratch).placeFor(bytes, constants);

  test("that need 1 to 64 MB, with few constants, and leave nothing in it", () => {
    const shared = placed(true, MB);
    expect(placed(true, 64 * MB, 4 * MB)).toBe(shared);
    for (const other of [placed(false, MB), placed(true, MB - 1), placed(true, 65 * MB), placed(true, 64 * MB, 4 * MB + 1)])
      expect(other).not.toBe(shared);
  });

  const data = (length: number) => Float64Array.from({ length }, (_, k) => Math.sin(k));
  const [times, plus] = [(x: Value) => x.mul(value([0.3, 0.7])).exp(), (x: Value) => x.add(value([3, 4])).tanh()];
  const [small, large] = [data(2 ** 17), data(2 ** 19)].map((x) => value(x, { shape: [x.length / 2, 2] })) as [Value, Value];
  const agrees = (result: Value, expected: Value) => expect(max(result.sub(expected).abs()).item()).toBeLessThan(1e-12);

  test("in turns, small and large: constants and results are those of the call", () => {
    const [p, q] = [compile(times), compile(plus)];
    for (const x of [small, large, small]) {
      agrees(p(x), times(x));
      agrees(q(x), plus(x));
    }
  });

  test("and views that reuseOutputs handed out are not overwritten by others", () => {
    const reused = compile(times, { reuseOutputs: true })(small);
    compile(plus)(small);
    agrees(reused, times(small));
  });

  test("one deterministic, the other not", () => {
    const product = (x: Value) => matmul(x.transpose(), x);
    const alone = compile(product, { deterministic: true })(small).toArray();
    compile(product)(small);
    expect(compile(product, { deterministic: true })(small).toArray()).toEqual(alone);
  });
});

test("reuseOutputs hands out views, which the next call overwrites", () => {
  const f = (x: Value) => x.mul(2).add(1);
  const [kept, reused] = [compile(f), compile(f, { reuseOutputs: true })];
  const [a, b] = [kept([1, 2, 3]), reused([1, 2, 3])];
  expect([...b.data]).toEqual([3, 5, 7]);
  kept([0, 0, 0]);
  reused([0, 0, 0]);
  expect([...a.data]).toEqual([3, 5, 7]);
  expect([...b.data]).toEqual([1, 1, 1]);
});

describe("a bound function", () => {
  const f = (s: Value, x: Value) => [s.add(x.square()), s.mul(x).sum()] as const;

  test.each([true, false])("explains its program, and its state stays; in WebAssembly: %s", (wasm) => {
    const bound = compile(f, { wasm, name: "sums" }).bind(value([1, 2]));
    expect(() => bound.explain()).toThrow(/sums was not called yet/);
    expect(() => bound.stats()).toThrow(InputError);
    bound([1, 1]);
    const text = bound.explain();
    expect(text).toContain("sums: ");
    if (wasm) expect(text).toMatch(/ms in 1 calls[^]*memory, by address[^]*16384: /);
    expect(bound.stats().plain.length).toBe(wasm ? 0 : 4);
    expect(bound([1, 1]).map((y) => y.item())).toEqual([5]);
    expect(bound.state()[0].toArray()).toEqual([3, 4]);
  });

  test("gives no derivatives, and says so where some could be wanted", () => {
    const bound = compile(f, { name: "sums" }).bind(value([1, 2]));
    expect(() => grad((x: Value) => bound(x)[0])([1, 1])).toThrow(GraphError);
    expect(() => grad((x: Value) => bound(x.mul(2))[0])([1, 1])).toThrow(/bind: calls of sums are not recorded.*detach\(\)/);
    expect(() => bound(param([1, 1]).mul(2))).toThrow(GraphError);
    const scaled = (k: Value) => compile((s: Value) => [s.mul(k), s.sum()] as const).bind(value([1, 2]))()[0];
    expect(() => grad(scaled)(2)).toThrow(/bind: .*uses, what a graph computes/);
    const detached = (x: Value) => bound(x.detach())[0].add(x.sum());
    expect(grad(detached)([1, 1]).toArray()).toEqual([1, 1]);
    expect(noGrad(() => bound(param([1, 1]).mul(2)))[0].item()).toBe(10);
    expect(bound(param([1, 1]))[0].requiresGrad).toBe(false);
  });
});

describe("views that reuseOutputs handed out", () => {
  const options = { reuseOutputs: true };

  test("of a state are what it was: the next state lies elsewhere until the call after", () => {
    const f = (s: Value, x: Value) => [s.add(x), s, s.slice([null, null, -1]), s.reshape([2, 1]), s.sum()] as const;
    const step = compile(f, options).bind(value([1, 2]));
    expect(step([10, 10]).map((y) => y.toArray())).toEqual([[1, 2], [2, 1], [[1], [2]], 3]);
    expect(step([10, 10])[0]!.toArray()).toEqual([11, 12]);
  });

  test("are read before they are overwritten, where they are given back as arguments", () => {
    const exchanged = (a: Value, b: Value) => [b, a] as const;
    const mixed = (a: Value, b: Value) => [a.add(b).sum().mul(a).add(0.1), b.tanh().mul(a.mean()), a] as const;
    for (const f of [exchanged, mixed] as const) {
      const run = compile<[Value, Value], readonly Value[]>(f, options);
      let [ours, theirs]: [readonly Value[], readonly Value[]] = [f(value([1, 2]), value([3, 4])), run([1, 2], [3, 4])];
      for (let k = 0; k < 5; k++) {
        ours = f(ours[0]!, ours[1]!);
        theirs = run(theirs[0]!, theirs[1]!);
        theirs.forEach((y, j) => Array.from(y.data).forEach((e, i) => expect(e).toBeCloseTo(ours[j]!.data[i]!, 10)));
      }
    }
  });

  test("are copied where a graph keeps them, as arguments and as results", () => {
    const run = compile((x: Value) => x.mul(x), options);
    const y = run([2, 3]);
    expect(grad((x: Value) => run(x).sum())(y).toArray()).toEqual([8, 18]);
    const slope = compile((x: Value) => grad((z: Value) => z.pow(3).sum())(x), options);
    const p = param([1, 2, 3]);
    const cubes = slope(p);
    const loss = cubes.mul(cubes).sum();
    loss.backward({ retainGraph: true });
    loss.backward();
    expect(p.grad.toArray()).toEqual([72, 576, 1944]);
    expect(cubes.toArray()).toEqual([3, 12, 27]);
  });

  test("of a memory that has moved: explain() says what to do", () => {
    const [f, g] = [compile((x: Value) => x.mul(2), options), compile((x: Value) => x.add(1))];
    g(f([1, 2, 3]));
    f(new Float64Array(1e6));
    expect(() => g.explain()).toThrow(/explain: an argument .* has moved since; call the function once more/);
    g([1, 2, 3]);
    expect(g.explain()).toContain("ms in 1 calls");
  });

  test("also by a call for which the memory grows", () => {
    const f = (x: Value, y: Value) => [x.add(y.sum()), x.mul(2)] as const;
    const run = compile(f, options);
    const [a] = run([1, 2], [3]);
    expect(run(a, new Float64Array(100_000).fill(1))[1].toArray()).toEqual([8, 10]);
    const bound = compile((s: Value, x: Value, y: Value) => [s.add(x), x, y] as const, options).bind(value([1, 2]));
    const [b] = bound([5, 6], [0]);
    expect(bound(b, new Float64Array(100_000))[0].toArray()).toEqual([5, 6]);
  });
});

test("the state before the first call is a copy, too", () => {
  const bound = compile((s: Value) => [s.add(1)] as const).bind(value([1, 2]));
  (bound.state()[0].data as Float64Array)[0] = 9;
  expect(bound.state()[0].toArray()).toEqual([1, 2]);
});

describe("eager products use the kernels of programs", () => {
  const naive = (a: Value, b: Value, i: number, j: number, inner: number): number => {
    let total = 0;
    for (let k = 0; k < inner; k++) total += a.data[i * inner + k]! * b.data[k * b.shape[1]! + j]!;
    return total;
  };

  test.each([
    [32, 32, 32],
    [33, 47, 65],
    [1, 300, 200],
    [130, 3, 129],
  ])("[%i, %i] x [., %i], in every transposition", (rows, inner, columns) => {
    const [a, b] = [uniform(key(1), [rows, inner]), uniform(key(2), [inner, columns])];
    const products = [
      matmul(a, b),
      matmul(a.transpose().transpose(), b),
      // The gradient of a sum of a product takes one operand transposed, then the other.
      valueAndGrad((x: Value) => matmul(x, b).mul(matmul(a, b)).sum())(a)[1]
        .mul(0)
        .matmul(b)
        .add(matmul(a, b)),
    ];
    for (const c of products)
      for (const [i, j] of [
        [0, 0],
        [rows - 1, columns - 1],
        [rows >> 1, columns >> 1],
      ] as const)
        expect(c.data[i * columns + j]).toBeCloseTo(naive(a, b, i, j, inner), 10);
  });

  test("their gradients are those of small products", () => {
    const [a, b] = [uniform(key(3), [40, 50]), uniform(key(4), [50, 60])];
    const [da, db] = valueAndGrad((x: Value, y: Value) => matmul(x, y).sum(), { argnums: [0, 1] })(a, b)[1];
    const rowSum = (k: number) => Array.from({ length: 60 }, (_, j) => b.data[k * 60 + j]!).reduce((p, q) => p + q);
    const columnSum = (k: number) => Array.from({ length: 40 }, (_, i) => a.data[i * 50 + k]!).reduce((p, q) => p + q);
    expect(da.data[7 * 50 + 3]).toBeCloseTo(rowSum(3), 10);
    expect(db.data[3 * 60 + 7]).toBeCloseTo(columnSum(3), 10);
  });
});

test("an operation on a plain kernel finds its step in nested loops, however deep", () => {
  const nested = (depth: number, x: Value): Value =>
    depth === 0
      ? sort(x).values
      : (scan((total: Value, entry: Value) => [total.add(nested(depth - 1, entry)), null], [0, 0], x)[0] as Value);
  const x = uniform(key(9), [2, 2, 2, 2, 2, 2]);
  const f = (xs: Value) => nested(5, xs);
  expect(compile(f)(x).toArray()).toEqual(f(x).toArray());
});

describe("what compile cannot take is refused", () => {
  test("a random key, whose numbers would be inputs", () => {
    expect(() => compile((k: never) => uniform(k, [2]))(key(1) as never)).toThrow(/draw outside/);
  });

  test("a carry that a step makes narrower, which would change where the loop begins", () => {
    const f = (xs: Value) => scan((c: Value, x: Value) => [c.gt(x), c], 0.5, xs)[0];
    expect(() => compile(f)([0.7])).toThrow(/carry of float64 into bool; .* begin with bool/);
  });

  test("options that do not exist: plain JavaScript says nothing of a misspelt one", () => {
    const misspelt: object = { name: "f", reuseOutput: true };
    expect(() => compile((x: Value) => x, misspelt)).toThrow(InputError);
    expect(() => compile((x: Value) => x, misspelt)).toThrow(/no option "reuseOutput"; there are name, reuseOutputs, wasm, /);
  });

  test("objects of classes, and passes that do not exist", () => {
    expect(() => compile((x: never) => value(x))(new Map() as never)).toThrow(/the argument \[0\] is an object \(Map\)/);
    expect(() => compile((x: Value) => x, { passes: ["polish" as "fuse"] })).toThrow(/no pass "polish"/);
  });
});
