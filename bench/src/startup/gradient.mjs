import { param } from "@unroll/autograd";
const x = param(3);
x.mul(x).backward();
if (x.grad.item() !== 6) process.exit(1);
