/** Weights in the safetensors format: read without trusting the file, written as PyTorch reads them. */
import { type DType, InputError, type Operand, type TypedArray, type Value, value } from "@unroll/autograd";
import { BYTES, type FileDType, isWellFormed, readHeader, refuse, type TensorEntry } from "./safetensorsHeader.js";
import { flattenTree, quoted } from "./tree.js";

/**
 * The tensors of a safetensors file, by name in the order of its header. F64 becomes float64; F32, F16 and BF16 float32 (exactly; a 0-d
 * value is float64, as everywhere); I64, I32, I16, I8 and U8 int32; BOOL bool. Memory taken is at most a small multiple of the file's
 * length, whatever its header claims.
 * Throws InputError for a file that breaks the format in any way (a header cut off, not UTF-8, with two equal names, with numbers that are
 * not whole, with unknown fields; tensors that overlap, leave a gap, end before or past the data, or do not have the bytes that their
 * shape and dtype take), for other dtypes, for a shape of more than 64 axes, and for an I64 outside the range of int32.
 *
 * Source: https://github.com/huggingface/safetensors.
 *
 * @example
 * import { value } from "@unroll/autograd";
 * const file = writeSafetensors({ layer: { weight: value([[1, 2], [3, 4]]) } });
 * console.log(readSafetensors(file).get("layer.weight")?.toArray()); // [ [ 1, 2 ], [ 3, 4 ] ]
 */
export function readSafetensors(bytes: Uint8Array): Map<string, Value> {
  const view = (entry: TensorEntry) => new DataView(bytes.buffer, bytes.byteOffset + entry.begin, entry.end - entry.begin);
  return new Map(readHeader(bytes).entries.map((entry) => [entry.name, tensorOf(entry, view(entry))]));
}

/**
 * What a safetensors file says of itself: texts by key, empty where it says nothing. Throws InputError as readSafetensors does.
 *
 * @example
 * import { value } from "@unroll/autograd";
 * const file = writeSafetensors({ weight: value([1]) }, { format: "pt", epochs: "30" });
 * console.log(safetensorsMetadata(file).get("epochs")); // 30
 */
export function safetensorsMetadata(bytes: Uint8Array): Map<string, string> {
  return new Map(readHeader(bytes).metadata);
}

/**
 * A safetensors file of the leaves of a tree under their dotted names (see flattenTree), or of a Map of Values: float64 as F64, float32 as
 * F32, int32 as I32, bool as BOOL. The same tree always gives the same bytes: tensors stand by falling size of their elements, so that each is
 * aligned, then by name. `metadata` holds texts; `{ format: "pt" }` is what PyTorch's own files say.
 * Throws InputError where two leaves have one name, one is called `__metadata__`, or a name or text is not well-formed Unicode.
 *
 * @example
 * const file = writeSafetensors({ weight_ih_l0: [[0.5, -1]], bias_ih_l0: [2] });
 * console.log([...readSafetensors(file).keys()], file.length % 8); // [ 'bias_ih_l0', 'weight_ih_l0' ] 0
 */
export function writeSafetensors(
  tree: ReadonlyMap<string, Operand> | object,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array<ArrayBuffer> {
  const tensors = [...flattenTree(tree)].sort(([nameA, a], [nameB, b]) => bytesIn(b) - bytesIn(a) || (nameA < nameB ? -1 : 1));
  const header = new TextEncoder().encode(headerText(tensors, metadata));
  // Spaces up to a multiple of 8, so that the data is aligned.
  const start = 8 + Math.ceil(header.length / 8) * 8;
  const bytes = new Uint8Array(start + tensors.reduce((sum, [, x]) => sum + x.size * bytesIn(x), 0)).fill(0x20, 8, start);
  bytes.set(header, 8);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, BigInt(start - 8), true);
  let at = start;
  for (const [, x] of tensors) at = put(view, at, x);
  return bytes;
}

const FILE_DTYPE: Readonly<Record<DType, FileDType>> = { float64: "F64", float32: "F32", int32: "I32", bool: "BOOL" };

const bytesIn = (x: Value): number => BYTES[FILE_DTYPE[x.dtype]];

