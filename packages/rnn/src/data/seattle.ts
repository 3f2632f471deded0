/** The data that comes with the demo: four years of daily weather in Seattle. */
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { readSeries } from "./csv.js";
import type { Series } from "./series.js";

/** Where the data comes from, for the report. */
export const SEATTLE_SOURCE = {
  description: "Daily maximum temperature in Seattle, 2012 to 2015",
  origin: "NOAA National Climatic Data Center, by way of the npm package vega-datasets (seattle-weather.csv)",
  licence: "work of the United States government, in the public domain",
};

/**
 * The daily maximum temperature (column temp_max, °C) of all 1,461 days.
 *
 * Source: NOAA National Climatic Data Center, as packaged in vega-datasets.
 */
export function readSeattle(): Promise<Series> {
  // The package exports its module alone, in build/; the files lie beside that.
  const require = createRequire(import.meta.url);
  const main = require.resolve("vega-datasets");
  const path = join(dirname(main), "..", "data", "seattle-weather.csv");
  return readSeries(path, { column: "temp_max", date: "date", unit: "°C", shownAs: "seattle-weather.csv" });
}
