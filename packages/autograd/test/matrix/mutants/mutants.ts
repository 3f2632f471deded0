import { FORMS } from "../elementwiseChecks.js";

/** A rule that is wrong on purpose: one place of one source file, and the checks of an operation that must find it. */
export interface Mutant {
  readonly what: string;
  readonly op: string;
  readonly file: string;
  /** The line on which the rule's block begins; the place is looked for up to the block's closing brace. */
  readonly within: string;
  readonly from: string;
  readonly to: string;
  readonly caughtBy: readonly string[];
}

const EVERY_FORM = FORMS.map((form) => `reference, ${form}`);
const EVERY_READER = [...EVERY_FORM, "differences, reverse", "differences, forward"];

/** Of the elementwise table: the generated scalar and array code, recorded backward passes and forward mode all read it. */
function rule(op: string, what: string, from: string, to: string, caughtBy: readonly string[] = EVERY_READER): Mutant {
  return { what: `${op}: ${what}`, op, file: "ops/elementwise.ts", within: `  ${op}: {`, from, to, caughtBy };
}

/** Where only ties, kinks and infinities show it, no difference does. */
const atSpecialPoints = EVERY_FORM;

function structural(op: string, what: string, place: string, from: string, to: string, caughtBy: readonly string[]): Mutant {
  const [file = "", within = ""] = place.split(" / ");
  return { what: `${op}: ${what}`, op, file: `ops/${file}.ts`, within, from, to, caughtBy };
}

const OUTPUTS = "reference, outputs";
const GRADIENTS = "reference, gradients";
const PRODUCTS = "reference, products";
const REVERSE = "differences, reverse";

