import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { grad, jvp, type Param, param, type Value, value, vjp } from "../../src/index.js";

/** One operation of a random graph: which, and how far back its operands lie. */
interface Step {
  readonly op: number;
  readonly x: number;
  readonly y: number;
}

const SCALAR_OPS: ((x: Value, y: Value) => Value)[] = [
  (x, y) => x.add(y),
  (x, y) => x.sub(y.mul(0.5)),
  (x, y) => x.mul(y).tanh(),
  (x, y) => x.div(y.square().add(1)),
  (x, y) => x.sigmoid().mul(y),
  (x, y) => x.abs().add(0.1).pow(1.5).mul(0.3).add(y.sin()),
  (x, y) => x.maximum(y),
  (x) => x.relu().sub(0.2),
  // Through arrays and back: these nodes lie between the scalar ones.
  (x, y) => value([1, 2, 3]).mul(x).tanh().mul(y).mean(),
  (x, y) =>
    value([[1, 2]])
      .mul(x)
      .matmul([[0.3], [0.1]])
      .sum()
      .sub(y.cos()),
];

/** The root of a graph of steps over some inputs; every value is bounded, so that nothing overflows. */
function build(steps: readonly Step[], inputs: readonly Value[]): { root: Value; unreached: Value } {
  const values: Value[] = [...inputs];
  for (const { op, x, y } of steps) {
    const pick = (back: number): Value => values[Math.max(0, values.length - 1 - back)] as Value;
    values.push((SCALAR_OPS[op % SCALAR_OPS.length] as (typeof SCALAR_OPS)[number])(pick(x), pick(y)));
  }
  const last = values[values.length - 1] as Value;
  return { root: last.tanh().add((values[values.length >> 1] as Value).mul(0.1)), unreached: last.mul(3).square() };
}

const steps = fc.array(fc.record({ op: fc.nat(), x: fc.nat({ max: 12 }), y: fc.nat({ max: 40 }) }), { minLength: 1, maxLength: 60 });
const START = [0.4, -0.7, 1.2];

describe("random graphs, one after the other in one process", () => {
  const held: { branch: Value; leaves: Param[] }[] = [];

  test("all passes agree, whatever graphs, unreached branches and throws came before", () => {
    let round = 0;
    fc.assert(
      fc.property(steps, (graph) => {
        round++;
        // Every now and then a large graph, so that segments roll, are recycled and compacted in the middle of things.
        const repeated = round % 10 === 0 ? Array.from({ length: 150 }, () => graph).flat() : graph;
        const f = (...inputs: Value[]): Value => build(repeated, inputs).root;
        const leaves = START.map((x) => param(x));
        const { root, unreached } = build(repeated, leaves);
        if (round % 7 === 0) {
          const remove = root.registerHook(() => {
            throw new RangeError("on purpose");
          });
          expect(() => root.backward()).toThrow(RangeError);
          remove();
        }
        root.backward({ createGraph: true });
        const recorded = leaves.map((leaf) => leaf.grad);
        for (const leaf of leaves) leaf.clearGrad();
        root.backward({ retainGraph: round % 3 !== 0 });
        const numeric = leaves.map((leaf) => leaf.grad.item());
        const scale = Math.max(1, ...numeric.map(Math.abs));
        const agree = (name: string, found: readonly number[]): void =>
          found.forEach((g, k) => {
            if (Math.abs(g - (numeric[k] as number)) > 1e-9 * scale) throw new Error(`${name}, input ${k}: ${g} instead of ${numeric[k]}`);
          });
        agree(
          "createGraph",
          recorded.map((g) => g.item()),
        );
        agree(
          "grad",
          grad(f, { argnums: [0, 1, 2] })(...START.map((x) => value(x))).map((g) => g.item()),
        );
        agree(
          "vjp",
          vjp(f, ...START)[1](1).map((g) => g.item()),
        );
        if (repeated.length < 500)
          agree(
            "jvp",
            START.map((_, k) =>
              jvp(
                f,
                START,
                START.map((__, j) => Number(j === k)),
              )[1].item(),
            ),
          );
        if (round % 5 === 0) held.push({ branch: unreached, leaves });
      }),
    );
  });

  test("unreached branches that were held all the time still give their gradient, or say why not", () => {
    let given = 0;
    for (const { branch, leaves } of held) {
      for (const leaf of leaves) leaf.clearGrad();
      try {
        branch.backward();
        given++;
        expect(leaves.every((leaf) => Number.isFinite(leaf.grad.item()))).toBe(true);
      } catch (error) {
        expect(String(error)).toMatch(/retainGraph/);
        expect(leaves.some((leaf) => leaf.hasGrad)).toBe(false);
      }
    }
    expect(held.length === 0 || given > 0).toBe(true);
  });
});
