/** The function that runs f as a compiled program: it takes and gives the same trees of Values. */
export type Compile = <A extends readonly unknown[], R>(f: (...args: A) => R) => (...args: A) => R;

/** `compile` of the engine, loaded only by the processes that measure it. */
export async function loadCompile(): Promise<Compile> {
  const { compile } = await import("@unroll/autograd/compile");
  // Its types say which arguments may be numbers; here they are as the function's own.
  return compile as unknown as Compile;
}
