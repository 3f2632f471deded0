import { beforeAll, describe, expect, test } from "vitest";
import wabt from "wabt";
import { ArrayType, NdArray, toNdArray } from "../../src/ops/array.js";
import type { Arithmetic } from "../../src/ops/algebra.js";
import * as entries from "../../src/ops/elementwise.js";
import { runElementwise } from "../../src/ops/raw.js";
import { elementwise as operations } from "../../src/ops/table.js";
import { FunctionBuilder, ModuleBuilder } from "../../src/wasm/assembler.js";
import { ConstantPool, constants, CONSTANTS_END, CONSTANTS_START, splat } from "../../src/wasm/constants.js";
import { detectFeatures } from "../../src/wasm/features.js";
import type { LaneType } from "../../src/wasm/lanes.js";
import { VectorArithmetic } from "../../src/wasm/vectorArithmetic.js";
import { isFull, randomFrom } from "../matrix/sampling.js";
import { emitterOf, float32Points, float64References, NAMES, TOLERANCE, worstError, worstOf } from "./accuracy.js";
import { disassemble } from "./disassemble.js";
import { elementwise, elementwiseModule, type Emit, type Form, instantiate, scalar, vector } from "./kernels.js";

const SEED = 20_261_126;
const COUNT = isFull ? 4_000_000 : 100_000;
const DTYPES = ["float32", "float64"] as const;
const { simd, relaxedMadd } = detectFeatures();

/** Every form that this process can run. */
const FORMS: readonly Form[] = DTYPES.flatMap((dtype) => [
  scalar(dtype),
  ...(simd ? [vector(dtype)] : []),
  ...(relaxedMadd ? [vector(dtype, true)] : []),
]);
const title = ({ dtype, lanes, relaxedMadd }: Form) => `${dtype}, lanes ${lanes}${relaxedMadd ? ", relaxed" : ""}`;

describe("polynomials are accurate, in every form", () => {
  for (const form of FORMS)
    test.each(NAMES)(`%s (${title(form)})`, (name) => {
      const worst = worstError(name, form, COUNT, SEED);
      expect(worst.error, `at ${worst.x}: ${worst.got}, exact ${worst.exact}`).toBeLessThanOrEqual(TOLERANCE[form.dtype]);
    });

  test("the measure of errors sees an error", () => {
    expect(worstOf("float32", [0], [1 + 2 ** -23], () => 1).error).toBe(1);
    expect(worstOf("float32", [0], [0], () => 2 ** -149).error).toBe(1);
    expect(worstOf("float32", [0], [Infinity], () => 2 ** 128 - 2 ** 104).error).toBe(1);
    expect(worstOf("float32", [0], [-0], () => 0).error).toBe(Infinity);
    expect(worstOf("float64", [0], [NaN], () => 1).error).toBe(Infinity);
    expect(worstOf("float64", [0], [1 + 2 ** -49], () => 1).error).toBe(2 ** -49);
  });

  test.each(FORMS.map((form) => [title(form), form] as const))("sin and cos never leave [-1, 1] (%s)", (_title, form) => {
    const xs = Float64Array.from({ length: 20_000 }, (_, k) => (k % 200) * (Math.PI / 2) + (k - 10_000) * 1e-8);
    for (const name of ["sin", "cos"] as const) expect(elementwise(form, 1, emitterOf(name))(xs).every((y) => Math.abs(y) <= 1)).toBe(true);
  });
});

describe.runIf(simd)("an element has the same bits in a vector and in a scalar", () => {
  const sampleOf = (name: (typeof NAMES)[number], dtype: LaneType) => {
    const points = float32Points(name, COUNT / 4, SEED + 1);
    if (dtype === "float32") return points;
    const random = randomFrom(SEED);
    // Numbers that fill all 53 bits, beside the hard ones.
    return Float64Array.from([...float64References()[name].x, ...Array.from(points, (x) => x * (1 + random() * 2 ** -23))]);
  };

  for (const dtype of DTYPES)
    test.each(NAMES)(`%s (${dtype})`, (name) => {
      const xs = sampleOf(name, dtype);
      const [wide, narrow] = [vector(dtype), scalar(dtype)].map((form) => elementwise(form, 1, emitterOf(name))(xs));
      expect(xs.findIndex((_, k) => !Object.is(wide![k], narrow![k]))).toBe(-1);
    });
});

