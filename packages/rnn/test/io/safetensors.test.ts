import { InputError, linspace, type Value, value } from "@unroll/autograd";
import { key } from "@unroll/autograd/random";
import { describe, expect, test } from "vitest";
import { loadStateDict } from "../../src/io/loadStateDict.js";
import { readSafetensors, safetensorsMetadata, writeSafetensors } from "../../src/io/safetensors.js";
import { lstm } from "../../src/layers/lstm.js";
import { fixture, MIXED } from "./files.js";
import reference from "./fixtures/lstm.json" with { type: "json" };
import { joined, lengthSet, partsOf } from "./mutation.js";

type Nested = number | string | Nested[];

/** The file's numbers, in which texts stand for what JSON does not have. */
const numbers = (x: unknown): unknown => (Array.isArray(x) ? x.map(numbers) : Number(x));

const LSTM = fixture("lstm.safetensors");

describe("files that PyTorch wrote", () => {
  test("the state dict of nn.LSTM has its names, shapes and values", () => {
    const read = readSafetensors(LSTM);
    expect([...read.keys()].sort()).toEqual(Object.keys(reference.lstm).sort());
    for (const [name, x] of Object.entries(reference.lstm)) expect(read.get(name)?.toArray()).toEqual(numbers(x as Nested));
    expect(read.get("weight_ih_l1_reverse")?.shape).toEqual([16, 8]);
    expect(read.get("weight_ih_l0")?.dtype).toBe("float32");
    expect(Object.fromEntries(safetensorsMetadata(LSTM))).toEqual({ format: "pt" });
  });

  test("it loads into a layer as it is, which then gives PyTorch's outputs", () => {
    const layer = lstm({ inputSize: 3, hiddenSize: 4, numLayers: 2, bidirectional: true });
    const params = layer.init(key(0));
    loadStateDict(params, readSafetensors(LSTM));
    expect(params["weight_hh_l1"]?.toArray()).toEqual(reference.lstm.weight_hh_l1);
    expect(params["weight_hh_l1"]?.dtype).toBe("float64");
    const { outputs } = layer.apply(params, linspace(-1, 1, 5 * 2 * 3).reshape([5, 2, 3]));
    expect(outputs.sub(value(reference.outputs)).abs().max().item()).toBeLessThan(1e-14);
  });

  test("every element type is read with the values that are hard to read", () => {
    const read = readSafetensors(MIXED);
    expect([...read.keys()].sort()).toEqual(Object.keys(reference.mixed).sort());
    for (const [name, { shape, values }] of Object.entries(reference.mixed)) {
      expect([name, read.get(name)?.shape, read.get(name)?.toArray()]).toEqual([name, shape, numbers(values)]);
    }
    const dtypes = ["f64", "f32", "f16", "bf16", "i64", "i32", "i16", "i8", "u8", "bool", "scalar"].map((name) => read.get(name)?.dtype);
    expect(dtypes).toEqual(["float64", "float32", "float32", "float32", ...Array<string>(5).fill("int32"), "bool", "float64"]);
  });

  test("what we write of it is what the safetensors library wrote, byte for byte", () => {
    expect(writeSafetensors(readSafetensors(LSTM), { format: "pt" })).toEqual(LSTM);
  });
});

test("every half-precision number is read as IEEE 754 says", () => {
  const bits = Uint16Array.from({ length: 65536 }, (_, k) => k);
  const read = readSafetensors(fileOf(entry("x", "F16", [65536], [0, 131072]), new Uint8Array(bits.buffer))).get("x") as Value;
  const expected = Float64Array.from(bits, (b) => {
    const [sign, exponent, fraction] = [b >> 15 ? -1 : 1, (b >> 10) & 31, b & 1023];
    if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
    return sign * (exponent === 0 ? fraction / 1024 : 1 + fraction / 1024) * 2 ** (Math.max(exponent, 1) - 15);
  });
  expect(Float64Array.from(read.data)).toEqual(expected);
});

