import { embedding, InputError, type Operand, type Param, param, type Value, value, where } from "@unroll/autograd";
import type { Key } from "@unroll/autograd/random";
import { type DrawOptions, type Initializer, normalInit } from "../init/initializers.js";
import { checkParams, checkSize, type LayerParams, type ParameterShapes } from "./parameters.js";

export interface EmbeddingTableOptions {
  /** Rows: indices run from 0 to one less. */
  readonly numEmbeddings: number;
  /** Features of a row. */
  readonly embeddingDim: number;
  /** A row that begins as zeros and never gets a gradient; default: none. */
  readonly paddingIdx?: number | undefined;
}

export interface EmbeddingInitOptions extends DrawOptions {
  /** For the weight [V, D]; default: standard normal draws. */
  readonly weight?: Initializer | undefined;
}

/** A table of learned vectors, one an index. */
export interface EmbeddingTable {
  readonly numEmbeddings: number;
  readonly embeddingDim: number;
  readonly parameterShapes: ParameterShapes;
  /** Params, drawn as PyTorch draws them, normally, unless the options say otherwise. */
  init(key: Key, options?: EmbeddingInitOptions): LayerParams<Param>;
  /**
   * The rows at int32 indices of any shape: [...] to [..., D]. Throws InputError or ShapeError for params that do not fit, DTypeError for
   * indices that are not whole, IndexError outside the table.
   */
  apply(params: LayerParams, indices: Operand): Value;
}

/**
 * A table `weight` [V, D], as torch.nn.Embedding. Throws InputError for sizes that are not whole numbers from 1, and a padding index
 * outside the table.
 *
 * @example
 * import { value } from "@unroll/autograd";
 * const table = embeddingTable({ numEmbeddings: 3, embeddingDim: 2 });
 * const weight = value([[0, 0], [1, 2], [3, 4]]);
 * console.log(table.apply({ weight }, [[2], [1]]).toArray()); // [ [ [ 3, 4 ] ], [ [ 1, 2 ] ] ]
 */
export function embeddingTable({ numEmbeddings, embeddingDim, paddingIdx }: EmbeddingTableOptions): EmbeddingTable {
  checkSize("embeddingTable", "numEmbeddings", numEmbeddings);
  checkSize("embeddingTable", "embeddingDim", embeddingDim);
  if (paddingIdx !== undefined && !(Number.isInteger(paddingIdx) && paddingIdx >= 0 && paddingIdx < numEmbeddings))
    throw new InputError(`embeddingTable: paddingIdx is ${paddingIdx}; rows run from 0 to ${numEmbeddings - 1}`);
  const shape = [numEmbeddings, embeddingDim];
  const isPadding = value(
    Uint8Array.from({ length: numEmbeddings }, (_, k) => Number(k === paddingIdx)),
    { shape: [numEmbeddings, 1] },
  );
  return {
    numEmbeddings,
    embeddingDim,
    parameterShapes: { weight: shape },
    init(key, { weight = normalInit(), dtype } = {}) {
      const drawn = where(isPadding, 0, weight(key, shape, { dtype }));
      return { weight: param(drawn.data, { shape, name: "weight" }) };
    },
    apply(params, indices) {
      checkParams("embeddingTable", params, { weight: shape });
      const weight = params["weight"]!;
      return embedding(paddingIdx === undefined ? weight : where(isPadding, weight.detach(), weight), indices);
    },
  };
}
