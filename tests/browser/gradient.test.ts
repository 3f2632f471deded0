import { existsSync, readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { type Browser, chromium } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const CHROMIUM = "/usr/bin/chromium";
const HERE = fileURLToPath(new URL(".", import.meta.url));
const DIST = fileURLToPath(new URL("../../packages/autograd/dist", import.meta.url));
const POLICY = "default-src 'none'; script-src 'self'";
const PAGE = `<!doctype html><title>gradient</title><script src="/policy.js"></script><script type="module" src="/page.js"></script>`;

const missing = !existsSync(CHROMIUM);
if (missing) console.log(`no ${CHROMIUM} here: the browser test is skipped`);

/** What a page left behind when its scripts had run. */
interface Left {
  codeFromText?: string;
  results?: { gradient: number[][]; shares: number[]; stepped: number; size: number };
}

function answer(url: string): { type: string; body: string } | undefined {
  if (url === "/") return { type: "text/html", body: PAGE };
  const path = url.startsWith("/dist/") ? join(DIST, normalize(url.slice("/dist".length))) : join(HERE, normalize(url));
  return path.endsWith(".js") && existsSync(path) ? { type: "text/javascript", body: readFileSync(path, "utf8") } : undefined;
}

const serve = (): Server =>
  createServer((request, response) => {
    const found = answer(request.url ?? "/");
    response.writeHead(found ? 200 : 404, { "Content-Type": found?.type ?? "text/plain", "Content-Security-Policy": POLICY });
    response.end(found?.body);
  });

// Where the checks must be complete (CI), a missing browser is a failure.
describe.skipIf(missing && process.env["CI"] !== "true")("in Chromium, under script-src 'self'", () => {
  let server: Server;
  let browser: Browser;

  beforeAll(async () => {
    expect(existsSync(join(DIST, "index.js")), "packages/autograd is not built: run `pnpm build` first").toBe(true);
    server = serve();
    await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
    browser = await chromium.launch({
      executablePath: CHROMIUM,
      args: [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--no-first-run",
      ],
    });
  });

  afterAll(async () => {
    await browser?.close();
    server?.close();
  });

  test("the ES modules load, and give a gradient", async () => {
    const page = await browser.newPage();
    const errors: string[] = [];
    page.on("pageerror", (error) => errors.push(error.message));
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`, { waitUntil: "load" });
    const left = await page.evaluate(() => {
      const { codeFromText, results } = globalThis as Left;
      return { codeFromText, results };
    });

    expect(errors).toEqual([]);
    expect(left.codeFromText).toBe("EvalError");
    // x² + x·sum(M·M) at x = 3, M = [[1, 2], [3, 4]]: sum(M·M) = 54, and its gradient is the sum of row and column sums.
    expect(left.results).toEqual({
      gradient: [
        [3 * (4 + 3), 3 * (4 + 7)],
        [3 * (6 + 3), 3 * (6 + 7)],
      ],
      shares: expect.arrayContaining([54, 6]) as number[],
      stepped: 3 - 60,
      size: 6,
    });
  });
});
