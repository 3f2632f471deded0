export type { DType, TypedArray } from "./dtype.js";
export { AutogradError, DTypeError, GraphError, IndexError, InputError, ShapeError } from "./errors.js";
export type { LossOptions, ReductionOptions, VarianceOptions } from "./ops/composites.js";
export type { Shape } from "./shape.js";
export type { Operand } from "./tape/apply.js";
export type { BackwardOptions } from "./tape/backward.js";
export { eq, ge, gt, le, logicalAnd, logicalNot, logicalOr, logicalXor, lt, ne, where } from "./tape/comparisons.js";
export { arange, type CreationOptions, eye, full, linspace, ones, onesLike, zeros, zerosLike } from "./tape/creation.js";
export {
  concat,
  crossEntropy,
  embedding,
  gather,
  logSoftmax,
  logSumExp,
  matmul,
  max,
  mean,
  min,
  mseLoss,
  pad,
  prod,
  reshape,
  type SortOptions,
  slice,
  softmax,
  sort,
  split,
  stack,
  sum,
  transpose,
  broadcastTo,
  unstack,
  variance,
} from "./tape/functions.js";
export type { ArrayOptions, NestedNumbers, NumericInput } from "./tape/input.js";
export {
  abs,
  add,
  cos,
  div,
  exp,
  expm1,
  identity,
  log,
  log1p,
  maximum,
  minimum,
  mul,
  neg,
  pow,
  reciprocal,
  relu,
  sigmoid,
  sign,
  sin,
  softplus,
  sqrt,
  square,
  sub,
  tanh,
} from "./tape/scalar.generated.js";
export { Param, type ParamOptions, param, type SliceEntry, Value, value } from "./tape/value.js";
export { type CustomRule, customOp } from "./transforms/customOp.js";
export { type ArgumentsOf, type GradientOf, type GradOptions, grad, type InputsOf, valueAndGrad } from "./transforms/grad.js";
export { hvp, jvp } from "./transforms/jvp.js";
export { noGrad, scope, zeroGrad } from "./transforms/modes.js";
export { scan } from "./transforms/scan.js";
export type { Tree, ValuesOf } from "./transforms/tree.js";
export { vjp } from "./transforms/vjp.js";
