/** What the recurrent layers have in common: stacking, directions, states, lengths, dropout. */
import {
  concat,
  DTypeError,
  InputError,
  type Param,
  param,
  type Shape,
  ShapeError,
  scope,
  stack,
  unstack,
  Value,
  zeros,
} from "@unroll/autograd";
import { foldIn, type Key, splitKey } from "@unroll/autograd/random";
import type { CellParams, Recurrence } from "../cells/cell.js";
import { checkFloating, checkShape, checkValue, formatShape } from "../cells/checks.js";
import { type Lengths, presence } from "../cells/lengths.js";
import { overTime, withoutPadding } from "../cells/unroll.js";
import { concatInit, type Initializer, uniformInit } from "../init/initializers.js";
import { checkRate, dropout, dropoutMask } from "./dropout.js";
import { cellParams, checkParams, checkSize, type LayerParams, type ParameterShapes } from "./parameters.js";

interface Sizes {
  /** Features of the inputs, I. */
  readonly inputSize: number;
  /** Hidden units, H. */
  readonly hiddenSize: number;
  /** Layers one on the other; default 1. */
  readonly numLayers?: number | undefined;
  /** Whether there are biases; default true. */
  readonly bias?: boolean | undefined;
  /** A second direction, from the last step to the first, whose outputs stand behind those of the first; default false. */
  readonly bidirectional?: boolean | undefined;
  /** Inputs and outputs are [B, T, ...] instead of [T, B, ...]; states are not concerned. Default false. */
  readonly batchFirst?: boolean | undefined;
  /** The state before the first step is a parameter, `h_0` (and `c_0`), instead of zeros; default false. */
  readonly learnedState?: boolean | undefined;
}

interface Dropout {
  /** Probability that an output of a layer is dropped on its way to the next; default 0. Acts where `apply` is given a key, or masks. */
  readonly dropout: number;
  /** One mask over all steps (Y. Gal and Z. Ghahramani, NIPS 2016) instead of one a step; default false. */
  readonly variational?: boolean | undefined;
}

/** What all recurrent layers take; PyTorch's options in camelCase. */
export type RecurrentOptions = Sizes & (Dropout | { readonly dropout?: undefined; readonly variational?: undefined });

export interface ApplyOptions {
  /** By sequence, its number of steps, or one number for inputs without a batch; default: all. */
  readonly lengths?: Lengths | number | undefined;
  /** Decides what is dropped, in training. Without it, and without masks, nothing is. */
  readonly dropoutKey?: Key | undefined;
  /**
   * What is kept, as the layer's `dropoutMasks` draws it, instead of a key. For compiled functions: a key is drawn from while they are
   * traced, so that every call would drop the same, whereas masks can be arguments.
   */
  readonly dropoutMasks?: readonly Value[] | undefined;
}

/** What a layer gives: outputs [T, B, D P] of the last layer, and the state after each sequence's last step; no B where inputs have none. */
export interface Applied<S> {
  readonly outputs: Value;
  readonly state: S;
}

export interface InitOptions {
  /** For each gate's block [H, I] of the input weights. */
  readonly input?: Initializer | undefined;
  /** For each gate's block [H, H] of the recurrent weights. */
  readonly recurrent?: Initializer | undefined;
  /** For each gate's block [H] of both biases. */
  readonly bias?: Initializer | undefined;
  /** For the projection [P, H] of an LSTM. */
  readonly projection?: Initializer | undefined;
  /** float64 (default) or float32. */
  readonly dtype?: "float64" | "float32" | undefined;
}

