import { describe, expect, it } from "vitest";
import * as autograd from "../../src/index.js";
import {
  AutogradError,
  concat,
  crossEntropy,
  DTypeError,
  embedding,
  gather,
  grad,
  GraphError,
  hvp,
  IndexError,
  InputError,
  jvp,
  matmul,
  mseLoss,
  pad,
  param,
  ShapeError,
  scan,
  softmax,
  sort,
  split,
  stack,
  sum,
  type Value,
  value,
  valueAndGrad,
  vjp,
  where,
} from "../../src/index.js";

type ErrorClass = typeof AutogradError;

/** What is done wrong, the class that is thrown, and what its message must name: the operation, the shapes, the way out. */
type Case = readonly [what: string, run: () => unknown, error: ErrorClass, names: readonly (string | RegExp)[]];

const M23 = value([
  [1, 2, 3],
  [4, 5, 6],
]);
const V2 = value([1, 2]);
const V3 = value([1, 2, 3]);
const S = value(2);
const ints = (x: number[] | number[][]) => value(x, { dtype: "int32" });
const asAny = (x: unknown) => x as never;

function thrownBy(run: () => unknown): unknown {
  try {
    run();
  } catch (error) {
    return error;
  }
  return null;
}

function check(cases: readonly Case[]): void {
  it.each(cases)("%s", (_what, run, error, names) => {
    const thrown = thrownBy(run);
    expect(thrown).toBeInstanceOf(AutogradError);
    expect(thrown).toBeInstanceOf(error);
    const { message } = thrown as Error;
    for (const name of names) expect(message).toMatch(name instanceof RegExp ? name : new RegExp(name.replace(/[[\]().]/g, "\\$&")));
  });
}

