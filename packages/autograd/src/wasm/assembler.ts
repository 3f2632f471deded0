import { LANE_OPCODES, type LaneOpcode, MEMORY_OPCODES, type MemoryOpcode, type Opcode, OPCODES, SHUFFLE, V128_CONST } from "./opcodes.js";

/** A WebAssembly assembler: functions written instruction by instruction, in the order in which they stand, and put into modules. */

export type ValueType = "i32" | "i64" | "f32" | "f64" | "v128";

const VALUE_TYPES: Record<ValueType, number> = { i32: 0x7f, i64: 0x7e, f32: 0x7d, f64: 0x7c, v128: 0x7b };

const BLOCK = 0x02;
const LOOP = 0x03;
const IF = 0x04;
const ELSE = 0x05;
const END = 0x0b;
const BR = 0x0c;
const BR_IF = 0x0d;
const CALL = 0x10;
const LOCAL_GET = 0x20;
const LOCAL_SET = 0x21;
const LOCAL_TEE = 0x22;
const NO_RESULT = 0x40;

/** What a branch goes to: the end of a block or if, the start of a loop. */
export interface Label {
  readonly depth: number;
}

/** Bytes that grow. */
class Bytes {
  private buffer = new Uint8Array(256);
  length = 0;

  byte(x: number): void {
    if (this.length === this.buffer.length) this.grow(this.length + 1);
    this.buffer[this.length++] = x;
  }

  append(bytes: Uint8Array): void {
    this.grow(this.length + bytes.length);
    this.buffer.set(bytes, this.length);
    this.length += bytes.length;
  }

  /** LEB128, unsigned. */
  unsigned(x: number): void {
    let rest = x >>> 0;
    for (; rest > 0x7f; rest >>>= 7) this.byte((rest & 0x7f) | 0x80);
    this.byte(rest);
  }

  /** LEB128, signed, 32 bits. */
  signed(x: number): void {
    let rest = x | 0;
    for (;;) {
      const low = rest & 0x7f;
      rest >>= 7;
      if ((rest === 0 && (low & 0x40) === 0) || (rest === -1 && (low & 0x40) !== 0)) return this.byte(low);
      this.byte(low | 0x80);
    }
  }

  /** LEB128, signed, 64 bits. */
  signed64(x: bigint): void {
    let rest = BigInt.asIntN(64, x);
    for (;;) {
      const low = Number(rest & 0x7fn);
      rest >>= 7n;
      if ((rest === 0n && (low & 0x40) === 0) || (rest === -1n && (low & 0x40) !== 0)) return this.byte(low);
      this.byte(low | 0x80);
    }
  }

  /** A name, in ASCII. */
  name(text: string): void {
    this.unsigned(text.length);
    for (let k = 0; k < text.length; k++) this.byte(text.charCodeAt(k));
  }

  opcode(code: number): void {
    if (code <= 0xff) return this.byte(code);
    this.byte(code >>> 24);
    this.unsigned(code & 0xff_ffff);
  }

  bytes(): Uint8Array<ArrayBuffer> {
    return this.buffer.slice(0, this.length);
  }

  private grow(length: number): void {
    if (length <= this.buffer.length) return;
    const larger = new Uint8Array(Math.max(2 * this.buffer.length, length));
    larger.set(this.buffer.subarray(0, this.length));
    this.buffer = larger;
  }
}

const scratch = new DataView(new ArrayBuffer(8));

/**
 * A function under construction. Parameters are the first locals, 0 to params.length - 1. Instructions are appended in the order of the
 * calls: `f.get(a).get(b).op("f32.add").set(c)`.
 */
export class FunctionBuilder {
  readonly params: readonly ValueType[];
  readonly results: readonly ValueType[];
  private readonly locals: ValueType[] = [];
  private readonly code = new Bytes();
  private depth = 0;

  constructor(params: readonly ValueType[], results: readonly ValueType[] = []) {
    this.params = params;
    this.results = results;
  }

  /** A new local variable. */
  local(type: ValueType): number {
    this.locals.push(type);
    return this.params.length + this.locals.length - 1;
  }

  /** The type of a parameter or local variable. */
  typeOf(local: number): ValueType {
    const type = local < this.params.length ? this.params[local] : this.locals[local - this.params.length];
    if (type === undefined) throw new Error(`no local ${local}`);
    return type;
  }

  get(local: number): this {
    this.code.byte(LOCAL_GET);
    this.code.unsigned(local);
    return this;
  }

  set(local: number): this {
    this.code.byte(LOCAL_SET);
    this.code.unsigned(local);
    return this;
  }

  tee(local: number): this {
    this.code.byte(LOCAL_TEE);
    this.code.unsigned(local);
    return this;
  }

  op(name: Opcode): this {
    this.code.opcode(OPCODES[name]);
    return this;
  }

  /** A load or store at `offset` from the address on the stack; elements are aligned to no more than 4 or 8 bytes. */
  memory(name: MemoryOpcode, offset = 0): this {
    const [code, bytes] = MEMORY_OPCODES[name];
    this.code.opcode(code);
    this.code.unsigned(Math.min(2, Math.log2(bytes)));
    this.code.unsigned(offset);
    return this;
  }

  lane(name: LaneOpcode, lane: number): this {
    this.code.opcode(LANE_OPCODES[name]);
    this.code.byte(lane);
    return this;
  }

  /** i8x16.shuffle: the bytes of two vectors, by their numbers from 0 to 31. */
  shuffle(...bytes: readonly number[]): this {
    this.code.opcode(SHUFFLE);
    for (const byte of bytes) this.code.byte(byte);
    return this;
  }

  i32(x: number): this {
    this.code.byte(0x41);
    this.code.signed(x);
    return this;
  }

