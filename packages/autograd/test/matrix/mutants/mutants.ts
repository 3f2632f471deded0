/** A rule that is wrong on purpose: one place of one source file, and the operation whose checks must find it. */
export interface Mutant {
  readonly what: string;
  readonly op: string;
  readonly file: string;
  readonly from: string;
  readonly to: string;
  /** Checks that cannot see it, with the reason. */
  readonly blind?: Readonly<Record<string, string>>;
}

const ELEMENTWISE = "ops/elementwise.ts";

/** A rule of the elementwise table, found by its operation's name. */
const rule = (op: string, what: string, from: string, to: string, blind: Mutant["blind"] = {}): Mutant => ({
  what: `${op}: ${what}`,
  op,
  file: ELEMENTWISE,
  from,
  to,
  blind,
});
const structural = (op: string, file: string, what: string, from: string, to: string, blind: Mutant["blind"] = {}): Mutant => ({
  what: `${op}: ${what}`,
  op,
  file: `ops/${file}.ts`,
  from,
  to,
  blind,
});

export const MUTANTS: readonly Mutant[] = [
  rule("tanh", "1 - y in place of 1 - y^2", "m.sub(m.const(1), m.mul(out, out))", "m.sub(m.const(1), out)"),
  rule("sin", "the sign of its derivative", "[(m, x) => m.cos(x)]", "[(m, x) => m.neg(m.cos(x))]"),
  rule("cos", "sin without the minus", "[(m, x) => m.neg(m.sin(x))]", "[(m, x) => m.sin(x)]"),
  rule(
    "sigmoid",
    "off by one part in a million",
    "m.mul(out, m.sub(m.const(1), out))",
    "m.mul(m.const(1.000001), m.mul(out, m.sub(m.const(1), out)))",
  ),
  rule("mul", "the operands exchanged", "[(_m, _x, y) => y, (_m, x) => x]", "[(_m, x) => x, (_m, _x, y) => y]"),
  rule(
    "sub",
    "both operands with the same sign",
    "partials: [(m) => m.const(1), (m) => m.const(-1)]",
    "partials: [(m) => m.const(1), (m) => m.const(1)]",
  ),
  rule("div", "the denominator's sign", "m.neg(m.div(out, y))", "m.div(out, y)"),
  rule("square", "x in place of 2x", "m.mul(m.const(2), x)", "x"),
  rule("log1p", "1 / x in place of 1 / (1 + x)", "m.div(m.const(1), m.add(x, m.const(1)))", "m.div(m.const(1), x)"),
  rule("pow", "the exponent not lowered", "m.pow(x, m.sub(y, m.const(1)))", "m.pow(x, y)"),
  rule("relu", "a slope of 1 below 0 too", "m.when(m.gt(x, m.const(0)), m.const(1))", "m.const(1)"),
];

export { structural };
