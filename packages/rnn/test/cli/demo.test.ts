import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { runDemo } from "../../src/cli/main.js";
import { BAD_FILES } from "../data/badFiles.js";
import { fileIn, temporaryFolder, wavyDays } from "../data/files.js";

const root = temporaryFolder();
let count = 0;

/** A folder for one run, with a file. */
function folderWith(content?: string | Buffer): string {
  const folder = join(root, String(count++));
  mkdirSync(folder);
  if (content !== undefined) fileIn(folder, "data.csv", content);
  return folder;
}

async function run(folder: string, ...argv: string[]) {
  const [out, err] = [new PassThrough(), new PassThrough()];
  const code = await runDemo(argv, folder, { out, err });
  return { code, out: String(out.read() ?? ""), err: String(err.read() ?? "") };
}

/** Exit code 2, one line on stderr, nothing on stdout, no file that was not there before. */
async function expectRefusal(folder: string, message: RegExp, ...argv: string[]): Promise<void> {
  const before = readdirSync(folder);
  const { code, out, err } = await run(folder, ...argv);
  expect(code).toBe(2);
  expect(err).toMatch(/^demo: [^\n]+\n$/);
  expect(err).toMatch(message);
  expect(out).toBe("");
  expect(readdirSync(folder)).toEqual(before);
}

describe("bad input: one line, exit code 2, nothing written", () => {
  it.each(BAD_FILES)("$what", async ({ content, dated, message }) => {
    const line = new RegExp(message.source.replace(/\$$/, "\n"), message.flags);
    await expectRefusal(folderWith(content), line, "--data", "data.csv", "--column", "level", ...(dated ? ["--date", "day"] : []));
  });

  it("a file that is not there", async () => {
    await expectRefusal(folderWith(), /none\.csv: there is no such file/, "--data", "none.csv", "--column", "level");
  });

  it("fewer rows than one window", async () => {
    await expectRefusal(
      folderWith("level\n1\n2\n3\n"),
      /data\.csv has 3 rows; at least 23 are needed/,
      "--data",
      "data.csv",
      "--column",
      "level",
    );
  });

  it("values too large to compute with", async () => {
    const rows = Array.from({ length: 60 }, (_, i) => (i % 2 === 0 ? "1e300" : "-1e300"));
    await expectRefusal(folderWith(`level\n${rows.join("\n")}\n`), /the values are too large/, "--data", "data.csv", "--column", "level");
  });

  it("a folder for the report that does not exist", async () => {
    await expectRefusal(folderWith(), /there is no folder .*nowhere to write the report to/, "--out", "nowhere/report.html");
  });

  it("an option that does not exist", async () => {
    await expectRefusal(folderWith(), /Unknown option `--colour` \(--help shows all options\)/, "--colour", "red");
  });
});

describe("a user's own file", () => {
  it("without dates is forecast against AR(1), in its own unit, into one whole page", async () => {
    const folder = folderWith(`level\n${Array.from({ length: 80 }, (_, i) => (100 + 9 * Math.sin(i / 4)).toFixed(2)).join("\n")}\n`);
    const { code, out, err } = await run(folder, "--data", "data.csv", "--column", "level", "--epochs", "1", "--out", "mine.html");
    expect([code, readdirSync(folder)]).toEqual([0, ["data.csv", "mine.html"]]);
    expect(out).toMatch(/^Gradient of E/);
    expect(out).toContain("Test: 12 rows, 69 to 80");
    expect(out).toMatch(/error on the test part +MAE +RMSE\nLSTM network .*\nnext row = this row .*\nAR\(1\) /);
    expect(out.trimEnd().split("\n").at(-1)).toBe("Report: mine.html");
    expect(err).toMatch(/^epoch 1 of 1: error in training \d/);
    const page = readFileSync(join(folder, "mine.html"), "utf8");
    expect(page).toContain("The next row&#39;s level, forecast by an LSTM");
    expect(page.trimEnd().endsWith("</html>")).toBe(true);
  });

  it("with dates is split by years and forecast against the calendar", async () => {
    const folder = folderWith(wavyDays(4 * 365 + 1));
    const { code, out } = await run(folder, "--data", "data.csv", "--column", "level", "--date", "day", "--epochs", "1");
    expect(code).toBe(0);
    expect(out).toContain("training on 731 days, 2011-01-01 to 2012-12-31.");
    expect(out).toMatch(/tomorrow = today .*\ncalendar mean \+ anomaly /);
    expect(readdirSync(folder)).toEqual(["data.csv", "forecast-report.html"]);
  });
});

describe("the program", () => {
  const workspace = fileURLToPath(new URL("../../../..", import.meta.url));

  /** Runs it in a process of its own, where the user is in `folder`; `onError` sees what it writes to stderr. */
  function start(folder: string, argv: string[], onError: (text: string, interrupt: () => void) => void = () => {}) {
    const program = ["--import", "tsx", "--conditions=source", "packages/rnn/src/cli/demo.ts", ...argv];
    const child = spawn(process.execPath, program, { cwd: workspace, env: { ...process.env, INIT_CWD: folder } });
    const texts = { out: "", err: "" };
    child.stdout.on("data", (text) => (texts.out += String(text)));
    child.stderr.on("data", (text) => {
      texts.err += String(text);
      onError(texts.err, () => child.kill("SIGINT"));
    });
    return new Promise<{ code: number | null; signal: string | null; out: string; err: string }>((resolve) => {
      child.on("close", (code, signal) => resolve({ code, signal, ...texts }));
    });
  }

  it("stops on Ctrl-C after the step under way and still reports, with exit code 0", async () => {
    const folder = folderWith();
    let sent = false;
    const { code, signal, out, err } = await start(folder, ["--epochs", "100000"], (text, interrupt) => {
      if (sent || !text.includes("epoch 1 of 100000")) return;
      sent = true;
      interrupt();
    });
    expect([code, signal]).toEqual([0, null]);
    expect(err).toContain("Stopping after this step");
    expect(out).toContain("STOPPED EARLY BY THE USER in epoch");
    expect(readdirSync(folder)).toEqual(["forecast-report.html"]);
    expect(readFileSync(join(folder, "forecast-report.html"), "utf8")).toContain("Stopped early by the user in epoch");
  });

  it("ends with exit code 2 on a wrong option, in the folder of the user", async () => {
    const folder = folderWith();
    const { code, out, err } = await start(folder, ["--data", "none.csv", "--column", "x"]);
    expect([code, out, err]).toEqual([2, "", "demo: none.csv: there is no such file\n"]);
    expect(existsSync(join(folder, "forecast-report.html"))).toBe(false);
  });
});
