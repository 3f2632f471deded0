/**
 * The yardstick: a tape of nothing but typed-array columns and integer ids. No handles, no checks, no lifetime (`rewind` forgets the graph,
 * the caller says when), no growth. What any tape on top of it adds is measured against this.
 */
const CONSTANT = 0;
const LEAF = 1;
const ADD = 2;
const SUB = 3;
const MUL = 4;
const SQUARE = 5;
const ABS = 6;
const TANH = 7;
const SIGMOID = 8;

// Room for the toy network at T = 1,000,000. Pages that no node reaches are never touched, so small graphs do not pay for it.
const CAPACITY = 12_000_000;
const op = new Uint8Array(CAPACITY);
const left = new Int32Array(CAPACITY);
const right = new Int32Array(CAPACITY);
const value = new Float64Array(CAPACITY);
const adjoint = new Float64Array(CAPACITY);
let n = 0;

/** How many nodes there are. */
export function count(): number {
  return n;
}

/** Forgets every node from `id` on. */
export function rewind(id: number): void {
  n = id;
}

export function valueOf(id: number): number {
  return value[id]!;
}

export function adjointOf(id: number): number {
  return adjoint[id]!;
}

export function leaf(x: number): number {
  const i = n++;
  op[i] = LEAF;
  value[i] = x;
  return i;
}

export function constant(x: number): number {
  const i = n++;
  op[i] = CONSTANT;
  value[i] = x;
  return i;
}

export function add(a: number, b: number): number {
  const i = n++;
  op[i] = ADD;
  left[i] = a;
  right[i] = b;
  value[i] = value[a]! + value[b]!;
  return i;
}

export function sub(a: number, b: number): number {
  const i = n++;
  op[i] = SUB;
  left[i] = a;
  right[i] = b;
  value[i] = value[a]! - value[b]!;
  return i;
}

export function mul(a: number, b: number): number {
  const i = n++;
  op[i] = MUL;
  left[i] = a;
  right[i] = b;
  value[i] = value[a]! * value[b]!;
  return i;
}

export function square(a: number): number {
  const i = n++;
  op[i] = SQUARE;
  left[i] = a;
  const x = value[a]!;
  value[i] = x * x;
  return i;
}

export function abs(a: number): number {
  const i = n++;
  op[i] = ABS;
  left[i] = a;
  value[i] = Math.abs(value[a]!);
  return i;
}

export function tanh(a: number): number {
  const i = n++;
  op[i] = TANH;
  left[i] = a;
  value[i] = Math.tanh(value[a]!);
  return i;
}

export function sigmoid(a: number): number {
  const i = n++;
  op[i] = SIGMOID;
  left[i] = a;
  value[i] = 1 / (1 + Math.exp(-value[a]!));
  return i;
}

/** The adjoint of every node up to the root. */
export function backward(root: number): void {
  adjoint.fill(0, 0, root);
  adjoint[root] = 1;
  for (let i = root; i >= 0; i--) {
    const d = adjoint[i]!;
    switch (op[i]!) {
      case ADD:
        adjoint[left[i]!]! += d;
        adjoint[right[i]!]! += d;
        break;
      case SUB:
        adjoint[left[i]!]! += d;
        adjoint[right[i]!]! -= d;
        break;
      case MUL: {
        const a = left[i]!;
        const b = right[i]!;
        adjoint[a]! += d * value[b]!;
        adjoint[b]! += d * value[a]!;
        break;
      }
      case SQUARE: {
        const a = left[i]!;
        adjoint[a]! += 2 * d * value[a]!;
        break;
      }
      case ABS: {
        const a = left[i]!;
        adjoint[a]! += d * Math.sign(value[a]!);
        break;
      }
      case TANH: {
        const out = value[i]!;
        adjoint[left[i]!]! += d * (1 - out * out);
        break;
      }
      case SIGMOID: {
        const out = value[i]!;
        adjoint[left[i]!]! += d * out * (1 - out);
        break;
      }
    }
  }
}
