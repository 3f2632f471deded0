import { InputError, type Value } from "@unroll/autograd";
import { afterEach, expect, test, vi } from "vitest";
import { readSafetensors } from "../../src/io/safetensors.js";
import { MIXED, ORIGINALS } from "./files.js";
import { mutantOf, partsOf } from "./mutation.js";

/** 10,000 in a full run; otherwise the first of them. */
const FILES = process.env["UNROLL_FULL"] === "1" ? 10_000 : 2_000;
/** Arrays are cut from slabs of this many bytes. */
const SLAB = 32_768;

afterEach(() => vi.unstubAllGlobals());

/** Keeps the length in bytes of the longest typed array made; the format's reader makes no other large thing that a header could ask for. */
function watchAllocations(): { largest: number } {
  const seen = { largest: 0 };
  for (const name of ["Float64Array", "Float32Array", "Int32Array", "Uint8Array", "ArrayBuffer", "Array"] as const) {
    const original = globalThis[name] as unknown as new (...args: unknown[]) => { length?: number; byteLength?: number };
    vi.stubGlobal(
      name,
      new Proxy(original, {
        construct(target, args: unknown[], newTarget: typeof original) {
          const elements = typeof args[0] === "number" ? args[0] : 0;
          const width = (target as unknown as { BYTES_PER_ELEMENT?: number }).BYTES_PER_ELEMENT ?? 1;
          seen.largest = Math.max(seen.largest, elements * width);
          // What would not fit in memory anyway is not tried.
          return Reflect.construct(target, elements > 1e6 ? [0] : args, newTarget) as object;
        },
      }),
    );
  }
  return seen;
}

type Entry = { dtype: string; shape: number[]; data_offsets: [number, number] };

/** A second reader, by JSON.parse and plain views, that trusts the file. */
function plainReading(bytes: Uint8Array): [name: string, shape: number[], elements: number[]][] {
  const { header, data } = partsOf(bytes);
  const { __metadata__: _, ...entries } = JSON.parse(header) as Record<string, Entry>;
  return Object.entries(entries).map(([name, { dtype, shape, data_offsets }]) => {
    const part = data.slice(...data_offsets).buffer;
    const elements = {
      F64: () => new Float64Array(part),
      F32: () => new Float32Array(part),
      I32: () => new Int32Array(part),
      I16: () => new Int16Array(part),
      I8: () => new Int8Array(part),
      I64: () => Array.from(new BigInt64Array(part), Number),
      BF16: () => new Float32Array(Uint32Array.from(new Uint16Array(part), (x) => x << 16).buffer),
    }[dtype];
    // F16 has a test of all its values; U8 and BOOL are the bytes themselves.
    return [name, shape, dtype === "F16" ? [] : Array.from(elements?.() ?? new Uint8Array(part))];
  });
}

function checkReading(read: ReadonlyMap<string, Value>, bytes: Uint8Array): void {
  const plain = plainReading(bytes);
  expect(read.size).toBe(plain.length);
  for (const [name, shape, elements] of plain) {
    const x = read.get(name) as Value;
    expect(x.shape).toEqual(shape);
    if (elements.length > 0) expect(Array.from(x.data)).toEqual(elements);
  }
}

test(`${FILES.toLocaleString("en")} mutated files are read correctly or refused, at once and in little memory`, { timeout: 60_000 }, () => {
  const counts = { read: 0, refused: 0, harmless: 0 };
  const slowest = { ms: 0, file: -1 };
  const readings: [ReadonlyMap<string, Value>, Uint8Array][] = [];
  for (let k = 0; k < FILES; k++) {
    // The harmless mutants change data, too, which not every dtype can hold whatever it is.
    const { bytes, harmless } = mutantOf(k % 4 === 3 ? [MIXED] : ORIGINALS, k);
    const allocations = watchAllocations();
    const start = performance.now();
    try {
      readings.push([readSafetensors(bytes), bytes]);
      counts.read++;
      if (harmless) counts.harmless++;
    } catch (error) {
      if (!(error instanceof InputError)) throw new Error(`file ${k}: ${String(error)}`, { cause: error });
      if (harmless && k % 4 !== 3) throw new Error(`file ${k} is harmless, but was refused`, { cause: error });
      counts.refused++;
    } finally {
      const ms = performance.now() - start;
      if (ms > slowest.ms) Object.assign(slowest, { ms, file: k });
      vi.unstubAllGlobals();
    }
    // Four bytes an element of U8, and as much again for the Value's own copy.
    expect([k, allocations.largest]).toEqual([k, Math.min(allocations.largest, Math.max(SLAB, 4 * bytes.length))]);
  }
  for (const [read, bytes] of readings) checkReading(read, bytes);
  expect(slowest.ms, `file ${slowest.file}`).toBeLessThan(1_000);
  // The mutants are of use only as long as many of either kind come out.
  expect(counts.harmless).toBeGreaterThan(FILES / 20);
  expect(counts.refused).toBeGreaterThan(FILES / 2);
});
