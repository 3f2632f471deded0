/**
 * The header of a safetensors file, read from bytes that nobody vouches for.
 *
 * A parser of its own, since JSON.parse keeps the last of two equal names, reads 1.0 and 1e3 as whole numbers, and builds whatever nesting
 * a file asks for. The header has three levels and no others, so nothing here is recursive, and nothing is kept that the file does not spell
 * out byte by byte.
 *
 * Source: https://github.com/huggingface/safetensors (README.md, "Format").
 */
import { InputError } from "@unroll/autograd";
import { quoted } from "./tree.js";

/** The element types that are read, with their sizes in bytes. */
export const BYTES = { F64: 8, F32: 4, F16: 2, BF16: 2, I64: 8, I32: 4, I16: 2, I8: 1, U8: 1, BOOL: 1 } as const;
export type FileDType = keyof typeof BYTES;

export interface TensorEntry {
  readonly name: string;
  readonly dtype: FileDType;
  readonly shape: readonly number[];
  /** Where its bytes are, from the start of the file. */
  readonly begin: number;
  readonly end: number;
}

export interface Header {
  readonly entries: readonly TensorEntry[];
  readonly metadata: ReadonlyMap<string, string>;
}

/** The reference implementation refuses longer ones, too. */
const LONGEST_HEADER = 100_000_000;
/** PyTorch and NumPy have no more axes than this. */
const MOST_AXES = 64;
const PREFIX = 8;

/** Throws InputError where the header, or what it says of the bytes behind it, is not as the format demands. */
export function readHeader(bytes: Uint8Array): Header {
  if (!(bytes instanceof Uint8Array)) refuse("expected the bytes of a file as a Uint8Array");
  if (bytes.length < PREFIX) refuse(`${bytes.length} bytes are no safetensors file: the length of the header takes the first 8`);
  const length = headerLength(bytes);
  const parser = new HeaderParser(decoded(bytes.subarray(PREFIX, PREFIX + length)), PREFIX + length);
  const header = parser.header();
  checkLayout(header.entries, PREFIX + length, bytes.length);
  return header;
}

function headerLength(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, PREFIX);
  const length = view.getUint32(0, true) + view.getUint32(4, true) * 2 ** 32;
  if (length > LONGEST_HEADER) refuse(`a header of ${length} bytes; it may have ${LONGEST_HEADER}`);
  if (length > bytes.length - PREFIX)
    refuse(`a header of ${length} bytes in a file with ${bytes.length - PREFIX} behind its first 8; is it cut off?`);
  return length;
}

function decoded(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return refuse("the header is not valid UTF-8");
  }
}

/** The tensors cover everything behind the header, without a gap and without an overlap. */
function checkLayout(entries: readonly TensorEntry[], start: number, stop: number): void {
  let at = start;
  for (const { name, begin, end } of [...entries].sort((a, b) => a.begin - b.begin || a.end - b.end)) {
    if (begin !== at)
      refuse(
        `tensor ${quoted(name)} begins ${begin < at ? "inside another" : "behind a gap"}, at byte ${begin - start} of the data; expected ${at - start}`,
      );
    at = end;
  }
  if (at !== stop) refuse(`the tensors end at byte ${at - start} of the data, which has ${stop - start}`);
}

class HeaderParser {
  readonly #text: string;
  /** The first byte of the data. */
  readonly #start: number;
  #at = 0;

  constructor(text: string, start: number) {
    this.#text = text;
    this.#start = start;
  }

  header(): Header {
    const entries: TensorEntry[] = [];
    let metadata: ReadonlyMap<string, string> = new Map();
    if (this.#text[0] !== "{") this.#expected("an object at the very start of the header");
    this.#members("tensor", (name) => {
      if (name === "__metadata__") metadata = this.#metadata();
      else entries.push(this.#entry(name));
    });
    this.#space();
    if (this.#at < this.#text.length) this.#expected("nothing but spaces behind the header's object");
    return { entries, metadata };
  }

  #metadata(): Map<string, string> {
    const metadata = new Map<string, string>();
    this.#members("metadata key", (key) => void metadata.set(key, this.#string()));
    return metadata;
  }

