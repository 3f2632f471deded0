/** The forecast's picture and figures in the README, from the run that `pnpm demo` makes. */
import { readSeattle } from "../../packages/rnn/src/data/seattle.js";
import { type ForecastResult, prepareSeries, runForecast } from "../../packages/rnn/src/forecast/run.js";
import { DEFAULT_EPOCHS, DEFAULT_SEED } from "../../packages/rnn/src/forecast/settings.js";
import { describeRows, formatNumber, verdictOn } from "../../packages/rnn/src/forecast/verdict.js";

export async function demoForecast(): Promise<ForecastResult> {
  return runForecast(prepareSeries(await readSeattle()), { epochs: DEFAULT_EPOCHS, seed: DEFAULT_SEED });
}

/** The table and the sentences that the demo prints, as Markdown. */
export function forecastSection(result: ForecastResult): string {
  const { network, baselines, series, split } = result;
  return [
    `| ${describeRows(series, split.test)} | MAE ${series.unit} | RMSE ${series.unit} |`,
    "| --- | ---: | ---: |",
    ...[network, ...baselines].map(({ name, test }) => `| ${name} | ${formatNumber(test.mae)} | ${formatNumber(test.rmse)} |`),
    "",
    ...baselines.map((baseline) => verdictOn(baseline, result)),
    "",
  ].join("\n");
}

const WIDTH = 860;
const HEIGHT = 300;
const LEFT = 44;
const RIGHT = 12;
const TOP = 30;
const BOTTOM = 28;
const SECONDS_PER_DAY = 86_400;

const STYLE =
  "text{fill:#5c5b57;font:12px system-ui,sans-serif}path{fill:none;stroke-width:1.5}.grid{stroke:#e4e3de;stroke-width:1}.truth{stroke:#75726b}.network{stroke:#1f6fd1}text.truth{stroke:none;fill:#75726b}text.network{stroke:none;fill:#1f6fd1}" +
  "@media(prefers-color-scheme:dark){text{fill:#a9a8a1}.grid{stroke:#3b3b38}.truth{stroke:#bab8b0}.network{stroke:#5ea3f2}text.truth{fill:#bab8b0}text.network{fill:#5ea3f2}}";

/** Forecast against truth over the test year, as a self-contained SVG document that follows light and dark colour schemes. */
export function forecastPicture({ series, testRows, network }: ForecastResult): string {
  const truth = Array.from(testRows, (row) => series.values[row]!);
  const forecasts = Array.from(network.forecasts);
  const days = Array.from(testRows, (row) => series.days![row]!);
  const [first, last] = [days[0]!, days.at(-1)!];
  const low = 10 * Math.floor(Math.min(...truth, ...forecasts) / 10);
  const high = 10 * Math.ceil(Math.max(...truth, ...forecasts) / 10);
  const x = (day: number) => LEFT + ((day - first) / (last - first)) * (WIDTH - LEFT - RIGHT);
  const y = (degrees: number) => HEIGHT - BOTTOM - ((degrees - low) / (high - low)) * (HEIGHT - TOP - BOTTOM);
  const line = (name: string, values: readonly number[]) =>
    `<path class="${name}" d="M${values.map((value, k) => `${x(days[k]!).toFixed(1)} ${y(value).toFixed(1)}`).join("L")}"/>`;
  const levels = Array.from({ length: (high - low) / 10 + 1 }, (_, k) => low + 10 * k);
  const months = days.filter((day) => dateOf(day).getUTCDate() === 1);
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" role="img" aria-label="maximum temperature in Seattle, forecast against truth">
<style>${STYLE}</style>
<text x="${LEFT}" y="16">Maximum temperature in Seattle (${series.unit}), ${dateOf(first).getUTCFullYear()}:</text>
<text class="truth" x="${LEFT + 282}" y="16">truth</text>
<text class="network" x="${LEFT + 322}" y="16">forecast the day before</text>
${levels.map((degrees) => `<path class="grid" d="M${LEFT} ${y(degrees).toFixed(1)}H${WIDTH - RIGHT}"/><text x="${LEFT - 8}" y="${(y(degrees) + 4).toFixed(1)}" text-anchor="end">${degrees}</text>`).join("\n")}
${months.map((day) => `<text x="${x(day).toFixed(1)}" y="${HEIGHT - 8}">${dateOf(day).toLocaleString("en", { month: "short", timeZone: "UTC" })}</text>`).join("\n")}
${line("truth", truth)}
${line("network", forecasts)}
</svg>
`;
}

function dateOf(day: number): Date {
  return new Date(1000 * SECONDS_PER_DAY * day);
}