  i64(x: bigint): this {
    this.code.byte(0x42);
    this.code.signed64(x);
    return this;
  }

  f32(x: number): this {
    scratch.setFloat32(0, x, true);
    return this.literal(0x43, 4);
  }

  f64(x: number): this {
    scratch.setFloat64(0, x, true);
    return this.literal(0x44, 8);
  }

  v128(bytes: Uint8Array): this {
    this.code.opcode(V128_CONST);
    this.code.append(bytes);
    return this;
  }

  call(functionIndex: number): this {
    this.code.byte(CALL);
    this.code.unsigned(functionIndex);
    return this;
  }

  /** A branch to its label leaves the block. */
  block(body: (leave: Label) => void): this {
    return this.nested(BLOCK, body);
  }

  /** A branch to its label starts the loop anew; without one it runs once. */
  loop(body: (again: Label) => void): this {
    return this.nested(LOOP, body);
  }

  /** Takes an i32 from the stack. */
  if(then: (leave: Label) => void, otherwise?: (leave: Label) => void): this {
    this.code.byte(IF);
    this.code.byte(NO_RESULT);
    const label = { depth: ++this.depth };
    then(label);
    if (otherwise !== undefined) {
      this.code.byte(ELSE);
      otherwise(label);
    }
    this.depth--;
    this.code.byte(END);
    return this;
  }

  br(label: Label): this {
    this.code.byte(BR);
    this.code.unsigned(this.depth - label.depth);
    return this;
  }

  /** Takes an i32 from the stack. */
  brIf(label: Label): this {
    this.code.byte(BR_IF);
    this.code.unsigned(this.depth - label.depth);
    return this;
  }

  /** The body with its declarations, as a code section holds it. */
  body(): Uint8Array {
    const out = new Bytes();
    const runs: { type: ValueType; count: number }[] = [];
    for (const type of this.locals) {
      const last = runs[runs.length - 1];
      if (last?.type === type) last.count++;
      else runs.push({ type, count: 1 });
    }
    out.unsigned(runs.length);
    for (const { type, count } of runs) {
      out.unsigned(count);
      out.byte(VALUE_TYPES[type]);
    }
    out.append(this.code.bytes());
    out.byte(END);
    return out.bytes();
  }

  private literal(code: number, bytes: number): this {
    this.code.byte(code);
    for (let k = 0; k < bytes; k++) this.code.byte(scratch.getUint8(k));
    return this;
  }

  private nested(code: number, body: (label: Label) => void): this {
    this.code.byte(code);
    this.code.byte(NO_RESULT);
    body({ depth: ++this.depth });
    this.depth--;
    this.code.byte(END);
    return this;
  }
}

interface ImportedFunction {
  readonly module: string;
  readonly name: string;
  readonly type: number;
}

/** A module: one imported memory ("env" "memory"), imported functions, then functions of its own, all exported that have a name. */
export class ModuleBuilder {
  private readonly types: { readonly key: string; readonly bytes: Uint8Array }[] = [];
  private readonly imports: ImportedFunction[] = [];
  private readonly functions: { readonly name: string | null; readonly type: number; readonly builder: FunctionBuilder }[] = [];

  /** Gives the function's number, which `call` takes. All imports come before the first function of the module's own. */
  importFunction(module: string, name: string, params: readonly ValueType[], results: readonly ValueType[] = []): number {
    if (this.functions.length > 0) throw new Error("imports come before functions");
    this.imports.push({ module, name, type: this.typeOf(params, results) });
    return this.imports.length - 1;
  }

  /** Adds a function, exported under its name if it has one; gives its number. */
  addFunction(builder: FunctionBuilder, name: string | null): number {
    this.functions.push({ name, type: this.typeOf(builder.params, builder.results), builder });
    return this.imports.length + this.functions.length - 1;
  }

  bytes(): Uint8Array<ArrayBuffer> {
    const out = new Bytes();
    for (const byte of [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00]) out.byte(byte);
    section(out, 1, this.types, (s, { bytes }) => s.append(bytes));
    section(out, 2, [null, ...this.imports], (s, entry) => {
      s.name(entry === null ? "env" : entry.module);
      s.name(entry === null ? "memory" : entry.name);
      if (entry === null) for (const byte of [0x02, 0x00, 0x00]) s.byte(byte);
      else {
        s.byte(0x00);
        s.unsigned(entry.type);
      }
    });
    section(out, 3, this.functions, (s, { type }) => s.unsigned(type));
    const exported = this.functions.flatMap(({ name }, k) => (name === null ? [] : [{ name, index: this.imports.length + k }]));
    section(out, 7, exported, (s, { name, index }) => {
      s.name(name);
      s.byte(0x00);
      s.unsigned(index);
    });
    section(out, 10, this.functions, (s, { builder }) => {
      const body = builder.body();
      s.unsigned(body.length);
      s.append(body);
    });
    return out.bytes();
  }

  private typeOf(params: readonly ValueType[], results: readonly ValueType[]): number {
    const key = `${params.join()}>${results.join()}`;
    const known = this.types.findIndex((type) => type.key === key);
    if (known >= 0) return known;
    const bytes = new Bytes();
    bytes.byte(0x60);
    for (const list of [params, results]) {
      bytes.unsigned(list.length);
      for (const type of list) bytes.byte(VALUE_TYPES[type]);
    }
    this.types.push({ key, bytes: bytes.bytes() });
    return this.types.length - 1;
  }
}

function section<T>(out: Bytes, id: number, entries: readonly T[], write: (s: Bytes, entry: T) => void): void {
  const s = new Bytes();
  s.unsigned(entries.length);
  for (const entry of entries) write(s, entry);
  out.byte(id);
  out.unsigned(s.length);
  out.append(s.bytes());
}
