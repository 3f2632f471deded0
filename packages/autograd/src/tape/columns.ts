import type { Segment } from "./segments.js";

/** Nodes of a segment. */
export const CAPACITY = 65536;

/** Buffers of one segment: 13 bytes a node. They are recycled once backward() has released every node. */
export class Columns {
  readonly op: Uint8Array;
  readonly a: Uint16Array;
  readonly b: Uint16Array;
  readonly v: Float64Array;

  constructor(capacity: number) {
    const buffer = new ArrayBuffer(capacity * 13 + 8);
    this.v = new Float64Array(buffer, 0, capacity);
    this.a = new Uint16Array(buffer, capacity * 8, capacity);
    this.b = new Uint16Array(buffer, capacity * 10, capacity);
    this.op = new Uint8Array(buffer, capacity * 12, capacity);
  }
}

/**
 * The columns of the open segment are always these, whose addresses V8 builds into the code of the recording functions; a segment that is
 * sealed takes a copy with it.
 */
export const openColumns = new Columns(CAPACITY);

/** The segment being recorded, whether or not recording is on at this moment. */
class Open {
  segment!: Segment;
  /** How many arithmetic nodes it has. */
  n = 0;
  /**
   * From this n on there is no room for another operation, which may need a row, and a row for each operand; below 0 while nothing is
   * recorded, or all is traced, so that the hot path tests room only.
   */
  full = CAPACITY - 2;
}

export const open = new Open();
