import { readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { testExamples } from "./exampleSuite.js";
import { docstringExamples } from "./examples.js";
import { publicNames, ROOT } from "./publicNames.js";

const sources = ["packages/autograd/src", "packages/rnn/src"].flatMap((folder) =>
  readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts"))
    .sort()
    .map((name) => join(ROOT, folder, name)),
);
const examples = sources.flatMap(docstringExamples);

test("every public function and class has a docstring", () => {
  const without = publicNames().filter(({ isType, docstring }) => !isType && docstring === "");
  expect(without.map(({ name, entry }) => `${name} of ${entry}`)).toEqual([]);
});

test("the docstrings have examples", () => expect(examples.length).toBeGreaterThan(0));
testExamples("docstrings", examples);
