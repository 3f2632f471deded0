import { FunctionBuilder, type ModuleBuilder } from "../assembler.js";
import {
  assign,
  call,
  constant,
  floorTo,
  increase,
  minus,
  plus,
  push,
  quotient,
  remainder,
  repeat,
  smaller,
  times,
  variable,
  whileBelow,
  when,
} from "./integers.js";
import { type Lanes, panelWidth, TILE_ROWS } from "./lanes.js";

/** The functions of a module that move elements, by their numbers. */
export interface Packing {
  /** (rows, columns, from, fromStride, to, toStride): strides in bytes. */
  readonly copy: number;
  /** (rows, columns, to, toStride): zeros. */
  readonly clear: number;
  /** (depth, rows, from, fromStride, to): rows out of columns, one after the other. */
  readonly copyTransposed: number;
  /** (source, ld, inner, columns, target): B into panels, the last one filled up with zeros. Strides in elements. */
  readonly packB: number;
  readonly packBTransposed: number;
  /** (source, ld, inner, rows, target): A into panels of TILE_ROWS rows; rows are a multiple of that. */
  readonly packA: number;
  readonly packATransposed: number;
}

export function addPacking(module: ModuleBuilder, lanes: Lanes): Packing {
  const copy = module.addFunction(copyFunction(lanes), null);
  const clear = module.addFunction(clearFunction(lanes), null);
  const copyTransposed = module.addFunction(copyTransposedFunction(lanes), null);
  const width = panelWidth(lanes);
  const padded = module.addFunction(paddedPanelFunction(lanes, width, clear), null);
  return {
    copy,
    clear,
    copyTransposed,
    packB: module.addFunction(packFunction(lanes, width, padded), "packB"),
    packBTransposed: module.addFunction(packTransposedFunction(lanes, width, padded), "packBTransposed"),
    // Rows of A stand where columns of the transpose of B stand, and the other way round.
    packA: module.addFunction(packTransposedFunction(lanes, TILE_ROWS, padded), null),
    packATransposed: module.addFunction(packFunction(lanes, TILE_ROWS, padded), null),
  };
}

function i32s(count: number): FunctionBuilder {
  return new FunctionBuilder(new Array<"i32">(count).fill("i32"));
}

function copyFunction(lanes: Lanes): FunctionBuilder {
  const f = i32s(6);
  const [rows, columns, from, fromStride, to, toStride] = [0, 1, 2, 3, 4, 5] as const;
  const bytes = variable(f, times(columns, constant(lanes.size)));
  const at = f.local("i32");
  repeat(f, rows, () => {
    assign(f, at, constant(0));
    whileBelow(f, at, bytes, constant(lanes.size), () => {
      push(f, plus(to, at));
      push(f, plus(from, at));
      f.memory(lanes.loadOne).memory(lanes.storeOne);
    });
    increase(f, from, fromStride);
    increase(f, to, toStride);
  });
  return f;
}

function clearFunction(lanes: Lanes): FunctionBuilder {
  const f = i32s(4);
  const [rows, columns, to, toStride] = [0, 1, 2, 3] as const;
  const bytes = variable(f, times(columns, constant(lanes.size)));
  const at = f.local("i32");
  repeat(f, rows, () => {
    assign(f, at, constant(0));
    whileBelow(f, at, bytes, constant(lanes.size), () => {
      push(f, plus(to, at));
      (lanes.size === 4 ? f.f32(0) : f.f64(0)).memory(lanes.storeOne);
    });
    increase(f, to, toStride);
  });
  return f;
}

function copyTransposedFunction(lanes: Lanes): FunctionBuilder {
  const f = i32s(5);
  const [depth, rows, from, fromStride, to] = [0, 1, 2, 3, 4] as const;
  const [left, source] = [f.local("i32"), f.local("i32")];
  repeat(f, rows, () => {
    assign(f, left, depth);
    assign(f, source, from);
    repeat(f, left, () => {
      f.get(to).get(source).memory(lanes.loadOne).memory(lanes.storeOne);
      increase(f, source, fromStride);
      increase(f, to, constant(lanes.size));
    });
    increase(f, from, constant(lanes.size));
  });
  return f;
}

/**
 * (source, innerStride, columnStride, inner, columns, target): a panel with fewer columns than its width, strides in bytes. The zeros that
 * fill it up make sums that nobody reads: no NaN gets out of them.
 */
function paddedPanelFunction(lanes: Lanes, width: number, clear: number): FunctionBuilder {
  const f = i32s(6);
  const [source, innerStride, columnStride, inner, columns, target] = [0, 1, 2, 3, 4, 5] as const;
  const [left, from, to] = [f.local("i32"), f.local("i32"), f.local("i32")];
  const rowBytes = constant(width * lanes.size);
  call(f, clear, inner, constant(width), target, rowBytes);
  repeat(f, columns, () => {
    assign(f, left, inner);
    assign(f, from, source);
    assign(f, to, target);
    repeat(f, left, () => {
      f.get(to).get(from).memory(lanes.loadOne).memory(lanes.storeOne);
      increase(f, from, innerStride);
      increase(f, to, rowBytes);
    });
    increase(f, source, columnStride);
    increase(f, target, constant(lanes.size));
  });
  return f;
}

/** Rows that are packed at a time: the panels are written, and the source is read, in stretches instead of in pieces a page apart. */
const PACKED_ROWS = 16;

