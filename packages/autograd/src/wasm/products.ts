import { FunctionBuilder, ModuleBuilder } from "./assembler.js";
import { BlockFunctions, type Blocks } from "./products/blocks.js";
import {
  assign,
  call,
  constant,
  equal,
  floorTo,
  type Int,
  minus,
  plus,
  quotient,
  remainder,
  smaller,
  times,
  variable,
  when,
  whileBelow,
} from "./products/integers.js";
import { type Lanes, lanesOf, panelWidth, type ProductMode, TILE_ROWS } from "./products/lanes.js";
import { addPacking, type Packing } from "./products/packing.js";
import { BLOCK_DEPTH, BLOCK_ROWS, type FormOfA, type FormOfB, scratchLayout } from "./products/plan.js";

export { type ProductMode } from "./products/lanes.js";
export { formOfBIn, planProduct, type ProductFunction } from "./products/plan.js";

/**
 * The bytes of a module that multiplies matrices in the memory that it imports ("env" "memory"): C = A B or C += A B, for any sizes, given
 * at run time; B in one form, since most programs need one, and emitting both takes three times as long. Its exports:
 *
 * - packB(source, ld, inner, columns, target) and packBTransposed(same): B, which stands as [inner, columns] or as [columns, inner], into
 *   the layout that the products with "Packed" in their names read.
 * - productRowsPacked, productBlocksPacked and productTransposedPacked, or the same "InPlace", each (rows, columns, inner, a, lda, b, ldb, c, ldc, accumulate, scratch): A stands as [rows, inner], for "Transposed" as
 *   [inner, rows]; "InPlace" reads B as [inner, columns].
 *
 * Addresses are in bytes, strides between rows in elements, all rows contiguous; an address needs no more alignment than its elements.
 * `planProduct` says which function is fast for which sizes, and how much scratch it needs; every one of them is right for all sizes.
 * Each element is the sum over k from first to last, onto its old value if `accumulate` is not 0: all functions, and the same sum in
 * several pieces, give the same bits. C may overlap neither A nor B nor scratch, and scratch neither of them; nothing outside of the
 * matrices is read.
 */
export function productsModule(mode: ProductMode, formOfB: FormOfB): Uint8Array<ArrayBuffer> {
  const lanes = lanesOf(mode);
  const module = new ModuleBuilder();
  const packing = addPacking(module, lanes);
  const blocks = new BlockFunctions(module, lanes, packing).blocks(formOfB === "Packed" ? "packed" : "inPlace");
  for (const a of ["Rows", "Blocks", "Transposed"] as const)
    module.addFunction(new Product(lanes, packing, blocks, a, formOfB).f, `product${a}${formOfB}`);
  return module.bytes();
}

/** The loops over blocks of k and of rows. */
class Product {
  readonly f = new FunctionBuilder(new Array<"i32">(11).fill("i32"));
  private readonly rows = 0;
  private readonly columns = 1;
  private readonly inner = 2;
  private readonly a = 3;
  private readonly lda = 4;
  private readonly b = 5;
  private readonly ldb = 6;
  private readonly c = 7;
  private readonly ldc = 8;
  private readonly accumulate = 9;
  private readonly scratch = 10;
  private readonly lanes: Lanes;
  private readonly packing: Packing;
  private readonly blocks: Blocks;
  private readonly formOfA: FormOfA;
  private readonly formOfB: FormOfB;
  /** Strides in bytes; for packed B the one between panels. */
  private readonly strideA: number;
  private readonly strideB: number;
  private readonly strideC: number;
  /** Of the present block of k: where it starts, its length, and where it starts in A and B. */
  private readonly start: number;
  private readonly depth: number;
  private readonly left: number;
  private readonly right: number;
  private readonly edge: number;
  private readonly row: number;
  private readonly height: number;

  constructor(lanes: Lanes, packing: Packing, blocks: Blocks, formOfA: FormOfA, formOfB: FormOfB) {
    const { f } = this;
    this.lanes = lanes;
    this.packing = packing;
    this.blocks = blocks;
    this.formOfA = formOfA;
    this.formOfB = formOfB;
    const size = constant(lanes.size);
    this.strideA = variable(f, times(this.lda, size));
    this.strideB = variable(f, formOfB === "Packed" ? times(this.inner, constant(panelWidth(lanes) * lanes.size)) : times(this.ldb, size));
    this.strideC = variable(f, times(this.ldc, size));
    [this.start, this.depth, this.left, this.right] = [f.local("i32"), f.local("i32"), f.local("i32"), f.local("i32")];
    [this.edge, this.row, this.height] = [f.local("i32"), f.local("i32"), f.local("i32")];
    when(f, this.rows, () =>
      when(
        f,
        this.inner,
        () => this.multiply(),
        () => this.multiplyNothing(),
      ),
    );
  }