test.each(FORMS.filter(({ dtype }) => dtype === "float64").map((form) => [title(form), form] as const))(
  "toInteger gives what an int32 array would hold (%s)",
  (_title, form) => {
    const random = randomFrom(SEED);
    const hard = [
      0,
      0.5,
      1,
      1.9,
      2 ** 31 - 1,
      2 ** 31 - 0.5,
      2 ** 31,
      2 ** 32 - 1,
      2 ** 32,
      2 ** 53 - 1,
      2 ** 63,
      2 ** 83,
      2 ** 84,
      1e308,
      5e-324,
    ];
    const large = Array.from({ length: 20_000 }, () => (random() - 0.5) * 2 ** Math.floor(random() * 90));
    const xs = Float64Array.from([...hard.flatMap((x) => [x, -x]), ...large]);
    const got = elementwise(form, 1, (m, [x]) => m.toInteger(x!))(xs);
    expect(xs.findIndex((x, k) => !Object.is(got[k], x | 0))).toBe(-1);
  },
);

describe("operations that round once give the engine's bits", () => {
  const special = [0, -0, 1, -1, 0.5, -2, 3, Infinity, -Infinity, NaN, 2 ** -149, -(2 ** -130), 5e-324, 2 ** 127, -1e38, 1 / 3, 1e10];
  const random = randomFrom(SEED);
  const some = Array.from({ length: 200 }, () => (random() - 0.5) * 2 ** Math.floor(random() * 40 - 20));
  const pairs = [...special.flatMap((x) => special.map((y) => [x, y] as const)), ...some.map((x, k) => [x, some.at(-k)!] as const)];
  const EXACT = [
    "identity",
    "neg",
    "sqrt",
    "square",
    "abs",
    "sign",
    "reciprocal",
    "relu",
    "add",
    "sub",
    "mul",
    "div",
    "pow",
    "maximum",
    "minimum",
    "eq",
    "ne",
    "lt",
    "le",
    "gt",
    "ge",
    "logicalAnd",
    "logicalOr",
    "logicalXor",
    "logicalNot",
    "where",
  ] as const; // prettier-ignore
  const RULES: Record<string, { forward: (m: Arithmetic<number>, ...operands: number[]) => number }> = {
    ...entries.unary,
    ...entries.binary,
    ...entries.comparison,
    ...entries.logical,
    ...entries.choice,
  };

  const floats = (dtype: LaneType, xs: readonly number[]) => (dtype === "float32" ? Float32Array.from(xs) : Float64Array.from(xs));

  for (const form of FORMS)
    test.each(EXACT)(`%s (${title(form)})`, (name) => {
      const op = operations[name];
      const columns = [pairs.map(([x]) => x), pairs.map(([, y]) => y), pairs.map(([x, y]) => x + 2 * y)];
      const operands = columns.slice(0, op.arity).map((xs) => floats(form.dtype, xs));
      const emit: Emit = (m, xs) => {
        const out = RULES[name]!.forward(m as unknown as Arithmetic<number>, ...xs);
        return op.result === "bool" ? m.toNumber(out) : out;
      };
      const type = new ArrayType(form.dtype, [pairs.length]);
      const expected = toNdArray(
        runElementwise(
          op,
          operands.map((x) => new NdArray(type, x, 0)),
        ),
      ).elements;
      expect([...elementwise(form, op.arity, emit)(...operands)]).toEqual([...expected]);
    });

  test.each(FORMS.map((form) => [title(form), form] as const))("relu by itself is the maximum with 0 (%s)", (_title, form) => {
    const xs = floats(form.dtype, special);
    expect([...elementwise(form, 1, (m, [x]) => m.relu(x!))(xs)]).toEqual([...xs].map((x) => Math.max(x, 0)));
  });

  test.runIf(simd)("a multiply-add rounds twice unless it may be relaxed", () => {
    const x = 1 + 2 ** -20;
    const run = (form: Form) => elementwise(form, 1, (m, [x]) => m.madd(x!, x!, m.const(-1)))([x])[0];
    const twice = Math.fround(x * x) - 1;
    expect(run(scalar("float32"))).toBe(twice);
    expect(run(vector("float32"))).toBe(twice);
    if (relaxedMadd) expect([twice, x * x - 1]).toContain(run(vector("float32", true)));
  });
});

