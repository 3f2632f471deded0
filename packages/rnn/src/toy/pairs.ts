import { InputError } from "@unroll/autograd";
import { PARAMETER_NAMES, type ToyParameters } from "./parameters.js";

/** An input and the value to predict from it, for every time step. */
export interface TrainingPairs {
  readonly inputs: number[];
  readonly targets: number[];
}

/**
 * The pairs of a sequence whose next element is to be predicted: the target of x_t is x_{t+1}, and the last element has no target, so N
 * elements give N - 1 pairs.
 *
 * @throws InputError for fewer than two elements, or for one that is not a finite number.
 * @example nextElementPairs([1, 2, 4]); // { inputs: [1, 2], targets: [2, 4] }
 */
export function nextElementPairs(sequence: ArrayLike<number>): TrainingPairs {
  if (sequence.length < 2) {
    throw new InputError(
      `nextElementPairs: expected a sequence of at least 2 elements (one to see, one to predict), got ${sequence.length}`,
    );
  }
  checkFinite("nextElementPairs", "sequence", sequence);
  const elements = Array.from(sequence);
  return { inputs: elements.slice(0, -1), targets: elements.slice(1) };
}

/** Throws unless there is at least one finite input. */
export function checkInputs(caller: string, inputs: ArrayLike<number>): void {
  if (inputs.length === 0) throw new InputError(`${caller}: expected at least one input, got none`);
  checkFinite(caller, "inputs", inputs);
}

/** Throws unless every input is finite and has its own finite target. */
export function checkPairs(caller: string, inputs: ArrayLike<number>, targets: ArrayLike<number>): void {
  checkInputs(caller, inputs);
  if (targets.length !== inputs.length) {
    throw new InputError(
      `${caller}: expected ${inputs.length} targets, one for each input, got ${targets.length}; ` +
        "to predict the next element, nextElementPairs(sequence) makes both",
    );
  }
  checkFinite(caller, "targets", targets);
}

/** Throws unless all four parameters are finite numbers. */
export function checkParameters(caller: string, parameters: ToyParameters): void {
  for (const name of PARAMETER_NAMES) {
    if (!Number.isFinite(parameters[name])) {
      throw new InputError(`${caller}: expected the parameter ${name} to be a finite number, got ${String(parameters[name])}`);
    }
  }
}

function checkFinite(caller: string, name: string, numbers: ArrayLike<number>): void {
  for (let i = 0; i < numbers.length; i++) {
    if (Number.isFinite(numbers[i])) continue;
    throw new InputError(
      `${caller}: expected finite numbers, but ${name}[${i}] is ${String(numbers[i])}; remove or fill in missing values first`,
    );
  }
}
