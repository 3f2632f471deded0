import { InputError } from "../errors.js";
import { maximum } from "../tape/scalar.generated.js";
import { zerosLike } from "../tape/creation.js";
import { type Value, value } from "../tape/value.js";
import { leaves, leavesLike, rebuild } from "../transforms/tree.js";

/** A rule that turns parameters and gradients (trees of one structure) into new parameters; pure, so it can be traced and differentiated. */
export interface UpdateRule<S> {
  init<P>(params: P): S;
  update<P>(params: P, grads: P, state: S): [params: P, state: S];
}

function positive(rule: string, name: string, x: number): number {
  if (Number.isFinite(x) && x >= 0) return x;
  throw new InputError(`${rule}: ${name} is a number >= 0, got ${x}`);
}

function fraction(rule: string, name: string, x: number): number {
  if (x >= 0 && x < 1) return x;
  throw new InputError(`${rule}: ${name} lies in [0, 1), got ${x}`);
}

export interface SgdOptions {
  readonly learningRate: number;
  /** Share of the last step that is taken again; default 0. */
  readonly momentum?: number;
  /** Looks ahead along the momentum; default false. */
  readonly nesterov?: boolean;
  /** Adds weightDecay * parameter to the gradient; default 0. */
  readonly weightDecay?: number;
}

export interface SgdState {
  /** One a leaf; none before the first step, which takes the gradient itself. */
  readonly velocities: readonly Value[] | null;
}

/**
 * Stochastic gradient descent, p - learningRate * g, with momentum as PyTorch's torch.optim.SGD defines it: b ← momentum * b + g.
 * Throws InputError for a rate outside its range.
 *
 * @example
 * import { value } from "@unroll/autograd";
 * import { sgd } from "@unroll/autograd/optim";
 * const rule = sgd({ learningRate: 0.1 });
 * const w = value([1, 2]);
 * const [next] = rule.update(w, value([10, 0]), rule.init(w));
 * console.log(next.toArray()); // [ 0, 2 ]
 */
export function sgd({ learningRate, momentum = 0, nesterov = false, weightDecay = 0 }: SgdOptions): UpdateRule<SgdState> {
  positive("sgd", "learningRate", learningRate);
  fraction("sgd", "momentum", momentum);
  positive("sgd", "weightDecay", weightDecay);
  if (nesterov && momentum === 0) throw new InputError("sgd: nesterov needs a momentum above 0");
  return {
    init: () => ({ velocities: null }),
    update(params, grads, { velocities }) {
      const gradients = leavesLike("sgd", "the gradient", grads, params);
      const next: Value[] = [];
      const moved = leaves(params).map((p, k) => {
        const g = decayed(gradients[k] as Value, p, weightDecay);
        if (momentum === 0) return p.sub(g.mul(learningRate));
        const v = velocities === null ? g : (velocities[k] as Value).mul(momentum).add(g);
        next.push(v);
        return p.sub((nesterov ? g.add(v.mul(momentum)) : v).mul(learningRate));
      });
      return [rebuild(params, moved), { velocities: momentum === 0 ? null : next }];
    },
  };
}

function decayed(g: Value, p: Value, weightDecay: number): Value {
  return weightDecay === 0 ? g : g.add(p.mul(weightDecay));
}

export interface AdamOptions {
  /** Default 0.001. */
  readonly learningRate?: number;
  /** Decay of the mean of gradients; default 0.9. */
  readonly beta1?: number;
  /** Decay of the mean of their squares; default 0.999. */
  readonly beta2?: number;
  /** Added to the root of the squares; default 1e-8. */
  readonly epsilon?: number;
  /** Adds weightDecay * parameter to the gradient; default 0. */
  readonly weightDecay?: number;
}

export interface AdamState {
  /** Number of steps taken, a scalar. */
  readonly steps: Value;
  readonly means: readonly Value[];
  readonly squares: readonly Value[];
}

/**
 * Adam with bias correction (Kingma and Ba, 2015, algorithm 1), as PyTorch's torch.optim.Adam. Throws InputError for a rate outside its
 * range.
 *
 * @example
 * import { value } from "@unroll/autograd";
 * import { adam } from "@unroll/autograd/optim";
 * const rule = adam({ learningRate: 0.1 });
 * const w = value([1, 2]);
 * const [next] = rule.update(w, value([10, -10]), rule.init(w));
 * console.log([...next.data].map((x) => x.toFixed(6))); // [ '0.900000', '2.100000' ]
 */
export function adam(options: AdamOptions = {}): UpdateRule<AdamState> {
  const { learningRate = 1e-3, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, weightDecay = 0 } = options;
  positive("adam", "learningRate", learningRate);
  fraction("adam", "beta1", beta1);
  fraction("adam", "beta2", beta2);
  positive("adam", "epsilon", epsilon);
  positive("adam", "weightDecay", weightDecay);
  return {
    init(params) {
      const zeros = leaves(params).map((p) => zerosLike(p));
      return { steps: value(0), means: zeros, squares: zeros };
    },
    update(params, grads, state) {
      const steps = state.steps.add(1);
      const gradients = leavesLike("adam", "the gradient", grads, params).map((g, k) =>
        decayed(g, leaves(params)[k] as Value, weightDecay),
      );
      const means = gradients.map((g, k) => (state.means[k] as Value).mul(beta1).add(g.mul(1 - beta1)));
      const squares = gradients.map((g, k) => (state.squares[k] as Value).mul(beta2).add(g.square().mul(1 - beta2)));
      // 1 - beta^t, as Values, so that a traced program counts its own steps.
      const rate = value(1).sub(value(beta1).pow(steps)).reciprocal().mul(learningRate);
      const rootCorrection = value(1).sub(value(beta2).pow(steps)).sqrt();
      const moved = leaves(params).map((p, k) => {
        const denominator = (squares[k] as Value).sqrt().div(rootCorrection).add(epsilon);
        return p.sub((means[k] as Value).div(denominator).mul(rate));
      });
      return [rebuild(params, moved), { steps, means, squares }];
    },
  };
}

/**
 * Gradients scaled down together, so that the norm of all their entries is at most maxNorm; gives `[gradients, norm before]`.
 * Throws InputError unless maxNorm > 0.
 *
 * @example
 * import { value } from "@unroll/autograd";
 * import { clipByGlobalNorm } from "@unroll/autograd/optim";
 * const [clipped, norm] = clipByGlobalNorm({ w: value([3, 4]) }, 1);
 * console.log([...clipped.w.data].map((x) => x.toFixed(2)), norm.item()); // [ '0.60', '0.80' ] 5
 */
export function clipByGlobalNorm<P>(grads: P, maxNorm: number): [grads: P, norm: Value] {
  if (!(maxNorm > 0)) throw new InputError(`clipByGlobalNorm: maxNorm is a number above 0, got ${maxNorm}`);
  const norm = leaves(grads)
    .map((g) => g.square().sum())
    .reduce((a, b) => a.add(b), value(0))
    .sqrt();
  // Exactly 1 where nothing is to be scaled; Infinity over Infinity would be NaN.
  const scale = maxNorm === Infinity ? value(1) : value(maxNorm).div(maximum(norm, maxNorm));
  return [
    rebuild(
      grads,
      leaves(grads).map((g) => g.mul(scale)),
    ),
    norm,
  ];
}
