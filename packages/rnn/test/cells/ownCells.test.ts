import { readFileSync } from "node:fs";
import { grad, type Value } from "@unroll/autograd";
import { describe, expect, it } from "vitest";
import { coupledLstm } from "../../docs/cells/coupledLstm.js";
import { layerNormLstm } from "../../docs/cells/layerNormLstm.js";
import { minimalGatedUnit } from "../../docs/cells/minimalGatedUnit.js";
import { peepholeLstm } from "../../docs/cells/peepholeLstm.js";
import { resetFirstGru } from "../../docs/cells/resetFirstGru.js";
import { type Cell, unroll } from "../../src/index.js";
import { draw } from "../draws.js";
import { differences, type Fingerprint } from "../fingerprint.js";
import file from "../references/cells.json" with { type: "json" };
import { type Runner, RUNNERS } from "../runners.js";

interface Case {
  readonly cell: string;
  readonly lengths: readonly number[];
  readonly states: number;
  readonly shapes: Readonly<Record<string, readonly number[]>>;
  readonly arrays: Readonly<Record<string, Fingerprint>>;
}

type Named = Readonly<Record<string, Value>>;

const { steps, batch, inputs, hidden } = file;
const cases = file.cases as unknown as readonly Case[];

const named = (names: readonly string[], f: (name: string) => Value): Named => Object.fromEntries(names.map((name) => [name, f(name)]));

/** A cell of one state, as one of a list of states. */
const single =
  <P>(cell: Cell<P, Value>): Cell<P, readonly Value[]> =>
  (params, [h], x) => {
    const [next, output] = cell(params, h!, x);
    return [[next], output];
  };

const cells: Readonly<Record<string, Cell<never, readonly Value[]>>> = {
  peepholeLstm: peepholeLstm as unknown as Cell<never, readonly Value[]>,
  coupledLstm: coupledLstm as unknown as Cell<never, readonly Value[]>,
  layerNormLstm: layerNormLstm as unknown as Cell<never, readonly Value[]>,
  resetFirstGru: single(resetFirstGru) as Cell<never, readonly Value[]>,
  minimalGatedUnit: single(minimalGatedUnit) as Cell<never, readonly Value[]>,
};

const stateNames = (c: Case): string[] => Array.from({ length: c.states }, (_, k) => `state ${k}`);

function arraysOf(c: Case, point: Named): Named {
  const params = named(Object.keys(c.shapes), (name) => point[name]!);
  const start = stateNames(c).map((name) => point[name]!);
  // Lengths are left out where all sequences have all steps.
  const lengths = c.lengths.every((length) => length === steps) ? undefined : c.lengths;
  const [last, outputs] = unroll(cells[c.cell]!, params as never, start, point["xs"]!, { lengths });
  return { outputs, ...Object.fromEntries(last.map((x, k) => [`final ${k}`, x])) };
}

function wrong(c: Case, { inside, outside }: Runner): string[] {
  const point: Named = {
    ...named(Object.keys(c.shapes), (name) => draw(name, c.shapes[name]!, 2)),
    xs: draw("xs", [steps, batch, inputs], 2),
    ...named(stateNames(c), (name) => draw(name, [batch, hidden])),
  };
  const loss = inside(
    (at: Named): Value =>
      Object.entries(arraysOf(c, at))
        .map(([name, x]) => x.mul(draw(`cotangent ${name}`, x.shape)).sum())
        .reduce((a, b) => a.add(b)),
  );
  const slopes = outside((at: Named): Named => grad(loss)(at))(point);
  const gradients = Object.entries(slopes).map(([name, x]): [string, Value] => [`d ${name}`, x]);
  const found = outside(inside((at: Named) => arraysOf(c, at)))(point);
  const arrays: Named = { ...found, ...Object.fromEntries(gradients) };
  return Object.entries(c.arrays).flatMap(([name, expected]) => differences(name, arrays[name]!, expected));
}

describe.each(RUNNERS)("cells written by users compute their published equations, $name: outputs, final states, gradients", (runner) => {
  it.each(cases.map((c) => [`${c.cell}, lengths ${c.lengths.join(", ")}`, c] as const))("%s", (_, c) =>
    expect(wrong(c, runner)).toEqual([]),
  );
});

describe("docs/cells.md", () => {
  const page = readFileSync(new URL("../../docs/cells.md", import.meta.url), "utf8");
  it.each(Object.keys(cells))("shows %s as it is tested", (name) =>
    expect(page).toContain(readFileSync(new URL(`../../docs/cells/${name}.ts`, import.meta.url), "utf8").trim()),
  );
});
