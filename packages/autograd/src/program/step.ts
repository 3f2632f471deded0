import type { Instruction } from "./graph.js";
import type { KernelSpec } from "./kernel.js";
import type { Frame, Location, MemoryBlock } from "./location.js";
import type { Shape } from "../shape.js";
import type { ProductFunction } from "../wasm/products.js";
import type { LaneType } from "../wasm/lanes.js";

/** What a program does, in order: calls of kernels on planned memory, and loops of such steps. */
export type Step = KernelStep | PackStep | ProductStep | PlainStep | LoopStep;

/** A fused elementwise kernel. */
export interface KernelStep {
  readonly kind: "kernel";
  readonly spec: KernelSpec;
  /** Lengths of the axes that it walks, then an address for each operand and result. */
  readonly counts: readonly number[];
  readonly locations: readonly Location[];
  readonly writes: number;
  /** Of a kernel that reads indices: what they must be within, and what is said of one that is not. */
  readonly within?: { readonly op: string; readonly axis: number; readonly shape: Shape };
}

/** The right operand of a product, brought into the layout that the product reads. */
interface PackStep {
  readonly kind: "pack";
  readonly pack: "packB" | "packBTransposed";
  readonly dtype: LaneType;
  readonly inner: number;
  readonly columns: number;
  readonly source: Location;
  readonly ld: number;
  readonly target: MemoryBlock;
}

interface ProductStep {
  readonly kind: "product";
  readonly product: ProductFunction;
  readonly dtype: LaneType;
  readonly rows: number;
  readonly columns: number;
  readonly inner: number;
  readonly a: Location;
  readonly lda: number;
  /** Packed, or as it lies. */
  readonly b: Location | MemoryBlock;
  readonly ldb: number;
  readonly c: Location;
  readonly ldc: number;
  readonly scratch: MemoryBlock | null;
}

/** An operation that no kernel is emitted for: its plain kernel, on arrays over the program's memory. */
export interface PlainStep {
  readonly kind: "plain";
  readonly instruction: Instruction;
  readonly operands: readonly Location[];
  readonly outputs: readonly Location[];
}

export interface LoopStep {
  readonly kind: "loop";
  readonly frame: Frame;
  readonly body: readonly Step[];
}

/** How many indices there are. */
export function limitOf({ axis, shape }: NonNullable<KernelStep["within"]>): number {
  return shape[axis] as number;
}

/** The memory that a step touches, other than a loop's. */
export function blocksOf(step: Exclude<Step, LoopStep>): MemoryBlock[] {
  switch (step.kind) {
    case "kernel":
      return step.locations.map(({ block }) => block);
    case "pack":
      return [step.source.block, step.target];
    case "product": {
      const { a, b, c, scratch } = step;
      return [a.block, "block" in b ? b.block : b, c.block, ...(scratch === null ? [] : [scratch])];
    }
    case "plain":
      return [...step.operands, ...step.outputs].map(({ block }) => block);
  }
}
