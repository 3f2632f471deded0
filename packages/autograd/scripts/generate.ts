/**
 * Writes the generated readers of the elementwise table (src/ops/elementwise.ts): array loops and the scalar switch.
 * Run by `pnpm generate`; the output is committed, since what ships must run under a strict Content-Security-Policy.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { Guarded, type PartialOf } from "../src/ops/algebra.js";
import { binary, choice, comparison, logical, unary } from "../src/ops/elementwise.js";
import { contribution, type Expression, expressions, name, namesIn, toJavaScript } from "../src/ops/expression.js";

interface Entry {
  readonly name: string;
  readonly doc: string;
  readonly operands: readonly string[];
  readonly forward: Expression;
  readonly partials: readonly (PartialOf<Expression, Expression> | null)[];
  readonly condition: boolean;
}

type Rule = (m: typeof expressions, ...names: Expression[]) => PartialOf<Expression, Expression>;

/** The comment over each entry of the table, by name. */
const docs = new Map(
  [...readFileSync(new URL("../src/ops/elementwise.ts", import.meta.url), "utf8").matchAll(/\/\*\* (.*)\. \*\/\n {2}(\w+): \{/g)].map(
    (m) => [m[2], m[1]] as [string, string],
  ),
);

function entry(key: string, operands: string[], source: object): Entry {
  const { forward, partials } = source as { forward: Rule; partials?: (Rule | null)[] };
  const doc = docs.get(key) ?? "";
  if (partials !== undefined && doc === "") throw new Error(`${key}: an entry of the table needs a comment that ends with a full stop`);
  const names = operands.map(name);
  return {
    name: key,
    doc,
    operands,
    forward: forward(expressions, ...names) as Expression,
    partials: (partials ?? []).map((rule) => rule?.(expressions, ...names, name("out")) ?? null),
    condition: partials === undefined,
  };
}

const entries = (table: object, operands: (key: string) => string[]): Entry[] =>
  Object.entries(table).map(([key, source]) => entry(key, operands(key), source as object));

const unaries = entries(unary, () => ["x"]);
const binaries = entries(binary, () => ["x", "y"]);
const all = [
  ...unaries,
  ...binaries,
  ...entries(comparison, () => ["x", "y"]),
  ...entries(logical, (key) => (key === "logicalNot" ? ["x"] : ["x", "y"])),
  ...entries(choice, () => ["c", "x", "y"]),
];

/** What most nodes are: worth code of its own. */
const HOT = new Set(["add", "sub", "mul"]);

const HEADER = "// Generated from ops/elementwise.ts by `pnpm generate` (scripts/generate.ts). Do not edit.\n";

/** Replaces names by the places they are read from. */
function substitute(e: Expression, places: Record<string, string>): Expression {
  if (e.kind === "name") return name(places[e.name] ?? e.name);
  if (e.kind === "const") return e;
  return { ...e, args: e.args.map((arg) => substitute(arg, places)) };
}

const substitutePartial = (p: PartialOf<Expression, Expression>, places: Record<string, string>): PartialOf<Expression, Expression> =>
  p instanceof Guarded ? new Guarded(substitute(p.condition, places), substitute(p.partial, places)) : substitute(p, places);

/** "pass": the cotangent itself; null: no derivative; else a loop. */
function isPass(p: PartialOf<Expression, Expression>): boolean {
  return !(p instanceof Guarded) && p.kind === "const" && p.value === 1;
}

// ---------------------------------------------------------------------------------------------------------- array loops

const POINTER: Record<string, string> = { c: "c", x: "x", y: "y" };

/** Two operands without gaps, the usual case: a loop with one counter takes 60 ns for 16 elements, one with three takes 85. */
function contiguous({ forward }: Entry): string {
  const body = toJavaScript(substitute(forward, { x: "x[x0 + k]!", y: "y[y0 + k]!" }));
  return `if (xs === 1 && ys === 1) { for (let k = 0; k < n; k++) out[o + k] = ${body}; return; } `;
}

function loops(e: Entry): string {
  const places: Record<string, string> = { out: "out[r + k]!" };
  for (const operand of e.operands) places[operand] = `${operand}[${POINTER[operand]}0]!`;
  const parameters = e.operands.map((o) => `${o}: A, ${o}0: number, ${o}s: number`).join(", ");
  const steps = e.operands.map((o) => `${o}0 += ${o}s`).join(", ");
  const loop = (target: string, body: string) => `for (let k = 0; k < n; k++, ${steps}) ${target} = ${body};`;
  const forward = toJavaScript(substitute(e.forward, places));
  const value = e.condition ? `${forward} ? 1 : 0` : forward;
  const partials = e.partials.map((p) => {
    if (p === null) return "null";
    if (isPass(p)) return '"pass"';
    const body = toJavaScript(contribution(name("d[e + k]!"), substitutePartial(p, places)));
    return `(n, g, o, d, e, out, r, ${parameters}) => { ${loop("g[o + k]", body)} }`;
  });
  const keeps = e.partials.map((p) => {
    if (p === null) return 0;
    const names = namesIn(p);
    return e.operands.reduce((mask, operand, k) => mask | (names.has(operand) ? 1 << k : 0), names.has("out") ? 8 : 0);
  });
  return `  ${e.name}: {
    forward: (n, out, o, ${parameters}) => { ${HOT.has(e.name) ? contiguous(e) : ""}${loop("out[o + k]", value)} },
    partials: [${partials.join(", ")}],
    keeps: [${keeps.join(", ")}],
  },`;
}

const arrayFile = `${HEADER}
import type { TypedArray } from "../dtype.js";
import { pow } from "./ieee.js";

type A = TypedArray;

/**
 * Loops over n elements. \`out\` (g, d) are contiguous from o (e, r); each operand is read from its own start with its own stride,
 * 0 where it is broadcast. A partial writes cotangent * partial; "pass" stands for a partial of 1, null for none.
 */
export interface ElementwiseKernel {
  readonly forward: Forward;
  readonly partials: readonly (PartialLoop | "pass" | null)[];
  /** What each partial reads: bit k for operand k, bit 3 for the output. */
  readonly keeps: readonly number[];
}
export type Forward = (n: number, out: A, o: number, x: A, x0: number, xs: number, y: A, y0: number, ys: number, z: A, z0: number, zs: number) => void;
export type PartialLoop = (n: number, g: A, o: number, d: A, e: number, out: A, r: number, x: A, x0: number, xs: number, y: A, y0: number, ys: number, z: A, z0: number, zs: number) => void;

export const kernels = {
${all.map(loops).join("\n")}
} satisfies Record<string, ElementwiseKernel>;
`;

// -------------------------------------------------------------------------------------------------------- scalar switch

const FIRST_CODE = 6;
const scalars = [...unaries, ...binaries];
/** Partials that call a function. */
const CALLS = /ieeePow/;
const COSTLY = /Math\.(?!abs|sign)|\?|pow/;

/** Operands for the example of an op: the first of these at which it is a number. */
const SAMPLES = [
  [1.5, 0.6],
  [0.6, 0.5],
  [-1.5, 0.6],
];

function example(e: Entry): string {
  const valueAt = (sample: readonly number[]) => evaluate(e.forward, Object.fromEntries(e.operands.map((o, k) => [o, sample[k]!])));
  const sample = SAMPLES.find((numbers) => !Number.isNaN(valueAt(numbers)));
  if (sample === undefined) throw new Error(`${e.name}: NaN at every sample; add one at which it is a number`);
  const result = valueAt(sample);
  const call = e.operands.length === 1 ? `${e.name}(${sample[0]})` : `${e.name}(${sample.join(", ")})`;
  return ` * @example\n * import { ${e.name} } from "@unroll/autograd";\n * console.log(${call}.item()); // ${result}\n`;
}

/** The value of an expression; the generator's own arithmetic, used for examples in documentation only. */
function evaluate(e: Expression, places: Record<string, number>): number {
  if (e.kind === "const") return e.value;
  if (e.kind === "name") return places[e.name] as number;
  const [x = NaN, y = NaN] = e.args.map((arg) => evaluate(arg, places));
  switch (e.fn) {
    case "neg":
      return -x;
    case "add":
      return x + y;
    case "sub":
      return x - y;
    case "mul":
      return x * y;
    case "div":
      return x / y;
    case "maximum":
      return Math.max(x, y);
    case "minimum":
      return Math.min(x, y);
    default:
      return (Math as unknown as Record<string, (x: number, y: number) => number>)[e.fn]?.(x, y) ?? NaN;
  }
}

function formulaOf(p: PartialOf<Expression, Expression> | null): string {
  if (p === null) return "none";
  return p instanceof Guarded ? `${toJavaScript(p.partial)} where ${toJavaScript(p.condition)}, else 0` : toJavaScript(p);
}

function docstring(e: Entry): string {
  const partials = e.partials.map((p, k) => `d/d${e.operands[k]} = ${formulaOf(p)}`).join("; ");
  const shapes =
    e.operands.length === 1 ? "elementwise" : "elementwise with NumPy broadcasting; throws ShapeError where shapes do not broadcast";
  return `/**\n * ${e.doc}; ${shapes}.\n * Derivative: ${partials}.\n${example(e)} */`;
}

function record(e: Entry): string {
  const code = FIRST_CODE + scalars.indexOf(e);
  const compute = withIeeePow(toJavaScript(substitute(e.forward, { x: "p", y: "q" })));
  if (e.operands.length === 1) {
    return `${docstring(e)}
export function ${e.name}(x: Operand): Value {
  const p = (x as Value)?.payload;
  return typeof p === "number" ? recorded(${code}, ${compute}, x as Value) : applyArithmetic(ops.${e.name}, x);
}`;
  }
  const signature = "(x: Operand, y: Operand): Value";
  const general = `{
  const p = (x as Value)?.payload;
  const q = typeof y === "number" ? y : (y as Value)?.payload;
  return typeof p === "number" && typeof q === "number" ? recordedBinary(${code}, ${compute}, x as Value, y as Value | number) : applyArithmetic(ops.${e.name}, x, y);
}`;
  if (!HOT.has(e.name)) return `${docstring(e)}\nexport function ${e.name}${signature} ${general}`;
  return `${docstring(e)}
export function ${e.name}${signature} {
  return ${e.name}InOpen(x, y);
}

function ${e.name}Anywhere${signature} ${general}`;
}

/** Both operands lie in the open segment: so few bytecodes that V8 builds it into its callers. */
function hotPath(e: Entry): string {
  const code = FIRST_CODE + scalars.indexOf(e);
  const compute = toJavaScript(substitute(e.forward, { x: "((x as Value).payload as number)", y: "((y as Value).payload as number)" }));
  return `function ${e.name}InOpen(x: Operand, y: Operand): Value {
    const s = o.segment;
    const i = o.n;
    if (i < o.full && (x as Value)?.home === s && (y as Value)?.home === s) {
      const r = ${compute};
      op[i] = ${code};
      a[i] = (x as Value).row;
      b[i] = (y as Value).row;
      v[i] = r;
      o.n = i + 1;
      return new Value(s, i, r);
    }
    return ${e.name}Anywhere(x, y);
  }`;
}

/** The scalar file has a function of its own of that name. */
function withIeeePow(text: string): string {
  return text.replace(/(?<![\w.])pow\(/g, "ieeePow(");
}

function sweepCase(e: Entry): string {
  const code = FIRST_CODE + scalars.indexOf(e);
  const slots = ["x", "y"];
  const places = { x: "v[x]!", y: "v[y]!", out: "v[i]!" };
  const lines = e.partials.map((p, k) => {
    if (p === null) return "";
    const body = withIeeePow(toJavaScript(contribution(name("d"), substitutePartial(p, places))));
    const add = body === "-d" ? `g[${slots[k]}]! -= d;` : `g[${slots[k]}]! += ${body};`;
    // A costly partial of a constant operand is not worth evaluating; a cheap one is cheaper than the test.
    return e.operands.length === 2 && COSTLY.test(body) ? `if (op[${slots[k]}] !== CONST) ${add}` : add;
  });
  const reach =
    e.operands.length === 1
      ? "mark[x] = 1; if (x < lo) lo = x; else if (x > hiImport) hiImport = x;"
      : "mark[x] = 1; mark[y] = 1; if (x < lo) lo = x; else if (x > hiImport) hiImport = x; if (y < lo) lo = y; else if (y > hiImport) hiImport = y;";
  const read = e.operands.length === 1 ? "const x = a[i]!;" : "const x = a[i]!; const y = b[i]!;";
  return `      case ${code}: { // ${e.name}
        ${read} ${reach}
        ${lines.filter((line) => line !== "").join("\n        ")}
        break;
      }`;
}

const scalarFile = `${HEADER}
import { pow as ieeePow } from "../ops/ieee.js";
import type { ElementwiseOp } from "../ops/op.js";
import { binary, unary } from "../ops/table.js";
import { applyArithmetic, type Operand, unrecorded } from "./apply.js";
import type { PendingSegment } from "./pass.js";
import { open, openColumns } from "./columns.js";
import { CONST, HOOKED, importOf, NODE, RELEASED, releasedError, room } from "./segments.js";
import { Value } from "./value.js";

const ops = { ...unary, ...binary };

/** The operation that a code in a segment's \`op\` column stands for, counted from FIRST_CODE. */
export const FIRST_CODE = ${FIRST_CODE};
export const scalarOps: readonly ElementwiseOp[] = Object.values(ops);

/**
 * What writes to the open segment. Constants of a function, since bundlers turn those of a module into variables, whose values V8 does not
 * build into code.
 */
export const { recorded, recordedBinary, constantRow, ${[...HOT].map((key) => `${key}InOpen`).join(", ")} } = (() => {
  const o = open;
  const { op, a, b, v } = openColumns;

  function row(code: number, x: number, y: number, r: number): Value {
    const i = o.n;
    o.n = i + 1;
    op[i] = code;
    a[i] = x;
    b[i] = y;
    v[i] = r;
    return new Value(o.segment, i, r);
  }

  function constantRow(x: number): number {
    const i = o.n;
    o.n = i + 1;
    op[i] = CONST;
    v[i] = x;
    return i;
  }

  /** Records an operation on one scalar, whose result is r. */
  function recorded(code: number, r: number, x: Value): Value {
    if (o.n < o.full && x.home === o.segment) return row(code, x.row, x.row, r);
    if (x.origin === null || (o.n >= o.full && !room())) return unrecorded(scalarOps[code - FIRST_CODE]!, r, x);
    const k = x.home === o.segment ? x.row : importOf(x);
    return row(code, k, k, r);
  }

  /** Records an operation on two scalars, whose result is r. */
  function recordedBinary(code: number, r: number, x: Value, y: Value | number): Value {
    if (typeof y === "number" && o.n < o.full && x.home === o.segment) return row(code, x.row, constantRow(y), r);
    if ((x.origin === null && (typeof y === "number" || y.origin === null)) || (o.n >= o.full && !room())) return unrecorded(scalarOps[code - FIRST_CODE]!, r, x, y);
    const j = x.home === o.segment ? x.row : importOf(x);
    const k = typeof y === "number" ? constantRow(y) : y.home === o.segment ? y.row : importOf(y);
    return row(code, j, k, r);
  }

  ${binaries
    .filter((e) => HOT.has(e.name))
    .map(hotPath)
    .join("\n\n  ")}

  return { recorded, recordedBinary, constantRow, ${[...HOT].map((key) => `${key}InOpen`).join(", ")} };
})();

${scalars.map(record).join("\n\n")}

/** The function above for each operation that has one. */
export const scalarFunctions: ReadonlyMap<ElementwiseOp, (x: Value, y: Value) => Value> = new Map(
  [${scalars.map((e) => e.name).join(", ")}].map((f, k) => [scalarOps[k]!, f]),
);

/** What a sweep does at the nodes that are not arithmetic. */
export interface SweepEvents<D, A> {
  /** An array node was reached through its import at place i; gives the place at which the sweep must stop so that it can run. */
  node(p: PendingSegment<A>, i: number, d: D): number;
  /** A hook is set at place i; it restores the code there, and the node is visited again. */
  hook(p: PendingSegment<A>, i: number, d: D): void;
}

/**
 * Back-propagates through one segment from \`p.hi\` down to \`p.lo\`, the lowest place touched so far, or to \`p.limit\`. Adjoints are
 * cleared as they are visited; marks stay, and tell at commit what was visited.
 */
export function sweep(p: PendingSegment<Float64Array>, events: SweepEvents<number, Float64Array>): void {
  const g = p.adjoint;
  const mark = p.mark;
  let lo = p.lo;
  let hiImport = p.hiImport;
  let limit = p.limit;
  let visited = 0;
  let i = p.hi;
  for (;;) {
    // Read anew after each event: what a hook records may seal the segment, which then has other columns.
    const { op, a, b, v } = p.core;
    let d = 0;
    let code = 0;
    // No case in here calls a function, so that V8 reads the addresses of the columns once.
    arithmetic: for (; i >= limit; i--) {
      if (mark[i] === 0) {
        if (i < lo) break;
        continue;
      }
      d = g[i]!;
      code = op[i]!;
      switch (code) {
        case CONST:
          break;
${scalars
  .filter((e) => !CALLS.test(sweepCase(e)))
  .map(sweepCase)
  .join("\n")}
        default:
          break arithmetic;
      }
      g[i] = 0;
      visited++;
    }
    if (i < limit || mark[i] === 0) break;
    g[i] = 0;
    visited++;
    switch (code) {
      case NODE: {
        const stop = events.node(p, i, d);
        if (stop > limit) limit = stop;
        break;
      }
      case HOOKED:
        events.hook(p, i, d);
        visited--;
        i++;
        break;
      case RELEASED:
        releasedError();
        break;
${scalars
  .filter((e) => CALLS.test(sweepCase(e)))
  .map(sweepCase)
  .join("\n")}
    }
    i--;
  }
  p.hi = i;
  p.lo = lo;
  p.hiImport = hiImport;
  p.visited += visited;
}
`;

writeFileSync(new URL("../src/ops/elementwise.generated.ts", import.meta.url), arrayFile);
writeFileSync(new URL("../src/tape/scalar.generated.ts", import.meta.url), scalarFile);
