/** An encoder and a decoder. */
import { concat, DTypeError, InputError, lt, type Param, ShapeError, sort, stack, Value, value, where, zeros } from "@unroll/autograd";
import { foldIn, type Key, uniform } from "@unroll/autograd/random";
import { checkShape, checkValue, formatShape } from "../cells/checks.js";
import type { Lengths } from "../cells/lengths.js";
import { dotAttention } from "./attention.js";
import type { EmbeddingTable } from "./embeddingTable.js";
import type { Linear } from "./linear.js";
import type { LayerParams } from "./parameters.js";
import type { RecurrentLayer } from "./recurrent.js";
import { checkReadout } from "./sequenceToOne.js";

export interface SequenceToSequenceOptions<S> {
  /** Its state after each source is the decoder's before the first step. */
  readonly encoder: RecurrentLayer<S>;
  readonly decoder: RecurrentLayer<S>;
  /** From the decoder's outputs to predictions; with attention, from outputs and contexts side by side. */
  readonly readout: Linear;
  /** Sources are tokens, which this table turns into vectors; default: sources are vectors. */
  readonly sourceTable?: EmbeddingTable | undefined;
  /** Targets are tokens, and predictions logits; default: both are vectors, and a prediction can be the next input. */
  readonly targetTable?: EmbeddingTable | undefined;
  /** The decoder's outputs attend to the encoder's (`dotAttention`), which are as wide; default false. */
  readonly attention?: boolean | undefined;
}

export interface SequenceToSequenceParams<T extends Value = Value> {
  readonly encoder: LayerParams<T>;
  readonly decoder: LayerParams<T>;
  readonly readout: LayerParams<T>;
  readonly sourceTable?: LayerParams<T>;
  readonly targetTable?: LayerParams<T>;
}

export interface DecodingOptions {
  /** By source, its number of steps; default: all. */
  readonly lengths?: Lengths | undefined;
  /** The decoder's first input: a token, the same for all, or a vector [B, I]; default: token 0, or zeros. */
  readonly start?: number | Value | undefined;
}

/** What else there is in training. */
export interface TeachingOptions extends DecodingOptions {
  /** For dropout between the layers. */
  readonly dropoutKey?: Key | undefined;
  /** What is kept, instead of a key: as `encoder.dropoutMasks` draws it for T steps, `decoder.dropoutMasks` for U. */
  readonly dropoutMasks?: { readonly encoder: readonly Value[]; readonly decoder: readonly Value[] } | undefined;
  /**
   * Scheduled sampling (S. Bengio, O. Vinyals, N. Jaitly and N. Shazeer, NIPS 2015): with this probability, drawn for each step and sequence,
   * the prediction of the step before is fed in the place of its target, as `predict` feeds it. Or the draws themselves, of bool [U, B], true
   * where it is (the first step begins with `start` in any case); in a compiled function they can be an argument. Default: never.
   */
  readonly scheduledSampling?: { readonly probability: number; readonly key: Key } | Value | undefined;
}

/** A network that gives a sequence for a sequence, of another length. */
export interface SequenceToSequence {
  init(key: Key): SequenceToSequenceParams<Param>;
  /**
   * Teacher forcing: predictions [U, B, O] for targets [U, B, ...] (tokens [U, B]), where the input of each step is the target of the step
   * before; with scheduled sampling, some are predictions. Sources are [T, B, I], or tokens [T, B]. Throws as the layers do, and ShapeError
   * where states or targets do not fit.
   */
  apply(params: SequenceToSequenceParams, sources: Value, targets: Value, options?: TeachingOptions): Value;
  /**
   * Free running: predictions [U, B, O] for so many steps, where the input of each step is the prediction of the step before; of logits,
   * the likeliest token. Gradients go through predictions that are vectors. Throws InputError unless `steps` is a whole number from 1.
   */
  predict(params: SequenceToSequenceParams, sources: Value, steps: number, options?: DecodingOptions): Value;
}

/**
 * An encoder that reads a source, and a decoder that goes on from its state; layers are time first. Source: I. Sutskever, O. Vinyals and
 * Q. Le, NIPS 2014. Throws InputError where sizes do not fit.
 *
 * @example
 * import { value } from "@unroll/autograd";
 * import { key } from "@unroll/autograd/random";
 * const [encoder, decoder] = [gru({ inputSize: 4, hiddenSize: 8 }), gru({ inputSize: 4, hiddenSize: 8 })];
 * const table = embeddingTable({ numEmbeddings: 10, embeddingDim: 4 });
 * const network = sequenceToSequence({
 *   encoder, decoder, sourceTable: table, targetTable: table, attention: true,
 *   readout: linear({ inputSize: 16, outputSize: 10 }),
 * });
 * const params = network.init(key(0));
 * const tokens = (xs: number[][]) => value(xs, { dtype: "int32" });
 * const logits = network.apply(params, tokens([[3, 4], [5, 6], [7, 8]]), tokens([[1, 2], [3, 4]]));
 * console.log(logits.shape); // [ 2, 2, 10 ]
 * console.log(network.predict(params, tokens([[3, 4], [5, 6], [7, 8]]), 5).shape); // [ 5, 2, 10 ]
 */
