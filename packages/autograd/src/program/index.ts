export { type Compiled, type CompileOptions, compile } from "./compile.js";
export type { ProgramStats } from "./explain.js";
