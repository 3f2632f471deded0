/** Shows how training goes: a bar in a terminal, a line now and then elsewhere. */
import { SingleBar } from "cli-progress";
import type { Series } from "../data/series.js";
import type { TrainingProgress } from "../forecast/run.js";
import { inUnit } from "../forecast/verdict.js";

export interface ProgressDisplay {
  readonly show: (progress: TrainingProgress) => void;
  readonly end: () => void;
}

type ProgressStream = NodeJS.WritableStream & { readonly isTTY?: boolean };

/** @param stream where to show it: not where results go. */
export function progressDisplay(series: Series, stream: ProgressStream): ProgressDisplay {
  return stream.isTTY ? progressBar(series, stream) : progressLines(series, stream);
}

const SECONDS_BETWEEN_LINES = 2;

function progressLines(series: Series, stream: ProgressStream): ProgressDisplay {
  let last = Number.NEGATIVE_INFINITY;
  return {
    show: (progress) => {
      const now = performance.now();
      if (now - last < 1000 * SECONDS_BETWEEN_LINES) return;
      last = now;
      stream.write(`${describe(progress, series)}\n`);
    },
    end: () => {},
  };
}

function progressBar(series: Series, stream: ProgressStream): ProgressDisplay {
  const bar = new SingleBar({
    format: "[{bar}] {text}",
    barsize: 24,
    barCompleteChar: "█",
    barIncompleteChar: "░",
    stream,
    // It would quit on Ctrl-C, which here means: stop training and go on.
    gracefulExit: false,
    hideCursor: false,
  });
  let started = false;
  const end = (): void => {
    process.off("exit", end);
    if (started) bar.stop();
    started = false;
  };
  // The bar changes how the terminal wraps lines; whoever quits in the middle gets that back too.
  process.on("exit", end);
  return {
    show: (progress) => {
      if (!started) bar.start(progress.totalSteps, 0, { text: "" });
      started = true;
      bar.update(progress.steps, { text: describe(progress, series) });
    },
    end,
  };
}

function describe(progress: TrainingProgress, series: Series): string {
  const { epoch, epochs, trainingError, validationError, secondsLeft } = progress;
  const validation = validationError === null ? "" : `, validation ${inUnit(validationError, series)}`;
  return `epoch ${epoch} of ${epochs}: error in training ${inUnit(trainingError, series)}${validation}; at most ${duration(secondsLeft)} left`;
}

function duration(seconds: number): string {
  if (seconds < 100) return `${Math.ceil(seconds)} s`;
  if (seconds < 6000) return `${Math.ceil(seconds / 60)} min`;
  return `${Math.ceil(seconds / 3600)} h`;
}
