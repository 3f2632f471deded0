import { describe, expect, test } from "vitest";
import { grad, matmul, mseLoss, param, type Param, scan, type Value, value, valueAndGrad } from "../../src/index.js";
import { compile } from "../../src/program/index.js";
import { ProgramMemory } from "../../src/program/memory.js";
import { signatureOf, traced } from "../../src/program/signature.js";
import { key, uniform } from "../../src/random/index.js";

const OPTIONS = { name: "f", wasm: true, deterministic: false, kept: 0, reuseOutputs: false };

/** The program of a function, for arguments. */
function programOf(f: (...args: Value[]) => unknown, ...args: readonly Value[]) {
  const { values } = signatureOf(args);
  return traced(f as never, args, values, { ...OPTIONS, memory: new ProgramMemory() }).program;
}

const w = uniform(key(0), [6, 6]);
const x = uniform(key(1), [20, 3, 6]);
const recurrence = (w: Value, x: Value): Value =>
  mseLoss(scan((h: Value, x: Value) => [matmul(h, w).add(x).tanh(), h] as const, value(new Float64Array(18), { shape: [3, 6] }), x)[1], x);

describe("a recorded call keeps what its gradient needs", () => {
  test("forward and backward program do together what one program of both does, and less than computing the function twice", () => {
    const program = programOf(recurrence, w, x);
    const { forward, backward } = program.withGradient([0], [0]);
    const both = forward.stats().flops + backward.stats().flops;
    const one = programOf((w, x) => valueAndGrad((w: Value) => recurrence(w, x))(w), w, x).stats().flops;
    const again = program.stats().flops + program.gradient([0]).stats().flops;
    expect(both / one).toBeCloseTo(1, 1);
    expect(again / one).toBeGreaterThan(1.3);
  });

  test("what needs no gradient gets none: no work for it", () => {
    const program = programOf(recurrence, w, x);
    const flops = (wanted: readonly number[]) => program.withGradient([0], wanted).backward.stats().flops;
    expect(flops([0])).toBeLessThan(flops([0, 1]));
  });

  const gradients = (f: (...params: Param[]) => Value, ...params: Param[]): number[] => {
    f(...params).backward();
    return params.flatMap((p) => [...p.grad.data]);
  };
  const same = (got: readonly number[], expected: readonly number[]): void => {
    expect(got.length).toBe(expected.length);
    got.forEach((g, k) => expect(Math.abs(g - expected[k]!)).toBeLessThanOrEqual(1e-13 * (1 + Math.abs(expected[k]!))));
  };
  const start = () => [param(w.data, { shape: [6, 6] }), param(x.data, { shape: [20, 3, 6] })] as const;

  test("gradients are eager's, of some or all arguments, in turns", () => {
    const run = compile(recurrence);
    for (let k = 0; k < 2; k++) {
      same(
        gradients((w, x) => run(w, x), ...start()),
        gradients((w, x) => recurrence(w, x), ...start()),
      ); // prettier-ignore
      const [p] = start();
      const [q] = start();
      same(
        gradients((w) => run(w, x), p),
        gradients((w) => recurrence(w, x), q),
      ); // prettier-ignore
    }
  });

  test("but nothing where the function takes its gradient itself, until a second derivative was taken", () => {
    const slope = (w: Value, x: Value): Value => grad((w: Value) => recurrence(w, x))(w);
    const run = compile(slope);
    const outputs = (): number => (run.explain().match(/^ {2}=> (.*)$/m)?.[1] ?? "").split(", ").length;
    const [p] = start();
    expect([run(p, x).requiresGrad, outputs()]).toEqual([true, 1]);
    const second = run(p, x).square().sum();
    expect(outputs()).toBe(1);
    second.backward();
    run(p, x);
    expect(outputs()).toBeGreaterThan(1);
    const expected = grad((w: Value) => slope(w, x).square().sum())(w).data;
    same([...p.grad.data], [...expected]);
    same([...grad((w: Value) => run(w, x).square().sum())(w).data], [...expected]);
  });

  test("two calls, then both backward passes, the first one last", () => {
    const run = compile(recurrence);
    const [p, q] = [param(w.data, { shape: [6, 6] }), param(w.mul(0.5).data, { shape: [6, 6] })];
    const [first, second] = [run(p, x), run(q, x)];
    second.backward();
    first.backward();
    same([...p.grad.data], [...grad((w: Value) => recurrence(w, x))(w).data]);
    same([...q.grad.data], [...grad((w: Value) => recurrence(w, x))(w.mul(0.5)).data]);
  });

  test("cotangents that come of other outputs than the last time, and again of those", () => {
    const f = (x: Value) => [x.square(), x.sin().exp()] as const;
    const run = compile(f);
    const pick = [[0, 1], [0], [0], [1], [1], [0, 1], [0, 1]]; // prettier-ignore
    for (const outputs of pick) {
      const loss = (g: (x: Value) => readonly Value[], x: Value) =>
        outputs.map((k) => (g(x)[k] as Value).sum().mul(k + 1)).reduce((a, b) => a.add(b)); // prettier-ignore
      same(
        gradients((x) => loss(run, x), param([0.3, -2])),
        gradients((x) => loss(f, x), param([0.3, -2])),
      ); // prettier-ignore
    }
  });

  test("an output that nothing reads adds nothing, where its derivative is infinite either", () => {
    const run = compile((x: Value) => [x.mul(3), x.sqrt()] as const);
    for (let k = 0; k < 3; k++) {
      const x = param(0);
      run(x)[0].backward();
      expect(x.grad.item()).toBe(3);
    }
  });

  test("the gradient of the gradient goes through what was kept", () => {
    const run = compile(recurrence);
    const penalty = (f: typeof recurrence) => (w: Value) =>
      grad((w: Value) => f(w, x))(w)
        .square()
        .sum();
    const expected = grad(penalty(recurrence))(w);
    same([...grad(penalty(run as never))(w).data], [...expected.data]);
  });

  test("retainGraph: a second pass finds what was kept, and adds", () => {
    const run = compile(recurrence);
    const [p] = start();
    const loss = run(p, x);
    loss.backward({ retainGraph: true });
    const once = [...p.grad.data];
    loss.backward();
    same(
      [...p.grad.data],
      once.map((g) => 2 * g),
    );
  });

  test("stats() are those of the program that ran: it gives more than the function", () => {
    const run = compile((x: Value) => x.sin().exp().sum());
    run(x);
    const plain = run.stats();
    run(param(x.data, { shape: [20, 3, 6] }));
    expect(run.stats().live).toBeGreaterThan(plain.live);
    expect(run.explain()).toContain("ms in 1 calls");
    run(x);
    expect(run.stats()).toEqual(plain);
  });

  test("explain() shows the program of the gradient after that of the call, once it ran", () => {
    const run = compile((x: Value) => [x.sin(), x.exp().mul(1)] as const, { name: "waves" });
    const heads = () => run.explain().match(/^.*waves: /gm);
    const forward = ["waves: "];
    const both = ["waves: ", "the gradient of waves: "];
    const [sine, exponential] = run(param([1, 2]));
    expect(heads()).toEqual(forward);
    sine.add(exponential).sum().backward();
    expect(heads()).toEqual(both);
    // What passes made of the function alone, of it and its gradient in one graph, and of the two parts.
    const passes = run.explain().match(/^ {2}.*clean up: \d+ -> \d+$/gm) ?? [];
    expect(passes.slice(0, 7)).toEqual([
      "  clean up: 3 -> 2",
      "  clean up: 2 -> 2",
      "  clean up: 2 -> 2",
      ...Array.from({ length: 3 }, () => "  with its gradient, clean up: 6 -> 6"),
      "  clean up: 3 -> 3",
    ]);
    const [other] = run(param([1, 2]));
    expect(heads()).toEqual(forward);
    // Of one output alone, which was not expected: a program that computes the function again.
    other.sum().backward();
    expect(heads()).toEqual(both);
    run([1, 2]);
    expect(heads()).toEqual(forward);
  });
});