describe("memory", () => {
  /** Runs a straight function of two addresses on a memory with `input` at the first; gives 64 bytes at the second. */
  function through(
    form: Form,
    input: ArrayLike<number> & ArrayBufferView,
    body: (m: VectorArithmetic, from: number, to: number) => void,
  ): DataView {
    const module = new ModuleBuilder();
    const f = new FunctionBuilder(["i32", "i32"]);
    body(new VectorArithmetic(f, form), 0, 1);
    module.addFunction(f, "run");
    const { memory, exports } = instantiate(module.bytes());
    new Uint8Array(memory.buffer, CONSTANTS_END, input.byteLength).set(new Uint8Array(input.buffer, input.byteOffset, input.byteLength));
    exports["run"]!(CONSTANTS_END, CONSTANTS_END + 256);
    return new DataView(memory.buffer, CONSTANTS_END + 256, 64);
  }

  const numbersOf = ({ dtype, lanes }: Form, view: DataView) =>
    Array.from({ length: lanes }, (_, k) => (dtype === "float32" ? view.getFloat32(4 * k, true) : view.getFloat64(8 * k, true)));
  const INPUTS = [
    ["float32", Float32Array.of(9, 0.1, -2, 3, 1e30, 5)],
    ["float64", Float64Array.of(9, 0.1, -2, 3, 1e30, 5)],
    ["int32", Int32Array.of(9, -7, 2 ** 31 - 1, 3, -(2 ** 31), 5)],
    ["bool", Uint8Array.of(1, 0, 1, 1, 0, 1)],
  ] as const;
  const cases = FORMS.flatMap((form) => INPUTS.map(([from, input]) => [`${from} as ${title(form)}`, form, from, input] as const));
  const rounded = ({ dtype }: Form, x: number) => (dtype === "float32" ? Math.fround(x) : x);

  test.each(cases)("loads %s, from the second element on", (_title, form, from, input) => {
    const view = through(form, input, (m, at, to) => m.store(to, m.load(at, input.BYTES_PER_ELEMENT, from)));
    expect(numbersOf(form, view)).toEqual([...input].slice(1, 1 + form.lanes).map((x) => rounded(form, x)));
  });

  test.each(cases)("spreads one element of %s", (_title, form, from, input) => {
    const view = through(form, input, (m, at, to) => m.store(to, m.loadSplat(at, input.BYTES_PER_ELEMENT, from)));
    expect(numbersOf(form, view)).toEqual(Array.from({ length: form.lanes }, () => rounded(form, input[1]!)));
  });

  test.each(FORMS.map((form) => [title(form), form] as const))("masks are bytes of 0 and 1 (%s)", (_title, form) => {
    const input = INPUTS[3][1];
    const bytes = (view: DataView) => Array.from({ length: form.lanes + 1 }, (_, k) => view.getUint8(8 + k));
    const expected = [...input].slice(1, 1 + form.lanes);
    expect(bytes(through(form, input, (m, at, to) => m.storeMask(to, m.loadMask(at, 1), 8)))).toEqual([...expected, 0]);
    const negated = through(form, input, (m, at, to) => m.storeMask(to, m.logicalNot(m.loadMask(at, 1)), 8));
    expect(bytes(negated)).toEqual([...expected.map((x) => 1 - x), 0]);
    const spread = through(form, input, (m, at, to) => m.storeMask(to, m.loadMaskSplat(at, 2), 8));
    expect(bytes(spread)).toEqual([...expected.map(() => 1), 0]);
  });

  test.each(FORMS.map((form) => [title(form), form] as const))(
    "the first lane is stored alone, with the bits of a whole vector (%s)",
    (_title, form) => {
      const input = Float64Array.from({ length: form.lanes }, (_, k) => 0.3 + k / 7);
      const emit = emitterOf("tanh");
      const whole = numbersOf(
        form,
        through(form, input, (m, at, to) => m.store(to, emit(m, [m.load(at, 0, "float64")]))),
      );
      const size = form.dtype === "float32" ? 4 : 8;
      const single = through(form, input, (m, at, to) => {
        for (let k = 0; k < form.lanes; k++) m.storeFirst(to, emit(m, [m.loadSplat(at, 8 * k, "float64")]), size * k);
        const x = m.loadSplat(at, 0, "float64");
        m.storeFirstMask(to, m.lt(x, m.const(1)), 32);
        m.storeFirstMask(to, m.gt(x, m.const(1)), 33);
      });
      expect(numbersOf(form, single)).toEqual(whole);
      expect([single.getFloat32(size * form.lanes, true), single.getInt32(32, true)]).toEqual([0, 1]);
    },
  );

  test.each(FORMS.map((form) => [title(form), form] as const))("a mask chooses, and is a number (%s)", (_title, form) => {
    const input = INPUTS[3][1];
    const expected = [...input].slice(0, form.lanes);
    const chosen = through(form, input, (m, at, to) => m.store(to, m.where(m.loadMask(at), m.const(2), m.const(-3))));
    expect(numbersOf(form, chosen)).toEqual(expected.map((x) => (x === 1 ? 2 : -3)));
    const number = through(form, input, (m, at, to) => m.store(to, m.toNumber(m.toCondition(m.load(at, 0, "bool")))));
    expect(numbersOf(form, number)).toEqual(expected);
  });
});

