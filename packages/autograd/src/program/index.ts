export { type Compiled, type CompileOptions, compile } from "./compile.js";
export type { Bound } from "./bind.js";
export type { ProgramStats } from "./explain.js";
