import { PassThrough } from "node:stream";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { progressDisplay } from "../../src/cli/progress.js";
import type { TrainingProgress } from "../../src/forecast/run.js";

const series = { file: "data.csv", name: "level", unit: "m", values: Float64Array.of(1), days: null };
const progress = (steps: number, more: Partial<TrainingProgress> = {}): TrainingProgress => ({
  steps,
  totalSteps: 100,
  epoch: 1,
  epochs: 10,
  trainingError: 2.5,
  validationError: null,
  secondsLeft: 12.2,
  ...more,
});

/** A stream, and what was written to it. */
function screen(isTTY: boolean) {
  const stream = Object.assign(new PassThrough(), { isTTY, columns: 200 });
  return { stream, text: () => String(stream.read() ?? "") };
}

describe("progress without a terminal", () => {
  beforeEach(() => vi.spyOn(performance, "now"));
  afterEach(() => vi.restoreAllMocks());

  it("is a plain line now and then", () => {
    const { stream, text } = screen(false);
    const display = progressDisplay(series, stream);
    const at = (milliseconds: number, shown: TrainingProgress) => {
      vi.mocked(performance.now).mockReturnValue(milliseconds);
      display.show(shown);
    };
    at(10_000, progress(1));
    at(11_000, progress(2));
    at(12_500, progress(3, { epoch: 2, validationError: 3, secondsLeft: 500 }));
    display.end();
    expect(text()).toBe(
      "epoch 1 of 10: error in training 2.500 m; at most 13 s left\n" +
        "epoch 2 of 10: error in training 2.500 m, validation 3.000 m; at most 9 min left\n",
    );
  });
});

describe("progress in a terminal", () => {
  it("is a bar with errors and the time left, and leaves the terminal as it was", () => {
    const { stream, text } = screen(true);
    const handlers = () => ["SIGINT", "SIGTERM", "exit"].map((event) => process.listenerCount(event));
    const before = handlers();
    const display = progressDisplay(series, stream);
    display.show(progress(1));
    display.show(progress(50, { secondsLeft: 20_000 }));
    display.end();
    display.end();
    const shown = text();
    expect(shown).toContain("error in training 2.500 m; at most 6 h left");
    expect(shown).toContain("█");
    // Line wrap off while the bar is drawn, and on again.
    expect(shown.lastIndexOf("\u001B[?7h")).toBeGreaterThan(shown.lastIndexOf("\u001B[?7l"));
    expect(handlers()).toEqual(before);
  });

  it("that never started ends without a trace", () => {
    const { stream, text } = screen(true);
    progressDisplay(series, stream).end();
    expect(text()).toBe("");
  });
});