describe("shapes that do not fit are ShapeErrors that name the operation and the shapes", () => {
  check([
    ["add of [2] and [3]", () => V2.add(V3), ShapeError, ["add", "[2]", "[3]", /reshape|transpose|slice/]],
    ["mul of [2, 3] and [2]", () => autograd.mul(M23, V2), ShapeError, ["mul", "[2, 3]", "[2]", /reshape|transpose|slice/]],
    ["maximum of [2, 3] and [3, 2]", () => autograd.maximum(M23, M23.transpose()), ShapeError, ["maximum", "[2, 3]", "[3, 2]"]],
    ["lt of [2] and [3]", () => V2.lt(V3), ShapeError, ["lt", "[2]", "[3]"]],
    ["where of [2], [3] and a scalar", () => where(ints([0, 1]), V3, 1), ShapeError, ["where", "[2]", "[3]"]],
    ["[0] with [2]", () => value([]).add(V2), ShapeError, ["add", "[0]", "[2]"]],
    ["matmul of [2, 3] and [2, 3]", () => matmul(M23, M23), ShapeError, ["matmul", /\[2, 3\].*\[2, 3\]/, "transpose"]],
    ["matmul of [2, 3] and [2]", () => matmul(M23, V2), ShapeError, ["matmul", "[2, 3]", /\[2(, 1)?\]/]],
    [
      "matmul of batches 2 and 3",
      () => matmul(autograd.ones([2, 2, 2]), autograd.ones([3, 2, 2])),
      ShapeError,
      ["matmul", /\[2(, 2, 2)?\]/, /\[3(, 2, 2)?\]/],
    ],
    ["matmul with a scalar", () => matmul(M23, S), ShapeError, ["matmul", "[2, 3]", "scalar", "mul"]],
    ["reshape to another size", () => M23.reshape([4, 2]), ShapeError, ["reshape", "[2, 3]", "6", "[4, 2]", "8"]],
    ["reshape with -1 that does not divide", () => M23.reshape([4, -1]), ShapeError, ["reshape", "[2, 3]"]],
    ["reshape with -1 twice", () => M23.reshape([-1, -1]), ShapeError, ["reshape"]],
    ["reshape to a length that is no whole number", () => M23.reshape([1.5, 4]), ShapeError, ["reshape", "1.5"]],
    ["transpose with too few axes", () => M23.transpose([0]), ShapeError, ["transpose", "[2, 3]"]],
    ["transpose naming an axis twice", () => M23.transpose([0, 0]), ShapeError, ["transpose", "[2, 3]"]],
    ["broadcastTo that shrinks", () => M23.broadcastTo([3]), ShapeError, ["broadcastTo", "[2, 3]", "[3]"]],
    ["broadcastTo a length that does not stretch", () => V2.broadcastTo([4]), ShapeError, ["broadcastTo", "[2]", "[4]"]],
    ["concat of different rows", () => concat([M23, value([[1, 2]])], { axis: 0 }), ShapeError, ["concat", "[2, 3]", "[1, 2]"]],
    ["concat of different ranks", () => concat([M23, V3], { axis: 0 }), ShapeError, ["concat", "[2, 3]", "[3]"]],
    ["stack of different shapes", () => stack([V2, V3], { axis: 0 }), ShapeError, ["stack", "[2]", "[3]", "concat"]],
    ["split into parts that do not divide", () => split(V3, 2, { axis: 0 }), ShapeError, ["split", "[3]", "2"]],
    ["split into sizes that do not add up", () => split(V3, [1, 1], { axis: 0 }), ShapeError, ["split", "[3]", /1, ?1/]],
    ["pad with widths for another rank", () => pad(M23, [[1, 1]]), ShapeError, ["pad", "[2, 3]"]],
    ["pad by a negative width", () => pad(V2, [[-1, 0]]), ShapeError, ["pad", "-1"]],
    ["slice with too many ranges", () => V2.slice(0, 0), ShapeError, ["slice", "[2]"]],
    ["slice with step 0", () => V2.slice([0, 2, 0]), ShapeError, ["slice", "step", "0"]],
    [
      "gather with other axes that differ",
      () => gather(M23, ints([[0], [0], [0]]), { axis: 1 }),
      ShapeError,
      ["gather", "[2, 3]", "[3, 1]"],
    ],
    ["gather with another rank", () => gather(M23, ints([0]), { axis: 1 }), ShapeError, ["gather", "[2, 3]", "[1]"]],
    ["embedding of a scalar table", () => embedding(S, ints([0])), ShapeError, ["embedding", "scalar"]],
    ["mseLoss of [3] against [1]", () => mseLoss(V3, value([1])), ShapeError, ["mseLoss", "[3]", "[1]", "reshape"]],
    [
      "crossEntropy with a wrong number of targets",
      () => crossEntropy(M23, ints([0, 1, 2])),
      ShapeError,
      ["crossEntropy", "[2, 3]", "[3]"],
    ],
    ["crossEntropy of a vector", () => crossEntropy(V3, ints([0])), ShapeError, ["crossEntropy", "[3]", "[N, C]"]],
    ["max of nothing", () => autograd.max(value([])), ShapeError, ["max", "[0]"]],
    [
      "a typed array with a shape of another size",
      () => value(new Float64Array(5), { shape: [2, 3] }),
      ShapeError,
      ["value", "[2, 3]", "6", "5"],
    ],
    ["a nest with a shape of another size", () => param([1, 2, 3], { shape: [2, 2] }), ShapeError, ["param", "[2, 2]", "3"]],
    ["a negative length", () => autograd.zeros([-1]), ShapeError, ["zeros", "-1"]],
    ["set() of another shape", () => param([1, 2]).set([1, 2, 3]), ShapeError, ["set", "[2]", "[3]"]],
    ["item() of two elements", () => V2.item(), ShapeError, ["item", "[2]", "toArray"]],
  ]);
});

describe("axes that do not exist are ShapeErrors that name the operation, the axis and the shape", () => {
  const REDUCTIONS = ["sum", "mean", "max", "min", "prod", "variance", "logSumExp"] as const;
  check([
    ...REDUCTIONS.map(
      (op): Case => [`${op} along axis 2 of [2, 3]`, () => autograd[op](M23, { axis: 2 }), ShapeError, [op, "axis 2", "[2, 3]", "-2 to 1"]],
    ),
    ...REDUCTIONS.map(
      (op): Case => [`${op} along axis 0 of a scalar`, () => autograd[op](S, { axis: 0 }), ShapeError, [op, "axis 0", "[]", "scalar"]],
    ),
    ["sum along an axis named twice", () => sum(M23, { axis: [0, -2] }), ShapeError, ["sum", "[2, 3]", "twice"]],
    ["sum along axis 0.5", () => sum(M23, { axis: 0.5 }), ShapeError, ["sum", "0.5", "[2, 3]"]],
    ["softmax along axis -3", () => softmax(M23, { axis: -3 }), ShapeError, ["softmax", "axis -3", "[2, 3]"]],
    ["logSoftmax along axis 5", () => autograd.logSoftmax(M23, { axis: 5 }), ShapeError, ["logSoftmax", "axis 5", "[2, 3]"]],
    ["sort along axis 2", () => sort(M23, { axis: 2 }), ShapeError, ["sort", "axis 2", "[2, 3]"]],
    ["concat along axis 2", () => concat([M23, M23], { axis: 2 }), ShapeError, ["concat", "axis 2", "[2, 3]"]],
    ["stack along axis 4", () => stack([M23, M23], { axis: 4 }), ShapeError, ["stack", "axis 4"]],
    ["split along axis 1 of a vector", () => split(V3, 3, { axis: 1 }), ShapeError, ["split", "axis 1", "[3]"]],
    ["gather along axis 2", () => gather(M23, ints([[0]]), { axis: 2 }), ShapeError, ["gather", "axis 2", "[2, 3]"]],
    ["transpose with axis 2", () => M23.transpose([0, 2]), ShapeError, ["transpose", "axis 2", "[2, 3]"]],
  ]);
});

