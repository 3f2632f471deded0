import { readFileSync } from "node:fs";
import { writeSafetensors } from "../../src/io/safetensors.js";

/** A file in the fixtures. */
export const fixture = (name: string): Uint8Array => new Uint8Array(readFileSync(new URL(`fixtures/${name}`, import.meta.url)));

/** What mutants are made from; any bytes are data that all of them can hold. */
export const ORIGINALS: readonly Uint8Array[] = [
  fixture("lstm.safetensors"),
  writeSafetensors({ a: [[1, 2, 3]], b: Int32Array.of(4, 5), c: { d: Float32Array.of(6) } }, { format: "pt", note: "three" }),
  writeSafetensors({ x: 1 }),
];

/** Has tensors that not every change of the data leaves readable. */
export const MIXED = fixture("mixed.safetensors");