/** A recurrent layer: sizes and functions of parameters, which it does not hold. S is its state, I what `init` takes. */
export interface RecurrentLayer<S, I extends InitOptions = InitOptions> {
  readonly inputSize: number;
  readonly hiddenSize: number;
  /** Features of the outputs: hidden or projected units, times directions. */
  readonly outputSize: number;
  readonly bidirectional: boolean;
  readonly batchFirst: boolean;
  /** PyTorch's names, `weight_ih_l0` … `bias_hh_l1_reverse`, in its order. */
  readonly parameterShapes: ParameterShapes;
  /** Params, drawn as PyTorch draws them, uniformly from ±1/sqrt(H), unless the options say otherwise. */
  init(key: Key, options?: I): LayerParams<Param>;
  /**
   * Runs over sequences xs [T, B, I], from a state given or else learned or else zero; or over one without a batch, [T, I], with states and
   * outputs that have none either. Throws InputError for parameters missing or unknown and for lengths that are not from 1 to T, ShapeError
   * for parameters, inputs and states of other shapes, before anything is computed.
   * In a compiled function that gets its lengths as an argument, these must be int32, and what is no step throws IndexError at the call.
   * The graph holds one use of each weight for all steps; unroll the cell (`unroll`, `cellParams`) to have one a step.
   */
  apply(params: LayerParams, xs: Value, state?: S, options?: ApplyOptions): Applied<S>;
  /**
   * Masks of what dropout keeps between the layers, of bool, time first, for so many steps and sequences (no `batch`: inputs without one):
   * those that `apply` draws from this key. As many as there are layers but one; none where nothing is dropped.
   */
  dropoutMasks(key: Key, steps: number, batch?: number): readonly Value[];
  /**
   * The shapes of the state's parts, h (and c), for so many sequences: [layers · directions, B, P] (and [layers · directions, B, H]).
   * No `batch`: for inputs without one.
   */
  stateShapes(batch?: number): readonly Shape[];
  /** The outputs at each sequence's end, from the state that `apply` gives: h of the last layer, directions side by side, [B, D P]. */
  lastOutputs(state: S): Value;
}

/** What tells one recurrent layer from another. A state has the structure of the cell's carry, with an axis of layers in front. */
export interface Family<S> {
  /** For messages. */
  readonly name: string;
  readonly gates: number;
  /** By part of the state, its letter and its width. */
  readonly states: readonly { readonly name: string; readonly width: number }[];
  /** Units of the cell's output: those of h. */
  readonly width: number;
  readonly projected: boolean;
  bind(params: CellParams): Recurrence<S>;
  parts(state: S): readonly Value[];
  fromParts(parts: readonly Value[]): S;
}

export function recurrentLayer<S, I extends InitOptions = InitOptions>(
  family: Family<S>,
  options: RecurrentOptions,
  finish: (params: Record<string, Value>, options: I) => Record<string, Value> = (params) => params,
): RecurrentLayer<S, I> {
  checkOptions(family.name, options);
  const { inputSize, hiddenSize, bidirectional = false, batchFirst = false } = options;
  const parameterShapes = shapesOf(family, options);
  return {
    inputSize,
    hiddenSize,
    outputSize: family.width * (bidirectional ? 2 : 1),
    bidirectional,
    batchFirst,
    parameterShapes,
    init(key, given = {} as I) {
      const drawn = finish(draw(key, parameterShapes, family.gates, hiddenSize, given), given);
      return Object.fromEntries(Object.entries(drawn).map(([name, x]) => [name, param(x.data, { shape: x.shape, name })]));
    },
    apply(params, xs, state, given = {}) {
      checkParams(family.name, params, parameterShapes);
      return applyLayers(family, options, params, xs, state, given);
    },
    dropoutMasks(key, steps, batch) {
      checkSize(family.name, "steps", steps);
      if (batch !== undefined) checkSize(family.name, "batch", batch);
      return drawnMasks(family, options, key, steps, batch);
    },
    stateShapes: (batch) => stateShapes(family, options, batch),
    lastOutputs(state) {
      const rows = unstack(partsOf(family, state)[0]!);
      return concat(rows.slice(bidirectional ? -2 : -1), { axis: -1 });
    },
  };
}

