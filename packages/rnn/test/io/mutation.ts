/** Safetensors files, damaged in the ways that break readers. Everything follows from the number of the file. */

export interface Mutant {
  readonly bytes: Uint8Array;
  /** Only changed in ways that the format allows. */
  readonly harmless: boolean;
}

interface Parts {
  header: string;
  data: Uint8Array;
}

/** Bits from a counter (mulberry32, T. Ettinger): good enough to choose by. */
class Choices {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 0;
  }

  below(n: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * n);
  }

  of<T>(list: readonly T[]): T {
    return list[this.below(list.length)] as T;
  }
}

const NUMBERS = [
  "-1",
  "1.5",
  "1.0",
  "1e2",
  "-0",
  "01",
  "0",
  "1",
  "4294967296",
  "9007199254740991",
  "9007199254740993",
  "99999999999999999999999",
];
const LONG = ["9".repeat(5_000), "1e400", "null", '"8"', "true", "[]", "{}", "NaN", "0x10"];
const DTYPES = [
  "F64",
  "F32",
  "F16",
  "BF16",
  "I64",
  "I32",
  "I16",
  "I8",
  "U8",
  "BOOL",
  "F8_E4M3",
  "U64",
  "C64",
  "f32",
  "toString",
  "__proto__",
  "",
];
const TOKENS = ["{", "}", "[", "]", ",", ":", '"', "\\", "\\ud800", "\\u0000", "\u0000", "\ufeff", "//", " ", "\n"];
const NAMES = ["__proto__", "constructor", "__metadata__", "", "a.b", "\\u0061", "toString", "\\ud83d\\ude00", "\\ud800"];

/** Changes to the text of the header. */
const OF_HEADER: readonly ((c: Choices, header: string) => string)[] = [
  (c, h) => replaceOne(c, h, /\d+/g, c.of(NUMBERS)),
  (c, h) => replaceOne(c, h, /\d+/g, c.of(LONG)),
  (c, h) => replaceOne(c, h, /\d+/g, String(c.below(200))),
  (c, h) => replaceOne(c, h, /"[A-Z]+\d*"/g, `"${c.of(DTYPES)}"`),
  (c, h) => replaceOne(c, h, /"[^"\\]*"(?=:)/g, `"${c.of(NAMES)}"`),
  (c, h) => replaceOne(c, h, /"[^"\\]*"(?=:)/g, c.of(h.match(/"[^"\\]*"(?=:)/g) ?? ['""'])),
  (c, h) => replaceOne(c, h, /\[/g, c.of(["[0,", "[1,", "[9007199254740991,0,", `[${"1,".repeat(c.below(200))}`, "[[", "["])),
  (c, h) => replaceOne(c, h, /\[[\d,]*\]|\{/g, `${"[".repeat(c.of([1, 100, 20_000]))}`),
  (c, h) => replaceOne(c, h, /\{/g, '{"a":'.repeat(c.of([1, 100, 5_000]))),
  (c, h) => inserted(h, c.below(h.length + 1), c.of(TOKENS)),
  (c, h) => without(h, c.below(h.length), 1 + c.below(c.of([1, 20]))),
  (c, h) => inserted(h, c.below(h.length), h.slice(c.below(h.length)).slice(0, c.below(60))),
  (c, h) => h.replace(/\}\s*$/, `,${c.of(h.match(/"[^"\\]*":\{"dtype[^}]*\}/g) ?? ['"x":{}'])}}`),
  (c, h) =>
    h.replace(
      /\}\s*$/,
      `,"new":{"dtype":"${c.of(DTYPES)}","shape":[${c.of(["0", "", "0,9007199254740991", "4294967296,4294967296"])}],"data_offsets":[0,0]}}`,
    ),
  (c, h) =>
    replaceOne(c, h, /"data_offsets"/g, c.of(['"offsets"', '"more":1,"data_offsets"', '"data_offsets":[0,4],"data_offsets"', '"shape"'])),
];

const HARMLESS: readonly ((c: Choices, parts: Parts) => Parts)[] = [
  (c, { header, data }) => ({ header: replaceOne(c, header, /[,:]/g, c.of([" , ", "\n,\t"]), (old) => old), data }),
  (_c, { header, data }) => ({ header: `${header}        `, data }),
  (c, { header, data }) => ({ header: reordered(c, header), data }),
  (c, { header, data }) => ({ header, data: flipped(c, data, 4) }),
];