describe("writing and reading again", () => {
  const tree = {
    float64: value([
      [0.1, -0, NaN],
      [Infinity, 5e-324, 1e308],
    ]),
    float32: value(Float32Array.of(0.1, -3.4e38)),
    int32: value(Int32Array.of(-(2 ** 31), 2 ** 31 - 1)),
    bool: value(Uint8Array.of(1, 0, 1)),
    scalar: value(2.5),
    empty: value(new Float64Array(0), { shape: [0, 3] }),
    nested: [{ weight: value([1]) }, { weight: value([2]) }],
    'quotes " and \\ and 😀 and \u0000': value([3]),
  };

  test("gives the same Values", () => {
    const read = readSafetensors(writeSafetensors(tree));
    for (const name of ["float64", "float32", "int32", "bool", "scalar", "empty"] as const) {
      const { dtype, shape, data } = read.get(name) as Value;
      expect([name, dtype, shape, data]).toEqual([name, tree[name].dtype, tree[name].shape, tree[name].data]);
    }
    expect(read.get("nested.1.weight")?.toArray()).toEqual([2]);
    expect(read.get('quotes " and \\ and 😀 and \u0000')?.toArray()).toEqual([3]);
    expect(read.size).toBe(9);
  });

  test("names are no keys of objects", () => {
    const names = ["__proto__", "constructor", "toString", "10", "2", ""];
    const read = readSafetensors(writeSafetensors(new Map(names.map((name, k) => [name, value([k])]))));
    for (const [k, name] of names.entries()) expect(read.get(name)?.toArray()).toEqual([k]);
  });

  test("the data is aligned, whatever the header's length", () => {
    for (let k = 0; k < 16; k++) {
      const bytes = writeSafetensors({ ["n".repeat(k)]: value([1.5]), int: Int32Array.of(7) });
      const start = 8 + Number(new DataView(bytes.buffer).getBigUint64(0, true));
      expect(start % 8).toBe(0);
      expect(new DataView(bytes.buffer).getFloat64(start, true)).toBe(1.5);
      expect(readSafetensors(bytes).size).toBe(2);
    }
  });

  test("a file may lie at an odd place of a larger buffer", () => {
    const within = new Uint8Array(LSTM.length + 20).fill(255);
    within.set(LSTM, 3);
    expect(
      readSafetensors(within.subarray(3, 3 + LSTM.length))
        .get("bias_ih_l0")
        ?.toArray(),
    ).toEqual(reference.lstm.bias_ih_l0);
    expect(readSafetensors(Buffer.from(LSTM)).size).toBe(16);
  });

  test("a tree without leaves makes a file without tensors", () => {
    expect(readSafetensors(writeSafetensors({})).size).toBe(0);
  });

  test.for<[string, () => unknown, string]>([
    ["a tensor called __metadata__", () => writeSafetensors({ __metadata__: value([1]) }), "no tensor may be called"],
    ["half a surrogate pair in a name", () => writeSafetensors({ "\ud800": value([1]) }), "surrogate"],
    ["half a surrogate pair in a text", () => writeSafetensors({}, { a: "\udc00" }), "surrogate"],
    ["metadata that is no text", () => writeSafetensors({}, { epochs: 3 } as never), 'metadata "epochs" is no text'],
    ["a leaf that is no number", () => writeSafetensors({ name: "x" }), '"name" is a string'],
  ])("refuses %s", ([, write, message]) => {
    expect(write).toThrow(InputError);
    expect(write).toThrow(message);
  });
});

type Offsets = readonly [number, number];
const entry = (name: string, dtype: string, shape: readonly number[], data_offsets: Offsets): string =>
  `${JSON.stringify(name)}:${JSON.stringify({ dtype, shape, data_offsets })}`;
const fileOf = (members: string, data: Uint8Array | number): Uint8Array =>
  joined({ header: `{${members}}`, data: typeof data === "number" ? new Uint8Array(data) : data });

const A = entry("a", "F32", [1], [0, 4]);
const FIELDS = `"dtype":"F32","shape":[1],"data_offsets":[0,4]`;
const withBytes = (...bytes: number[]): Uint8Array => {
  const file = joined({ header: `{"${"x".repeat(bytes.length)}":{${FIELDS}}}`, data: new Uint8Array(4) });
  file.set(bytes, 10);
  return file;
};

