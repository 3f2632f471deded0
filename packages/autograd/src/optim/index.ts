export { type Optimizer, optimizer } from "./optimizer.js";
export { type AdamOptions, type AdamState, adam, clipByGlobalNorm, type SgdOptions, type SgdState, sgd, type UpdateRule } from "./rules.js";