describe("constants", () => {
  test("an address once given stays, and equal bits share one", () => {
    const pool = new ConstantPool();
    const one = pool.address("float32", 1);
    expect(one).toBe(CONSTANTS_START);
    expect(pool.address("float64", 1)).toBe(CONSTANTS_START + 16);
    expect(pool.address("int32", 0x3f800000)).toBe(one);
    expect(pool.address("float64", -0)).not.toBe(pool.address("float64", 0));
    expect(pool.address("int64", -1n)).toBe(pool.address("int32", -1));
    const memory = { buffer: new ArrayBuffer(CONSTANTS_END) };
    pool.write(memory);
    expect([...new Float32Array(memory.buffer, CONSTANTS_START, 4)]).toEqual([1, 1, 1, 1]);
    expect([...new Float64Array(memory.buffer, CONSTANTS_START + 16, 2)]).toEqual([1, 1]);
  });

  test("a full pool has no more addresses, and keeps those that it gave", () => {
    const pool = new ConstantPool();
    const room = (CONSTANTS_END - CONSTANTS_START) / 16;
    const addresses = Array.from({ length: room + 1 }, (_, k) => pool.address("float64", k));
    expect(addresses.at(-2)).toBe(CONSTANTS_END - 16);
    expect(addresses.at(-1)).toBe(null);
    expect(pool.address("float64", 0)).toBe(CONSTANTS_START);
    expect(pool.end).toBe(CONSTANTS_END);
  });

  test.runIf(simd)("without room in the pool a kernel carries its constants", () => {
    const address = constants.address.bind(constants);
    constants.address = () => null;
    try {
      expect([...elementwise(vector("float32"), 1, emitterOf("exp"))([0, 1])]).toEqual([1, Math.fround(Math.E)]);
    } finally {
      constants.address = address;
    }
    expect([...splat("int64", -2n)].slice(0, 9)).toEqual([254, 255, 255, 255, 255, 255, 255, 255, 254]);
  });
});

describe("the instructions", () => {
  let tools: Awaited<ReturnType<typeof wabt>>;

  beforeAll(async () => {
    tools = await wabt();
  });

  const all = [...DTYPES.map(scalar), ...DTYPES.map((dtype) => vector(dtype)), ...DTYPES.map((dtype) => vector(dtype, true))];

  test.each(all.map((form) => [title(form), form] as const))("every operation is valid WebAssembly (%s)", (_title, form) => {
    const unary = [
      "neg",
      "exp",
      "expm1",
      "log",
      "log1p",
      "sqrt",
      "abs",
      "sign",
      "sin",
      "cos",
      "tanh",
      "sigmoid",
      "softplus",
      "relu",
    ] as const;
    const binary = ["add", "sub", "mul", "div", "pow", "maximum", "minimum"] as const;
    const compared = ["eq", "ne", "lt", "le", "gt", "ge"] as const;
    const text = disassemble(
      tools,
      elementwiseModule(form, 2, (m, [x, y]) => {
        const values = [...unary.map((name) => m[name](x!)), ...binary.map((name) => m[name](x!, y!)), m.madd(x!, y!, m.const(2))];
        const conditions = compared.map((name) => m[name](x!, y!));
        const condition = conditions.reduce((a, b) => m.logicalXor(m.logicalOr(a, b), m.logicalNot(m.logicalAnd(a, b))));
        return m.where(condition, values.reduce(m.add.bind(m)), m.toNumber(condition));
      }),
    );
    expect(text.includes("relaxed_madd")).toBe(form.relaxedMadd);
    expect(text.includes("x4.") || text.includes("x2.")).toBe(form.lanes > 1);
  });

  test("temporary locals are used again", () => {
    const f = new FunctionBuilder(["v128"]);
    const m = new VectorArithmetic(f, vector("float32"));
    let x = 0;
    for (let k = 0; k < 10; k++) x = m.tanh(x);
    expect(f.local("i32")).toBeLessThan(45);
  });

  test("what cannot be is refused", () => {
    const f = new FunctionBuilder([]);
    expect(() => new VectorArithmetic(f, { dtype: "float32", lanes: 2, relaxedMadd: false })).toThrow(
      "a vector of float32 has 4 lanes, got 2",
    );
    expect(() => new VectorArithmetic(f, { dtype: "float64", lanes: 1, relaxedMadd: true })).toThrow("relaxedMadd");
    const m = new VectorArithmetic(f, vector("float64"));
    expect(() => m.pow(m.const(1), m.const(2))).toThrow("pow: the kernel imports no functions");
  });

  test("it fits the arithmetic of the rules", () => {
    const m: Omit<Arithmetic<number, number>, "when"> = new VectorArithmetic(new FunctionBuilder([]), vector("float64"));
    expect(m).toBeInstanceOf(VectorArithmetic);
  });
});

describe("features", () => {
  test("are those that the engine validates, asked once", () => {
    expect(detectFeatures()).toBe(detectFeatures());
    // Every Node that the library supports has vectors.
    expect(simd).toBe(true);
  });
});
