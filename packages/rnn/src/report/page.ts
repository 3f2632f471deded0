/** The report: one HTML page that needs nothing from anywhere. */
import { rowNoun } from "../data/series.js";
import type { ForecastResult, JudgedMethod } from "../forecast/run.js";
import { describeRows, describeTraining, formatNumber, inUnit, verdictOn } from "../forecast/verdict.js";
import type { GradientComparison } from "../toy/comparison.js";
import type { PageAssets } from "./assets.js";
import { comparisonSection } from "./comparisonSection.js";
import { embeddedJson, escapeHtml, figure, table } from "./html.js";
import { plotsOf } from "./plotData.js";
import type { ReportSource } from "./source.js";

/** The page forbids itself to load anything. */
const POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'";

export function reportPage(result: ForecastResult, comparison: GradientComparison, source: ReportSource, assets: PageAssets): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escapeHtml(source.title)}</title>
<style>
${assets.style}
</style>
</head>
<body>
<main>
<h1>${escapeHtml(source.title)}</h1>
${summary(result)}
<noscript><p class="notice">The plots on this page are drawn by a script inside it, and scripts are switched off. All tables are there.</p></noscript>
${forecastSection(result)}
${errorsSection(result)}
${trainingSection(result)}
${lookBackSection(result)}
${comparisonSection(comparison)}
${settingsSection(result, source)}
</main>
<footer>Plots: uPlot 1.6, MIT licence, copyright Leon Sorokin. The page is complete in itself and loads nothing.</footer>
<script type="application/json" id="plots">${embeddedJson(plotsOf(result, source))}</script>
<script>
${assets.script}
</script>
</body>
</html>
`;
}

function summary(result: ForecastResult): string {
  const { baselines, history, network, series, split } = result;
  const noun = rowNoun(series);
  const stopped = `<p class="notice">Stopped early by the user in epoch ${history.epochs.length} of ${result.epochs}: with more training the network may do better.</p>`;
  const verdicts = baselines.map((baseline) => `<li>${escapeHtml(verdictOn(baseline, result))}</li>`).join("\n");
  return `${history.ended === "interrupted" ? stopped : ""}
<p class="lead">Every ${noun} of the test part (${escapeHtml(describeRows(series, split.test))}) was forecast from the ${result.settings.window} ${noun}s
before it by a recurrent network (LSTM) that had never seen the test part. Its forecasts were off by
<strong>${escapeHtml(inUnit(network.test.mae, series))}</strong> on average.</p>
<ul class="verdicts">
${verdicts}
</ul>`;
}

function forecastSection(result: ForecastResult): string {
  const noun = rowNoun(result.series);
  const caption = `What came (truth) and what the network had forecast for it the ${noun} before. Point at the plot to read the numbers, drag
across it to see a part larger, double-click to see all again; a click on a name in the legend shows or hides that line (the two baselines are hidden at first).`;
  return `<section><h2>Forecast and truth</h2>
${figure("forecast", `Line plot of the test part: truth and the forecasts of the network, one point for each ${noun}`, caption)}</section>`;
}

function errorsSection({ series, network, baselines, testRows }: ForecastResult): string {
  const unit = series.unit === "" ? "" : `, ${series.unit}`;
  const noun = rowNoun(series);
  const row = ({ name, test, validation }: JudgedMethod): string[] => [
    name,
    ...[test.mae, test.rmse, validation.mae, validation.rmse].map(formatNumber),
  ];
  const head = ["forecast by", `test MAE${unit}`, `test RMSE${unit}`, `validation MAE${unit}`, `validation RMSE${unit}`];
  const methods = [network, ...baselines].map(
    ({ name, description }) => `<dt>${escapeHtml(name)}</dt><dd>${escapeHtml(description)}.</dd>`,
  );
  return `<section><h2>Errors, against two simple forecasts</h2>
