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

type Raw = Record<string, never>;

function casesOf(name: string): Raw[] {
  const file = new URL(`../references/fixtures/${name}.json`, import.meta.url);
  return (JSON.parse(readFileSync(file, "utf8")) as { cases: Raw[] }).cases;
}

export function decode(x: Encoded): number {
  return x === "-0" ? -0 : Number(x);
}

export function decodeArray({ shape, data, dtype = "float64" }: EncodedArray): ReferenceArray {
  return { shape, data: data.map(decode), dtype };
}

function elementwiseCase({ op, kind, points, values, gradients, scales }: Raw): ElementwiseCase {
  const columns = (rows: (Encoded | null)[][] | (Encoded | null)[] | undefined, count: number) =>
    Array.from({ length: count }, (_, k) => ((rows?.[k] ?? (values as Encoded[]).map(() => null)) as (Encoded | null)[]).map((x) => (x === null ? null : decode(x))));
  const read = columns(gradients, (gradients as unknown[]).length);
  return {
    op,
    kind,
    points: (points as Encoded[][]).map((p) => p.map(decode)),
    values: (values as Encoded[]).map(decode),
    gradients: read,
    scales: scales === undefined ? read : columns(scales, read.length),
  };
}

function structuralCase(raw: Raw): StructuralCase {
  const arrays = (xs: EncodedArray[]) => xs.map(decodeArray);
  return {
    op: raw["op"] as never,
    name: raw["name"] as never,
    note: raw["note"] as never,
    options: decodeOptions(raw["options"] as never),
    operands: arrays(raw["operands"] as never),
    outputs: arrays(raw["outputs"] as never),
    cotangents: (raw["cotangents"] as unknown as (EncodedArray | null)[]).map((c) => (c === null ? null : decodeArray(c))),
    gradients: arrays(raw["gradients"] as never),
    ...(raw["vectors"] === undefined ? {} : { vectors: arrays(raw["vectors"]), products: arrays(raw["products"] as never) }),
  };
}

function decodeOptions(options: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(options).map(([key, x]) => [key, key === "value" ? decode(x as Encoded) : x]));
}

export const elementwiseCases: readonly ElementwiseCase[] = casesOf("elementwise").map(elementwiseCase);
export const structuralCases: readonly StructuralCase[] = casesOf("structural").map(structuralCase);
export const networkCases = casesOf("networks") as unknown as readonly NetworkCase[];
export const optimizerCases = casesOf("optimizers") as unknown as readonly OptimizerCase[];

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
