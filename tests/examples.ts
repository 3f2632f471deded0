/**
 * The examples of the documentation as tests: each ```ts block of a page, and each ```ts block or `@example` of a docstring, is a module
 * of its own. It is type-checked under the strict options of the workspace and run. What it says of itself is checked:
 *   - a ```text block that follows it is exactly what it prints; an error that ends it is the last line, `ShapeError: …`, in which the
 *     example's own file is `example.ts`;
 *   - `expr; // 3.5`, `const x = expr; // [1, 2]` and `console.log(expr); // text` show the value, as console.log prints it but for white
 *     space; `…` stands for what is left out; `// →` before the value tells a text from a remark;
 *   - `expr; // throws ShapeError: …` shows an error.
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { pathToFileURL } from "node:url";
import { format } from "node:util";
import ts from "typescript";
import { compilerOptions, publicNames, ROOT } from "./publicNames.js";

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
  return examplesOfDocstrings(readFileSync(path, "utf8"), slashes(relative(ROOT, path))).map(withImports);
}

/** The examples of all docstrings of a TypeScript text, as they stand. */
export function examplesOfDocstrings(text: string, file: string): Example[] {
  return [...text.matchAll(/\/\*\*.*?\*\//gs)].flatMap(({ 0: comment, index }) => {
    const firstLine = lineAt(text, index);
    const markdown = comment
      .replace(/\s*\*\/$/, "")
      .split("\n")
      .map((line) => line.replace(/^\s*(\/\*\*|\*) ?/, ""))
      .join("\n");
    const tagged = [...markdown.matchAll(TAGGED)].filter(([all]) => !all.includes("```"));
    const plain = tagged.map(({ index, 1: code = "" }) => ({
      file,
      line: firstLine + lineAt(markdown, index) - 1,
      code: code.trimEnd(),
      output: undefined,
    }));
    return [...examplesIn(markdown, file, firstLine), ...plain];
  });
}

/** An `@example` up to the next tag. Without a fence in it, it is code. */
const TAGGED = /^@example\b[ \t]*(.*(?:\n(?!@).*)*)/gm;

const lineAt = (text: string, index: number): number => text.slice(0, index).split("\n").length;
const slashes = (path: string): string => path.split(sep).join("/");

/** The import of each public name, from the first entry that exports it. */
const importOf = new Map<string, string>();

function readPublicNames(): void {
  for (const { name, entry, isType } of publicNames()) {
    if (!importOf.has(name)) importOf.set(name, `import { ${isType ? "type " : ""}${name} } from "${entry}";`);
  }
}

