/** How the checks of this folder run the functions that they are about. Whoever checks compiled programs brings other runners. */
export interface Runner {
  readonly name: string;
  /** Runs the function that is differentiated. */
  readonly inside: <A extends readonly unknown[], R>(f: (...args: A) => R) => (...args: A) => R;
  /** Runs the function that gives the derivative. */
  readonly outside: <A extends readonly unknown[], R>(f: (...args: A) => R) => (...args: A) => R;
}

export const eager: Runner = { name: "eager", inside: (f) => f, outside: (f) => f };
