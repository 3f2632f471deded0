import { compile } from "@unroll/autograd/compile";

type Wrap = <A extends readonly unknown[], R>(f: (...args: A) => R) => (...args: A) => R;

/** How tests run functions of Values: at once, or as compiled programs. */
export interface Runner {
  readonly name: string;
  /** Runs the function that is differentiated. */
  readonly inside: Wrap;
  /** Runs the function that gives the derivative. */
  readonly outside: Wrap;
}

const asIs: Wrap = (f) => f;
// The types say which arguments may be numbers; here they are as the function's own.
const compiled: Wrap = (f) => compile(f as never) as unknown as typeof f;

export const eager: Runner = { name: "eager", inside: asIs, outside: asIs };
export const RUNNERS: readonly Runner[] = [
  eager,
  { name: "compiled, differentiated", inside: compiled, outside: asIs },
  { name: "differentiated, compiled", inside: asIs, outside: compiled },
];
export const COMPILED: readonly Runner[] = RUNNERS.slice(1);
