/** Shows how training goes: a bar in a terminal, a line now and then elsewhere. */
import { SingleBar } from "cli-progress";
import type { Series } from "../data/series.js";
import type { TrainingProgress } from "../forecast/run.js";
import { inUnit } from "../forecast/verdict.js";

export interface ProgressDisplay {
  readonly show: (progress: TrainingProgress) => void;
  readonly end: () => void;
}

/** @param stream where to show it: not where results go. */
export function progressDisplay(series: Series, stream: NodeJS.WriteStream): ProgressDisplay {
  return stream.isTTY ? progressBar(series, stream) : progressLines(series, stream);
}

const SECONDS_BETWEEN_LINES = 2;

function progressLines(series: Series, stream: NodeJS.WriteStream): ProgressDisplay {
  let last = Number.NEGATIVE_INFINITY;
  let latest: TrainingProgress | undefined;
  const write = (progress: TrainingProgress): void => {
    last = performance.now();
    latest = undefined;
    stream.write(`${describe(progress, series)}\n`);
  };
  return {
    show: (progress) => {
      latest = progress;
      if (performance.now() - last >= 1000 * SECONDS_BETWEEN_LINES) write(progress);
    },
    end: () => {
      if (latest !== undefined) write(latest);
    },
  };
}

function progressBar(series: Series, stream: NodeJS.WriteStream): ProgressDisplay {
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
  return {
    show: (progress) => {
      if (!started) bar.start(progress.totalSteps, 0, { text: "" });
      started = true;
      bar.update(progress.steps, { text: describe(progress, series) });
    },
    end: () => bar.stop(),
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
