import { readFileSync } from "node:fs";
import { type DType, type Value, value } from "../../src/index.js";

/** A number as the reference files write it: NaN, the infinities and -0 are strings. */
type Encoded = number | string;

interface EncodedArray {
  readonly shape: readonly number[];
  readonly data: readonly Encoded[];
  readonly dtype?: DType;
}

/** An array of a reference file, read. */
export interface ReferenceArray {
  readonly shape: readonly number[];
  readonly data: readonly number[];
  readonly dtype: DType;
}

export interface ElementwiseCase {
  readonly op: string;
  readonly kind: "ordinary" | "special";
  readonly points: readonly (readonly number[])[];
  readonly values: readonly number[];
  /** One list an operand; null where it carries no derivative or no convention fixes one. */
  readonly gradients: readonly (readonly (number | null)[])[];
  /** Sum of the absolute terms of each derivative's formula. */
  readonly scales: readonly (readonly (number | null)[])[];
}

export interface StructuralCase {
  readonly op: string;
  readonly name: string;
  readonly operands: readonly ReferenceArray[];
  readonly options: Readonly<Record<string, unknown>>;
  readonly outputs: readonly ReferenceArray[];
  readonly cotangents: readonly (ReferenceArray | null)[];
  readonly gradients: readonly ReferenceArray[];
  /** Hessian-vector products of sum(cotangent * output^2), where the file holds some. */
  readonly vectors?: readonly ReferenceArray[];
  readonly products?: readonly ReferenceArray[];
  /** Says which convention a case is about; such operands lie on a tie. */
  readonly note?: string;
}

interface EncodedElementwise {
  readonly op: string;
  readonly kind: "ordinary" | "special";
  readonly points: readonly (readonly Encoded[])[];
  readonly values: readonly Encoded[];
  readonly gradients: readonly (readonly (Encoded | null)[] | null)[];
  readonly scales?: readonly (readonly (Encoded | null)[] | null)[];
}

interface EncodedStructural {
  readonly op: string;
  readonly name: string;
  readonly note?: string;
  readonly options: Readonly<Record<string, unknown>>;
  readonly operands: readonly EncodedArray[];
  readonly outputs: readonly EncodedArray[];
  readonly cotangents: readonly (EncodedArray | null)[];
  readonly gradients: readonly EncodedArray[];
  readonly vectors?: readonly EncodedArray[];
  readonly products?: readonly EncodedArray[];
}

function casesOf<T>(name: string): readonly T[] {
  const file = new URL(`../references/fixtures/${name}.json`, import.meta.url);
  return (JSON.parse(readFileSync(file, "utf8")) as { cases: T[] }).cases;
}

function decode(x: Encoded): number {
  return x === "-0" ? -0 : Number(x);
}

export function decodeArray({ shape, data, dtype = "float64" }: EncodedArray): ReferenceArray {
  return { shape, data: data.map(decode), dtype };
}

function elementwiseCase({ op, kind, points, values, gradients, scales = gradients }: EncodedElementwise): ElementwiseCase {
  const columns = (rows: EncodedElementwise["gradients"]) =>
    rows.map((row) => (row ?? values.map(() => null)).map((x) => (x === null ? null : decode(x))));
  return {
    op,
    kind,
    points: points.map((p) => p.map(decode)),
    values: values.map(decode),
    gradients: columns(gradients),
    scales: columns(scales),
  };
}

function structuralCase({
  op,
  name,
  note,
  options,
  operands,
  outputs,
  cotangents,
  gradients,
  vectors,
  products,
}: EncodedStructural): StructuralCase {
  const arrays = (xs: readonly EncodedArray[]) => xs.map(decodeArray);
  return {
    op,
    name,
    options: decodeOptions(options),
    operands: arrays(operands),
    outputs: arrays(outputs),
    cotangents: cotangents.map((c) => (c === null ? null : decodeArray(c))),
    gradients: arrays(gradients),
    ...(note === undefined ? {} : { note }),
    ...(vectors === undefined || products === undefined ? {} : { vectors: arrays(vectors), products: arrays(products) }),
  };
}

function decodeOptions(options: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(options).map(([key, x]) => [key, key === "value" ? decode(x as Encoded) : x]));
}

export const elementwiseCases: readonly ElementwiseCase[] = casesOf<EncodedElementwise>("elementwise").map(elementwiseCase);
export const structuralCases: readonly StructuralCase[] = casesOf<EncodedStructural>("structural").map(structuralCase);
export const networkCases = casesOf<NetworkCase>("networks");
export const optimizerCases = casesOf<OptimizerCase>("optimizers");

export interface NetworkCase {
  readonly network: string;
  readonly inputs?: Readonly<Record<string, EncodedArray>>;
  readonly parameters: Readonly<Record<string, EncodedArray>>;
  readonly outputs: Readonly<Record<string, EncodedArray>>;
  readonly cotangents?: Readonly<Record<string, EncodedArray>>;
  readonly loss: number;
  readonly gradients: Readonly<Record<string, EncodedArray>>;
}

export interface OptimizerCase {
  readonly rule: "given" | "sgd" | "adam";
  readonly options: Readonly<Record<string, never>>;
  readonly start: Readonly<Record<string, EncodedArray>>;
  readonly gradients: readonly Readonly<Record<string, EncodedArray>>[];
  readonly trajectory: readonly Readonly<Record<string, EncodedArray>>[];
}

/** A reference array as a constant Value. */
export function constant({ shape, data, dtype }: ReferenceArray): Value {
  return value(typed(data, dtype), { shape, dtype });
}

export function typed(data: readonly number[], dtype: DType) {
  switch (dtype) {
    case "float64":
      return Float64Array.from(data);
    case "float32":
      return Float32Array.from(data);
    case "int32":
      return Int32Array.from(data);
    case "bool":
      return Uint8Array.from(data);
  }
}

export function isFloating({ dtype }: { readonly dtype: DType }): boolean {
  return dtype === "float64" || dtype === "float32";
}
