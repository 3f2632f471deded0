import { describe, expect, test } from "vitest";
import { arrayAlgebra } from "../../src/ops/arrayAlgebra.js";
import { ArrayType, NdArray, type Payload, toNdArray } from "../../src/ops/array.js";
import * as composites from "../../src/ops/composites.js";
import { cotangentOf } from "../../src/ops/differentiate.js";
import { contribution, expressions, name, namesIn, toJavaScript } from "../../src/ops/expression.js";
import { matmul } from "../../src/ops/products.js";
import type { Linearization, Op } from "../../src/ops/op.js";
import { elementwiseType, raw, runElementwise, runStructural } from "../../src/ops/raw.js";
import { slice } from "../../src/ops/shapes.js";
import { maxAlong, sort } from "../../src/ops/reductions.js";
import { gather, takeRows } from "../../src/ops/indexing.js";
import { elementwise } from "../../src/ops/table.js";

/** A reader that computes nothing: it writes instructions down, with abstract types, as `program/trace.ts` does for compiled programs. */
interface Traced {
  readonly id: number;
  readonly type: ArrayType;
}

class Trace {
  readonly instructions: { op: Op | "input" | "const"; attributes: unknown; operands: number[]; type: ArrayType; value?: Payload }[] = [];
  readonly algebra = arrayAlgebra<Traced>({
    elementwise: (op, operands) => {
      const samples = operands.map(({ type }) => raw.broadcastTo(0, type.shape));
      const type = operands.some(({ type }) => type.shape.length > 0) ? elementwiseType(op, samples) : new ArrayType("float64", []);
      return this.write(op, null, operands, type);
    },
    structural: (op, operands, attributes) =>
      op
        .types(
          operands.map(({ type }) => type),
          attributes,
        )
        .map((type) => this.write(op as Op, attributes, operands, type)),
    constant: (x) => this.write("const", x, [], new ArrayType("float64", [])),
    typeOf: ({ type }) => type,
  });

  write(op: Op | "input" | "const", attributes: unknown, operands: readonly Traced[], type: ArrayType): Traced {
    this.instructions.push({ op, attributes, operands: operands.map(({ id }) => id), type });
    return { id: this.instructions.length - 1, type };
  }

  input(type: ArrayType): Traced {
    return this.write("input", null, [], type);
  }

  /** Runs the instructions on raw arrays. */
  run(inputs: readonly Payload[], result: Traced): Payload {
    const values: Payload[] = [];
    let next = 0;
    for (const { op, attributes, operands } of this.instructions) {
      const given = operands.map((id) => values[id] as Payload);
      if (op === "input") values.push(inputs[next++] as Payload);
      else if (op === "const") values.push(attributes as number);
      else if (op.kind === "elementwise") values.push(runElementwise(op, given));
      else values.push(runStructural(op, given, attributes)[0] as Payload);
    }
    return values[result.id] as Payload;
  }
}

function array(shape: number[], numbers: number[], dtype: "float64" | "int32" = "float64"): NdArray {
  const type = new ArrayType(dtype, shape);
  return new NdArray(type, dtype === "int32" ? Int32Array.from(numbers) : Float64Array.from(numbers), 0);
}

function plain(x: Payload): unknown {
  const { type, elements } = toNdArray(x);
  return { shape: type.shape, dtype: type.dtype, elements: [...elements] };
}

function at<T>(operands: T[], outputs: T[], types: ArrayType[], outTypes: ArrayType[], attributes: unknown): Linearization<T, unknown> {
  return { attributes, types, outTypes, operand: (k) => operands[k] as T, output: (k) => outputs[k] as T };
}