describe("indices", () => {
  check([
    ["gather with float indices", () => gather(V3, V2, { axis: 0 }), DTypeError, ["gather", "int32", "float64"]],
    ["embedding with float indices", () => embedding(M23, V2), DTypeError, ["embedding", "int32", "float64"]],
    ["embedding with bool indices", () => embedding(M23, value([1, 0], { dtype: "bool" })), DTypeError, ["embedding", "int32", "bool"]],
    ["crossEntropy with float targets", () => crossEntropy(M23, V2), DTypeError, ["crossEntropy", "int32", "float64"]],
    ["crossEntropy with fractional plain targets", () => crossEntropy(M23, [0.5, 1]), DTypeError, ["crossEntropy", "int32"]],
    ["gather beyond the end", () => gather(V3, ints([0, 3]), { axis: 0 }), IndexError, ["gather", "index 3", "[3]", "0 to 2"]],
    ["gather below 0", () => gather(V3, ints([-1]), { axis: 0 }), IndexError, ["gather", "index -1", "[3]", "0 to 2"]],
    ["embedding beyond the table", () => embedding(M23, ints([2])), IndexError, ["embedding", "index 2", "[2, 3]", "0 to 1"]],
    ["crossEntropy with a class that does not exist", () => crossEntropy(M23, ints([0, 3])), IndexError, [/crossEntropy/, "3"]],
    ["slice beyond the end", () => V3.slice(3), IndexError, ["slice", "3", "[3]", "-3 to 2"]],
    ["slice before the front", () => V3.slice(-4), IndexError, ["slice", "-4", "[3]"]],
    ["slice with its ranges in a list", () => M23.slice(asAny([[0, 1]])), IndexError, ["slice", "0,1", "[2, 3]"]],
    ["slice at 0.5", () => V3.slice(0.5), IndexError, ["slice", "0.5", "[3]"]],
  ]);
});

describe("what is no array of numbers", () => {
  const object = { a: 1 };
  check([
    ["a ragged nest", () => value([[1, 2], [3]]), ShapeError, ["value", /ragged/, "2", "1"]],
    ["a nest of uneven depth", () => value(asAny([[1, 2], 3])), ShapeError, ["value", /ragged/]],
    ["a ragged nest in an operation", () => S.add(asAny([[1], [2, 3]])), ShapeError, ["add", /ragged/]],
    ["a string in a nest", () => value(asAny([1, "2"])), InputError, ["value", "string"]],
    ["a null in a nest", () => value(asAny([1, null])), InputError, ["value", "null"]],
    ["an array of Values given to value()", () => value(asAny([S, S])), InputError, ["value", "stack"]],
    ["an array of Values given to an operation", () => V2.add(asAny([S, S])), InputError, ["add", "stack"]],
    ["an array of Values given to a reduction", () => sum(asAny([S, S])), InputError, ["sum", "stack"]],
    ["an array of Values given to matmul", () => matmul(M23, asAny([S, S, S])), InputError, ["matmul", "stack"]],
    ["an undefined operand", () => S.add(asAny(undefined)), InputError, ["add", "undefined"]],
    ["a null operand", () => V2.mul(asAny(null)), InputError, ["mul", "null"]],
    ["an undefined argument", () => autograd.exp(asAny(undefined)), InputError, ["exp", "undefined"]],
    ["an undefined reduction argument", () => sum(asAny(undefined)), InputError, ["sum", "undefined"]],
    ["a string operand", () => S.sub(asAny("3")), InputError, ["sub", "string"]],
    ["a boolean operand", () => S.div(asAny(true)), InputError, ["div", "boolean"]],
    ["a bigint operand", () => S.pow(asAny(2n)), InputError, ["pow", "bigint"]],
    ["an object operand", () => V2.maximum(asAny(object)), InputError, ["maximum", "object"]],
    ["a function operand", () => V2.add(asAny(() => 1)), InputError, ["add", "function"]],
    ["concat of no list", () => concat(asAny(V2)), InputError, ["concat"]],
    ["concat of nothing", () => concat([]), InputError, ["concat", "empty"]],
    ["an unknown dtype", () => value([1], { dtype: asAny("float16") }), DTypeError, ["value", "float16", "float32"]],
    ["a param of integers", () => param([1], { dtype: "int32" }), DTypeError, ["param", "int32", "value"]],
    ["value() of an object", () => value(asAny(object)), InputError, ["value", "object"]],
  ]);
});