const HOSTILE: readonly [string, Uint8Array, string][] = [
  ["nothing", new Uint8Array(0), "0 bytes are no safetensors file"],
  ["a length and nothing else", new Uint8Array(8), "expected an object"],
  ["a header longer than the file", lengthSet(fileOf(A, 4), 10_000n), "is it cut off?"],
  ["a header of 2^64 - 1 bytes", lengthSet(fileOf(A, 4), 2n ** 64n - 1n), "a header of 18446744073709552000 bytes; it may have 100000000"],
  ["a header cut off", lengthSet(fileOf(A, 4), 20n), "got its end"],
  ["bad UTF-8 in a name", withBytes(0xff), "not valid UTF-8"],
  ["an overlong encoding in a name", withBytes(0xc0, 0xaf), "not valid UTF-8"],
  ["a surrogate encoded in a name", withBytes(0xed, 0xa0, 0x80), "not valid UTF-8"],
  ["half a surrogate pair by escape", fileOf(`"\\ud800":{${FIELDS}}`, 4), "half a surrogate pair"],
  ["a byte order mark", joined({ header: `\ufeff{${A}}`, data: new Uint8Array(4) }), "at the very start"],
  ["a space before the object", joined({ header: ` {${A}}`, data: new Uint8Array(4) }), "at the very start"],
  ["something behind the object", joined({ header: `{${A}} x`, data: new Uint8Array(4) }), "nothing but spaces"],
  ["an array in place of the object", joined({ header: "[]", data: new Uint8Array(0) }), "expected an object"],
  ["a tensor named twice", fileOf(`${A},${A}`, 4), 'tensor "a" is named twice'],
  ["a tensor named twice, once by escapes", fileOf(`${A},"\\u0061":{${FIELDS}}`, 4), 'tensor "a" is named twice'],
  ["a field named twice", fileOf(`"a":{${FIELDS},"shape":[1]}`, 4), '"shape" is named twice'],
  ["metadata named twice", fileOf(`"__metadata__":{},"__metadata__":{},${A}`, 4), "named twice"],
  ["a metadata key named twice", fileOf(`"__metadata__":{"k":"1","k":"2"},${A}`, 4), 'metadata key "k" is named twice'],
  ["metadata that is no text", fileOf(`"__metadata__":{"k":1},${A}`, 4), 'expected "'],
  ["nested metadata", fileOf(`"__metadata__":{"k":{"k":"1"}},${A}`, 4), 'expected "'],
  ["an unknown field", fileOf(`"a":{${FIELDS},"more":1}`, 4), 'has a field "more"'],
  ["a missing field", fileOf(`"a":{"dtype":"F32","shape":[1]}`, 4), "lacks its data_offsets"],
  ["an entry that is no object", fileOf('"a":[]', 0), "expected {"],
  ["100,000 nested arrays", fileOf(`"a":${"[".repeat(100_000)}`, 0), "expected {"],
  ["100,000 nested objects", fileOf('"a":{'.repeat(100_000), 0), 'has a field "a"'],
  ["100,000 nested arrays for a shape", fileOf(`"a":{"shape":${"[".repeat(100_000)}`, 0), "whole number"],
  ["a shape of 100,000 axes", fileOf(`"a":{"dtype":"F32","shape":[${"1,".repeat(99_999)}1],"data_offsets":[0,4]}`, 4), "more than 64"],
  ["a negative length", fileOf(`"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}`, 4), "whole number"],
  ["minus zero", fileOf(`"a":{"dtype":"F32","shape":[-0],"data_offsets":[0,0]}`, 0), "whole number"],
  ["a fraction", fileOf(`"a":{"dtype":"F32","shape":[1.0],"data_offsets":[0,4]}`, 4), "whole number"],
  ["an exponent", fileOf(`"a":{"dtype":"F32","shape":[1e0],"data_offsets":[0,4]}`, 4), "whole number"],
  ["a leading zero", fileOf(`"a":{"dtype":"F32","shape":[01],"data_offsets":[0,4]}`, 4), "whole number"],
  ["2^53", fileOf(`"a":{"dtype":"F32","shape":[9007199254740992],"data_offsets":[0,4]}`, 4), "whole number"],
  ["a length of 5,000 digits", fileOf(`"a":{"dtype":"F32","shape":[${"9".repeat(5_000)}],"data_offsets":[0,4]}`, 4), "whole number"],
  ["a tensor of 4 TB", fileOf(entry("a", "F32", [1_000_000, 1_000_000], [0, 4]), 4), "takes 4000000000000 bytes"],
  ["a tensor of 4 TB with offsets to match", fileOf(entry("a", "F32", [1e6, 1e6], [0, 4e12]), 4), "the tensors end at byte 4000000000000"],
  ["a size that overflows", fileOf(entry("a", "U8", [2 ** 32, 2 ** 32], [0, 0]), 0), "takes NaN bytes"],
  ["a size that overflows before a zero", fileOf(entry("a", "U8", [2 ** 32, 2 ** 32, 0], [0, 0]), 0), "takes NaN bytes"],
  ["too few bytes for the shape", fileOf(entry("a", "F64", [1], [0, 4]), 4), "takes 8 bytes, but its data_offsets span 4"],
  ["offsets backwards", fileOf(entry("a", "F32", [1], [4, 0]), 4), "expected [begin, end]"],
  ["three offsets", fileOf(`"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4,8]}`, 4), "more than 2"],
  ["one offset", fileOf(`"a":{"dtype":"F32","shape":[1],"data_offsets":[0]}`, 4), "expected [begin, end]"],
  ["an overlap", fileOf(`${A},${entry("b", "F32", [1], [2, 6])}`, 6), 'tensor "b" begins inside another'],
  ["two tensors in one place", fileOf(`${A},${entry("b", "F32", [1], [0, 4])}`, 4), "inside another"],
  ["a gap", fileOf(`${A},${entry("b", "F32", [1], [8, 12])}`, 12), "behind a gap"],
  ["a gap at the start", fileOf(entry("a", "F32", [1], [4, 8]), 8), "behind a gap"],
  ["data cut off", fileOf(A, 3), "the tensors end at byte 4 of the data, which has 3"],
  ["trailing data", fileOf(A, 5), "which has 5"],
  ["trailing data without a tensor", fileOf("", 1), "which has 1"],
  ["an unknown dtype", fileOf(entry("a", "F8_E4M3", [4], [0, 4]), 4), "those read are F64"],
  ["a dtype that objects have", fileOf(entry("a", "toString", [4], [0, 4]), 4), "those read are F64"],
  ["an I64 past int32", fileOf(entry("a", "I64", [1], [0, 8]), new Uint8Array([0, 0, 0, 128, 0, 0, 0, 0])), "outside the range of int32"],
  ["a BOOL of 2", fileOf(entry("a", "BOOL", [1], [0, 1]), new Uint8Array([2])), "neither 0 nor 1"],
  ["a raw line break in a name", fileOf(`"a\n":{${FIELDS}}`, 4), "the end of a text, or an escape"],
  ["an unknown escape", fileOf(`"\\x61":{${FIELDS}}`, 4), "the end of a text, or an escape"],
  ["a comma at the end", fileOf(`${A},`, 4), 'expected "'],
];

