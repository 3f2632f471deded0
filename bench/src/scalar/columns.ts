/**
 * The yardstick: a tape of nothing but typed-array columns and integer ids. No handles, no checks, no lifetime (`rewind` forgets the graph,
 * the caller says when). What any tape on top of it adds is measured against this. The columns are variables, since a tape's size is not
 * known when it is loaded; constant columns of a fixed size, which V8 builds into the code, would be about 1.5 times faster.
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

let op = new Uint8Array(0);
let left = new Int32Array(0);
let right = new Int32Array(0);
let value = new Float64Array(0);
let adjoint = new Float64Array(0);
let n = 0;

/** Starts anew with room for so many nodes. */
export function reserve(nodes: number): void {
  op = new Uint8Array(nodes);
  left = new Int32Array(nodes);
  right = new Int32Array(nodes);
  value = new Float64Array(nodes);
  adjoint = new Float64Array(nodes);
  n = 0;
}

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
