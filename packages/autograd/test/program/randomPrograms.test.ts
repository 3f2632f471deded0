import fc from "fast-check";
import { describe, expect, test } from "vitest";
import * as autograd from "../../src/index.js";
import { gather, grad, hvp, jvp, matmul, scan, softmax, sort, stack, type Value, value, valueAndGrad, where } from "../../src/index.js";
import { randomLike } from "../matrix/derivatives.js";
import { isFull } from "../matrix/sampling.js";
import { compiled, OPTION_SETS } from "./compiledRun.js";

/** One operation of a random program: which, and how far back its operands lie. */
interface Step {
  readonly op: number;
  readonly x: number;
  readonly y: number;
}

const N = 3;
const square = (x: Value): Value =>
  x
    .reshape([N, 1])
    .mul(x.reshape([1, N]))
    .div(2);
const order = value([2, 0, 0], { dtype: "int32" });
const table = value([0.5, -1, 0.25, 1, 0.5, 0, -0.5, 0.75, 1], { shape: [N, N] });

/** Operations on a vector [3] and a vector or scalar; every result is a bounded vector [3]. */
const VECTOR_OPS: readonly ((x: Value, y: Value) => Value)[] = [
  (x, y) => x.add(y).div(2),
  (x, y) => x.sub(y.mul(0.5)).tanh(),
  (x, y) => x.mul(y).sin(),
  (x, y) => x.div(y.square().add(1)),
  (x, y) => x.sigmoid().mul(y.tanh()),
  (x, y) => x.maximum(y),
  (x, y) => where(x.gt(y), x, y.mul(0.5)).add(y.mul(0)),
  (x) => x.relu().sub(0.2),
  (x, y) => x.abs().add(0.1).pow(1.5).mul(0.3).add(y.cos()).tanh(),
  (x, y) => matmul(table, x).add(y).tanh(),
  (x, y) => matmul(square(x), y.broadcastTo([N])).tanh(),
  (x, y) => softmax(x.add(y), { axis: 0 }),
  (x, y) => x.sub(x.mean()).div(y.square().sum().add(1).sqrt()),
  (x, y) => gather(x, order, { axis: 0 }).mul(y).tanh(),
  (x, y) => autograd.embedding(square(x).add(y), order).mean({ axis: 0 }).tanh(),
  (x, y) =>
    autograd
      .embedding(x.reshape([N, 1]).broadcastTo([N, 4]), order)
      .mean({ axis: 1 })
      .add(y)
      .tanh(),
  (x, y) => square(x).sub(y).max({ axis: 1 }).tanh(),
  (x, y) => x.gt(y).add(x.gt(0)).mul(y).add(x).tanh(),
  (x, y) => autograd.concat([x.slice([1, null]), x.slice([0, 1]).add(y.sum().tanh())], { axis: 0 }),
  (x, y) => {
    const [a, b, c] = autograd.split(x.add(y), N) as [Value, Value, Value];
    return autograd.concat([c.mul(a).sin(), b.add(c).div(2), a.tanh()]);
  },
  (x, y) => {
    const [rest, first] = autograd.split(square(x).add(y), [2, 1], { axis: 1 }) as [Value, Value];
    return rest
      .mul(first)
      .sum({ axis: 1 })
      .sub(first.reshape([N]))
      .tanh();
  },
  (x, y) =>
    autograd.concat([
      x
        .mul(y)
        .slice([0, 2])
        .add(x.mul(y).slice([1, null]))
        .tanh(),
      x.slice([0, 1]),
    ]),
  (x, y) => {
    const [first, rows] = [x.slice([0, 1]).reshape([1, 1]), square(x).add(y).slice(null, [1, null])];
    return autograd
      .pad(first, [
        [0, 0],
        [0, 2],
      ])
      .add(
        autograd.pad(rows, [
          [0, 0],
          [1, 0],
        ]),
      )
      .sum({ axis: 0 })
      .tanh(); // prettier-ignore
  },
  (x) => x.slice([null, null, -1]),
  (x, y) => sort(x.sub(y)).values.tanh(),
  (x, y) => square(x).add(y).transpose().sum({ axis: 0 }).tanh(),
  (x, y) => stack([x, y.broadcastTo([N])]).max({ axis: 0 }),
  (x, y) => autograd.logSumExp(square(x).add(y), { axis: 1 }).div(3),
  (x) => autograd.pad(x.slice([0, 2]), [[1, 0]], { value: 0.5 }),
  (x, y) =>
    x
      .reshape([N, 1])
      .reshape([N])
      .mul(value([1, 0.5, -1]))
      .add(y.mul(0)),
];

