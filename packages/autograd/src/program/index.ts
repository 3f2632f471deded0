export { type Compiled, type CompileOptions, compile } from "./compile.js";
export type { Bound } from "./bind.js";
export type { Inspectable, ProgramStats } from "./explain.js";
