// Run in the browser, from a file of its own, since the page forbids inline scripts.
import { param } from "/dist/index.js";
import { contributions } from "/dist/inspect/index.js";
import { optimizer, sgd } from "/dist/optim/index.js";
import { key, randn } from "/dist/random/index.js";

const x = param(3);
const m = param([
  [1, 2],
  [3, 4],
]);
const root = x.square().add(m.matmul(m).sum().mul(x));
const shares = contributions(root, x);
root.backward();
optimizer(sgd({ learningRate: 1 }), [x]).step();

globalThis.results = {
  gradient: m.grad.toArray(),
  shares: shares.map(({ value }) => value.item()),
  stepped: x.item(),
  size: randn(key(1), [2, 3]).size,
};