/** To a scalar, and back where scalars meet vectors. */
const SCALAR_OPS: readonly ((x: Value, y: Value) => Value)[] = [
  (x, y) => x.mul(y).mean(),
  (x) => x.sum().tanh(),
  (x, y) => x.slice(1).mul(y.sum()).sin(),
  (x, y) =>
    matmul(x, y.broadcastTo([N]))
      .div(4)
      .tanh(),
  (x, y) => x.max().sub(y.mean()).tanh(),
];

/** The carries of a loop: two vectors, a scalar and a matrix. */
type State = readonly [Value, Value, Value, Value];

/** With so many rows a product packs its right operand. */
const tall = value(
  Float64Array.from({ length: 16 * N }, (_, k) => Math.sin(k)),
  { shape: [16, N] },
);

interface Plan {
  readonly steps: readonly Step[];
  /** Steps of a loop's body over a sequence, or none. */
  readonly body: readonly Step[];
  readonly length: number;
  /** What the body captures, and whether it gives ys. */
  readonly captures: number;
  readonly ys: boolean;
  /** Whether two carries change places at every step, or the second is the first of the step before. */
  readonly exchanged: boolean;
  /** Whether a carry that is a matrix turns about its diagonal at every step. */
  readonly turned: boolean;
  readonly after: readonly Step[];
}

const isScalar = (x: Value): boolean => x.shape.length === 0;
const lastVector = (values: readonly Value[]): Value => values.filter((x) => !isScalar(x)).at(-1) as Value;

/** Appends the results of steps to `values`; a step whose first operand must be a vector takes the nearest. */
function extended(values: readonly Value[], steps: readonly Step[]): Value[] {
  const all = [...values];
  for (const { op, x, y } of steps) {
    const back = (k: number): Value => all[Math.max(0, all.length - 1 - k)]!;
    const first = back(x);
    const vector = isScalar(first) ? lastVector(all) : first;
    const k = op % (VECTOR_OPS.length + SCALAR_OPS.length);
    const f = k < VECTOR_OPS.length ? VECTOR_OPS[k]! : SCALAR_OPS[k - VECTOR_OPS.length]!;
    all.push(f(vector, back(y)));
  }
  return all;
}

function run({ steps, body, length, captures, ys, exchanged, turned, after }: Plan, inputs: readonly Value[]): Value[] {
  const values = extended(inputs, steps);
  if (body.length === 0) return values;
  const captured = values[captures % values.length]!;
  const sequence = stack(Array.from({ length }, (_, t) => lastVector(values).mul(Math.cos(t))));
  const start: State = [lastVector(values), inputs[2]!, value(0.5), square(lastVector(values))];
  const step = ([h, g, s, m]: State, x: Value) => {
    const inner = extended([captured, g, s, x, h], body);
    const next = lastVector(inner);
    const scalar = inner.filter(isScalar).at(-1) ?? s;
    const plane = m.add(square(next)).tanh();
    const state: State = [exchanged ? g : next, exchanged ? next : h, scalar.tanh(), turned ? plane.transpose() : plane];
    return [state, ys ? { next, before: h, product: next.mul(x), plane, column: matmul(tall, m).sum({ axis: 0 }) } : null] as const;
  };
  const [[h, g, s, m], out] = scan(step as never, start as never, sequence as never) as unknown as [State, Record<string, Value> | null];
  const outs =
    out === null
      ? []
      : [
          out.next!.mean({ axis: 0 }),
          out.before!.slice(-1),
          out.product!.sum({ axis: 0 }).tanh(),
          out.plane!.mean({ axis: [0, 2] }),
          out.column!.sum({ axis: 0 }).div(16),
        ];
  return extended([...values, s, g, h, m.slice(1), ...outs], after);
}

const loss =
  (plan: Plan) =>
  (...inputs: Value[]): Value => {
    const values = run(plan, inputs);
    const last = values[values.length - 1]!;
    return last
      .square()
      .mean()
      .add(values[values.length >> 1]!.mean().mul(0.1));
  };

const outputs =
  (plan: Plan) =>
  (...inputs: Value[]): Value[] =>
    run(plan, inputs).slice(-6);

const step = fc.record({ op: fc.nat(), x: fc.nat({ max: 6 }), y: fc.nat({ max: 12 }) });
const plan: fc.Arbitrary<Plan> = fc.record({
  steps: fc.array(step, { minLength: 1, maxLength: 8 }),
  body: fc.oneof({ weight: 1, arbitrary: fc.constant([]) }, { weight: 4, arbitrary: fc.array(step, { minLength: 1, maxLength: 6 }) }),
  length: fc.integer({ min: 1, max: 5 }),
  captures: fc.nat({ max: 20 }),
  ys: fc.boolean(),
  exchanged: fc.boolean(),
  turned: fc.boolean(),
  after: fc.array(step, { maxLength: 4 }),
});