export function sequenceToSequence<S>(options: SequenceToSequenceOptions<S>): SequenceToSequence {
  checkOptions(options);
  const { encoder, decoder, readout, sourceTable, targetTable } = options;
  return {
    init(key) {
      const parts = { encoder, decoder, readout, ...(sourceTable && { sourceTable }), ...(targetTable && { targetTable }) };
      const entries = Object.entries(parts).map(([name, part], k) => [name, part.init(foldIn(key, k))] as const);
      return Object.fromEntries(entries) as unknown as SequenceToSequenceParams<Param>;
    },
    apply(params, sources, targets, given = {}) {
      checkValue("sequenceToSequence", "targets", targets);
      const encoded = encode(options, params, sources, given);
      const batch = sources.shape[1]!;
      if (targets.shape.length !== (targetTable ? 2 : 3) || targets.shape[1] !== batch || targets.shape[0] === 0)
        throw new ShapeError(
          `sequenceToSequence: targets of shape ${formatShape(targets.shape)}; expected [U, ${batch}${targetTable ? "" : ", O"}], a step or more`,
        );
      const first = startOf(options, batch, targets, given.start);
      if (given.scheduledSampling !== undefined) return sampled(options, params, encoded, first, targets, given.scheduledSampling, given);
      const previous = concat([first.reshape([1, ...first.shape]), targets.slice([0, -1])]);
      return decode(options, params, encoded, encoded.state, previous, given).predictions;
    },
    predict(params, sources, steps, given = {}) {
      if (!Number.isInteger(steps) || steps < 1) throw new InputError(`sequenceToSequence: steps is ${steps}; it is a whole number from 1`);
      const encoded = encode(options, params, sources, given);
      const first = startOf(options, sources.shape[1]!, encoded.outputs, given.start);
      return stepByStep(
        options,
        params,
        encoded,
        steps,
        () => given,
        (_t, own) => own ?? first,
      );
    },
  };
}

/** Predictions of steps whose inputs depend on the prediction before: `own`, as it is fed back, undefined at step 0. */
function stepByStep<S>(
  options: SequenceToSequenceOptions<S>,
  params: SequenceToSequenceParams,
  encoded: Encoded<S>,
  steps: number,
  givenAt: (t: number) => TeachingOptions,
  inputAt: (t: number, own: Value | undefined) => Value,
): Value {
  let state = encoded.state;
  let own: Value | undefined;
  const predictions: Value[] = [];
  for (let t = 0; t < steps; t++) {
    const input = inputAt(t, own);
    const found = decode(options, params, encoded, state, input.reshape([1, ...input.shape]), givenAt(t));
    const prediction = found.predictions.slice(0);
    predictions.push(prediction);
    state = found.state;
    own = options.targetTable ? likeliest(prediction) : prediction;
  }
  return stack(predictions);
}

/** Scheduled sampling: some inputs are targets, some the network's own predictions. */
function sampled<S>(
  options: SequenceToSequenceOptions<S>,
  params: SequenceToSequenceParams,
  encoded: Encoded<S>,
  first: Value,
  targets: Value,
  sampling: NonNullable<TeachingOptions["scheduledSampling"]>,
  { lengths, dropoutKey, dropoutMasks }: TeachingOptions,
): Value {
  const { decoder, targetTable } = options;
  const [steps, batch] = targets.shape as [number, number];
  const isOwn = sampling instanceof Value ? checkedDraws(sampling, steps, batch) : draws(sampling, steps, batch);
  // Drawn for all steps at once, since each step alone would draw the same.
  const masks = dropoutMasks?.decoder ?? (dropoutKey && decoder.dropoutMasks(foldIn(dropoutKey, 1), steps, batch));
  masks?.forEach((mask, layer) => checkSteps(mask, layer, steps));
  const maskAt = (t: number) => masks?.map((mask) => (mask.shape[0] === 1 ? mask : mask.slice([t, t + 1])));
  const inputAt = (t: number, own: Value | undefined): Value =>
    own === undefined ? first : where(isOwn.slice(t).reshape(targetTable ? [batch] : [batch, 1]), own, targets.slice(t - 1));
  const givenAt = (t: number): TeachingOptions => {
    const decoderMasks = maskAt(t);
    return { lengths, dropoutMasks: decoderMasks && { encoder: [], decoder: decoderMasks } };
  };
  return stepByStep(options, params, encoded, steps, givenAt, inputAt);
}

function draws({ probability, key }: { readonly probability: number; readonly key: Key }, steps: number, batch: number): Value {
  if (!(probability >= 0 && probability <= 1))
    throw new InputError(`sequenceToSequence: the probability of scheduled sampling is from 0 to 1, got ${probability}`);
  return lt(uniform(key, [steps, batch]), probability);
}

