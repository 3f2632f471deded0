import { uniform, uniformArray } from "../uniform.js";
import type { Reference } from "../workload.js";

/** A 2-16-16-1 network of tanh units with a linear output, fitted to 100 points by the mean squared error of the whole batch. */
export const WIDTH = 16;
export const POINTS = 100;

export interface MlpProblem {
  readonly width: number;
  /** By layer, and in a layer by unit: its weights, then its bias. */
  readonly parameters: Float64Array;
  /** Two coordinates a point. */
  readonly inputs: Float64Array;
  readonly targets: Float64Array;
}

/** Units of each layer and the inputs of each unit. */
export function layerSizes(width: number): readonly (readonly [units: number, inputs: number])[] {
  return [
    [width, 2],
    [width, width],
    [1, width],
  ];
}

export function parameterCount(width: number): number {
  return layerSizes(width).reduce((sum, [units, inputs]) => sum + units * (inputs + 1), 0);
}

/** A product and a sum an input of each unit, and tanh but for the output. */
export function operationsPerPrediction(width: number): number {
  return layerSizes(width).reduce((sum, [units, inputs]) => sum + 2 * units * inputs, 0) + 2 * width;
}

/** Of the loss: minus the target, square and sum for each point; their mean. */
export function operationsPerLoss(width: number, points: number): number {
  return points * (operationsPerPrediction(width) + 3) + 1;
}

/** Of the metric: minus the target, abs and sum for each point; their mean. */
export function operationsPerMetric(points: number): number {
  return 3 * points + 1;
}

export function mlpProblem(width = WIDTH, points = POINTS): MlpProblem {
  const inputs = uniformArray(2 * points, 2);
  const targets = Float64Array.from({ length: points }, (_, k) => Math.sin(3 * inputs[2 * k]!) * Math.cos(2 * inputs[2 * k + 1]!));
  const draw = uniform(3);
  const parameters: number[] = [];
  for (const [units, fanIn] of layerSizes(width)) {
    for (let k = 0; k < units * (fanIn + 1); k++) parameters.push(draw() / Math.sqrt(fanIn));
  }
  return { width, parameters: Float64Array.from(parameters), inputs, targets };
}

/**
 * The loss, its gradient in the order of the parameters, and the mean absolute error where it is asked for, by back-propagation written
 * out for this one network.
 */
export function mlpReference({ width, parameters, inputs, targets }: MlpProblem, withMetric: boolean): Reference {
  const sizes = layerSizes(width);
  const values = new Float64Array(1 + parameters.length);
  const scales = new Float64Array(1 + parameters.length);
  const points = targets.length;
  let distance = 0;
  for (let n = 0; n < points; n++) {
    const activations: number[][] = [[inputs[2 * n]!, inputs[2 * n + 1]!]];
    let at = 0;
    const starts: number[] = [];
    sizes.forEach(([units, fanIn], layer) => {
      starts.push(at);
      const below = activations[layer]!;
      const out: number[] = [];
      for (let unit = 0; unit < units; unit++, at += fanIn + 1) {
        const z = below.reduce((sum, x, k) => sum + parameters[at + k]! * x, parameters[at + fanIn]!);
        out.push(layer < 2 ? Math.tanh(z) : z);
      }
      activations.push(out);
    });
    const error = activations[3]![0]! - targets[n]!;
    distance += Math.abs(error) / points;
    values[0]! += error ** 2 / points;
    scales[0]! += error ** 2 / points;
    let deltas = [(2 * error) / points];
    let deltaScales = deltas.map(Math.abs);
    for (let layer = 2; layer >= 0; layer--) {
      const [units, fanIn] = sizes[layer]!;
      const below = activations[layer]!;
      const passed = below.map(() => 0);
      const passedScale = below.map(() => 0);
      for (let unit = 0; unit < units; unit++) {
        const start = starts[layer]! + unit * (fanIn + 1);
        for (let k = 0; k <= fanIn; k++) {
          const x = k < fanIn ? below[k]! : 1;
          values[1 + start + k]! += deltas[unit]! * x;
          scales[1 + start + k]! += deltaScales[unit]! * Math.abs(x);
          if (k === fanIn) continue;
          passed[k]! += deltas[unit]! * parameters[start + k]!;
          passedScale[k]! += deltaScales[unit]! * Math.abs(parameters[start + k]!);
        }
      }
      deltas = passed.map((d, k) => d * (1 - below[k]! ** 2));
      deltaScales = passedScale.map((d, k) => d * (1 - below[k]! ** 2));
    }
  }
  return withMetric ? { values: [...values, distance], scales: [...scales, distance] } : { values, scales };
}
