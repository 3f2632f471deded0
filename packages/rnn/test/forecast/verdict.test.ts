import { describe, expect, it } from "vitest";
import { describeRows, describeTraining, formatNumber, inUnit, verdictOn } from "../../src/forecast/verdict.js";
import { sampleResult } from "../report/sampleResult.js";

describe("the verdict", () => {
  const result = sampleResult();

  it("says by how much the network beats a baseline", () => {
    expect(verdictOn(result.baselines[0]!, result)).toBe(
      "The network beats “tomorrow = today”: its typical error (RMSE) is 2.000 m, against 2.500 m, 20.0 % less. It was closer to the truth on 2 of 2 days.",
    );
  });

  it("says plainly that it does not", () => {
    expect(verdictOn(result.baselines[1]!, result)).toBe(
      "The network does NOT beat “calendar mean + anomaly”: its typical error (RMSE) is 2.000 m, against 1.750 m. " +
        "It was closer to the truth on 0 of 2 days.",
    );
  });

  it("does not call a draw a victory", () => {
    const draw = { ...result.baselines[0]!, test: result.network.test };
    expect(verdictOn(draw, result)).toContain("does NOT beat");
  });

  it("says where the mean absolute error has another opinion", () => {
    const [today] = sampleResult().baselines;
    expect(verdictOn({ ...today!, test: { rmse: 2.5, mae: 1 } }, result)).toContain("20.0 % less; by mean absolute error it does not.");
    expect(verdictOn({ ...today!, test: { rmse: 1.5, mae: 3 } }, result)).toContain("against 1.500 m; by mean absolute error it does.");
  });
});

describe("descriptions", () => {
  it("name rows by their dates, or by their numbers from 1", () => {
    const { series } = sampleResult();
    expect(describeRows(series, { start: 0, end: 2 })).toBe("2 days, 2013-10-22 to 2013-10-23");
    expect(describeRows({ ...series, days: null }, { start: 5, end: 6 })).toBe("1 row, 6 to 6");
    expect(describeRows({ ...series, days: Int32Array.of(0, 7) }, { start: 0, end: 2 })).toBe("2 rows, 1970-01-01 to 1970-01-08");
  });

  it("write numbers with four digits, small and large, with a unit where there is one", () => {
    expect([2.6671, 0.00012345, 123456, 0].map(formatNumber)).toEqual(["2.667", "0.0001235", "123500", "0.000"]);
    const { series } = sampleResult();
    expect(inUnit(2, series)).toBe("2.000 m");
    expect(inUnit(2, { ...series, unit: "" })).toBe("2.000");
  });

  it("say why training ended", () => {
    const { history } = sampleResult();
    const described = (ended: typeof history.ended) => describeTraining(sampleResult({ history: { ...history, ended } }));
    expect(described("all epochs")).toMatch(/3\.2 s and 46 steps; all 60 epochs were made\. The weights of epoch 2 were kept/);
    expect(described("no improvement")).toContain("stopped after epoch 2, when 10 epochs in a row had brought no better validation error");
    expect(described("interrupted")).toContain("STOPPED EARLY BY THE USER in epoch 2 of 60");
  });
});
