import { describe, expect, it } from "vitest";
import { type Value, value } from "../../src/index.js";
import { elementwise, type Function_, sampleOf } from "../matrix/calls.js";
import { MAPS } from "../matrix/maps.js";
import { POINTS, type Point, SMOOTH } from "../matrix/points.js";
import { structuralCases } from "../matrix/references.js";
import type { Runner } from "../matrix/runners.js";
import { isFull, sampled } from "../matrix/sampling.js";
import { single, wrongAgainstEager } from "./agreement.js";
import { both, RUNNERS } from "./compiledRun.js";

const DTYPES: readonly (readonly [string, (x: Value) => Value])[] = [
  ["float64", (x) => x],
  ["float32", single],
];

const listed =
  (f: Function_) =>
  (...xs: Value[]) => [f(...xs)];
const vector = value([0.4, -1.2, 1.7]);

/**
 * Every operation in a full run. By default each meets the derivative of a compiled function in one dtype, the compiled derivative in the
 * other, and every eighth one where both are compiled.
 */
function dueWith(runner: Runner, dtype: string): (names: readonly string[]) => string[] {
  const turn = (RUNNERS.indexOf(runner) + Number(dtype === "float32")) % 2;
  return (names) => names.filter((_, k) => isFull || (runner === both ? k % 8 === 0 : k % 2 === turn));
}

const namesOf = (cases: readonly { readonly op: string }[]): string[] => [...new Set(cases.map(({ op }) => op))];

describe.each(RUNNERS)("$name agree with eager ones", (runner) => {
  const every = runner === both ? 40 : 14;

  describe.each(DTYPES)("in %s", (dtype, cast) => {
    const due = dueWith(runner, dtype);
    const some = <C extends { readonly op: string }>(cases: readonly C[]): C[] => {
      const names = new Set(due(namesOf(cases)));
      return sampled(
        cases.filter(({ op }) => names.has(op)),
        every,
        ({ op }) => op,
      );
    };
    // In float32, and where both are compiled, the first order: the second is that of float64 and of the others.
    const orders = isFull || (runner !== both && dtype === "float64") ? 2 : 1;

    it.each(due(namesOf(POINTS)))("%s of arrays", (op) => {
      const rows = POINTS.filter((p) => p.op === op);
      const operands = (rows[0] as Point).x.map((_, k) => cast(value(rows.map(({ x }) => x[k] as number))));
      expect(wrongAgainstEager(listed(elementwise[op] as Function_), operands, runner, orders)).toEqual([]);
    });

    it("where of arrays", () => {
      const condition = value([1, 0, 1], { dtype: "bool" });
      const f = (x: Value, y: Value) => [elementwise["where"]!(condition, x.mul(y), y.square().mul(x))];
      expect(wrongAgainstEager(f, [cast(vector), cast(value([1.4, 0.3, -0.6]))], runner)).toEqual([]);
    });

    it.each(due(Object.keys(MAPS)))("%s", (name) => {
      expect(wrongAgainstEager(listed(MAPS[name]!), [cast(vector)], runner, orders)).toEqual([]);
    });

    it.each(some(SMOOTH))("$name, up to order 2", ({ call, operands }) => {
      expect(wrongAgainstEager(call, operands.map(cast), runner, orders)).toEqual([]);
    });

    it.each(some(structuralCases))("$name, with ties and infinities", (reference) => {
      const { call, operands } = sampleOf(reference);
      expect(wrongAgainstEager(call, operands.map(cast), runner, 1)).toEqual([]);
    });
  });

  it.each(sampled(POINTS, every, ({ op }) => op))("$op of scalars, at $x", ({ op, x }) => {
    expect(
      wrongAgainstEager(
        listed(elementwise[op] as Function_),
        x.map((e) => value(e)),
        runner,
      ),
    ).toEqual([]);
  });

  it.each(namesOf(POINTS).filter((op) => POINTS.some((p) => p.op === op && p.x.length === 2)))("%s of an array and a scalar", (op) => {
    const f = listed(elementwise[op] as Function_);
    const positive = value([0.4, 1.2, 1.7]);
    expect(wrongAgainstEager(f, [positive, value(0.7)], runner)).toEqual([]);
    expect(wrongAgainstEager(f, [value(0.7), single(positive)], runner)).toEqual([]);
  });
});
