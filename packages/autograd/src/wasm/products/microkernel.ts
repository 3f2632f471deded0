import { FunctionBuilder } from "../assembler.js";
import { type MemoryOpcode } from "../opcodes.js";
import { assign, constant, increase, type Int, minus, plus, repeat, times, variable } from "./integers.js";
import { type Lanes, TILE_VECTORS } from "./lanes.js";

/** What one micro kernel multiplies: `rows` rows of A by `panels` panels of B, all sums in registers over the whole depth. */
export interface Tile {
  readonly rows: number;
  readonly panels: number;
  /** "rows": row-major, in place. "panel": the tile's rows packed, `rows` elements for each k. */
  readonly a: "rows" | "panel";
  /** "inPlace": row-major. "packed": panels, each k after k. */
  readonly b: "inPlace" | "packed";
  /** Where the next tile is: below this one, with the same columns of B, or to its right, with the same rows of A. */
  readonly next: "below" | "right";
}

/**
 * kernel(depth, count, a, lda, b, ldb, c, ldc, accumulate): `count` tiles, both at least 1. Addresses and strides are in bytes; ldb lies
 * between the rows of B in place, or between panels. Every sum runs over k from first to last, whatever the tile, so that an element has
 * the same bits wherever it stands.
 */
export function microkernel(lanes: Lanes, tile: Tile): FunctionBuilder {
  return new Kernel(lanes, tile).f;
}

const UNROLL = 4;

class Kernel {
  readonly f = new FunctionBuilder(["i32", "i32", "i32", "i32", "i32", "i32", "i32", "i32", "i32"]);
  private readonly depth = 0;
  private readonly count = 1;
  private readonly a = 2;
  private readonly lda = 3;
  private readonly b = 4;
  private readonly ldb = 5;
  private readonly c = 6;
  private readonly ldc = 7;
  private readonly accumulate = 8;
  private readonly lanes: Lanes;
  private readonly tile: Tile;
  /** One pointer for each row of A in place, one for a panel. */
  private readonly rows: readonly number[];
  /** One pointer for each packed panel of B, one for B in place. */
  private readonly panels: readonly number[];
  private readonly row: number;
  private readonly vectors: readonly number[];
  private readonly left: number;
  private readonly group: number;
  private readonly sums: readonly (readonly number[])[];

  constructor(lanes: Lanes, tile: Tile) {
    this.lanes = lanes;
    this.tile = tile;
    this.rows = this.locals(tile.a === "rows" ? tile.rows : 1, "i32");
    this.panels = this.locals(tile.b === "packed" ? tile.panels : 1, "i32");
    this.row = this.f.local("i32");
    const vectors = tile.panels * TILE_VECTORS;
    this.sums = Array.from({ length: tile.rows }, () => this.locals(vectors, lanes.type));
    this.vectors = this.locals(vectors, lanes.type);
    this.left = this.f.local(lanes.type);
    this.group = this.f.local(lanes.type);
    repeat(this.f, this.count, () => {
      this.start();
      this.sum();
      this.storeSums();
      this.advance();
    });
  }

  private locals(count: number, type: "i32" | Lanes["type"]): number[] {
    return Array.from({ length: count }, () => this.f.local(type));
  }

  private start(): void {
    const { f, lanes, tile } = this;
    this.rows.forEach((row, r) => assign(f, row, r === 0 ? this.a : plus(this.rows[r - 1]!, this.lda)));
    this.panels.forEach((panel, p) => assign(f, panel, p === 0 ? this.b : plus(this.panels[p - 1]!, this.ldb)));
    f.get(this.accumulate).if(
      () => {
        this.eachRow((r) =>
          this.sums[r]!.forEach((sum, v) =>
            f
              .get(this.row)
              .memory(lanes.load, v * lanes.bytes)
              .set(sum),
          ),
        );
      },
      () => {
        for (const sum of this.sums.slice(0, tile.rows).flat()) {
          lanes.zero(f);
          f.set(sum);
        }
      },
    );
  }

  private eachRow(body: (r: number) => void): void {
    assign(this.f, this.row, this.c);
    for (let r = 0; r < this.tile.rows; r++) {
      if (r > 0) increase(this.f, this.row, this.ldc);
      body(r);
    }
  }