describe("coercion throws and says what to write", () => {
  const a: number = asAny(S);
  const array: number = asAny(V2);
  check([
    ["a + 1", () => a + 1, InputError, ["a.add(b)"]],
    ["1 + a", () => 1 + a, InputError, ["a.add(b)"]],
    ["a * a", () => a * a, InputError, ["a.mul(b)"]],
    ["a < 1", () => a < 1, InputError, ["a.lt(b)"]],
    ["a >= a", () => a >= a, InputError, ["a.lt(b)"]],
    ["-a", () => -a, InputError, ["item()"]],
    ["Math.exp(a)", () => Math.exp(a), InputError, ["item()"]],
    ["array + array", () => array + array, InputError, ["a.add(b)"]],
    ["Number(param)", () => Number(param(1)), InputError, ["item()"]],
  ]);

  it("printing is no coercion", () => {
    expect(`${String(V2)}`).toMatch(/1.*2/);
  });
});

describe("backward passes that cannot be carried out are GraphErrors", () => {
  const twice = () => {
    const y = param(2).square();
    y.backward();
    y.backward();
  };
  const twiceOnArrays = () => {
    const y = param([1, 2]).square().sum();
    y.backward();
    y.backward();
  };
  const intoReleased = () => {
    const x = param([1, 2]);
    const shared = x.square();
    shared.sum().backward();
    shared.exp().sum().backward();
  };
  const intoReleasedScalar = () => {
    const shared = param(2).square();
    shared.exp().backward();
    shared.log().backward();
  };
  check([
    ["a second backward", twice, GraphError, ["backward", "retainGraph: true", /released/]],
    ["a second backward on arrays", twiceOnArrays, GraphError, ["backward", "retainGraph: true", /released/]],
    ["a backward into a part released by another", intoReleased, GraphError, ["backward", "retainGraph: true"]],
    ["a backward into a scalar part released by another", intoReleasedScalar, GraphError, ["backward", "retainGraph: true"]],
    ["a root that is a constant", () => value(2).backward(), GraphError, ["backward", "param", "constant"]],
    ["a root computed from constants", () => V2.exp().sum().backward(), GraphError, ["backward", "param"]],
    ["a root computed under noGrad", () => autograd.noGrad(() => param(1).exp()).backward(), GraphError, ["backward", "noGrad"]],
    ["a detached root", () => param(1).exp().detach().backward(), GraphError, ["backward", "constant"]],
    ["a comparison as root", () => param(1).gt(0).backward(), GraphError, ["backward"]],
    ["a root that is no scalar, without seed", () => param([1, 2]).exp().backward(), GraphError, ["backward", "[2]", "seed"]],
    [
      "a seed of another shape",
      () =>
        param([1, 2])
          .exp()
          .backward({ seed: [1, 2, 3] }),
      ShapeError,
      ["backward", "seed", "[2]", "[3]"],
    ],
    [".grad of a value that is no param", () => param(1).exp().grad, GraphError, ["grad", "param", "retainGrad"]],
  ]);

  it("the error leaves every gradient as it was", () => {
    const x = param(3);
    const shared = x.square();
    shared.backward();
    const before = x.grad.item();
    expect(() => x.exp().add(shared).backward()).toThrow(GraphError);
    expect(x.grad.item()).toBe(before);
  });
});