function headerText(tensors: readonly (readonly [string, Value])[], metadata: Readonly<Record<string, string>>): string {
  let at = 0;
  const entries: [string, unknown][] = tensors.map(([name, x]) => {
    if (name === "__metadata__") throw new InputError('writeSafetensors: no tensor may be called "__metadata__"');
    const begin = at;
    at += x.size * bytesIn(x);
    return [wellFormed(name), { dtype: FILE_DTYPE[x.dtype], shape: x.shape, data_offsets: [begin, at] }];
  });
  const texts = Object.entries(metadata);
  for (const [key, text] of texts) {
    if (typeof text !== "string") throw new InputError(`writeSafetensors: metadata ${quoted(key)} is no text; write numbers as texts`);
    wellFormed(key);
    wellFormed(text);
  }
  // Object.fromEntries would move keys that look like numbers to the front.
  const members = [...(texts.length > 0 ? [["__metadata__", metadata] as const] : []), ...entries];
  return `{${members.map(([key, entry]) => `${JSON.stringify(key)}:${JSON.stringify(entry)}`).join(",")}}`;
}

function wellFormed(text: string): string {
  if (isWellFormed(text)) return text;
  throw new InputError(`writeSafetensors: ${quoted(text)} holds half a surrogate pair, which UTF-8 cannot write`);
}

/** Writes the elements from byte `at` on, and gives the first byte behind them. DataView, since the format is little-endian on any machine. */
function put(view: DataView, at: number, x: Value): number {
  const { data, dtype } = x;
  const size = bytesIn(x);
  for (let k = 0; k < data.length; k++) {
    const element = data[k] as number;
    if (dtype === "float64") view.setFloat64(at + k * size, element, true);
    else if (dtype === "float32") view.setFloat32(at + k * size, element, true);
    else if (dtype === "int32") view.setInt32(at + k * size, element, true);
    else view.setUint8(at + k, element);
  }
  return at + data.length * size;
}

function tensorOf({ name, dtype, shape }: TensorEntry, view: DataView): Value {
  const size = BYTES[dtype];
  const out = arrayFor(dtype, view.byteLength / size);
  const read = READERS[dtype];
  for (let k = 0; k < out.length; k++) {
    const element = read(view, k * size);
    if (element === undefined)
      refuse(
        `element ${k} of tensor ${quoted(name)}, ${dtype}, ${dtype === "BOOL" ? "is neither 0 nor 1" : "is outside the range of int32"}`,
      );
    out[k] = element;
  }
  return value(out, { shape });
}

function arrayFor(dtype: FileDType, length: number): TypedArray {
  if (dtype === "F64") return new Float64Array(length);
  if (dtype === "F32" || dtype === "F16" || dtype === "BF16") return new Float32Array(length);
  return dtype === "BOOL" ? new Uint8Array(length) : new Int32Array(length);
}

/** An element at a byte; undefined where its Value could not hold it. */
const READERS: Readonly<Record<FileDType, (view: DataView, at: number) => number | undefined>> = {
  F64: (view, at) => view.getFloat64(at, true),
  F32: (view, at) => view.getFloat32(at, true),
  F16: (view, at) => fromHalf(view.getUint16(at, true)),
  BF16: (view, at) => fromBrain(view.getUint16(at, true)),
  I64: (view, at) => narrowed(view.getInt32(at, true), view.getInt32(at + 4, true)),
  I32: (view, at) => view.getInt32(at, true),
  I16: (view, at) => view.getInt16(at, true),
  I8: (view, at) => view.getInt8(at),
  U8: (view, at) => view.getUint8(at),
  BOOL: (view, at) => (view.getUint8(at) < 2 ? view.getUint8(at) : undefined),
};

/** IEEE 754 binary16: 1 bit of sign, 5 of exponent, 10 of fraction. */
function fromHalf(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : NaN;
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

const scratch = new DataView(new ArrayBuffer(4));

/** The upper half of a binary32. */
function fromBrain(bits: number): number {
  scratch.setUint32(0, bits << 16);
  return scratch.getFloat32(0);
}

/** The upper word of a small enough number repeats the sign of the lower. */
function narrowed(low: number, high: number): number | undefined {
  return high === low >> 31 ? low : undefined;
}