function checkOptions(name: string, { inputSize, hiddenSize, numLayers = 1, dropout = 0 }: RecurrentOptions): void {
  checkSize(name, "inputSize", inputSize);
  checkSize(name, "hiddenSize", hiddenSize);
  checkSize(name, "numLayers", numLayers);
  checkRate(name, dropout);
  if (dropout > 0 && numLayers === 1)
    throw new InputError(`${name}: dropout acts between layers, and numLayers is 1; add a layer, or call dropout on the outputs`);
}

/** `l0`, `l0_reverse`, `l1`, …: layers, and in each its directions. */
function suffixes({ numLayers = 1, bidirectional = false }: RecurrentOptions): string[] {
  return Array.from({ length: numLayers }, (_, layer) => (bidirectional ? [`l${layer}`, `l${layer}_reverse`] : [`l${layer}`])).flat();
}

function shapesOf<S>({ gates, width, projected, states }: Family<S>, options: RecurrentOptions): ParameterShapes {
  const { inputSize, hiddenSize, bias = true, bidirectional = false, learnedState = false } = options;
  const rows = gates * hiddenSize;
  const all = suffixes(options);
  const entries = all.flatMap((suffix): [string, Shape][] => {
    const inputs = suffix.startsWith("l0") ? inputSize : width * (bidirectional ? 2 : 1);
    return [
      [`weight_ih_${suffix}`, [rows, inputs]],
      [`weight_hh_${suffix}`, [rows, width]],
      ...(bias ? ([[`bias_ih_${suffix}`, [rows]] as const, [`bias_hh_${suffix}`, [rows]] as const] as [string, Shape][]) : []),
      ...(projected ? ([[`weight_hr_${suffix}`, [width, hiddenSize]]] as [string, Shape][]) : []),
    ];
  });
  const learned = states.map(({ name, width }): [string, Shape] => [`${name}_0`, [all.length, 1, width]]);
  return Object.fromEntries(learnedState ? [...entries, ...learned] : entries);
}

// --------------------------------------------------------------------------------------------------------- initialisation

function draw(key: Key, shapes: ParameterShapes, gates: number, hiddenSize: number, options: InitOptions): Record<string, Value> {
  const { dtype = "float64" } = options;
  const names = Object.keys(shapes);
  const keys = splitKey(key, names.length);
  const bound = 1 / Math.sqrt(hiddenSize);
  const drawn = names.map((name, k): [string, Value] => {
    const shape = shapes[name]!;
    if (name === "h_0" || name === "c_0") return [name, zeros(shape, { dtype })];
    const initializer = initializerOf(name, gates, options) ?? uniformInit({ low: -bound, high: bound });
    return [name, initializer(keys[k]!, shape, { dtype })];
  });
  return Object.fromEntries(drawn);
}

function initializerOf(name: string, gates: number, { input, recurrent, bias, projection }: InitOptions): Initializer | undefined {
  if (name.startsWith("weight_hr")) return projection;
  const chosen = name.startsWith("weight_ih") ? input : name.startsWith("weight_hh") ? recurrent : bias;
  return chosen && concatInit(chosen, gates);
}

// ------------------------------------------------------------------------------------------------------------ application

function applyLayers<S>(
  family: Family<S>,
  options: RecurrentOptions,
  params: LayerParams,
  xs: Value,
  state: S | undefined,
  given: ApplyOptions,
): Applied<S> {
  const batch = checkedBatch(family.name, xs, options);
  const start = state === undefined ? undefined : checkedState(family, options, state, batch);
  const lengths = listed(family.name, given.lengths, batch);
  const inputs = timeFirst(xs, batch, options);
  const masks = masksOf(family, options, given, inputs.shape[0]!, batch);
  const present = presence(family.name, lengths, inputs);
  // Without a batch: as a batch of one, on the second axis of all there is.
  const withBatch = (x: Value): Value => (batch === undefined ? x.reshape([x.shape[0]!, 1, x.shape[1]!]) : x);
  const [outputs, last] = stacked(
    family,
    options,
    params,
    withoutPadding(inputs, present),
    start?.map(withBatch),
    present,
    masks.map(withBatch),
  );
  const asGiven = (x: Value): Value => (batch === undefined ? x.reshape([x.shape[0]!, x.shape[2]!]) : x);
  return {
    outputs: batch !== undefined && options.batchFirst ? outputs.transpose([1, 0, 2]) : asGiven(outputs),
    state: family.fromParts(last.map(asGiven)),
  };
}