describe("transforms", () => {
  const square = (x: Value) => x.square();
  const async_ = async (x: Value) => x.square();
  check([
    ["grad of an async function", () => grad(asAny(async_))(asAny(1)), InputError, ["grad", /async|promise/i]],
    ["valueAndGrad of an async function", () => valueAndGrad(asAny(async_))(asAny(1)), InputError, ["valueAndGrad", /async|promise/i]],
    ["vjp of an async function", () => vjp(asAny(async_), asAny(1)), InputError, ["vjp", /async|promise/i]],
    ["jvp of an async function", () => jvp(asAny(async_), asAny([1]), asAny([1])), InputError, ["jvp", /async|promise/i]],
    ["hvp of an async function", () => hvp(asAny(async_), asAny([1]), asAny([1])), InputError, ["hvp", /async|promise/i]],
    ["noGrad of an async function", () => autograd.noGrad(asAny(async_)), InputError, ["noGrad", /async|promise/i]],
    [
      "scope of an async function",
      () =>
        autograd.scope(
          "s",
          asAny(async () => 1),
        ),
      InputError,
      ["scope", /async|promise/i],
    ],
    ["grad of a function that is no scalar", () => grad(asAny(square))(asAny([1, 2])), AutogradError, ["grad", "[2]", /scalar|sum/]],
    ["grad of a function that returns no Value", () => grad(asAny(() => "x"))(asAny(1)), AutogradError, ["grad", "string"]],
    ["grad of a function that returns nothing", () => grad(asAny(() => undefined))(asAny(1)), AutogradError, ["grad", "undefined"]],
    ["grad of no function", () => grad(asAny(3))(asAny(1)), InputError, ["grad", /function/]],
    [
      "grad with respect to an argument that is not there",
      () => grad(asAny(square), { argnums: [1] } as never)(asAny(1)),
      InputError,
      ["grad", "1"],
    ],
    ["a ragged argument", () => grad((x: Value) => x.sum())(asAny([[1], [2, 3]])), ShapeError, ["grad", /ragged/]],
    [
      "jvp with a tangent of another shape",
      () => jvp(asAny(square), asAny([[1, 2]]), asAny([[1, 2, 3]])),
      ShapeError,
      ["jvp", "[2]", "[3]"],
    ],
    ["jvp with too few tangents", () => jvp(asAny(square), asAny([1]), asAny([])), InputError, ["jvp", "tangent"]],
    ["vjp with a cotangent of another shape", () => vjp(asAny(square), asAny([1, 2]))[1](asAny([1])), ShapeError, ["vjp", "[2]", "[1]"]],
    [
      "hvp with a vector of another shape",
      () =>
        hvp(
          asAny((x: Value) => x.square().sum()),
          asAny([[1, 2]]),
          asAny([[1]]),
        ),
      ShapeError,
      ["hvp", "[2]", "[1]"],
    ],
    [
      "scan over nothing that has a time axis",
      () =>
        scan(
          asAny((c: Value, x: Value) => [c.add(x), c]),
          asAny(0),
          asAny(S),
        ),
      AutogradError,
      ["scan", /axis 0|scalar|time/],
    ],
    [
      "scan over sequences of different length",
      () =>
        scan(
          asAny((c: Value) => [c, c]),
          asAny(0),
          asAny([V2, V3]),
        ),
      AutogradError,
      ["scan", "2", "3"],
    ],
    [
      "scan with a step that returns no pair",
      () =>
        scan(
          asAny((c: Value) => c),
          asAny(0),
          asAny(V2),
        ),
      AutogradError,
      ["scan", /carry/],
    ],
  ]);

  it("an async function leaves the mode as it was: recording goes on", () => {
    expect(() => autograd.noGrad(asAny(async_))).toThrow(InputError);
    expect(param(1).exp().requiresGrad).toBe(true);
    expect(() => grad(asAny(async_))(asAny(1))).toThrow(InputError);
    expect(grad(square)(value(3)).item()).toBe(6);
  });

  it("a function that throws leaves the mode as it was", () => {
    const broken = () => {
      throw new RangeError("mine");
    };
    for (const run of [() => autograd.noGrad(broken), () => grad(broken as never)(asAny(1)), () => autograd.scope("s", broken)])
      expect(run).toThrow(RangeError);
    expect(param(1).exp().requiresGrad).toBe(true);
  });
});

describe("an error says where it was caused", () => {
  it("with the caller's own line", () => {
    const { message } = thrownBy(() => V2.add(V3)) as Error;
    expect(message).toMatch(/badInput\.test\.ts:\d+/);
  });
});

describe("out-of-domain arithmetic follows IEEE 754 and never throws", () => {
  const RESULTS: readonly (readonly [string, () => Value, number])[] = [
    ["log(-1) is NaN", () => param(-1).log(), NaN],
    ["sqrt(-1) is NaN", () => param(-1).sqrt(), NaN],
    ["log(0) is -Infinity", () => param(0).log(), -Infinity],
    ["1 / 0 is Infinity", () => param(1).div(0), Infinity],
    ["0 / 0 is NaN", () => param(0).div(0), NaN],
    ["exp(1000) is Infinity", () => param(1000).exp(), Infinity],
    ["(-8) to the power 1/3 is NaN", () => param(-8).pow(1 / 3), NaN],
    ["a mean of nothing is NaN", () => value([]).mean(), NaN],
  ];
  it.each(RESULTS)("%s", (_name, run, expected) => {
    expect(run().item()).toBe(expected);
  });
});
