import { setFlagsFromString } from "node:v8";
import { describe, expect, it } from "vitest";
import { planProduct, type ProductFunction, type ProductMode, productsModule } from "../../src/wasm/products.js";
import { randomFrom, sampled } from "../matrix/sampling.js";

type Exports = Record<string, (...args: number[]) => void>;

/** Of the WebAssembly interface what is used here; Node's types leave it out. */
interface WebAssemblyInterface {
  Memory: new (size: { readonly initial: number }) => { readonly buffer: ArrayBuffer };
  Module: new (bytes: Uint8Array<ArrayBuffer>) => object;
  Instance: new (module: object, imports: object) => { readonly exports: Exports };
  validate(bytes: Uint8Array<ArrayBuffer>): boolean;
}

const { WebAssembly } = globalThis as unknown as { readonly WebAssembly: WebAssemblyInterface };

const MODES: readonly ProductMode[] = (["float32", "float64"] as const).flatMap((dtype) => [
  { dtype, simd: false, relaxedMadd: false },
  { dtype, simd: true, relaxedMadd: false },
  { dtype, simd: true, relaxedMadd: true },
]);

/** Node 20 has the relaxed instructions behind a flag. */
function hasRelaxedMadd(): boolean {
  const validates = () => WebAssembly.validate(productsModule({ dtype: "float32", simd: true, relaxedMadd: true }, "Packed"));
  if (validates()) return true;
  if (!process.version.startsWith("v20.")) return false;
  setFlagsFromString("--experimental-wasm-relaxed-simd");
  return validates();
}

const modes = MODES.filter(({ relaxedMadd }) => !relaxedMadd || hasRelaxedMadd());

type Elements = Float32Array | Float64Array;

interface Machine {
  readonly mode: ProductMode;
  readonly exports: Exports;
  readonly elements: Elements;
}

const MEMORY_PAGES = 100;

function machineOf(mode: ProductMode): Machine {
  const memory = new WebAssembly.Memory({ initial: MEMORY_PAGES });
  const exportsOf = (formOfB: "Packed" | "InPlace") =>
    new WebAssembly.Instance(new WebAssembly.Module(productsModule(mode, formOfB)), { env: { memory } }).exports;
  return {
    mode,
    exports: { ...exportsOf("InPlace"), ...exportsOf("Packed") },
    elements: new (mode.dtype === "float32" ? Float32Array : Float64Array)(memory.buffer),
  };
}

interface Case {
  readonly rows: number;
  readonly columns: number;
  readonly inner: number;
  readonly transposeA: boolean;
  readonly transposeB: boolean;
  readonly accumulate: boolean;
}

/** Lengths around the tiles of 4 rows, panels of 2 to 8 columns, groups of panels, and blocks of 64 rows and 512 of the inner axis. */
const ROWS = [1, 2, 3, 4, 5, 7, 8, 31, 33, 64, 67, 130];
const COLUMNS = [1, 2, 3, 4, 5, 7, 8, 9, 16, 31, 32, 33, 40];
const INNER = [0, 1, 2, 3, 4, 5, 7, 33, 512, 1031];
const BOOLEANS = [false, true];

/** What is long in all directions takes the reference too long. */
const MOST_TERMS = 2 ** 18;

const CASES: readonly Case[] = ROWS.flatMap((rows) =>
  COLUMNS.flatMap((columns) =>
    INNER.flatMap((inner) =>
      BOOLEANS.flatMap((transposeA) =>
        BOOLEANS.flatMap((transposeB) => BOOLEANS.map((accumulate) => ({ rows, columns, inner, transposeA, transposeB, accumulate }))),
      ),
    ),
  ),
).filter(({ rows, columns, inner }) => rows * columns * inner <= MOST_TERMS);

/** A matrix in memory: element (i, j) at start + i * down + j * right, in elements. */
interface Matrix {
  readonly start: number;
  readonly ld: number;
  readonly down: number;
  readonly right: number;
}

const GUARD = 7;

/** A problem laid out in memory, so that its last operand ends where the memory does. */
interface Layout {
  readonly a: Matrix;
  readonly b: Matrix;
  readonly c: Matrix;
  readonly packed: number;
  readonly scratch: number;
  /** Where the first part begins: from here on, what is no part holds guards. */
  readonly start: number;
}

/** Parts of memory in an order, `gap` guards before each of them. */
function place(end: number, lengths: Readonly<Record<string, number>>, order: readonly string[], gap: number): Record<string, number> {
  const starts: Record<string, number> = {};
  let at = end;
  for (const name of [...order].reverse()) {
    at -= lengths[name]!;
    starts[name] = at;
    at -= gap;
  }
  return { ...starts, start: at };
}