function checkedDraws(isOwn: Value, steps: number, batch: number): Value {
  checkShape("sequenceToSequence", "scheduledSampling", isOwn, [steps, batch]);
  if (isOwn.dtype === "bool") return isOwn;
  throw new DTypeError(`sequenceToSequence: scheduledSampling is ${isOwn.dtype}, expected bool, true where a prediction is fed`);
}

function checkSteps({ shape }: Value, layer: number, steps: number): void {
  if (shape[0] === steps || shape[0] === 1) return;
  throw new ShapeError(`sequenceToSequence: dropout mask ${layer} of the decoder has ${shape[0]} steps, the targets ${steps}`);
}

function checkOptions<S>({ encoder, decoder, readout, sourceTable, targetTable, attention = false }: SequenceToSequenceOptions<S>): void {
  const op = "sequenceToSequence";
  if (encoder.batchFirst || decoder.batchFirst) throw new InputError(`${op}: the layers are time first; leave out batchFirst`);
  if (decoder.bidirectional) throw new InputError(`${op}: a decoder does not know the future; leave out bidirectional`);
  const [given, taken] = [encoder, decoder].map((layer) => layer.stateShapes(1).map(formatShape).join(" and "));
  if (given !== taken)
    throw new InputError(
      `${op}: the encoder's state, ${given}, is not of the decoder's form, ${taken}; give both the same sizes and layers`,
    );
  if (attention && encoder.outputSize !== decoder.outputSize)
    throw new InputError(
      `${op}: attention needs encoder outputs as wide as the decoder's, got ${encoder.outputSize} and ${decoder.outputSize}`,
    );
  checkReadout(op, decoder.outputSize * (attention ? 2 : 1), readout);
  for (const [name, table, layer] of [
    ["source", sourceTable, encoder],
    ["target", targetTable, decoder],
  ] as const) {
    if (table !== undefined && table.embeddingDim !== layer.inputSize)
      throw new InputError(`${op}: the ${name} table gives ${table.embeddingDim} features, its layer takes ${layer.inputSize}`);
  }
  const fed = targetTable?.numEmbeddings ?? decoder.inputSize;
  if (readout.outputSize !== fed)
    throw new InputError(
      `${op}: the readout gives ${readout.outputSize} numbers; one a ${targetTable ? "token" : "feature of the decoder's input"} makes ${fed}`,
    );
}

interface Encoded<S> {
  readonly outputs: Value;
  readonly state: S;
}

function encode<S>(
  { encoder, sourceTable }: SequenceToSequenceOptions<S>,
  params: SequenceToSequenceParams,
  sources: Value,
  { lengths, dropoutKey, dropoutMasks }: TeachingOptions,
): Encoded<S> {
  checkValue("sequenceToSequence", "sources", sources);
  if (sources.shape.length !== (sourceTable ? 2 : 3))
    throw new ShapeError(
      `sequenceToSequence: sources of shape ${formatShape(sources.shape)}; expected ${sourceTable ? "tokens [T, B]" : `[T, B, ${encoder.inputSize}]`}`,
    );
  const xs = sourceTable ? sourceTable.apply(params.sourceTable ?? {}, sources) : sources;
  return encoder.apply(params.encoder, xs, undefined, {
    lengths,
    dropoutKey: dropoutKey && foldIn(dropoutKey, 0),
    dropoutMasks: dropoutMasks?.encoder,
  });
}

function decode<S>(
  { decoder, readout, targetTable, attention = false }: SequenceToSequenceOptions<S>,
  params: SequenceToSequenceParams,
  encoded: Encoded<S>,
  state: S,
  inputs: Value,
  { lengths, dropoutKey, dropoutMasks }: TeachingOptions,
): { predictions: Value; state: S } {
  const xs = targetTable ? targetTable.apply(params.targetTable ?? {}, inputs) : inputs;
  const found = decoder.apply(params.decoder, xs, state, {
    dropoutKey: dropoutKey && foldIn(dropoutKey, 1),
    dropoutMasks: dropoutMasks?.decoder,
  });
  const features = attention
    ? concat([found.outputs, dotAttention(found.outputs, encoded.outputs, { lengths }).context], { axis: 2 })
    : found.outputs;
  return { predictions: readout.apply(params.readout, features), state: found.state };
}

function startOf<S>(
  { decoder, targetTable }: SequenceToSequenceOptions<S>,
  batch: number,
  { dtype }: Value,
  start: number | Value = 0,
): Value {
  const shape = targetTable ? [batch] : [batch, decoder.inputSize];
  if (typeof start !== "number") return start.broadcastTo(shape);
  if (targetTable) return value(new Int32Array(batch).fill(start), { shape });
  return zeros(shape, { dtype }).add(start);
}

/** By row of logits [B, C], the index of the largest, int32 [B]. */
function likeliest(logits: Value): Value {
  return sort(logits.detach(), { axis: 1, descending: true }).indices.slice(null, 0);
}