/** Panels of `width` columns out of a row-major matrix: whole vectors, moved. */
function packFunction(lanes: Lanes, width: number, padded: number): FunctionBuilder {
  const f = i32s(5);
  const [source, ld, inner, columns, target] = [0, 1, 2, 3, 4] as const;
  const size = constant(lanes.size);
  const panelBytes = constant(width * lanes.size);
  const stride = variable(f, times(ld, size));
  const panelStride = variable(f, times(inner, panelBytes));
  const rest = variable(f, remainder(columns, width));
  const full = variable(f, minus(columns, rest));
  const [k, count, left, column, from, to] = [0, 0, 0, 0, 0, 0].map(() => f.local("i32")) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const [rowStart, panelStart] = [variable(f, source), variable(f, target)];
  whileBelow(f, k, inner, constant(PACKED_ROWS), () => {
    assign(f, count, smaller(constant(PACKED_ROWS), minus(inner, k)));
    assign(f, column, constant(0));
    whileBelow(f, column, full, constant(width), () => {
      assign(f, left, count);
      assign(f, from, plus(rowStart, times(column, size)));
      assign(f, to, plus(panelStart, times(quotient(column, constant(width)), panelStride)));
      repeat(f, left, () => {
        for (let at = 0; at < width * lanes.size; at += lanes.bytes) f.get(to).get(from).memory(lanes.load, at).memory(lanes.store, at);
        increase(f, from, stride);
        increase(f, to, panelBytes);
      });
    });
    increase(f, rowStart, times(count, stride));
    increase(f, panelStart, times(count, panelBytes));
  });
  const edge = plus(target, times(quotient(full, constant(width)), panelStride));
  when(f, inner, () => when(f, rest, () => call(f, padded, plus(source, times(full, size)), stride, size, inner, rest, edge)));
  return f;
}

/** Panels of `width` columns out of a matrix that stands transposed: blocks of as many rows as a vector has lanes, turned in registers. */
function packTransposedFunction(lanes: Lanes, width: number, padded: number): FunctionBuilder {
  const f = i32s(5);
  const [source, ld, inner, columns, target] = [0, 1, 2, 3, 4] as const;
  const size = constant(lanes.size);
  const stride = variable(f, times(ld, size));
  const rows = Array.from({ length: width }, () => f.local("i32"));
  const [k, column] = [f.local("i32"), f.local("i32")];
  const rest = variable(f, remainder(columns, width));
  const block = new TransposedBlock(f, lanes);
  when(f, inner, () => {
    whileBelow(f, column, minus(columns, rest), constant(width), () => {
      rows.forEach((row, r) => assign(f, row, r === 0 ? source : plus(rows[r - 1]!, stride)));
      assign(f, k, constant(0));
      whileBelow(f, k, floorTo(inner, lanes.count), constant(lanes.count), () => {
        for (let r = 0; r < width; r += lanes.count) block.move(rows.slice(r, r + lanes.count), target, r * lanes.size, width * lanes.size);
        for (const row of rows) increase(f, row, constant(lanes.bytes));
        increase(f, target, constant(lanes.count * width * lanes.size));
      });
      whileBelow(f, k, inner, constant(1), () => {
        rows.forEach((row, r) =>
          f
            .get(target)
            .get(row)
            .memory(lanes.loadOne)
            .memory(lanes.storeOne, r * lanes.size),
        );
        for (const row of rows) increase(f, row, size);
        increase(f, target, constant(width * lanes.size));
      });
      increase(f, source, times(stride, constant(width)));
    });
    when(f, rest, () => call(f, padded, source, size, stride, inner, rest, target));
  });
  return f;
}

/** A square block, as many elements on a side as a vector has lanes. */
class TransposedBlock {
  private readonly f: FunctionBuilder;
  private readonly lanes: Lanes;
  private readonly rows: readonly number[];
  private readonly halves: readonly number[];

  constructor(f: FunctionBuilder, lanes: Lanes) {
    this.f = f;
    this.lanes = lanes;
    this.rows = Array.from({ length: lanes.count }, () => f.local(lanes.type));
    this.halves = Array.from({ length: lanes.count }, () => f.local(lanes.type));
  }

  /** From one pointer a row to `target` + `offset`, `stride` bytes between columns. */
  move(sources: readonly number[], target: number, offset: number, stride: number): void {
    const { f, lanes, rows } = this;
    sources.forEach((source, r) => f.get(source).memory(lanes.load).set(rows[r]!));
    for (let column = 0; column < lanes.count; column++) {
      f.get(target);
      this.pushColumn(column);
      f.memory(lanes.store, offset + column * stride);
    }
  }

  private pushColumn(column: number): void {
    const { f, lanes, rows, halves } = this;
    if (lanes.count === 1) return void f.get(rows[0]!);
    const [a, b, c, d] = rows as [number, number, number, number];
    if (lanes.count === 2) return void this.pick(a, b, 8, [column, 2 + column]);
    // Two columns share the pairs that they are made of: a0 b0 a1 b1, and so on.
    if (column % 2 === 0) {
      const [x, y] = halves as [number, number];
      this.pick(a, b, 4, [column, 4 + column, column + 1, 5 + column]);
      f.set(x);
      this.pick(c, d, 4, [column, 4 + column, column + 1, 5 + column]);
      f.set(y);
    }
    this.pick(halves[0]!, halves[1]!, 8, [column % 2, 2 + (column % 2)]);
  }

  /** Elements of `bytes` bytes out of two vectors, counted through both. */
  private pick(x: number, y: number, bytes: number, elements: readonly number[]): void {
    this.f.get(x).get(y);
    this.f.shuffle(...elements.flatMap((element) => Array.from({ length: bytes }, (_, byte) => element * bytes + byte)));
  }
}