const ORDERS = [
  ["packed", "scratch", "c", "a", "b"],
  ["packed", "scratch", "b", "c", "a"],
  ["a", "packed", "scratch", "b", "c"],
  ["c", "a", "b", "packed", "scratch"],
];

const WIDER = { a: 3, b: 5, c: 2 };

function layOut({ elements }: Machine, x: Case, packed: number, scratch: number, order: readonly string[]): Layout {
  const matrix = (name: keyof typeof WIDER, rows: number, columns: number, transposed: boolean) => {
    const [height, width] = transposed ? [columns, rows] : [rows, columns];
    const ld = width + WIDER[name];
    // The last row ends with its last element.
    return { ld, length: height === 0 ? 0 : (height - 1) * ld + width, down: transposed ? 1 : ld, right: transposed ? ld : 1 };
  };
  const [a, b, c] = [
    matrix("a", x.rows, x.inner, x.transposeA),
    matrix("b", x.inner, x.columns, x.transposeB),
    matrix("c", x.rows, x.columns, false),
  ];
  const lengths = { a: a.length, b: b.length, c: c.length, packed, scratch };
  const starts = place(elements.length, lengths, order, 9) as Record<keyof typeof lengths | "start", number>;
  return {
    a: { ...a, start: starts.a },
    b: { ...b, start: starts.b },
    c: { ...c, start: starts.c },
    packed: starts.packed,
    scratch: starts.scratch,
    start: starts.start,
  };
}

function forEachElement({ start, down, right }: Matrix, rows: number, columns: number, body: (at: number, i: number, j: number) => void) {
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) body(start + i * down + j * right, i, j);
}

interface Run {
  readonly product: ProductFunction;
  readonly pack: "packB" | "packBTransposed" | null;
  readonly packedLength: number;
  readonly scratchLength: number;
}

/** Every function that can compute the product, the planned ones with no more memory than planned. */
function runsOf(mode: ProductMode, x: Case): Run[] {
  const size = mode.dtype === "float32" ? 4 : 8;
  const lengthsOf = (plan: ReturnType<typeof planProduct>): Run => ({
    product: plan.product,
    pack: plan.pack,
    packedLength: plan.packedBytes / size,
    scratchLength: plan.scratchBytes / size,
  });
  const planned = BOOLEANS.map((reusedB) => lengthsOf(planProduct({ ...mode, ...x, reusedB })));
  const most = planProduct({ ...mode, ...x, rows: 64, inner: 512, transposeA: true, reusedB: true });
  const { packedBytes } = planProduct({ ...mode, ...x, reusedB: true });
  const forms = x.transposeA ? (["Transposed"] as const) : (["Rows", "Blocks"] as const);
  const all = forms.flatMap((a) =>
    (x.transposeB ? (["Packed"] as const) : (["Packed", "InPlace"] as const)).map((b): Run => {
      const pack = b === "InPlace" ? null : x.transposeB ? "packBTransposed" : "packB";
      return { product: `product${a}${b}`, pack, packedLength: packedBytes / size, scratchLength: most.scratchBytes / size };
    }),
  );
  return [...planned, ...all];
}

/** Fills the memory, multiplies, and gives C; throws where a guard has changed. */
function multiply(machine: Machine, x: Case, run: Run, values: Elements, order: readonly string[]): Elements {
  const { elements, exports } = machine;
  const layout = layOut(machine, x, run.packedLength, run.scratchLength, order);
  const { a, b, c, packed, scratch } = layout;
  prepare(machine, x, run, values, layout);
  const before = elements.slice(layout.start);
  const address = (at: number) => at * elements.BYTES_PER_ELEMENT;
  if (run.pack !== null) exports[run.pack]!(address(b.start), b.ld, x.inner, x.columns, address(packed));
  const right = address(run.pack === null ? b.start : packed);
  const sizes = [x.rows, x.columns, x.inner];
  const operands = [address(a.start), a.ld, right, b.ld, address(c.start), c.ld];
  exports[run.product]!(...sizes, ...operands, Number(x.accumulate), address(scratch));
  const out = elements.slice(0, x.rows * x.columns);
  forEachElement(c, x.rows, x.columns, (at, i, j) => {
    out[i * x.columns + j] = elements[at]!;
    before[at - layout.start] = elements[at]!;
  });
  for (const [start, length] of [
    [packed, run.packedLength],
    [scratch, run.scratchLength],
  ] as const)
    before.set(elements.subarray(start, start + length), start - layout.start);
  if (!sameBits(before, elements.subarray(layout.start))) throw new Error(`${run.product} writes outside of C`);
  return out;
}

