import { FunctionBuilder, type ModuleBuilder } from "../assembler.js";
import { assign, call, constant, increase, type Int, minus, quotient, remainder, times, variable, when, whileBelow } from "./integers.js";
import { type Lanes, panelWidth, TILE_ROWS } from "./lanes.js";
import { microkernel, type Tile } from "./microkernel.js";
import { type Packing } from "./packing.js";

/**
 * Functions (depth, rows, columns, a, lda, b, ldb, edge, c, ldc, accumulate, scratch) that multiply over all columns, by number. Addresses
 * and strides are in bytes, ldb as micro kernels take it; `edge` is the packed panel of the last columns where the columns end within a
 * panel; `scratch` has room for one panel's width of each row.
 */
export interface Blocks {
  /** Rows in place, a multiple of TILE_ROWS. */
  readonly rows: number;
  /** Rows in panels, a multiple of TILE_ROWS. */
  readonly panels: number;
  /** 1, 2 and 3 rows in place, at their index less one. */
  readonly rest: readonly number[];
}

/** How many panels lie beside each other in the tiles of 1, 2 and 3 rows: fewer rows need more columns to fill the registers with sums. */
const REST_PANELS = [4, 2, 1] as const;

export class BlockFunctions {
  private readonly module: ModuleBuilder;
  private readonly lanes: Lanes;
  private readonly packing: Packing;
  private readonly kernels = new Map<string, number>();

  constructor(module: ModuleBuilder, lanes: Lanes, packing: Packing) {
    this.module = module;
    this.lanes = lanes;
    this.packing = packing;
  }

  blocks(b: Tile["b"]): Blocks {
    return {
      rows: this.add(this.tall("rows", b)),
      panels: this.add(this.tall("panel", b)),
      rest: REST_PANELS.map((panels, k) => this.add(this.flat(k + 1, panels, b))),
    };
  }

  private add(f: FunctionBuilder): number {
    return this.module.addFunction(f, null);
  }

  private kernel(tile: Tile): number {
    const key = Object.values(tile).join();
    const known = this.kernels.get(key);
    if (known !== undefined) return known;
    const added = this.add(microkernel(this.lanes, tile));
    this.kernels.set(key, added);
    return added;
  }

  /** Panel by panel, which stays in the first-level cache, and below it tile by tile. */
  private tall(a: Tile["a"], b: Tile["b"]): FunctionBuilder {
    const main = this.kernel({ rows: TILE_ROWS, panels: 1, a, b, next: "below" });
    const edgeKernel = this.kernel({ rows: TILE_ROWS, panels: 1, a, b: "packed", next: "below" });
    const block = new Block(this.lanes);
    const { f } = block;
    const tiles = variable(f, quotient(block.rows, constant(TILE_ROWS)));
    const column = f.local("i32");
    whileBelow(f, column, block.fullColumns(), constant(panelWidth(this.lanes)), () => {
      block.multiply(main, tiles);
      block.passPanels(constant(1), b);
    });
    block.multiplyEdge(edgeKernel, tiles, this.packing.copy);
    return f;
  }

  /** A few rows, over the columns in one go. */
  private flat(rows: number, panels: number, b: Tile["b"]): FunctionBuilder {
    const kernel = (count: number, form: Tile["b"]) => this.kernel({ rows, panels: count, a: "rows", b: form, next: "right" });
    const block = new Block(this.lanes);
    const { f } = block;
    const all = variable(f, quotient(block.fullColumns(), constant(panelWidth(this.lanes))));
    for (const width of panels === 1 ? [1] : [panels, 1]) {
      const count = variable(f, quotient(all, constant(width)));
      when(f, count, () => {
        block.multiply(kernel(width, b), count);
        block.passPanels(times(count, constant(width)), b);
      });
      assign(f, all, minus(all, times(count, constant(width))));
    }
    block.multiplyEdge(kernel(1, "packed"), variable(f, constant(1)), this.packing.copy);
    return f;
  }
}

class Block {
  readonly f = new FunctionBuilder(new Array<"i32">(12).fill("i32"));
  private readonly depth = 0;
  readonly rows = 1;
  private readonly columns = 2;
  private readonly a = 3;
  private readonly lda = 4;
  private readonly b = 5;
  private readonly ldb = 6;
  private readonly edge = 7;
  private readonly c = 8;
  private readonly ldc = 9;
  private readonly accumulate = 10;
  private readonly scratch = 11;
  private readonly edgeColumns: number;
  private readonly lanes: Lanes;
  private readonly width: number;

  constructor(lanes: Lanes) {
    this.lanes = lanes;
    this.width = panelWidth(lanes);
    this.edgeColumns = this.f.local("i32");
    assign(this.f, this.edgeColumns, remainder(this.columns, this.width));
  }

  fullColumns(): number {
    return variable(this.f, minus(this.columns, this.edgeColumns));
  }

  multiply(kernel: number, count: number): void {
    call(this.f, kernel, this.depth, count, this.a, this.lda, this.b, this.ldb, this.c, this.ldc, this.accumulate);
  }

  passPanels(count: Int, b: Tile["b"]): void {
    const bytes = times(count, constant(this.width * this.lanes.size));
    increase(this.f, this.b, b === "packed" ? times(count, this.ldb) : bytes);
    increase(this.f, this.c, bytes);
  }

  /** The last columns go through a tile in scratch, as wide as a panel. */
  multiplyEdge(kernel: number, count: number, copy: number): void {
    const { f, rows, edgeColumns, c, ldc, scratch, accumulate } = this;
    const stride = constant(this.width * this.lanes.size);
    when(f, edgeColumns, () => {
      when(f, accumulate, () => call(f, copy, rows, edgeColumns, c, ldc, scratch, stride));
      call(f, kernel, this.depth, count, this.a, this.lda, this.edge, constant(0), scratch, stride, accumulate);
      call(f, copy, rows, edgeColumns, scratch, stride, c, ldc);
    });
  }
}
