import { forEachParameter, type ParameterName, type ToyGradient, type ToyParameters } from "./parameters.js";

/** re + im i. */
interface Complex {
  readonly re: number;
  readonly im: number;
}

const real = (re: number): Complex => ({ re, im: 0 });
const ONE = real(1);

const add = (a: Complex, b: Complex): Complex => ({ re: a.re + b.re, im: a.im + b.im });
const subtract = (a: Complex, b: Complex): Complex => ({ re: a.re - b.re, im: a.im - b.im });
const multiply = (a: Complex, b: Complex): Complex => ({ re: a.re * b.re - a.im * b.im, im: a.re * b.im + a.im * b.re });

function divide(a: Complex, b: Complex): Complex {
  const norm = b.re * b.re + b.im * b.im;
  return { re: (a.re * b.re + a.im * b.im) / norm, im: (a.im * b.re - a.re * b.im) / norm };
}

function exp(a: Complex): Complex {
  const modulus = Math.exp(a.re);
  return { re: modulus * Math.cos(a.im), im: modulus * Math.sin(a.im) };
}

/** 1 / (1 + exp(-z)), by the exponential that cannot overflow: Infinity divided by Infinity would be NaN. */
function logistic(z: Complex): Complex {
  if (z.re >= 0) return divide(ONE, add(ONE, exp(subtract(real(0), z))));
  const growth = exp(z);
  return divide(growth, add(ONE, growth));
}

/** So small that its square vanishes: then the imaginary part is the derivative times the step, with no truncation error at all. */
const STEP = 1e-100;

/**
 * The gradient of E by the complex step: E at a parameter plus i h, whose imaginary part divided by h is the derivative to working
 * precision, since nothing is subtracted.
 *
 * Source: W. Squire and G. Trapp, "Using complex variables to estimate derivatives of real functions", SIAM Review 40 (1998).
 */
export function complexStepGradient(parameters: ToyParameters, inputs: ArrayLike<number>, targets: ArrayLike<number>): ToyGradient {
  return forEachParameter((name) => complexError(parameters, name, inputs, targets).im / STEP);
}

/** E with `STEP` i added to the parameter `stepped`. */
function complexError(parameters: ToyParameters, stepped: ParameterName, inputs: ArrayLike<number>, targets: ArrayLike<number>): Complex {
  const { u, v, w, s } = forEachParameter((name) => ({ re: parameters[name], im: name === stepped ? STEP : 0 }));
  let state: Complex = s;
  let error = real(0);
  for (let t = 0; t < inputs.length; t++) {
    state = logistic(add(multiply(w, state), multiply(v, real(inputs[t]!))));
    const residual = subtract(multiply(u, state), real(targets[t]!));
    error = add(error, multiply(residual, residual));
  }
  return error;
}
