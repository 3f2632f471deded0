/**
 * What the library throws. Every message says what was expected, what came and what to do; where the caller's own source line can be
 * told from the stack, it stands at the end.
 */
export class AutogradError extends Error {
  override name = "AutogradError";

  constructor(message: string) {
    super(message);
    const line = callerLine(this.stack);
    if (line !== null) this.message = `${message} (at ${line})`;
  }
}

/** Shapes, axes or sizes that do not fit together. */
export class ShapeError extends AutogradError {
  override name = "ShapeError";
}

/** A dtype that an operation does not take. */
export class DTypeError extends AutogradError {
  override name = "DTypeError";
}

/** An index outside its axis. */
export class IndexError extends AutogradError {
  override name = "IndexError";
}

/** A backward pass or a transform that cannot be carried out on this graph. */
export class GraphError extends AutogradError {
  override name = "GraphError";
}

/** An argument that is not of the kind that a function takes. */
export class InputError extends AutogradError {
  override name = "InputError";
}

const FRAME = /(?:^\s*at (?:.*\()?|@)((?:file:\/\/|https?:\/\/|[A-Za-z]:[\\/]|\/)[^()]*?):(\d+):(\d+)\)?$/;

/** The first stack frame outside this package's own folder, as `file:line:column`; null where the stack does not tell. */
function callerLine(stack: string | undefined): string | null {
  let own: string | null = null;
  for (const line of stack?.split("\n") ?? []) {
    const frame = FRAME.exec(line);
    if (frame === null) continue;
    const file = frame[1] as string;
    own ??= folderOf(file);
    if (!file.startsWith(own)) return `${file}:${frame[2]}:${frame[3]}`;
  }
  return null;
}

/** In source the root of `src`, built the folder of the bundle: frames below it are the library's own. */
function folderOf(file: string): string {
  return file.slice(0, Math.max(file.lastIndexOf("/"), file.lastIndexOf("\\")) + 1);
}
