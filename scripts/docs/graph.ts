import { param } from "@unroll/autograd";
import { toSvg } from "@unroll/autograd/inspect";

/** One time step of the one-unit network and its squared error, as the README shows it: few nodes, no lines that cross. */
export function graphPicture(): string {
  const w = param(1.3, { name: "w" });
  const s = param(0.25, { name: "s" });
  const v = param(-0.4, { name: "v" });
  const u = param(0.7, { name: "u" });
  const state = w.mul(s).add(v.mul(0.5)).sigmoid();
  return toSvg(u.mul(state).sub(-1).square());
}
