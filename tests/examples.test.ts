import { describe, expect, test } from "vitest";
import { checkPrints, type Example, examplesIn, examplesOfDocstrings, StagedExamples } from "./examples.js";

const fence = "```";
const markdown = (code: string, output?: string) =>
  ["Text.", "", `${fence}ts`, code, fence, ...(output === undefined ? [] : ["", `${fence}text`, output, fence])].join("\n");

const example = (code: string, output?: string): Example => examplesIn(markdown(code, output), "a.md")[0]!;

let stages = 0;
// A folder of its own each time: the test runner keeps the modules that it has loaded.
function stage(code: string, output?: string) {
  const only = example(code, output);
  stages += 1;
  const staged = new StagedExamples(`machinery/${stages}`, [only]);
  return {
    typeErrors: () => staged.typeErrors().get(only),
    run: () => staged.run(only),
    check: async () => checkPrints(only, await staged.run(only)),
  };
}

describe("finding examples", () => {
  test("an example knows its line and its output", () => {
    expect(example("f();", "1\n2")).toEqual({ file: "a.md", line: 4, code: "f();", output: "1\n2" });
  });

  test("a text block further below is not its output", () => {
    const text = `${markdown("f();")}\n\nOther\n\nthings.\n\n${fence}text\npicture\n${fence}`;
    expect(examplesIn(text, "a.md")[0]!.output).toBeUndefined();
  });

  test("the examples of a docstring are its fences and its tags", () => {
    const text = [
      "const a = 1;",
      "/**",
      " * Text.",
      " *",
      " * ```ts",
      " * f(); // 1",
      " * ```",
      " * @example",
      ' * import "@x/y";',
      " *   g();",
      " * @example h();",
      " * @returns a number",
      " */",
    ].join("\n");
    expect(examplesOfDocstrings(text, "a.ts")).toEqual([
      { file: "a.ts", line: 6, code: "f(); // 1", output: undefined },
      { file: "a.ts", line: 8, code: '\nimport "@x/y";\n  g();', output: undefined },
      { file: "a.ts", line: 11, code: "h();", output: undefined },
    ]);
  });

  test("a block that is never closed is an error", () => {
    expect(() => examplesIn(`${fence}ts\nf();`, "a.md")).toThrow("never closed");
  });
});

describe("checking types", () => {
  test("a wrong type is found, at its line in the document", () => {
    const { typeErrors } = stage("const a = 1;\nconst b: string = a;");
    expect(typeErrors()).toEqual(["a.md:5 Type 'number' is not assignable to type 'string'."]);
  });

  test("an index that may be out of range is an error, as in the packages", () => {
    expect(stage("const a = [1];\nconst b: number = a[0];").typeErrors()).toHaveLength(1);
  });
});

describe("checking what is shown", () => {
  const right: [string, string?][] = [
    ["console.log([1, 2], 'x');", "[ 1, 2 ] x"],
    ["console.log('a\\nb');\nconsole.log(3);", "a\nb\n3"],
    ["console.log(1);\nthrow new RangeError('too ' + 'far');", "1\nRangeError: too far"],
    [
      "const place = /\\(([^(]*:\\d+):\\d+\\)|at ([^(]*:\\d+):\\d+$/m.exec(new Error().stack!)!;\nthrow new Error(`here: ${place[1] ?? place[2]}`);",
      "Error: here: example.ts:1",
    ],
    ["console.log(1.5); // 1.5\nconsole.log('two'); // two"],
    ["1 + 0.5; // 1.5"],
    ["const a = [1, 2]; // [1, 2]"],
    ["({ a: [1] }); // { a: [1] }"],
    ["Math.PI; // 3.14159…"],
    ["[0.1 + 0.2, 1]; // [0.3000…, 1]"],
    ["'x'.repeat(2); // → xx"],
    ["null!.toString(); // throws TypeError: …"],
    ["[1].map((x) => {\n  return x; // its square\n});"],
    ["for (const i of [7]) {\n  i * 2; // 14\n}"],
  ];
  test.for(right)("right: %j", async ([code, output]) => stage(code, output).check());

  const wrong: [string, string?][] = [
    ["console.log(1);", "2"],
    ["console.log(1);", "1\n1"],
    ["console.log('a  b');", "a b"],
    ["throw new RangeError('too far');"],
    ["throw new RangeError('too far');", "RangeError: too near"],
    ["console.log(1.5); // 1.6"],
    ["1 + 0.5; // 1.6"],
    ["1 + 0.5; // 1"],
    ["const a = [1, 2]; // [1, 3]"],
    ["Math.PI; // 3.15…"],
    ["'x'.repeat(2); // → x"],
    ["1; // throws TypeError: …"],
    ["null!.toString(); // throws RangeError: …"],
    ["for (const i of [7, 8]) {\n  i * 2; // 14\n}"],
    ["console.log(1); // 1\nconsole.log(2);"],
    ["console.log(1); // 1", "1"],
    ["[1].map((x) => {\n  return x; // 1\n});"],
  ];
  test.for(wrong)("wrong: %j", async ([code, output]) => {
    await expect((async () => stage(code, output).check())()).rejects.toThrow();
  });
});