test.for(HOSTILE)("refuses %s", ([, bytes, message]) => {
  expect(() => readSafetensors(bytes)).toThrow(InputError);
  expect(() => readSafetensors(bytes)).toThrow(message);
});

test("refuses what is no Uint8Array", () => {
  expect(() => readSafetensors(LSTM.buffer as never)).toThrow(InputError);
});

test("a long hostile name is shortened in the message", () => {
  const name = "n".repeat(50_000);
  expect(() => readSafetensors(fileOf(entry(name, "F8", [1], [0, 1]), 1))).toThrow(/^.{0,400}$/);
});

test("order, white space and escapes in the header do not matter", () => {
  const { header, data } = partsOf(writeSafetensors({ a: [1], b: Float32Array.of(2) }));
  const { a, b } = JSON.parse(header) as Record<"a" | "b", object>;
  const spaced = `{ "b" : ${JSON.stringify(b, null, 1)},\n\t"\\u0061":${JSON.stringify(a)} }   \n`;
  const read = readSafetensors(joined({ header: spaced, data }));
  expect([...read].map(([name, x]) => [name, x.toArray()])).toEqual([
    ["b", [2]],
    ["a", [1]],
  ]);
});

test("an empty tensor may be named after the one that begins where it lies", () => {
  const read = readSafetensors(fileOf(`${A},${entry("empty", "F64", [3, 0], [0, 0])}`, 4));
  expect(read.get("empty")?.shape).toEqual([3, 0]);
});
