/** V8 alone counts the frames that it keeps: ten unless told otherwise, of which a rule that is being traced takes more. */
const ErrorClass = Error as { stackTraceLimit?: number };
const DEEP = 50;

/**
 * What the library throws. Every message says what was expected, what came and what to do; where the caller's own source line can be
 * told from the stack, it stands at the end.
 */
export class AutogradError extends Error {
  override name = "AutogradError";

  constructor(message: string) {
    const { stackTraceLimit } = ErrorClass;
    if (stackTraceLimit !== undefined) ErrorClass.stackTraceLimit = Math.max(stackTraceLimit, DEEP);
    super(message);
    if (stackTraceLimit !== undefined) ErrorClass.stackTraceLimit = stackTraceLimit;
    const line = callerLine(this.stack);
    if (line !== undefined) this.message = `${message} (at ${line})`;
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

/** A frame of a stack in V8's or in the other engines' form: file, line and column. Frames of Node itself name no path. */
const FRAME = /(?:\(|@|at )((?:\w+:)?[\\/][^()]*?:\d+:\d+)\)?$/;

/** Other installed packages of the scope, which throw these errors too: a caller is whoever uses them. */
const SIBLINGS = "/node_modules/@unroll/";

function framesOf(stack = ""): string[] {
  return stack.split("\n").flatMap((line) => FRAME.exec(line)?.[1] ?? []);
}

/** The first stack frame outside this package's own folder, as `file:line:column`; undefined where the stack does not tell. */
function callerLine(stack: string | undefined): string | undefined {
  // The folder of this file, which its own frame tells: `src`, or the folder of the bundle. Frames below it are the library's.
  const own = framesOf(new Error().stack)[0]?.replace(/[^\\/]*$/, "");
  return own === undefined ? own : framesOf(stack).find((frame) => !frame.startsWith(own) && !frame.includes(SIBLINGS));
}