${table(
  head,
  [network, ...baselines].map(row),
  [network, ...baselines].map((method) => (method === network ? "network" : "")),
)}
<p>Smaller is better. MAE is the mean absolute error; RMSE, the root of the mean squared error, weighs large errors more. All methods are judged on
the same ${testRows.length} ${noun}s. The validation columns are the errors by which training was stopped and settings were chosen, so they flatter
whatever was chosen by them; the test part was looked at once, at the end.</p>
<dl>
${methods.join("\n")}
</dl></section>`;
}

function trainingSection(result: ForecastResult): string {
  const caption = `The error after each epoch, on the ${result.series.unit === "" ? "scale of the column" : `scale of the data (${escapeHtml(result.series.unit)})`}.
Training: the mean over the epoch's steps, measured while the weights still change. Validation: after the epoch, on rows that no step learns from.
The dashed line marks the epoch whose weights were kept.`;
  return `<section><h2>Training</h2>
<p>${escapeHtml(describeTraining(result))}</p>
${figure("losses", "Line plot: training and validation error by epoch", caption)}</section>`;
}

function lookBackSection({ series, settings, shareWindows, shares, sensitivities, sensitivityWindows }: ForecastResult): string {
  const noun = rowNoun(series);
  const { window } = settings;
  const shareCaption = `Where the training signal comes from. The LSTM takes one step for each of the ${window} ${noun}s, always with the same weights; the gradient
of a forecast's squared error with respect to those weights is the sum of ${window} contributions, one from each step. A bar is the length (Euclidean
norm) of a step's contribution as a percentage of the sum of all ${window} lengths; mean over ${shareWindows} forecasts spread evenly over the training
part, with the weights that were kept. Contributions can point in different directions, so lengths, unlike the contributions themselves, do not add up to
the gradient.`;
  const effectCaption = `What a forecast depends on: by how much it moves, up or down, when the value of that one ${noun} is raised by a little, per unit
(the derivative of the forecast with respect to the value, without its sign); mean over ${sensitivityWindows} forecasts
spread evenly over the training part.`;
  const back = Array.from(shares, (_, i) => [
    String(i + 1),
    `${(100 * shares[window - 1 - i]!).toFixed(1)} %`,
    sensitivities[window - 1 - i]!.toFixed(4),
  ]);
  return `<section><h2>How far back the network looks</h2>
<div class="pair">
${figure("shares", `Bar plot: share of the gradient by ${noun}s back`, shareCaption)}
${figure("sensitivities", `Bar plot: effect of the value on the forecast by ${noun}s back`, effectCaption)}
</div>
<details><summary>The same as a table</summary>${table([`${noun}s back`, "share of the gradient", "effect on the forecast"], back)}</details></section>`;
}

function settingsSection(result: ForecastResult, source: ReportSource): string {
  const { epochs, parameters, seed, series, settings, split } = result;
  const noun = rowNoun(series);
  const dated = series.days !== null;
  const cut = split.by === "years" ? "by whole calendar years" : "70 %, 15 % and 15 % of the rows, in order of time";
  const rows = [
    ["data", `${source.description}; ${source.origin}`],
    ["licence of the data", source.licence ?? "not known to this program: the file is the user's own"],
    ["training part", describeRows(series, split.training)],
    ["validation part", describeRows(series, split.validation)],
    ["test part", `${describeRows(series, split.test)} (split ${cut})`],
    [
      "input of the network",
      `the ${settings.window} ${noun}s before${dated ? ", each with its value and the sine and cosine of its date" : ""}`,
    ],
    ["normalisation", "mean and standard deviation of the training part only"],
    [
      "network",
      `LSTM with ${settings.hidden} hidden units and a linear layer that gives the change from the last ${noun}; ${parameters} weights, float64`,
    ],
    [
      "training",
      `mean squared error, Adam with learning rate ${settings.learningRate}, ${settings.batchSize} forecasts a step, gradients clipped to norm ${settings.maxNorm}`,
    ],
    ["end of training", `after ${epochs} epochs, or ${settings.patience} without a better validation error`],
    ["seed", String(seed)],
  ];
  const chosen = `The settings of the network were chosen by hand on the built-in Seattle data, by its validation year (2014) alone. Nothing was chosen
after looking at the test part.`;
  return `<section><h2>Settings and data</h2>
<div class="settings">${table(["what", "how"], rows)}</div>
<p>${chosen}</p></section>`;
}
