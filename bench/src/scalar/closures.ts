/**
 * Reverse mode as in micrograd (A. Karpathy, https://github.com/karpathy/micrograd): an object a node, which holds its operands and a closure
 * that passes its gradient on to them. Two things differ, both in its favour: the topological sort has a stack of its own, so that
 * long chains do not overflow the call stack, and marks the nodes it has seen instead of keeping them in a set.
 */
let sorts = 0;

export class ClosureNode {
  data: number;
  grad = 0;
  operands: readonly ClosureNode[];
  passOn: () => void = nothing;
  /** The last sort that came by. */
  seenBy = 0;

  constructor(data: number, operands: readonly ClosureNode[] = []) {
    this.data = data;
    this.operands = operands;
  }

  add(x: ClosureNode | number): ClosureNode {
    const other = typeof x === "number" ? new ClosureNode(x) : x;
    const out = new ClosureNode(this.data + other.data, [this, other]);
    out.passOn = () => {
      this.grad += out.grad;
      other.grad += out.grad;
    };
    return out;
  }

  sub(x: ClosureNode | number): ClosureNode {
    const other = typeof x === "number" ? new ClosureNode(x) : x;
    const out = new ClosureNode(this.data - other.data, [this, other]);
    out.passOn = () => {
      this.grad += out.grad;
      other.grad -= out.grad;
    };
    return out;
  }

  mul(x: ClosureNode | number): ClosureNode {
    const other = typeof x === "number" ? new ClosureNode(x) : x;
    const out = new ClosureNode(this.data * other.data, [this, other]);
    out.passOn = () => {
      this.grad += other.data * out.grad;
      other.grad += this.data * out.grad;
    };
    return out;
  }

  square(): ClosureNode {
    const out = new ClosureNode(this.data * this.data, [this]);
    out.passOn = () => {
      this.grad += 2 * this.data * out.grad;
    };
    return out;
  }

  abs(): ClosureNode {
    const out = new ClosureNode(Math.abs(this.data), [this]);
    out.passOn = () => {
      this.grad += Math.sign(this.data) * out.grad;
    };
    return out;
  }

  tanh(): ClosureNode {
    const out = new ClosureNode(Math.tanh(this.data), [this]);
    out.passOn = () => {
      this.grad += (1 - out.data * out.data) * out.grad;
    };
    return out;
  }

  sigmoid(): ClosureNode {
    const out = new ClosureNode(1 / (1 + Math.exp(-this.data)), [this]);
    out.passOn = () => {
      this.grad += out.data * (1 - out.data) * out.grad;
    };
    return out;
  }

  backward(): void {
    const order = topologicalOrder(this);
    this.grad = 1;
    for (let k = order.length - 1; k >= 0; k--) order[k]!.passOn();
  }
}

function nothing(): void {}

/** Operands before the nodes that use them. */
function topologicalOrder(root: ClosureNode): ClosureNode[] {
  const sort = ++sorts;
  const order: ClosureNode[] = [];
  const path: ClosureNode[] = [root];
  const nextOperand: number[] = [0];
  root.seenBy = sort;
  while (path.length > 0) {
    const depth = path.length - 1;
    const node = path[depth]!;
    const k = nextOperand[depth]!;
    if (k === node.operands.length) {
      order.push(node);
      path.pop();
      nextOperand.pop();
      continue;
    }
    nextOperand[depth] = k + 1;
    const operand = node.operands[k]!;
    if (operand.seenBy === sort) continue;
    operand.seenBy = sort;
    path.push(operand);
    nextOperand.push(0);
  }
  return order;
}
