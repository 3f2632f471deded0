import { expect, test } from "vitest";
import { type Example, examplesIn, expectedOutput, StagedExamples } from "./examples.js";

const fence = "```";
const markdown = (code: string, output?: string) =>
  [`Text.`, ``, `${fence}ts`, code, fence, ...(output === undefined ? [] : [``, `${fence}text`, output, fence])].join("\n");

const example = (code: string, output?: string): Example => examplesIn(markdown(code, output), "a.md")[0]!;

test("an example knows its line and its output", () => {
  expect(example("f();", "1\n2")).toEqual({ file: "a.md", line: 4, code: "f();", output: "1\n2" });
});

test("a text block further below is not its output", () => {
  const text = `${markdown("f();")}\n\nOther\n\nthings.\n\n${fence}text\npicture\n${fence}`;
  expect(examplesIn(text, "a.md")[0]!.output).toBeUndefined();
});

test("a block that is never closed is an error", () => {
  expect(() => examplesIn(`${fence}ts\nf();`, "a.md")).toThrow("never closed");
});

test("comments behind prints are the expected output", () => {
  expect(expectedOutput(example("console.log(1); // 1\nconsole.log(2); // two"))).toBe("1\ntwo");
});

test("a result that nothing checks is refused", () => {
  expect(() => expectedOutput(example("f(); // 3.5"))).toThrow("nothing checks");
  expect(() => expectedOutput(example("f(); // → anything"))).toThrow("nothing checks");
  expect(expectedOutput(example("f(); // its share of the gradient"))).toBeUndefined();
});

test("a print without its comment beside prints that have one is refused", () => {
  expect(() => expectedOutput(example("console.log(1); // 1\nconsole.log(2);"))).toThrow("without the comment");
});

let stages = 0;
// A folder of its own each time: the test runner keeps the modules that it has loaded.
const staged = (code: string, output?: string) => {
  const only = example(code, output);
  stages += 1;
  return { only, all: new StagedExamples(`machinery/${stages}`, [only]) };
};

test("a wrong type is found, at its line in the document", () => {
  const { only, all } = staged("const a = 1;\nconst b: string = a;");
  expect(all.typeErrors().get(only)).toEqual(["a.md:5 Type 'number' is not assignable to type 'string'."]);
});

test("an index that may be out of range is a type error, as in the packages", () => {
  const { only, all } = staged("const a = [1];\nconst b: number = a[0];");
  expect(all.typeErrors().get(only)).toHaveLength(1);
});

test("what an example prints is caught", async () => {
  const { only, all } = staged("console.log([1, 2], 'x');\nexport {};", "");
  expect(await all.run(only)).toBe("[ 1, 2 ] x");
});

test("an error that ends an example is its last line, and red where no output is given", async () => {
  const silent = staged("throw new RangeError('too far');");
  await expect(silent.all.run(silent.only)).rejects.toThrow("too far");
  const spoken = staged("console.log(1);\nthrow new RangeError('too far ' + 1);", "anything");
  expect(await spoken.all.run(spoken.only)).toBe("1\nRangeError: too far 1");
});