/** The layers over inputs [T, B, I]: outputs of the last, and the parts of the state after the last step. */
function stacked<S>(
  family: Family<S>,
  options: RecurrentOptions,
  params: LayerParams,
  inputs: Value,
  start: readonly Value[] | undefined,
  present: Value | undefined,
  masks: readonly Value[],
): [outputs: Value, last: readonly Value[]] {
  const { numLayers = 1, bidirectional = false, dropout: rate = 0 } = options;
  const starts = startsOf(family, options, params, inputs.shape[1]!, start);
  const all = suffixes(options);
  const directions = bidirectional ? 2 : 1;
  const finals: (readonly Value[])[] = [];
  let layerInputs = inputs;
  for (let layer = 0; layer < numLayers; layer++) {
    const outputs = all.slice(layer * directions, (layer + 1) * directions).map((suffix, direction) =>
      scope(suffix, () => {
        const { project, step } = family.bind(cellParams(params, suffix));
        const [last, ys] = overTime(step, family.fromParts(starts[finals.length]!), project(layerInputs), present, direction === 1);
        finals.push(family.parts(last));
        return ys;
      }),
    );
    layerInputs = outputs.length === 1 ? outputs[0]! : concat(outputs, { axis: 2 });
    const mask = masks[layer];
    if (mask !== undefined) layerInputs = dropout(layerInputs, rate, mask);
  }
  return [layerInputs, family.states.map((_, part) => stack(finals.map((parts) => parts[part]!)))];
}

/** The number of sequences in xs, undefined where there is no axis for them; throws ShapeError for another rank or other features. */
function checkedBatch(name: string, xs: Value, { inputSize, batchFirst = false }: RecurrentOptions): number | undefined {
  checkValue(name, "the input", xs);
  const { shape } = xs;
  const batched = shape.length === 3;
  if ((!batched && shape.length !== 2) || shape.at(-1) !== inputSize) {
    const axes = batchFirst ? "[B, T" : "[T, B";
    throw new ShapeError(
      `${name}: the inputs have shape ${formatShape(shape)}, expected ${axes}, ${inputSize}], or [T, ${inputSize}] for one sequence without a batch`,
    );
  }
  checkFloating(name, "the input", xs);
  if (xs.size === 0) throw new ShapeError(`${name}: inputs of shape ${formatShape(shape)} have no steps, or no sequences`);
  return batched ? shape[batchFirst ? 0 : 1] : undefined;
}

/** Inputs as [T, B, I], whatever they are given as. */
function timeFirst(xs: Value, batch: number | undefined, { inputSize, batchFirst = false }: RecurrentOptions): Value {
  if (batch === undefined) return xs.reshape([-1, 1, inputSize]);
  return batchFirst ? xs.transpose([1, 0, 2]) : xs;
}

/** Lengths by sequence; without a batch there is one. */
function listed(name: string, lengths: Lengths | number | undefined, batch: number | undefined): Lengths | undefined {
  const single = typeof lengths === "number" || (lengths instanceof Value && lengths.shape.length === 0);
  if (lengths === undefined || (batch !== undefined && !single)) return lengths;
  if (batch !== undefined) throw new InputError(`${name}: got one length for ${batch} sequences; give a list, one a sequence`);
  if (!single) throw new InputError(`${name}: got a list of lengths for inputs without a batch; give their length as a number`);
  return lengths instanceof Value ? lengths.reshape([1]) : [lengths];
}

