// What a user of the published packages may write. check-consumer compiles it against the tarballs as an ES module and as CommonJS,
// and runs both.
import { param, Value, valueAndGrad } from "@unroll/autograd";
import { compile } from "@unroll/autograd/compile";
import { contributions } from "@unroll/autograd/inspect";
import { optimizer, sgd } from "@unroll/autograd/optim";
import { key, randn } from "@unroll/autograd/random";
import { nextElementPairs, toyLoss, toyParams } from "@unroll/rnn";

function check(holds: boolean, what: string): void {
  if (!holds) throw new Error(`in the installed packages: ${what} is wrong`);
}

const x = param(3, { name: "x" });
const root: Value = x.mul(x).add(x.mul(2));
const shares = contributions(root, x, { by: "use" });
root.backward();
check(x.grad.item() === 8, "the gradient of x² + 2x at 3");
check(
  shares.every(({ value }) => value instanceof Value),
  "the Value class of inspect",
);
check(shares.reduce((sum, { value }) => sum + value.item(), 0) === 8, "the sum of the contributions");

optimizer(sgd({ learningRate: 0.5 }), { x }).step();
check(x.item() === -1, "a step of the optimizer");

const compiled = compile((y: Value) => valueAndGrad((z: Value) => z.mul(z).sum())(y));
const [squares, slopes] = compiled([1, 2, 3]);
check(squares instanceof Value, "the Value class of compile");
check(squares.item() === 14, "the value of a compiled function");
check(slopes.toArray().toString() === "2,4,6", "the gradient in a compiled function");
check(compiled.stats().kernels > 0, "a kernel of the compiled function");

const noise = randn(key(1), [2, 3]);
check(noise instanceof Value, "the Value class of random");
check(noise.size === 6, "the size of a random array");

const parameters = toyParams({ u: 0.7, v: -0.4, w: 1.3, s: 0.25 });
const { inputs, targets } = nextElementPairs([0.5, -1, 2]);
toyLoss(parameters, inputs, targets).backward();
check(parameters.w.grad instanceof Value, "the Value class of rnn");
check(parameters.w.grad.item() !== 0, "the gradient of the toy network");

console.log("a gradient through every subpath");
