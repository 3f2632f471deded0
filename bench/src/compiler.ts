/** `compile` of the engine, which need not be there: everything else is measured without it. */

/** The function that runs f as a compiled program: it takes and gives the same trees of Values. */
export type Compile = <A extends readonly unknown[], R>(f: (...args: A) => R) => (...args: A) => R;

// Not a literal: what is not there must not fail to compile.
const SUBPATH: string = "@unroll/autograd/compile";

export async function loadCompile(): Promise<Compile> {
  const { compile } = (await import(/* @vite-ignore */ SUBPATH)) as { readonly compile: Compile };
  return compile;
}

/** Why there is no compiler; null where there is one. A compiler that is there but fails to load is an error, and not a reason. */
export async function compilerAbsent(): Promise<string | null> {
  try {
    await loadCompile();
    return null;
  } catch (error) {
    if (!isMissing(error)) throw error;
    return `not measured: ${SUBPATH} is not there`;
  }
}

function isMissing(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  // Node's codes, and the words of the resolver that runs the tests.
  const { code, message } = error as NodeJS.ErrnoException;
  return code === "ERR_PACKAGE_PATH_NOT_EXPORTED" || code === "ERR_MODULE_NOT_FOUND" || message.startsWith('"./compile" is not exported');
}
