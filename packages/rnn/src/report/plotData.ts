/** The numbers that the page's script draws. Each plot has an x column and one column for each line. */
import { rowNoun } from "../data/series.js";
import type { ForecastResult } from "../forecast/run.js";
import type { ReportSource } from "./source.js";

/** Which colour of the page a line has. */
type Role = "truth" | "network" | "baseline" | "second";

interface PlotLine {
  readonly label: string;
  readonly role: Role;
  /** Whether the line is there before the reader asks for it. */
  readonly shown: boolean;
  readonly values: readonly number[];
}

export interface Plot {
  readonly id: string;
  readonly kind: "lines" | "bars";
  readonly xLabel: string;
  readonly yLabel: string;
  /** What stands after a number of y in the legend. */
  readonly unit: string;
  /** Seconds since 1970 where `dates`, plain numbers otherwise. */
  readonly x: readonly number[];
  readonly dates: boolean;
  readonly lines: readonly PlotLine[];
  /** An x to mark with a dashed line. */
  readonly marked?: { readonly x: number; readonly label: string };
}

const SECONDS_PER_DAY = 86_400;
const DIGITS = 7;

export function plotsOf(result: ForecastResult, source: ReportSource): Plot[] {
  return [forecastPlot(result, source), lossPlot(result), ...lookBackPlots(result)];
}

function forecastPlot({ series, testRows, network, baselines }: ForecastResult, { quantity }: ReportSource): Plot {
  const { days, values, unit } = series;
  return {
    id: "forecast",
    kind: "lines",
    xLabel: days === null ? "row" : "date",
    yLabel: unit === "" ? quantity : `${quantity} (${unit})`,
    unit,
    x: Array.from(testRows, (row) => (days === null ? row + 1 : days[row]! * SECONDS_PER_DAY)),
    dates: days !== null,
    lines: [
      { label: "truth", role: "truth", shown: true, values: rounded(Array.from(testRows, (row) => values[row]!)) },
      { label: network.name, role: "network", shown: true, values: rounded(network.forecasts) },
      ...baselines.map(({ name, forecasts }, i) => ({
        label: name,
        role: i === 0 ? ("baseline" as const) : ("second" as const),
        shown: false,
        values: rounded(forecasts),
      })),
    ],
  };
}

function lossPlot({ history, series }: ForecastResult): Plot {
  return {
    id: "losses",
    kind: "lines",
    xLabel: "epoch (one pass over the training part)",
    yLabel: series.unit === "" ? "error (RMSE)" : `error (RMSE, ${series.unit})`,
    unit: series.unit,
    x: history.epochs.map((_, i) => i + 1),
    dates: false,
    lines: [
      { label: "training", role: "truth", shown: true, values: rounded(history.epochs.map(({ training }) => training)) },
      { label: "validation", role: "network", shown: true, values: rounded(history.epochs.map(({ validation }) => validation)) },
    ],
    marked: { x: history.bestEpoch, label: "kept" },
  };
}

/** From the row before the forecast backwards. */
function lookBackPlots({ shares, sensitivities, series }: ForecastResult): Plot[] {
  const noun = rowNoun(series);
  const back = Array.from(shares, (_, i) => i + 1);
  const bars = { kind: "bars", xLabel: `${noun}s back (1 is the ${noun} before the forecast)`, x: back, dates: false } as const;
  const perUnit = series.unit === "" ? "change per unit" : `${series.unit} per ${series.unit}`;
  return [
    {
      ...bars,
      id: "shares",
      yLabel: "share of the gradient (%)",
      unit: "%",
      lines: [{ label: "share", role: "network", shown: true, values: backwards(shares.map((share) => 100 * share)) }],
    },
    {
      ...bars,
      id: "sensitivities",
      yLabel: `effect (${perUnit})`,
      unit: perUnit,
      lines: [{ label: "effect", role: "second", shown: true, values: backwards(sensitivities) }],
    },
  ];
}

function backwards(numbers: Float64Array): number[] {
  return rounded(numbers).reverse();
}

function rounded(numbers: Iterable<number>): number[] {
  return Array.from(numbers, (number) => Number(number.toPrecision(DIGITS)));
}