/** What dropout keeps between the layers: given, drawn, or, where nothing is dropped, none. */
function masksOf<S>(
  family: Family<S>,
  options: RecurrentOptions,
  { dropoutKey, dropoutMasks }: ApplyOptions,
  steps: number,
  batch: number | undefined,
): readonly Value[] {
  if (dropoutMasks === undefined) return dropoutKey === undefined ? [] : drawnMasks(family, options, dropoutKey, steps, batch);
  const { name } = family;
  const shapes = maskShapes(family, options, steps, batch);
  if (dropoutKey !== undefined) throw new InputError(`${name}: got a dropoutKey and dropoutMasks; give one of them`);
  const count = Array.isArray(dropoutMasks) ? dropoutMasks.length : "no list of";
  if (count !== shapes.length)
    throw new InputError(`${name}: got ${count} dropoutMasks, expected ${shapes.length}, as the layer's dropoutMasks(…) draws`);
  dropoutMasks.forEach((mask, layer) => {
    checkValue(name, `dropout mask ${layer}`, mask);
    checkShape(name, `dropout mask ${layer}`, mask, shapes[layer]!);
    if (mask.dtype !== "bool") throw new DTypeError(`${name}: dropout mask ${layer} is ${mask.dtype}, expected bool, true where kept`);
  });
  return dropoutMasks;
}

function drawnMasks<S>(family: Family<S>, options: RecurrentOptions, key: Key, steps: number, batch: number | undefined): readonly Value[] {
  return maskShapes(family, options, steps, batch).map((shape, layer) => dropoutMask(foldIn(key, layer), shape, options.dropout ?? 0));
}

function maskShapes<S>({ width }: Family<S>, options: RecurrentOptions, steps: number, batch: number | undefined): readonly Shape[] {
  const { numLayers = 1, dropout: rate = 0, variational = false, bidirectional = false } = options;
  if (rate === 0) return [];
  const shape = [variational ? 1 : steps, ...(batch === undefined ? [] : [batch]), width * (bidirectional ? 2 : 1)];
  return Array.from({ length: numLayers - 1 }, () => shape);
}

function stateShapes<S>({ states }: Family<S>, options: RecurrentOptions, batch: number | undefined): readonly Shape[] {
  return states.map(({ width }) => [suffixes(options).length, ...(batch === undefined ? [] : [batch]), width]);
}

/** The Values of a state given by the user; throws InputError where it has another structure. */
function partsOf<S>({ name, states }: Family<S>, state: S): readonly Value[] {
  const parts: readonly unknown[] = Array.isArray(state) ? state : [state];
  const fits = Array.isArray(state) === states.length > 1 && parts.length === states.length;
  if (fits && parts.every((part) => part instanceof Value)) return parts;
  const expected =
    states.length > 1 ? `[${states.map((part) => part.name).join(", ")}], a list of Values` : `${states[0]!.name}, one Value`;
  throw new InputError(`${name}: expected as initial state ${expected}, as \`apply\` gives it`);
}

/** The parts of a state given by the user; throws ShapeError where one has another shape. */
function checkedState<S>(family: Family<S>, options: RecurrentOptions, state: S, batch: number | undefined): readonly Value[] {
  const shapes = stateShapes(family, options, batch);
  const parts = partsOf(family, state);
  parts.forEach((x, part) => {
    const what = `the initial state ${family.states[part]!.name}`;
    checkShape(family.name, what, x, shapes[part]!);
    checkFloating(family.name, what, x);
  });
  return parts;
}

/** By layer and direction, the parts of the state before the first step: given, or learned, or zero. */
function startsOf<S>(
  family: Family<S>,
  options: RecurrentOptions,
  params: LayerParams,
  batch: number,
  given: readonly Value[] | undefined,
): Value[][] {
  const shapes = stateShapes(family, options, batch);
  const parts =
    given ?? family.states.map(({ name }, part) => params[`${name}_0`]?.broadcastTo(shapes[part]!) ?? zeroState(shapes[part]!, params));
  const rows = parts.map((part) => unstack(part));
  return suffixes(options).map((_, k) => rows.map((row) => row[k]!));
}

const zeroState = (shape: Shape, params: LayerParams): Value => zeros(shape, { dtype: params["weight_hh_l0"]!.dtype as "float64" });