function sameBits(x: Elements, y: Elements): boolean {
  return Buffer.from(x.buffer, x.byteOffset, x.byteLength).equals(Buffer.from(y.buffer, y.byteOffset, y.byteLength));
}

/** NaN wherever nothing may be read, guards where nothing may be written; then the matrices, out of `values`: A, B, and C row by row. */
function prepare({ elements }: Machine, x: Case, run: Run, values: Elements, { a, b, c, packed, scratch, start }: Layout): void {
  elements.fill(GUARD, start);
  const lastOf = (m: Matrix, rows: number, columns: number) => m.start + (rows - 1) * m.down + (columns - 1) * m.right + 1;
  if (x.inner > 0) {
    elements.fill(NaN, a.start, lastOf(a, x.rows, x.inner));
    elements.fill(NaN, b.start, lastOf(b, x.inner, x.columns));
  }
  elements.fill(NaN, packed, packed + run.packedLength);
  elements.fill(NaN, scratch, scratch + run.scratchLength);
  const { inB, inC } = placesOf(x);
  forEachElement(a, x.rows, x.inner, (at, i, k) => (elements[at] = values[i * x.inner + k]!));
  forEachElement(b, x.inner, x.columns, (at, k, j) => (elements[at] = values[inB + k * x.columns + j]!));
  forEachElement(c, x.rows, x.columns, (at, i, j) => (elements[at] = values[inC + i * x.columns + j]!));
}

function placesOf({ rows, columns, inner }: Case): { readonly inB: number; readonly inC: number; readonly length: number } {
  const inB = rows * inner;
  const inC = inB + inner * columns;
  return { inB, inC, length: inC + rows * columns };
}

interface Expected {
  /** In float64, and the sum of the absolute terms. */
  readonly sums: Float64Array;
  readonly sizes: Float64Array;
  /** In the arithmetic of the mode without fused multiply-add: each product and each sum rounded, k from first to last. */
  readonly rounded: Elements;
}

function expectedOf({ dtype }: ProductMode, x: Case, values: Elements): Expected {
  const { inB, inC } = placesOf(x);
  const round = dtype === "float32" ? Math.fround : (y: number) => y;
  const count = x.rows * x.columns;
  const [sums, sizes, rounded] = [new Float64Array(count), new Float64Array(count), values.slice(inC)];
  for (let i = 0; i < x.rows; i++) {
    for (let j = 0; j < x.columns; j++) {
      const at = i * x.columns + j;
      let sum = x.accumulate ? values[inC + at]! : 0;
      let [size, inOrder] = [Math.abs(sum), sum];
      for (let k = 0; k < x.inner; k++) {
        const term = values[i * x.inner + k]! * values[inB + k * x.columns + j]!;
        sum += term;
        size += Math.abs(term);
        inOrder = round(inOrder + round(term));
      }
      sums[at] = sum;
      sizes[at] = size;
      rounded[at] = inOrder;
    }
  }
  return { sums, sizes, rounded };
}

function valuesOf({ dtype }: ProductMode, x: Case, random: () => number): Elements {
  const values = new (dtype === "float32" ? Float32Array : Float64Array)(placesOf(x).length);
  return values.map(() => 2 * random() - 1);
}

/** What is wrong with the product, of every function that can compute it. */
function wrongProducts(machine: Machine, x: Case, seed: number): string[] {
  const { mode } = machine;
  const values = valuesOf(mode, x, randomFrom(seed));
  const { sums, sizes, rounded } = expectedOf(mode, x, values);
  const tolerance = (x.inner + 4) * (mode.dtype === "float32" ? 2 ** -24 : 2 ** -53);
  let first: Elements | null = null;
  return runsOf(mode, x).flatMap((run) => {
    const out = multiply(machine, x, run, values, ORDERS[seed % ORDERS.length]!);
    const same = mode.relaxedMadd ? (first ??= out) : rounded;
    const far = out.findIndex((y, at) => !(Math.abs(y - sums[at]!) <= tolerance * sizes[at]!));
    const other = out.findIndex((y, at) => y !== same[at]);
    const name = `${run.product} ${JSON.stringify(x)}`;
    if (far >= 0) return `${name}: element ${far} is ${out[far]}, not ${sums[far]}`;
    return other < 0 ? [] : `${name}: element ${other} is ${out[other]}, of other bits than ${same[other]}`;
  });
}

const nameOf = ({ dtype, simd, relaxedMadd }: ProductMode) =>
  `${dtype}, ${simd ? "vectors" : "one lane"}${relaxedMadd ? ", fused multiply-add" : ""}`;

