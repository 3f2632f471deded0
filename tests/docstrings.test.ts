import { readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { testExamples } from "./example-suite.js";
import { docstringExamples, ROOT } from "./examples.js";

const sources = ["packages/autograd/src", "packages/rnn/src"].flatMap((folder) =>
  readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts"))
    .sort()
    .map((name) => join(ROOT, folder, name)),
);
const examples = sources.flatMap(docstringExamples);

test("the docstrings have examples", () => expect(examples.length).toBeGreaterThan(0));
testExamples("docstrings", examples);