  /**
   * All of k, UNROLL steps a turn. A way out between the steps, instead of a second loop for what is left, makes each a basic block: the
   * optimiser of V8 up to 12 (Node 22) gathers all loads of a block before its arithmetic, and runs out of registers with more than one
   * step. GFLOP/s of 64 x 512 x 256 in float32 with fused multiply-add, unrolled without and with ways out: 19 and 40.7 on Node 20,
   * 19 and 39.4 on Node 22, 40 and 41.9 on Node 24; not unrolled 36 to 39.
   */
  private sum(): void {
    const { f, lanes, tile } = this;
    const left = variable(f, this.depth);
    f.block((leave) =>
      f.loop((again) => {
        for (let k = 0; k < UNROLL - 1; k++) {
          this.step(k);
          assign(f, left, minus(left, constant(1)));
          f.get(left).op("i32.eqz").brIf(leave);
        }
        this.step(UNROLL - 1);
        for (const row of this.rows) increase(f, row, constant(UNROLL * lanes.size * (tile.a === "rows" ? 1 : tile.rows)));
        if (tile.b === "packed") for (const panel of this.panels) increase(f, panel, constant(UNROLL * TILE_VECTORS * lanes.bytes));
        assign(f, left, minus(left, constant(1)));
        f.get(left).brIf(again);
      }),
    );
  }

  /**
   * Load B, splat A, multiply and add, in this order: the optimisers keep it, and other orders spill. A panel of A comes in by whole
   * vectors, one of whose lanes is then spread: a load that splats at an offset costs V8 an addition.
   */
  private step(k: number): void {
    const { tile } = this;
    // One row uses each vector of B once: kept apart they would need more registers than there are.
    if (tile.rows > 1) this.vectors.forEach((_, v) => this.loadRight(v, k));
    for (let r = 0; r < tile.rows; r++) {
      this.loadLeft(r, k);
      this.vectors.forEach((vector, v) => {
        if (tile.rows === 1) this.loadRight(v, k);
        this.lanes.multiplyAdd(this.f, this.sums[r]![v]!, this.left, vector);
      });
    }
    if (tile.b === "inPlace") increase(this.f, this.panels[0]!, this.ldb);
  }

  private loadRight(v: number, k: number): void {
    const { lanes, tile } = this;
    const packed = tile.b === "packed";
    const panel = this.panels[packed ? Math.floor(v / TILE_VECTORS) : 0]!;
    const offset = packed ? k * TILE_VECTORS + (v % TILE_VECTORS) : v;
    this.f
      .get(panel)
      .memory(lanes.load, offset * lanes.bytes)
      .set(this.vectors[v]!);
  }

  private loadLeft(r: number, k: number): void {
    const { f, lanes, tile, left, group } = this;
    const lane = r % lanes.count;
    const load = (row: number, instruction: MemoryOpcode, element: number) => f.get(row).memory(instruction, element * lanes.size);
    if (tile.a === "rows") return void load(this.rows[r]!, lanes.splat, k).set(left);
    if (lane === 0) load(this.rows[0]!, lanes.load, k * tile.rows + r).set(lanes.count === 1 ? left : group);
    if (lanes.count === 1) return;
    f.get(group)
      .get(group)
      .shuffle(...splatOf(lane, lanes.size))
      .set(left);
  }

  private storeSums(): void {
    const { f, lanes } = this;
    this.eachRow((r) =>
      this.sums[r]!.forEach((sum, v) =>
        f
          .get(this.row)
          .get(sum)
          .memory(lanes.store, v * lanes.bytes),
      ),
    );
  }

  private advance(): void {
    const { f, lanes, tile } = this;
    if (tile.next === "below") {
      assign(f, this.c, plus(this.row, this.ldc));
      const rowBytes: Int = tile.a === "rows" ? this.lda : times(this.depth, constant(lanes.size));
      return increase(f, this.a, times(rowBytes, constant(tile.rows)));
    }
    const width = constant(tile.panels * TILE_VECTORS * lanes.bytes);
    increase(f, this.c, width);
    increase(f, this.b, tile.b === "packed" ? times(this.ldb, constant(tile.panels)) : width);
  }
}

/** The bytes of a shuffle that spreads one lane over all. */
function splatOf(lane: number, size: number): number[] {
  return Array.from({ length: 16 }, (_, byte) => lane * size + (byte % size));
}
