import { type Arithmetic, Guarded, type PartialOf } from "./algebra.js";

/** The reader "names": a rule applied to names gives an expression, which tells its formula and which operands it needs. */
export type Expression =
  | { readonly kind: "name"; readonly name: string }
  | { readonly kind: "const"; readonly value: number }
  | { readonly kind: "call"; readonly fn: Exclude<keyof Arithmetic<never>, "const" | "when">; readonly args: readonly Expression[] };

export function name(text: string): Expression {
  return { kind: "name", name: text };
}

function call(fn: Extract<Expression, { kind: "call" }>["fn"], ...args: Expression[]): Expression {
  return { kind: "call", fn, args };
}

function isConst(e: Expression, value: number): boolean {
  return e.kind === "const" && e.value === value;
}

/** Products with 1 and -1 are written out, since rules are full of them; nothing else is rearranged. */
export const expressions: Arithmetic<Expression> = {
  const: (value) => ({ kind: "const", value }),
  when: (c, p) => new Guarded(c, p),
  where: (c, x, y) => call("where", c, x, y),
  neg: (x) => (x.kind === "const" ? expressions.const(-x.value) : call("neg", x)),
  exp: (x) => call("exp", x),
  expm1: (x) => call("expm1", x),
  log: (x) => call("log", x),
  log1p: (x) => call("log1p", x),
  sqrt: (x) => call("sqrt", x),
  abs: (x) => call("abs", x),
  sign: (x) => call("sign", x),
  sin: (x) => call("sin", x),
  cos: (x) => call("cos", x),
  tanh: (x) => call("tanh", x),
  add: (x, y) => call("add", x, y),
  sub: (x, y) => call("sub", x, y),
  mul: (x, y) => {
    if (isConst(x, 1)) return y;
    if (isConst(y, 1)) return x;
    if (isConst(x, -1)) return expressions.neg(y);
    if (isConst(y, -1)) return expressions.neg(x);
    return call("mul", x, y);
  },
  div: (x, y) => call("div", x, y),
  pow: (x, y) => call("pow", x, y),
  maximum: (x, y) => call("maximum", x, y),
  minimum: (x, y) => call("minimum", x, y),
  eq: (x, y) => call("eq", x, y),
  ne: (x, y) => call("ne", x, y),
  lt: (x, y) => call("lt", x, y),
  le: (x, y) => call("le", x, y),
  gt: (x, y) => call("gt", x, y),
  ge: (x, y) => call("ge", x, y),
  logicalAnd: (x, y) => call("logicalAnd", x, y),
  logicalOr: (x, y) => call("logicalOr", x, y),
  logicalXor: (x, y) => call("logicalXor", x, y),
  logicalNot: (x) => call("logicalNot", x),
};

/** The names that an expression (or a guarded partial) reads. */
export function namesIn(e: PartialOf<Expression, Expression>): Set<string> {
  if (e instanceof Guarded) return new Set([...namesIn(e.condition), ...namesIn(e.partial)]);
  if (e.kind === "const") return new Set();
  if (e.kind === "name") return new Set([e.name]);
  return new Set(e.args.flatMap((arg) => [...namesIn(arg)]));
}

/** cotangent * partial, as an expression; a guarded partial becomes a `where` with 0. */
export function contribution(cotangent: Expression, partial: PartialOf<Expression, Expression>): Expression {
  if (!(partial instanceof Guarded)) return expressions.mul(cotangent, partial);
  return expressions.where(partial.condition, expressions.mul(cotangent, partial.partial), expressions.const(0));
}

const INFIX: Partial<Record<string, { text: string; level: number }>> = {
  logicalOr: { text: "||", level: 1 },
  logicalAnd: { text: "&&", level: 2 },
  eq: { text: "===", level: 3 },
  ne: { text: "!==", level: 3 },
  logicalXor: { text: "!==", level: 3 },
  lt: { text: "<", level: 4 },
  le: { text: "<=", level: 4 },
  gt: { text: ">", level: 4 },
  ge: { text: ">=", level: 4 },
  add: { text: "+", level: 5 },
  sub: { text: "-", level: 5 },
  mul: { text: "*", level: 6 },
  div: { text: "/", level: 6 },
};
const UNARY_LEVEL = 7;
const PRIMARY_LEVEL = 8;
const CONDITION_ARGUMENTS = new Set(["logicalAnd", "logicalOr", "logicalXor", "logicalNot"]);

/** An expression as JavaScript; a name in the place of a condition is compared with 0. */
export function toJavaScript(e: Expression): string {
  return print(e, false).text;
}

function print(e: Expression, asCondition: boolean): { text: string; level: number } {
  if (e.kind === "const") return { text: String(e.value), level: e.value < 0 ? UNARY_LEVEL : PRIMARY_LEVEL };
  if (e.kind === "name") return asCondition ? { text: `${e.name} !== 0`, level: 3 } : { text: e.name, level: PRIMARY_LEVEL };
  const { fn, args } = e;
  const [x, y, z] = args as [Expression, Expression, Expression];
  const inner = CONDITION_ARGUMENTS.has(fn);
  if (fn === "where") {
    const at = (arg: Expression, condition: boolean) => enclose(print(arg, condition), 1);
    return { text: `${at(x, true)} ? ${at(y, false)} : ${at(z, false)}`, level: 0 };
  }
  if (fn === "neg") return { text: `-${enclose(print(x, false), PRIMARY_LEVEL)}`, level: UNARY_LEVEL };
  if (fn === "logicalNot") return { text: `!${enclose(print(x, true), PRIMARY_LEVEL)}`, level: UNARY_LEVEL };
  const infix = INFIX[fn];
  if (infix !== undefined) {
    const left = enclose(print(x, inner), infix.level);
    const right = enclose(print(y, inner), infix.level + 1);
    return { text: `${left} ${infix.text} ${right}`, level: infix.level };
  }
  return { text: `${MATH[fn] ?? `Math.${fn}`}(${args.map((arg) => print(arg, false).text).join(", ")})`, level: PRIMARY_LEVEL };
}

const MATH: Partial<Record<string, string>> = { maximum: "Math.max", minimum: "Math.min", pow: "pow" };

function enclose(printed: { text: string; level: number }, level: number): string {
  return printed.level < level ? `(${printed.text})` : printed.text;
}
