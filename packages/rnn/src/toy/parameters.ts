/** The four numbers of the one-unit network, in the order in which tables show them. */
export const PARAMETER_NAMES = ["u", "v", "w", "s"] as const;

/** `u`: state to prediction; `v`: input to state; `w`: state to next state; `s`: the state before the first input. */
export type ParameterName = (typeof PARAMETER_NAMES)[number];

/** One `T` for each of the network's four parameters. */
export type ToyTree<T> = Record<ParameterName, T>;

/** The parameters as plain numbers. */
export type ToyParameters = Readonly<ToyTree<number>>;

/** The derivative of E with respect to each parameter. */
export type ToyGradient = Readonly<ToyTree<number>>;

/** What `f` gives for each parameter. */
export function forEachParameter<T>(f: (name: ParameterName) => T): ToyTree<T> {
  return { u: f("u"), v: f("v"), w: f("w"), s: f("s") };
}