  private multiplyNothing(): void {
    const { f } = this;
    when(f, this.accumulate, () => f.op("return"));
    call(f, this.packing.clear, this.rows, this.columns, this.c, this.strideC);
  }

  private multiply(): void {
    const { f } = this;
    const longest = this.blockDepth();
    whileBelow(f, this.start, this.inner, longest, () => {
      assign(f, this.depth, smaller(longest, minus(this.inner, this.start)));
      this.findBlock();
      this.multiplyTiles();
      this.multiplyRest();
      assign(f, this.accumulate, constant(1));
    });
  }

  /** Blocks of equal depth, rounded up to whole turns of the unrolled loop. */
  private blockDepth(): number {
    const blocks = quotient(plus(this.inner, constant(BLOCK_DEPTH - 1)), constant(BLOCK_DEPTH));
    return variable(this.f, floorTo(plus(quotient(plus(this.inner, minus(blocks, constant(1))), blocks), constant(3)), 4));
  }

  private findBlock(): void {
    const { f, start, lanes, columns } = this;
    const width = panelWidth(lanes);
    const size = constant(lanes.size);
    assign(f, this.left, plus(this.a, times(start, this.formOfA === "Transposed" ? this.strideA : size)));
    if (this.formOfB === "Packed") {
      assign(f, this.right, plus(this.b, times(start, constant(width * lanes.size))));
      assign(f, this.edge, plus(this.right, times(quotient(columns, constant(width)), this.strideB)));
      return;
    }
    assign(f, this.right, plus(this.b, times(start, this.strideB)));
    when(f, remainder(columns, width), () => {
      assign(f, this.edge, plus(this.scratch, constant(scratchLayout(width).edgePanel * lanes.size)));
      const source = plus(this.right, times(floorTo(columns, width), size));
      call(f, this.packing.packB, source, this.ldb, this.depth, remainder(columns, width), this.edge);
    });
  }

  private multiplyTiles(): void {
    const { f, row, height, formOfA, lanes } = this;
    const tiled = variable(f, floorTo(this.rows, TILE_ROWS));
    const from = f.local("i32");
    assign(f, row, constant(0));
    whileBelow(f, row, tiled, constant(BLOCK_ROWS), () => {
      assign(f, height, smaller(constant(BLOCK_ROWS), minus(tiled, row)));
      assign(f, from, plus(this.left, times(row, formOfA === "Transposed" ? constant(lanes.size) : this.strideA)));
      if (formOfA === "Rows") return this.multiplyBlock(this.blocks.rows, row, height, from, this.strideA);
      const pack = formOfA === "Transposed" ? this.packing.packATransposed : this.packing.packA;
      // Rows are columns of what packATransposed reads.
      call(f, pack, from, this.lda, this.depth, height, this.blockOfA());
      this.multiplyBlock(this.blocks.panels, row, height, this.blockOfA(), constant(0));
    });
  }

  /** The one to three rows below all full tiles. */
  private multiplyRest(): void {
    const { f, height, formOfA, lanes } = this;
    assign(f, height, remainder(this.rows, TILE_ROWS));
    when(f, height, () => {
      const row = variable(f, minus(this.rows, height));
      const from = variable(f, plus(this.left, times(row, formOfA === "Transposed" ? constant(lanes.size) : this.strideA)));
      const stride = variable(f, this.strideA);
      if (formOfA === "Transposed") {
        call(f, this.packing.copyTransposed, this.depth, height, from, this.strideA, this.blockOfA());
        assign(f, from, this.blockOfA());
        assign(f, stride, times(this.depth, constant(lanes.size)));
      }
      this.blocks.rest.forEach((block, k) => {
        const rows = constant(k + 1);
        when(f, equal(height, rows), () => this.multiplyBlock(block, row, rows, from, stride));
      });
    });
  }

  private blockOfA(): Int {
    return plus(this.scratch, constant(scratchLayout(panelWidth(this.lanes)).blockOfA * this.lanes.size));
  }

  private multiplyBlock(block: number, row: number, rows: Int, from: Int, stride: Int): void {
    const { f } = this;
    const c = plus(this.c, times(row, this.strideC));
    const { depth, columns, right, strideB, edge, strideC, accumulate, scratch } = this;
    call(f, block, depth, rows, columns, from, stride, right, strideB, edge, c, strideC, accumulate, scratch);
  }
}