const namedModes = modes.map((mode) => ({ name: nameOf(mode), mode }));

describe("matrix products in linear memory", () => {
  it.each(namedModes)("$name: every size, transposition and stride, in every function that can, to the same bits", ({ mode }) => {
    const machine = machineOf(mode);
    const cases = CASES.map((x, seed) => ({ x, seed }));
    const chosen = sampled(cases, 200, ({ x }) => `${x.rows} ${x.columns}`);
    expect(chosen.flatMap(({ x, seed }) => wrongProducts(machine, x, seed))).toEqual([]);
  });

  it.each(namedModes)("$name: a sum in two pieces has the bits of the whole", ({ mode }) => {
    const machine = machineOf(mode);
    const whole: Case = { rows: 7, columns: 13, inner: 700, transposeA: false, transposeB: false, accumulate: false };
    const values = valuesOf(mode, whole, randomFrom(3));
    const [run] = runsOf(mode, whole) as [Run];
    const expected = multiply(machine, whole, run, values, ORDERS[0]!);
    const { inB } = placesOf(whole);
    const piece = (from: number, to: number, c: Elements, accumulate: boolean) => {
      const x = { ...whole, inner: to - from, accumulate };
      const part = valuesOf(mode, x, () => 0);
      for (let i = 0; i < x.rows; i++) part.set(values.subarray(i * whole.inner + from, i * whole.inner + to), i * x.inner);
      part.set(values.subarray(inB + from * x.columns, inB + to * x.columns), placesOf(x).inB);
      part.set(c, placesOf(x).inC);
      return multiply(machine, x, run, part, ORDERS[0]!);
    };
    const half = piece(0, 301, values.subarray(placesOf(whole).inC), false);
    expect(sameBits(piece(301, 700, half, true), expected)).toBe(true);
  });

  it.each(namedModes)("$name: 0 times NaN and 0 times Infinity are NaN, in their row and column alone", ({ mode }) => {
    const machine = machineOf(mode);
    for (const [rows, columns] of [
      [1, 9],
      [2, 33],
      [6, 5],
      [7, 19],
    ] as const) {
      const x: Case = { rows, columns, inner: 6, transposeA: false, transposeB: false, accumulate: false };
      const values = valuesOf(mode, x, () => 0.5);
      values[(rows - 1) * x.inner + 2] = NaN;
      values[placesOf(x).inB + 4 * columns + columns - 1] = Infinity;
      for (const run of runsOf(mode, x)) {
        const out = multiply(machine, x, run, values, ORDERS[1]!);
        forEachElement({ start: 0, ld: columns, down: columns, right: 1 }, rows, columns, (at, i, j) =>
          expect([i, j, Number.isNaN(out[at])]).toEqual([i, j, i === rows - 1 || j === columns - 1]),
        );
      }
    }
  });
});

describe("plans of products", () => {
  const sizes = { rows: 32, columns: 512, inner: 128, transposeA: false, transposeB: false, reusedB: false };
  const mode: ProductMode = { dtype: "float32", simd: true, relaxedMadd: false };
  const planOf = (change: Partial<typeof sizes>) => {
    const { pack, product } = planProduct({ ...mode, ...sizes, ...change });
    return [pack, product];
  };

  it.each([
    { what: "a recurrence: B packed once", change: { transposeB: true, reusedB: true }, plan: ["packBTransposed", "productBlocksPacked"] },
    { what: "one row, B read once", change: { rows: 1 }, plan: [null, "productRowsInPlace"] },
    { what: "one row, B reused", change: { rows: 1, reusedB: true }, plan: ["packB", "productRowsPacked"] },
    { what: "B that stands transposed is packed", change: { rows: 1, transposeB: true }, plan: ["packBTransposed", "productRowsPacked"] },
    { what: "few columns: A in place", change: { columns: 3 }, plan: ["packB", "productRowsPacked"] },
    {
      what: "a gradient of weights: both packed",
      change: { rows: 2048, inner: 4096, transposeA: true },
      plan: ["packB", "productTransposedPacked"],
    },
  ])("$what", ({ change, plan }) => {
    expect(planOf(change)).toEqual(plan);
  });

  it("pack whole panels", () => {
    expect(planProduct({ ...mode, ...sizes, columns: 9, inner: 10, reusedB: true }).packedBytes).toBe(16 * 10 * 4);
    expect(planProduct({ ...mode, ...sizes, dtype: "float64", columns: 9, inner: 10, reusedB: true }).packedBytes).toBe(12 * 10 * 8);
    expect(planProduct({ ...mode, ...sizes, rows: 1 }).packedBytes).toBe(0);
  });
});