/** The example with an import, on its first line, of every name of the packages that it uses and does not declare. */
function withImports(example: Example): Example {
  if (importOf.size === 0) readPublicNames();
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
      writeFileSync(path, `${withPrints(example).code}\n`);
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

  /** Runs the example and gives what it printed, print by print; an error that ends it is the last. */
  async run(example: Example): Promise<string[]> {
    const prints: string[] = [];
    const { log } = console;
    console.log = (...args: unknown[]) => void prints.push(format(...args));
    try {
      await import(/* @vite-ignore */ this.#paths.get(example)!);
    } catch (error) {
      if (example.output === undefined) throw error;
      prints.push(withoutPath(String(error), this.#paths.get(example)!));
    } finally {
      console.log = log;
    }
    return prints;
  }
}

/** Errors name the line that caused them: `(at /…/page-7.ts:3:5)` reads `(at example.ts:3:5)` in a document. */
function withoutPath(message: string, path: string): string {
  return message.replaceAll(pathToFileURL(path).href, "example.ts").replaceAll(path, "example.ts");
}

function describe(diagnostic: ts.Diagnostic, source: ts.SourceFile, example: Example): string {
  const { line } = source.getLineAndCharacterOfPosition(diagnostic.start ?? 0);
  const message = ts.flattenDiagnosticMessageText(diagnostic.messageText, "\n");
  return `${example.file}:${example.line + line} ${message}`;
}

/** Throws unless the prints of an example are those that it shows. */
export function checkPrints(example: Example, prints: readonly string[]): void {
  const { shown } = withPrints(example);
  if (example.output !== undefined) return expectEqual(example, prints.join("\n"), example.output);
  if (shown.length === 0) return;
  if (prints.length !== shown.length)
    throw new Error(`${place(example)} shows ${shown.length} values, but prints ${prints.length}: ${prints.join("; ")}`);
  shown.forEach((text, i) => {
    if (!agrees(prints[i]!, text)) expectEqual(example, prints[i]!, text);
  });
}

function expectEqual(example: Example, printed: string, shown: string): void {
  if (printed !== shown) throw new Error(`${place(example)} prints\n${printed}\nbut shows\n${shown}`);
}

/** Whether a print is what a comment shows, white space aside. */
function agrees(printed: string, shown: string): boolean {
  const pieces = shown.replaceAll(/\s/g, "").split("…");
  const pattern = pieces.map((piece) => piece.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&")).join(".*");
  return new RegExp(`^${pattern}$`, "s").test(printed.replaceAll(/\s/g, ""));
}

/** A comment that shows a value, and not a remark. */
const VALUE = /^(→|throws\b|-?\d|[[{"'`]|(true|false|NaN|-?Infinity|null|undefined)$|\w+\()/;

interface Instrumented {
  /** The example in which every statement that shows a value prints it. */
  readonly code: string;
  /** The values shown, in the order of the text. */
  readonly shown: readonly string[];
}

function withPrints(example: Example): Instrumented {
  const source = parse(example);
  const shown: string[] = [];
  const edits: { at: number; text: string }[] = [];
  let silent = 0;
  const visit = (node: ts.Node): void => {
    if (isLine(node)) {
      const comment = commentBehind(node, example.code);
      if (isPrint(node)) {
        if (comment === undefined) silent += 1;
        else shown.push(comment.replace(/^→\s*/, ""));
      } else if (comment !== undefined && VALUE.test(comment)) {
        edits.push(...printing(node, comment, example));
        shown.push(comment.replace(/^→\s*/, ""));
      }
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  if (shown.length === 0) return { code: example.code, shown };
  if (example.output !== undefined) throw new Error(`${place(example)}: the output is given twice, in comments and in a text block`);
  if (silent > 0) throw new Error(`${place(example)}: ${silent} console.log without the comment that shows what it prints`);
  return { code: applied(edits, example.code), shown };
}

const isLine = (node: ts.Node): boolean =>
  ts.isExpressionStatement(node) || ts.isVariableStatement(node) || ts.isReturnStatement(node) || ts.isThrowStatement(node);

/** The insertions that make a statement print its value, all on its own lines. */
function printing(node: ts.Node, comment: string, example: Example): { at: number; text: string }[] {
  if (ts.isExpressionStatement(node) && comment.startsWith("throws")) {
    const after = ` console.log("nothing thrown"); } catch (error) { console.log(\`throws \${error}\`); }`;
    return [
      { at: node.getStart(), text: "try { " },
      { at: node.end, text: after },
    ];
  }
  if (ts.isExpressionStatement(node)) {
    const { expression } = node;
    return [
      { at: expression.getStart(), text: "console.log(" },
      { at: expression.end, text: ")" },
    ];
  }
  const names = ts.isVariableStatement(node) ? node.declarationList.declarations.map(({ name }) => name) : [];
  if (names.length !== 1 || !ts.isIdentifier(names[0]!))
    throw new Error(`${place(example)}: nothing checks the value shown in "${comment}"`);
  return [{ at: node.end, text: ` console.log(${names[0].text});` }];
}

function applied(edits: readonly { at: number; text: string }[], code: string): string {
  const backwards = [...edits].sort((a, b) => b.at - a.at);
  return backwards.reduce((text, edit) => text.slice(0, edit.at) + edit.text + text.slice(edit.at), code);
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

export const place = (example: Example): string => `${example.file}:${example.line}`;