export const MUTANTS: readonly Mutant[] = [
  rule("tanh", "1 - y in place of 1 - y^2", "m.sub(m.const(1), m.mul(out, out))", "m.sub(m.const(1), out)"),
  rule("sin", "its derivative has the wrong sign", "m.cos(x)", "m.neg(m.cos(x))"),
  rule("cos", "its derivative lacks the minus", "m.neg(m.sin(x))", "m.sin(x)"),
  rule("sigmoid", "its derivative is off by a millionth", "m.mul(out, m.sub", "m.mul(m.mul(m.const(1.000001), out), m.sub"),
  rule("mul", "its operands are exchanged", "[(_m, _x, y) => y, (_m, x) => x]", "[(_m, x) => x, (_m, _x, y) => y]"),
  rule("sub", "both operands have one sign", "m.const(-1)", "m.const(1)"),
  rule("div", "the denominator has the wrong sign", "m.neg(m.div(out, y))", "m.div(out, y)"),
  rule("square", "x in place of 2x", "m.const(2)", "m.const(1)"),
  rule("exp", "x in place of exp x", "[(_m, _x, out) => out]", "[(_m, x) => x]"),
  rule("expm1", "the 1 is forgotten", "m.add(out, m.const(1))", "out"),
  rule("log1p", "1 / x in place of 1 / (1 + x)", "m.div(m.const(1), m.add(x, m.const(1)))", "m.div(m.const(1), x)"),
  rule("sqrt", "1 / y in place of 1 / 2y", "m.const(0.5)", "m.const(1)"),
  rule("abs", "slope 1 below 0", "m.sign(x)", "m.const(1)"),
  rule("relu", "slope 1 below 0", "m.when(m.gt(x, m.const(0)), m.const(1))", "m.const(1)"),
  rule("relu", "slope 1 at 0", "m.gt(x, m.const(0))", "m.ge(x, m.const(0))", atSpecialPoints),
  rule("pow", "the exponent is not lowered", "m.pow(x, m.sub(y, m.const(1)))", "m.pow(x, y)"),
  rule(
    "pow",
    "the guard at x^0 is gone",
    "m.when(m.ne(y, m.const(0)), m.mul(y, m.pow(x, m.sub(y, m.const(1)))))",
    "m.mul(y, m.pow(x, m.sub(y, m.const(1))))",
    atSpecialPoints,
  ),
  rule("maximum", "both of a tie get all", "m.const(0.5)", "m.const(1)", atSpecialPoints),
  rule("where", "both operands get the gradient of the first", "m.logicalNot(c)", "c", EVERY_FORM),
  rule(
    "softplus",
    "its exponential overflows",
    "m.add(m.maximum(x, m.const(0)), m.log1p(m.exp(m.neg(m.abs(x)))))",
    "m.log1p(m.exp(x))",
    EVERY_FORM,
  ),

  structural(
    "sum",
    "its gradient is off by a millionth",
    "reductions / export const sum",
    "restore(m, ct,",
    "restore(m, m.mul(m.const(1.000001), ct),",
    [GRADIENTS, PRODUCTS, REVERSE],
  ),
  structural("max", "ties over all get the whole gradient each", "reductions / function extremeOver", "m.div(ct, ties)", "ct", [GRADIENTS]),
  structural("max", "the last of a tie along an axis gets the gradient", "reductions / export const maxAlong", "x > best", "x >= best", [
    GRADIENTS,
  ]),
  structural(
    "sort",
    "its gradient is permuted the wrong way",
    "reductions / const byPositions",
    "m.scatterAdd(ct, output(1), axis, (types[0] as ArrayType).shape[axis] as number)",
    "m.gather(ct, output(1), axis)",
    [GRADIENTS, PRODUCTS, REVERSE],
  ),
  structural("sort", "equal elements change places", "reductions / export const sort", "|| p - q", "|| q - p", [OUTPUTS]),
  structural(
    "gather",
    "of an index named twice one cotangent is lost",
    "indexing / export const scatterAdd",
    "(out.data[origin + index * step] as number) +=",
    "out.data[origin + index * step] =",
    [GRADIENTS, PRODUCTS, REVERSE],
  ),
  structural(
    "embedding",
    "its gradient is off by a millionth",
    "indexing / export const takeRows",
    "m.addRows(ct,",
    "m.addRows(m.mul(m.const(1.000001), ct),",
    [GRADIENTS, PRODUCTS, REVERSE],
  ),
  structural("concat", "every part gets the first part's cotangent", "shapes / export const concat", "j === axis ? before : 0", "0", [
    GRADIENTS,
    PRODUCTS,
    REVERSE,
  ]),
  structural("stack", "every part gets the first part's cotangent", "shapes / export const stack", "start: k,", "start: 0,", [
    GRADIENTS,
    PRODUCTS,
    REVERSE,
  ]),
  structural(
    "transpose",
    "its gradient uses the order, not its inverse",
    "shapes / export const transpose",
    "order.indexOf(k)",
    "order[k] as number",
    [GRADIENTS, REVERSE],
  ),
  structural(
    "matmul",
    "the gradient of the right operand is off by a millionth",
    "products / export const matmul",
    "m.matmul(operand(0), ct, !transposeA, false)",
    "m.matmul(m.mul(operand(0), m.const(1.000001)), ct, !transposeA, false)",
    [GRADIENTS, PRODUCTS, REVERSE],
  ),
  structural(
    "matmul",
    "one accumulator of a tile takes the wrong column",
    "products / const tiledProduct",
    "s13 += x1 * z",
    "s13 += x1 * w",
    [OUTPUTS],
  ),
  structural(
    "mul",
    "an operand that was stretched keeps the first cotangent",
    "shapes / export function unbroadcast",
    "m.sum(out, axes)",
    "m.slice(out, from.shape.map((size, k) => ({ start: 0, size: axes.includes(k) ? Math.min(size, 1) : size, step: 1 })))",
    [GRADIENTS, PRODUCTS],
  ),
  structural(
    "mean",
    "it divides by one too few",
    "composites / export function mean",
    "m.const(countOver(m.typeOf(x).shape, axes))",
    "m.const(countOver(m.typeOf(x).shape, axes) - 0.5)",
    [OUTPUTS, GRADIENTS],
  ),
  structural("variance", "the correction is added", "composites / export function variance", "- correction", "+ correction", [
    OUTPUTS,
    GRADIENTS,
  ]),
  structural(
    "logSumExp",
    "it is not shifted",
    "composites / export function logSumExp",
    "shiftOf(m, x, axes)",
    "m.mul(shiftOf(m, x, axes), m.const(0))",
    [OUTPUTS, GRADIENTS],
  ),
  structural("softmax", "it is not shifted", "composites / export function softmax", "m.sub(x, shiftOf(m, x, [axis]))", "x", [
    OUTPUTS,
    GRADIENTS,
  ]),
  structural("pad", "its value is lost", "composites / export function pad", "m.const(value)", "m.const(0)", [OUTPUTS]),
  structural(
    "crossEntropy",
    "its sign is wrong",
    "composites / export function crossEntropy",
    "m.neg(m.reshape(picked, [n]))",
    "m.reshape(picked, [n])",
    [OUTPUTS, GRADIENTS],
  ),
];
