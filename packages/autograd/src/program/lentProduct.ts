import { bytesPerElement, type TypedArray } from "../dtype.js";
import { type LentProduct, lendProduct } from "../ops/products.js";
import { detectFeatures } from "../wasm/features.js";
import { type Memory, type WasmFunction, webAssembly, type WebAssemblyHost } from "../wasm/host.js";
import type { LaneType } from "../wasm/lanes.js";
import { formOfBIn, planProduct, type ProductFunction } from "../wasm/products.js";
import { productsOf } from "./machine.js";

// From 32 x 32 x 32 on the kernel gains more than it takes to copy the operands into its memory and the result out.
const FROM = 32 ** 3;
const PAGE = 65536;

/** A memory for one product at a time, which grows to the largest. */
class Workshop {
  readonly memory: Memory;
  readonly bytes: number;
  readonly elements: TypedArray;
  private readonly dtype: LaneType;
  private readonly host: WebAssemblyHost;
  private readonly instances: Record<string, Readonly<Record<string, WasmFunction>>> = {};

  constructor(dtype: LaneType, bytes: number, host: WebAssemblyHost) {
    const pages = Math.ceil(bytes / PAGE);
    this.dtype = dtype;
    this.host = host;
    this.bytes = pages * PAGE;
    this.memory = new host.Memory({ initial: pages });
    this.elements = dtype === "float64" ? new Float64Array(this.memory.buffer) : new Float32Array(this.memory.buffer);
  }

  /** The functions of the module that has a product. */
  functions(product: ProductFunction): Readonly<Record<string, WasmFunction>> {
    const { dtype, host, memory } = this;
    return (this.instances[formOfBIn(product)] ??= new host.Instance(productsOf(dtype, product, detectFeatures(), host), {
      env: { memory },
    }).exports);
  }
}

const workshops: { float32?: Workshop; float64?: Workshop } = {};

function workshopFor(dtype: LaneType, bytes: number, host: WebAssemblyHost): Workshop {
  const known = workshops[dtype];
  if (known !== undefined && known.bytes >= bytes) return known;
  return (workshops[dtype] = new Workshop(dtype, Math.max(bytes, 2 * (known?.bytes ?? 0)), host));
}

const aligned = (bytes: number): number => Math.ceil(bytes / 64) * 64;

function lentBy(host: WebAssemblyHost): LentProduct {
  const { simd, relaxedMadd } = detectFeatures();
  return (rows, columns, inner, a, a0, transposeA, b, b0, transposeB, c, c0) => {
    const dtype = c instanceof Float64Array ? "float64" : "float32";
    const size = bytesPerElement(dtype);
    const plan = planProduct({ rows, columns, inner, transposeA, transposeB, dtype, reusedB: false, simd, relaxedMadd });
    const atB = aligned(rows * inner * size);
    const atC = atB + aligned(inner * columns * size);
    const atPacked = atC + aligned(rows * columns * size);
    const atScratch = atPacked + aligned(plan.packedBytes);
    const workshop = workshopFor(dtype, atScratch + plan.scratchBytes, host);
    const { elements } = workshop;
    const functions = workshop.functions(plan.product);
    elements.set(a.subarray(a0, a0 + rows * inner), 0);
    elements.set(b.subarray(b0, b0 + inner * columns), atB / size);
    const ldb = transposeB ? inner : columns;
    if (plan.pack !== null) functions[plan.pack]?.(atB, ldb, inner, columns, atPacked);
    const right = plan.pack === null ? atB : atPacked;
    functions[plan.product]?.(rows, columns, inner, 0, transposeA ? rows : inner, right, ldb, atC, columns, 0, atScratch);
    c.set(elements.subarray(atC / size, atC / size + rows * columns), c0);
  };
}

/** Lends eager mode the product kernels of programs. */
export function lendKernels(): void {
  const host = webAssembly();
  if (host !== null && detectFeatures().simd) lendProduct(lentBy(host), FROM);
}
