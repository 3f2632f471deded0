/**
 * The examples of the documentation as tests. An example is a ```ts block of README.md or of a docstring; each is a module of its own.
 * It is type-checked under the strict options of the workspace and run. What it prints is compared with
 *   - the ```text block that follows it (an error that ends the example is its last line, `ShapeError: …`), or
 *   - the comments behind its prints: `console.log(expr); // text`, one for each print in order.
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { format } from "node:util";
import ts from "typescript";

export const ROOT = fileURLToPath(new URL("..", import.meta.url));
const STAGE = join(ROOT, "tests/.examples");

export interface Example {
  /** Where it stands, from the root of the workspace. */
  readonly file: string;
  /** The line of its first line of code, from 1. */
  readonly line: number;
  readonly code: string;
  /** The text block behind it. */
  readonly output: string | undefined;
}

const FENCE = /^\s*```(\S*)/;
const RUNNABLE = new Set(["ts", "typescript", "js", "javascript"]);

/** The examples of a Markdown text whose first line is line `firstLine` of `file`. */
export function examplesIn(markdown: string, file: string, firstLine = 1): Example[] {
  const blocks = fencedBlocks(markdown.split("\n"));
  return blocks.flatMap((block, i): Example[] => {
    if (!RUNNABLE.has(block.language)) return [];
    const next = blocks[i + 1];
    const followed = next?.language === "text" && next.linesBefore <= 1;
    return [{ file, line: firstLine + block.start, code: block.text, output: followed ? next.text : undefined }];
  });
}

interface Block {
  language: string;
  /** Index of the first line inside the fence. */
  start: number;
  text: string;
  /** How many lines that are not blank stand between this block and the one before it. */
  linesBefore: number;
}

function fencedBlocks(lines: readonly string[]): Block[] {
  const blocks: Block[] = [];
  let open: Block | undefined;
  let linesBefore = 0;
  lines.forEach((line, i) => {
    const fence = FENCE.exec(line);
    if (open && fence) {
      open.text = lines.slice(open.start, i).join("\n");
      blocks.push(open);
      open = undefined;
      linesBefore = 0;
    } else if (fence) open = { language: fence[1] ?? "", start: i + 1, text: "", linesBefore };
    else if (!open && line.trim() !== "") linesBefore += 1;
  });
  if (open) throw new Error(`a code block that opens on line ${open.start} is never closed`);
  return blocks;
}

/** The examples of all docstrings of a TypeScript file; names of the packages need no import there. */
export function docstringExamples(path: string): Example[] {
  const text = readFileSync(path, "utf8");
  const file = relative(ROOT, path);
  return [...text.matchAll(/\/\*\*.*?\*\//gs)].flatMap(({ 0: comment, index }) => {
    const firstLine = text.slice(0, index).split("\n").length;
    const markdown = comment
      .replace(/\*\/$/, "")
      .split("\n")
      .map((line) => line.replace(/^\s*(\/\*\*|\*) ?/, ""))
      .join("\n");
    return examplesIn(markdown, file, firstLine).map(withImports);
  });
}

const ENTRIES = {
  "@unroll/autograd": "packages/autograd/src/index.ts",
  "@unroll/autograd/optim": "packages/autograd/src/optim/index.ts",
  "@unroll/autograd/inspect": "packages/autograd/src/inspect/index.ts",
  "@unroll/autograd/random": "packages/autograd/src/random/index.ts",
  "@unroll/rnn": "packages/rnn/src/index.ts",
};

/** The import of each public name, from the first entry that exports it. */
const importOf = new Map<string, string>();

function readEntries(): void {
  const program = ts.createProgram(
    Object.values(ENTRIES).map((path) => join(ROOT, path)),
    compilerOptions(),
  );
  const checker = program.getTypeChecker();
  for (const [entry, path] of Object.entries(ENTRIES)) {
    const source = program.getSourceFile(join(ROOT, path));
    const symbol = source && checker.getSymbolAtLocation(source);
    for (const exported of symbol ? checker.getExportsOfModule(symbol) : []) {
      if (importOf.has(exported.name)) continue;
      const target = exported.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported;
      const kind = target.flags & ts.SymbolFlags.Value ? "" : "type ";
      importOf.set(exported.name, `import { ${kind}${exported.name} } from "${entry}";`);
    }
  }
}

/** The example with an import, on its first line, of every name of the packages that it uses and does not declare. */
function withImports(example: Example): Example {
  if (importOf.size === 0) readEntries();
  const source = parse(example);
  const declared = new Set<string>();
  const used = new Set<string>();
  const visit = (node: ts.Node): void => {
    if (ts.isIdentifier(node)) (isDeclarationName(node) ? declared : used).add(node.text);
    ts.forEachChild(node, visit);
  };
  visit(source);
  const imports = [...used].filter((name) => !declared.has(name)).flatMap((name) => importOf.get(name) ?? []);
  return { ...example, code: [...imports, example.code].join(" ") };
}

function isDeclarationName(node: ts.Identifier): boolean {
  const { parent } = node;
  const declares = [ts.isVariableDeclaration, ts.isFunctionDeclaration, ts.isImportSpecifier, ts.isBindingElement, ts.isParameter];
  return declares.some((is) => is(parent)) && (parent as ts.NamedDeclaration).name === node;
}

const parse = (example: Example): ts.SourceFile => ts.createSourceFile("example.ts", example.code, ts.ScriptTarget.ES2022, true);

function compilerOptions(): ts.CompilerOptions {
  const { config } = ts.readConfigFile(join(ROOT, "tsconfig.base.json"), (path) => ts.sys.readFile(path)) as { config: object };
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, ROOT);
  return { ...options, moduleDetection: ts.ModuleDetectionKind.Force, types: ["node"] };
}

/** Examples written to disk, where both the compiler and the test runner find the packages as a reader would. */
export class StagedExamples {
  readonly #folder: string;
  readonly #paths = new Map<Example, string>();

  constructor(name: string, examples: readonly Example[]) {
    this.#folder = join(STAGE, name);
    rmSync(this.#folder, { recursive: true, force: true });
    mkdirSync(this.#folder, { recursive: true });
    for (const example of examples) {
      const path = join(this.#folder, `${example.file.replaceAll(/[/\\]/g, "-")}-${example.line}.ts`);
      writeFileSync(path, `${example.code}\n`);
      this.#paths.set(example, path);
    }
  }

  /** What the compiler has against each example, with the line in the document where it stands. */
  typeErrors(): Map<Example, string[]> {
    const program = ts.createProgram([...this.#paths.values()], compilerOptions());
    return new Map(
      [...this.#paths].map(([example, path]) => {
        const source = program.getSourceFile(path)!;
        const found = [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)];
        return [example, found.map((diagnostic) => describe(diagnostic, source, example))];
      }),
    );
  }

  /** Runs the example and gives what it printed; an error that ends it is the last line. */
  async run(example: Example): Promise<string> {
    const lines: string[] = [];
    const { log } = console;
    console.log = (...args: unknown[]) => void lines.push(format(...args));
    try {
      await import(/* @vite-ignore */ this.#paths.get(example)!);
    } catch (error) {
      if (expectedOutput(example) === undefined) throw error;
      lines.push(String(error));
    } finally {
      console.log = log;
    }
    return lines.join("\n");
  }
}

function describe(diagnostic: ts.Diagnostic, source: ts.SourceFile, example: Example): string {
  const { line } = source.getLineAndCharacterOfPosition(diagnostic.start ?? 0);
  const message = ts.flattenDiagnosticMessageText(diagnostic.messageText, "\n");
  return `${example.file}:${example.line + line} ${message}`;
}

/** What the example says it prints, or undefined where it says nothing. */
export function expectedOutput(example: Example): string | undefined {
  const comments = printComments(example);
  if (example.output === undefined) return comments.length > 0 ? comments.join("\n") : undefined;
  if (comments.length > 0) throw new Error(`${place(example)}: the output is given twice, in comments and in a text block`);
  return example.output;
}

/** The comments behind the prints of an example; a result in a comment that nothing would check is an error. */
function printComments(example: Example): string[] {
  const source = parse(example);
  const comments: string[] = [];
  let silent = 0;
  const visit = (node: ts.Node): void => {
    if (ts.isStatement(node) && !ts.isBlock(node)) {
      const comment = commentBehind(node, example.code);
      if (!isPrint(node)) refuseUncheckedResult(comment, example);
      else if (comment === undefined) silent += 1;
      else comments.push(comment);
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  if (comments.length > 0 && silent > 0)
    throw new Error(`${place(example)}: ${silent} console.log without the comment that says what it prints`);
  return comments;
}

function commentBehind(node: ts.Node, code: string): string | undefined {
  const range = ts.getTrailingCommentRanges(code, node.end)?.[0];
  return (
    range &&
    code
      .slice(range.pos, range.end)
      .replace(/^\/\/\s*/, "")
      .trim()
  );
}

function isPrint(node: ts.Node): boolean {
  return ts.isExpressionStatement(node) && ts.isCallExpression(node.expression) && node.expression.expression.getText() === "console.log";
}

const RESULT = /^(→|=>|-?\d|\[\s*-?\d|NaN\b|Infinity\b)/;

function refuseUncheckedResult(comment: string | undefined, example: Example): void {
  if (comment === undefined || !RESULT.test(comment)) return;
  throw new Error(
    `${place(example)}: nothing checks the result "${comment}": write console.log(…); // ${comment.replace(/^(→|=>)\s*/, "")}`,
  );
}

export const place = (example: Example): string => `${example.file}:${example.line}`;