/** Changes to the bytes of the whole file. */
const OF_BYTES: readonly ((c: Choices, bytes: Uint8Array) => Uint8Array)[] = [
  (c, b) => flipped(c, b, 1 + c.below(4)),
  (c, b) => changed(b, 8 + c.below(Math.max(1, Math.min(400, b.length - 8))), c.of([0x00, 0x80, 0xc0, 0xe2, 0xed, 0xf5, 0xff, 0x22])),
  (c, b) => b.slice(0, c.below(b.length + 1)),
  (c, b) => b.slice(0, c.below(20)),
  (c, b) => Uint8Array.from([...b, ...Array.from({ length: 1 + c.below(9) }, () => c.below(256))]),
  (c, b) => lengthSet(b, c.of([0n, 1n, 2n, 100_000_000n, 100_000_001n, 2n ** 32n, 2n ** 53n, 2n ** 63n, 2n ** 64n - 1n])),
  (c, b) => lengthSet(b, BigInt(c.below(b.length + 10))),
];

export function mutantOf(originals: readonly Uint8Array[], number: number): Mutant {
  const c = new Choices(number * 7919 + 1);
  const original = c.of(originals);
  if (c.below(10) === 0) {
    let parts = partsOf(original);
    for (let k = c.below(4); k >= 0; k--) parts = c.of(HARMLESS)(c, parts);
    return { bytes: joined(parts), harmless: true };
  }
  let bytes = original;
  if (c.below(4) > 0) {
    const { header, data } = partsOf(original);
    let text = header;
    for (let k = c.below(3); k >= 0; k--) text = c.of(OF_HEADER)(c, text);
    bytes = joined({ header: text, data });
    if (c.below(4) > 0) return { bytes, harmless: false };
  }
  for (let k = c.below(2); k >= 0; k--) bytes = c.of(OF_BYTES)(c, bytes);
  return { bytes, harmless: false };
}

export function partsOf(bytes: Uint8Array): Parts {
  const start = 8 + Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
  return { header: new TextDecoder().decode(bytes.subarray(8, start)), data: bytes.slice(start) };
}

/** A file of this header and data, with the header's true length in front. */
export function joined({ header, data }: Parts): Uint8Array {
  const text = new TextEncoder().encode(header);
  const bytes = new Uint8Array(8 + text.length + data.length);
  bytes.set(text, 8);
  bytes.set(data, 8 + text.length);
  return lengthSet(bytes, BigInt(text.length));
}

export function lengthSet(bytes: Uint8Array, length: bigint): Uint8Array {
  if (bytes.length < 8) return bytes;
  const copy = bytes.slice();
  new DataView(copy.buffer).setBigUint64(0, length, true);
  return copy;
}

function replaceOne(c: Choices, text: string, pattern: RegExp, by: string, around: (old: string) => string = () => ""): string {
  const found = [...text.matchAll(pattern)];
  const match = found.length === 0 ? undefined : c.of(found);
  if (match === undefined || (insideText(text, match.index) && !pattern.source.startsWith('"'))) return text;
  const old = around(match[0]);
  return text.slice(0, match.index) + (old === "" ? by : by.replace(",", old)) + text.slice(match.index + match[0].length);
}

/** Whether a place lies between quotes, so that a change there would change a name and not the grammar. */
function insideText(text: string, index: number): boolean {
  return (text.slice(0, index).match(/(?<!\\)"/g)?.length ?? 0) % 2 === 1;
}

const inserted = (text: string, at: number, part: string): string => text.slice(0, at) + part + text.slice(at);
const without = (text: string, at: number, length: number): string => text.slice(0, at) + text.slice(at + length);

function reordered(c: Choices, header: string): string {
  const entries = Object.entries(JSON.parse(header) as object);
  const at = c.below(entries.length);
  return JSON.stringify(Object.fromEntries([...entries.slice(at), ...entries.slice(0, at)]));
}

function flipped(c: Choices, bytes: Uint8Array, times: number): Uint8Array {
  let out = bytes;
  for (let k = 0; k < times; k++) {
    const at = c.below(bytes.length);
    out = changed(out, at, (out[at] ?? 0) ^ (1 << c.below(8)));
  }
  return out;
}

function changed(bytes: Uint8Array, at: number, to: number): Uint8Array {
  const copy = bytes.slice();
  if (at < copy.length) copy[at] = to;
  return copy;
}
