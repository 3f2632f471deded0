import { describe, expect, it } from "vitest";
import type { ForecastResult } from "../../src/forecast/run.js";
import { readAssets } from "../../src/report/assets.js";
import { reportPage } from "../../src/report/page.js";
import type { Plot } from "../../src/report/plotData.js";
import { compareGradients } from "../../src/toy/comparison.js";
import { sampleResult } from "./sampleResult.js";

const assets = await readAssets();
const comparison = compareGradients({ u: 0.7, v: -0.4, w: 1.3, s: 0.25 }, [0.5, -1, 2], [-1, 2, 0.1]);
const source = { title: "A forecast", quantity: "water level", description: "Levels", origin: "a gauge", licence: "CC0" };
const pageOf = (result: ForecastResult, changes = {}) => reportPage(result, comparison, { ...source, ...changes }, assets);
const page = pageOf(sampleResult());

function plotsIn(html: string): Plot[] {
  const [, json] = /<script type="application\/json" id="plots">(.*?)<\/script>/s.exec(html)!;
  return JSON.parse(json!) as Plot[];
}

const plot = (html: string, id: string): Plot => plotsIn(html).find((candidate) => candidate.id === id)!;

describe("the report", () => {
  it("is a whole page", () => {
    expect(page.startsWith("<!doctype html>")).toBe(true);
    expect(page.trimEnd().endsWith("</html>")).toBe(true);
    for (const tag of ["html", "head", "body", "main", "section", "figure", "table", "script", "style", "ul", "dl", "details"]) {
      const opened = page.match(new RegExp(`<${tag}[\\s>]`, "g"))?.length ?? 0;
      expect(page.split(`</${tag}>`).length - 1, tag).toBe(opened);
    }
  });

  it("loads nothing: no address, no request, and a policy that forbids both", () => {
    expect(page).toContain(
      `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'">`,
    );
    const loads =
      /\ssrc\s*=\s*["']|\shref\s*=|<link|<img|<iframe|<base|@import|url\(|fetch\(|XMLHttpRequest|WebSocket|EventSource|sendBeacon|import\(|importScripts/i;
    expect(loads.exec(page)?.[0]).toBeUndefined();
    const addresses = page.match(/https?:\/\/[^\s"')]*/g);
    // The one address is in the comment that names the plotting library.
    expect(addresses).toEqual(["https://github.com/leeoniya/uPlot"]);
  });

  it("carries the library that draws, and does without code made from text", () => {
    expect(page).toContain("var uPlot=function()");
    expect(page).not.toMatch(/\beval\(|new Function\(/);
  });

  it("shows what came and what was forecast, with dates and units", () => {
    const { x, lines, yLabel, dates } = plot(page, "forecast");
    expect(dates).toBe(true);
    expect(yLabel).toBe("water level (m)");
    expect(x).toEqual([16_004 * 86_400, 16_005 * 86_400]);
    expect(Object.fromEntries(lines.map(({ label, values }) => [label, values]))).toEqual({
      truth: [5, 6],
      "LSTM network": [5.5, 6.25],
      "tomorrow = today": [4, 5],
      "calendar mean + anomaly": [5, 6],
    });
  });

  it("shows both losses and marks the epoch that was kept", () => {
    const { x, lines, marked, yLabel } = plot(page, "losses");
    expect(x).toEqual([1, 2]);
    expect(lines.map(({ values }) => values)).toEqual([
      [3, 2.5],
      [3.5, 3],
    ]);
    expect(marked).toEqual({ x: 2, label: "kept" });
    expect(yLabel).toBe("error (RMSE, m)");
  });

  it("shows the look back from the day before the forecast backwards, in per cent", () => {
    expect(plot(page, "shares")).toMatchObject({ x: [1, 2, 3], yLabel: "share of the gradient (%)" });
    expect(plot(page, "shares").lines[0]!.values).toEqual([70, 20, 10]);
    expect(plot(page, "sensitivities").lines[0]!.values).toEqual([0.8, 0.05, 0.01]);
    expect(page).toContain('<th scope="row">1</th><td>70.0 %</td><td>0.8000</td>');
  });

  it("has a place for every plot, with words for those who do not see it", () => {
    for (const { id } of plotsIn(page)) expect(page).toMatch(new RegExp(`<div class="plot" id="${id}" role="img" aria-label="[^"]{20,}">`));
  });

  it("says which baseline the network beats, and which not", () => {
    expect(page).toContain("The network beats “tomorrow = today”");
    expect(page).toContain("The network does NOT beat “calendar mean + anomaly”");
  });

  it("has the table of errors, for the test and the validation part", () => {
    expect(page).toContain(
      '<tr class="network"><th scope="row">LSTM network</th><td>1.500</td><td>2.000</td><td>1.750</td><td>2.250</td></tr>',
    );
    expect(page).toContain("<td>1.750</td><td>2.500</td>");
  });

  it("has the comparison of gradients", () => {
    expect(page).toContain("-0.447762644598");
    expect(page).toContain("published recurrence (wrong)");
    expect(page).toMatch(/raises E by 0\.006577: uphill/);
  });

  it("names the data, its licence, the parts, and how settings were chosen", () => {
    for (const text of ["Levels; a gauge", "CC0", "2 days, 2013-10-26 to 2013-10-27", "by its validation year (2014) alone"]) {
      expect(page).toContain(text);
    }
    expect(pageOf(sampleResult(), { licence: null })).toContain("the file is the user&#39;s own");
  });

  it("says when the user stopped the training", () => {
    const { history } = sampleResult();
    expect(pageOf(sampleResult({ history: { ...history, ended: "interrupted" } }))).toContain("Stopped early by the user in epoch 2 of 60");
    expect(page).not.toContain("Stopped early");
  });

  it("without dates counts rows from 1, without a unit shows none", () => {
    const { series } = sampleResult();
    const bare = pageOf(sampleResult({ series: { ...series, days: null, unit: "" } }));
    expect(plot(bare, "forecast")).toMatchObject({ x: [5, 6], dates: false, yLabel: "water level", unit: "" });
    expect(plot(bare, "losses").yLabel).toBe("error (RMSE)");
    expect(bare).toContain("Every row of the test part");
  });

  it("cannot be broken by the names in a user's file", () => {
    const nasty = `</script><script>alert("1")</script>&'`;
    const { series, baselines } = sampleResult();
    const html = pageOf(sampleResult({ series: { ...series, name: nasty, unit: nasty }, baselines: [{ ...baselines[0]!, name: nasty }] }), {
      title: nasty,
      quantity: nasty,
      description: nasty,
    });
    expect(html).not.toContain("<script>alert");
    expect(plot(html, "forecast").yLabel).toBe(`${nasty} (${nasty})`);
    expect(html).toContain("<title>&lt;/script&gt;&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&amp;&#39;</title>");
  });
});