  #entry(name: string): TensorEntry {
    let dtype: string | undefined;
    let shape: number[] | undefined;
    let offsets: number[] | undefined;
    this.#members(`field of tensor ${quoted(name)},`, (field) => {
      if (field === "dtype") dtype = this.#string();
      else if (field === "shape") shape = this.#integers(MOST_AXES);
      else if (field === "data_offsets") offsets = this.#integers(2);
      else refuse(`tensor ${quoted(name)} has a field ${quoted(field)}; expected dtype, shape and data_offsets`);
    });
    if (dtype === undefined || shape === undefined || offsets === undefined) {
      return refuse(`tensor ${quoted(name)} lacks its ${dtype === undefined ? "dtype" : shape === undefined ? "shape" : "data_offsets"}`);
    }
    if (!isKnown(dtype))
      return refuse(`tensor ${quoted(name)} has dtype ${quoted(dtype)}; those read are ${Object.keys(BYTES).join(", ")}`);
    const [begin, end] = offsets;
    if (begin === undefined || end === undefined || begin > end)
      return refuse(`tensor ${quoted(name)} has data_offsets [${offsets.join(", ")}]; expected [begin, end]`);
    const bytes = bytesOf(dtype, shape);
    if (bytes !== end - begin)
      return refuse(
        `tensor ${quoted(name)}, ${dtype} of shape [${shape.join(", ")}], takes ${bytes} bytes, but its data_offsets span ${end - begin}`,
      );
    return { name, dtype, shape, begin: this.#start + begin, end: this.#start + end };
  }

  /** Calls f at each value of an object, which f reads. */
  #members(what: string, f: (key: string) => void): void {
    const keys = new Set<string>();
    this.#take("{");
    if (this.#takes("}")) return;
    do {
      const key = this.#string();
      if (keys.has(key)) refuse(`${what} ${quoted(key)} is named twice`);
      keys.add(key);
      this.#take(":");
      f(key);
    } while (this.#takes(","));
    this.#take("}");
  }

  #integers(most: number): number[] {
    const found: number[] = [];
    this.#take("[");
    if (this.#takes("]")) return found;
    do {
      if (found.length === most) refuse(`a list of more than ${most} numbers at byte ${PREFIX + this.#at} or so`);
      found.push(this.#integer());
    } while (this.#takes(","));
    this.#take("]");
    return found;
  }

  #integer(): number {
    this.#space();
    const digits = this.#match(/(?:0|[1-9][0-9]*)(?![0-9.eE])/y);
    const x = Number(digits);
    if (digits !== undefined && Number.isSafeInteger(x)) return x;
    this.#at -= digits?.length ?? 0;
    return this.#expected("a whole number from 0 to 2^53 - 1");
  }

  #string(): string {
    this.#take('"');
    let out = "";
    for (;;) {
      out += this.#match(/[^"\\\u0000-\u001f]*/y) ?? "";
      if (this.#text[this.#at] === '"') break;
      out += this.#escape();
    }
    this.#at++;
    if (!isWellFormed(out)) refuse(`the text ${quoted(out)} holds half a surrogate pair`);
    return out;
  }

  #escape(): string {
    const escape = this.#match(/\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y) ?? this.#expected("the end of a text, or an escape");
    if (escape[1] === "u") return String.fromCharCode(Number.parseInt(escape.slice(2), 16));
    return ESCAPES[escape[1] as string] ?? (escape[1] as string);
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    this.#at += found?.length ?? 0;
    return found;
  }

  #take(token: string): void {
    if (!this.#takes(token)) this.#expected(token);
  }

  #takes(token: string): boolean {
    this.#space();
    if (this.#text[this.#at] !== token) return false;
    this.#at++;
    return true;
  }

  #space(): void {
    while (" \n\r\t".includes(this.#text[this.#at] ?? "x")) this.#at++;
  }

  #expected(what: string): never {
    const rest = this.#text.slice(this.#at, this.#at + 20);
    return refuse(`the header, at character ${this.#at}: expected ${what}, got ${rest === "" ? "its end" : quoted(rest)}`);
  }
}

const ESCAPES: Readonly<Record<string, string>> = { b: "\b", f: "\f", n: "\n", r: "\r", t: "\t" };

/** Whether every surrogate is one of a pair; with the flag u, a pair is one character of another category. */
export function isWellFormed(text: string): boolean {
  return !/\p{Cs}/u.test(text);
}

function isKnown(dtype: string): dtype is FileDType {
  return Object.hasOwn(BYTES, dtype);
}

/** NaN where the product passes what a double counts exactly, so that no claim of that size agrees with any offsets. */
function bytesOf(dtype: FileDType, shape: readonly number[]): number {
  return shape.reduce((product: number, length) => (Number.isSafeInteger(product * length) ? product * length : Number.NaN), BYTES[dtype]);
}

export function refuse(message: string): never {
  throw new InputError(`readSafetensors: ${message}`);
}