describe("a tracing algebra runs the same rules", () => {
  test("an elementwise rule: the derivative of tanh", () => {
    const trace = new Trace();
    const type = new ArrayType("float64", [2]);
    const [ct, x, out] = [trace.input(type), trace.input(type), trace.input(type)];
    const traced = cotangentOf(trace.algebra, elementwise.tanh, 0, [ct], at([x], [out], [type], [type], null));
    const [c, p, q] = [array([2], [1, 10]), array([2], [0.3, -2]), array([2], [Math.tanh(0.3), Math.tanh(-2)])];
    const direct = cotangentOf<Payload>(raw, elementwise.tanh, 0, [c], at<Payload>([p], [q], [type], [type], null));
    expect(toNdArray(trace.run([c, p, q], traced)).elements).toEqual(toNdArray(direct).elements);
    expect(trace.instructions.filter(({ op }) => op !== "input").length).toBeGreaterThan(0);
  });

  test("a guarded partial: relu passes nothing where it is flat, even an infinite cotangent", () => {
    const trace = new Trace();
    const type = new ArrayType("float64", [2]);
    const [ct, x] = [trace.input(type), trace.input(type)];
    const traced = cotangentOf(trace.algebra, elementwise.relu, 0, [ct], at([x], [], [type], [type], null));
    expect(toNdArray(trace.run([array([2], [Infinity, 3]), array([2], [-1, 1])], traced)).elements).toEqual(Float64Array.of(0, 3));
  });

  test.each([
    ["matmul", matmul, { transposeA: false, transposeB: false }, [array([2, 2], [1, 2, 3, 4]), array([2, 2], [5, 6, 7, 8])]],
    ["slice", slice, { ranges: [{ start: 2, size: 2, step: -2 }] }, [array([3], [1, 2, 3])]],
    ["sort", sort, { axis: 0, descending: false }, [array([3], [3, 1, 2])]],
    ["max along an axis", maxAlong, { axis: 0 }, [array([3], [3, 7, 2])]],
    ["gather", gather, { axis: 0 }, [array([3], [3, 7, 2]), array([2], [2, 2], "int32")]],
    ["embedding", takeRows, null, [array([2, 2], [1, 2, 3, 4]), array([3], [1, 1, 0], "int32")]],
  ] as const)("a structural rule: the cotangent of %s", (_name, op, attributes, operands) => {
    const outputs = runStructural(op as never, operands as never, attributes as never) as Payload[];
    const types = operands.map((x) => x.type);
    const outTypes = outputs.map((x) => toNdArray(x).type);
    const ct = raw.add(raw.broadcastTo(0, (outTypes[0] as ArrayType).shape), raw.mul(outputs[0] as Payload, 0.5));
    const direct = cotangentOf<Payload>(
      raw,
      op as unknown as Op,
      0,
      [ct, null],
      at<Payload>([...operands], outputs, types, outTypes, attributes),
    );
    const trace = new Trace();
    const all = [...operands, ...outputs, ct];
    const inputs = all.map((x) => trace.input(toNdArray(x).type));
    const tracedAt = at(inputs.slice(0, operands.length), inputs.slice(operands.length, -1), types, outTypes, attributes);
    const traced = cotangentOf(trace.algebra, op as unknown as Op, 0, [inputs[inputs.length - 1] as Traced, null], tracedAt);
    expect(plain(trace.run(all, traced))).toEqual(plain(direct));
  });

  test("a composite: softmax", () => {
    const trace = new Trace();
    const x = trace.input(new ArrayType("float64", [2, 3]));
    const out = composites.softmax(trace.algebra, x, 1);
    const p = array([2, 3], [1, 2, 3, 4, 4, 4]);
    expect(toNdArray(trace.run([p], out)).elements).toEqual(toNdArray(composites.softmax(raw, p, 1)).elements);
  });
});

describe("a structural rule keeps what it reads, and no more", () => {
  const x = array([2, 3], [3, 1, 2, 6, 5, 4]);
  const rows = array([2], [1, 0], "int32");
  test.each([
    ["sort", sort, { axis: 1, descending: false }, [x]],
    ["max", maxAlong, { axis: 1 }, [x]],
    ["gather", gather, { axis: 0 }, [x, array([1, 3], [1, 0, 1], "int32")]],
    ["embedding", takeRows, null, [x, rows]],
    ["matmul", matmul, { transposeA: false, transposeB: true }, [x, x]],
    [
      "slice",
      slice,
      {
        ranges: [
          { start: 0, size: 1, step: 1 },
          { start: 0, size: 3, step: 1 },
        ],
      },
      [x],
    ],
  ] as const)("%s", (_name, op, attributes, operands) => {
    const outputs = runStructural(op as never, operands as never, attributes as never) as Payload[];
    const declared = (op.keeps ?? []).map((keep) => `${keep.for ?? "all"} ${keep.operand ?? "-"} ${keep.output ?? "-"}`);
    const read = new Set<string>();
    operands.forEach((_, k) => {
      if (op.constants?.includes(k)) return;
      cotangentOf<Payload>(raw, op as unknown as Op, k, [outputs[0] as Payload, null], {
        attributes,
        types: operands.map((p) => p.type),
        outTypes: outputs.map((p) => toNdArray(p).type),
        operand: (j) => {
          read.add(declared.includes(`all ${j} -`) ? `all ${j} -` : `${k} ${j} -`);
          return operands[j] as Payload;
        },
        output: (j) => {
          read.add(declared.includes(`all - ${j}`) ? `all - ${j}` : `${k} - ${j}`);
          return outputs[j] as Payload;
        },
      });
    });
    expect([...read].sort()).toEqual([...declared].sort());
  });
});

describe("names", () => {
  test("the formula of a contribution, with guards written out", () => {
    const [x, y, out, d] = [name("x"), name("y"), name("out"), name("d")];
    const formula = (op: (typeof elementwise)[keyof typeof elementwise], k: number): string =>
      toJavaScript(contribution(d, op.partials[k]?.(expressions, ...[x, y].slice(0, op.arity), out) as never));
    expect(formula(elementwise.tanh, 0)).toBe("d * (1 - out * out)");
    expect(formula(elementwise.sub, 1)).toBe("-d");
    expect(formula(elementwise.relu, 0)).toBe("x > 0 ? d : 0");
    expect(formula(elementwise.div, 1)).toBe("d * -(out / y)");
  });

  test("what a partial keeps", () => {
    const partial = (op: (typeof elementwise)[keyof typeof elementwise], k: number): Set<string> =>
      namesIn(op.partials[k]?.(expressions, name("x"), ...(op.arity > 1 ? [name("y")] : []), name("out")) as never);
    expect([...partial(elementwise.exp, 0)]).toEqual(["out"]);
    expect([...partial(elementwise.mul, 0)]).toEqual(["y"]);
    expect([...partial(elementwise.add, 0)]).toEqual([]);
    expect(elementwise.div.kernel.keeps).toEqual([2, 2 | 8]);
  });
});