const START = [value([0.4, -0.7, 1.2]), value(0.6), value([-0.3, 0.9, 0.2]), value(-0.8)];
const [V0, V1, V2, V3] = randomLike(START, 5) as [Value, Value, Value, Value];
const DIRECTIONS = [V0, V1, V2, V3];
const POSITIONS = [0, 1, 2, 3];
const TOLERANCE = 1e-11;

function expectSame(what: string, got: readonly Value[], expected: readonly Value[]): void {
  const scale = Math.max(1, ...expected.flatMap((x) => Array.from<number>(x.data).map(Math.abs)));
  expect(got.map(({ shape, dtype }) => [shape, dtype])).toEqual(expected.map(({ shape, dtype }) => [shape, dtype]));
  got.forEach((x, k) =>
    Array.from<number>(x.data).forEach((e, j) => {
      const y = expected[k]!.data[j]!;
      if (!(Math.abs(e - y) <= TOLERANCE * scale)) throw new Error(`${what}, array ${k}, element ${j}: ${e} instead of ${y}`);
    }),
  );
}

describe.each(OPTION_SETS)("random programs, compiled, are what they are eagerly: $name", ({ name: _name, ...options }) => {
  const compile = <A extends readonly unknown[], R>(f: (...args: A) => R) => compiled(f, options);
  // Every pass changes the same programs; what lays them out in memory is at work in all.
  const usual = options.passes === undefined && options.wasm !== false;
  const numRuns = { numRuns: isFull ? (usual ? 300 : 40) : usual ? 15 : 3 };

  test("their values", () => {
    fc.assert(
      fc.property(plan, (p) => expectSame("outputs", compile(outputs(p))(...START), outputs(p)(...START))),
      numRuns,
    );
  });

  test("their gradients, of the compiled function and compiled, and by backward()", () => {
    fc.assert(
      fc.property(plan, (p) => {
        const f = loss(p);
        const flat =
          (g: typeof f) =>
          (...xs: Value[]) => {
            const [y, dy] = valueAndGrad(g, { argnums: POSITIONS })(...xs);
            return [y, ...dy];
          };
        const expected = flat(f)(...START);
        expectSame("of the compiled function", flat(compile(f))(...START), expected);
        expectSame("compiled", compile(flat(f))(...START), expected);
        const leaves = START.map((x) => autograd.param(x.toArray()));
        const root = compile(f)(...leaves);
        if (root.requiresGrad) root.backward();
        expectSame("by backward()", [root, ...leaves.map((leaf) => leaf.grad)], expected);
      }),
      numRuns,
    );
  });

  test("their tangents", () => {
    fc.assert(
      fc.property(plan, (p) => {
        const flat =
          (g: (...xs: Value[]) => Value[]) =>
          (...xs: Value[]) =>
            jvp<Value[], Value[]>(g, xs, DIRECTIONS).flat();
        const expected = flat(outputs(p))(...START);
        expectSame("of the compiled function", flat(compile(outputs(p)))(...START), expected);
        expectSame("compiled", compile(flat(outputs(p)))(...START), expected);
      }),
      numRuns,
    );
  });

  test("their second derivatives", () => {
    fc.assert(
      fc.property(plan, (p) => {
        const f = loss(p);
        const flat =
          (g: typeof f) =>
          (...xs: Value[]) =>
            hvp(g, xs, DIRECTIONS);
        const twice =
          (g: typeof f) =>
          (...xs: Value[]) =>
            grad(
              (...ys: Value[]) =>
                grad(g, { argnums: POSITIONS })(...ys)
                  .map((d, k) => d.mul(DIRECTIONS[k]!).sum())
                  .reduce((a, b) => a.add(b)),
              { argnums: POSITIONS },
            )(...xs);
        const expected = flat(f)(...START);
        expectSame("of the compiled function", flat(compile(f))(...START), expected);
        expectSame("compiled", compile(flat(f))(...START), expected);
        expectSame("gradients of gradients, of the compiled function", twice(compile(f))(...START), expected);
        expectSame("gradients of gradients, compiled", compile(twice(f))(...START), expected);
      }),
      { numRuns: isFull ? (usual ? 100 : 15) : usual ? 6 : 1 },
    );
  });
});
