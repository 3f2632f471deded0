import { GraphError } from "../errors.js";
import { type GraphNode, graphOf } from "../tape/graph.js";
import { ArrayType, typeOf } from "../ops/array.js";
import { type Param, type Value } from "../tape/value.js";

export interface SvgOptions {
  /** Refuses larger graphs, which no picture makes clear; default 200 nodes. */
  readonly maxNodes?: number;
}

interface Box {
  readonly title: string;
  readonly detail: string;
  readonly kind: "leaf" | "constant" | "op";
  readonly scope: string | null;
  readonly from: Box[];
  layer: number;
  x: number;
  y: number;
}

const WIDTH = 116;
const HEIGHT = 40;
const GAP_X = 18;
const GAP_Y = 34;

/**
 * A picture of the graph that leads to a value: leaves on top, each operation under what it uses, with name, shape and value; the scope as a
 * tooltip. A self-contained SVG document that follows light and dark colour schemes. Throws GraphError above `maxNodes`.
 *
 * @example
 * import { param } from "@unroll/autograd";
 * import { toSvg } from "@unroll/autograd/inspect";
 * const svg = toSvg(param(2, { name: "w" }).square());
 * console.log(svg.startsWith("<svg"), svg.includes("square")); // true true
 */
export function toSvg(root: Value, { maxNodes = 200 }: SvgOptions = {}): string {
  const boxes = boxesOf(root, maxNodes);
  const layers: Box[][] = [];
  for (const box of boxes) (layers[box.layer] ??= []).push(box);
  place(layers);
  const width = Math.max(...boxes.map((b) => b.x)) + WIDTH + GAP_X;
  const height = layers.length * (HEIGHT + GAP_Y) + GAP_Y / 2;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="ui-sans-serif, system-ui, sans-serif" font-size="12" role="img" aria-label="graph of ${boxes.length} nodes">
<style>${STYLE}</style>
${boxes.flatMap((box) => box.from.map((from) => edge(from, box))).join("\n")}
${boxes.map(draw).join("\n")}
</svg>
`;
}

const STYLE =
  "rect{fill:#f4f4f5;stroke:#71717a}text{fill:#18181b;text-anchor:middle}.detail{fill:#52525b;font-size:10px}.leaf rect{fill:#dbeafe;stroke:#2563eb}.constant rect{fill:#fff;stroke-dasharray:3 2}path{stroke:#71717a;fill:none}" +
  "@media(prefers-color-scheme:dark){rect{fill:#27272a;stroke:#a1a1aa}text{fill:#fafafa}.detail{fill:#d4d4d8}.leaf rect{fill:#1e3a8a;stroke:#93c5fd}.constant rect{fill:#18181b}path{stroke:#a1a1aa}}";

function boxesOf(root: Value, maxNodes: number): Box[] {
  const { nodes, roots } = graphOf([root], null);
  if (nodes.length > maxNodes)
    throw new GraphError(`toSvg: the graph has ${nodes.length} operations, more than ${maxNodes}; draw a smaller one, or raise maxNodes`);
  const boxes: Box[] = [];
  const ofNode = new Map<GraphNode, Box>();
  const ofLeaf = new Map<unknown, Box>();
  const leafBox = (leaf: Value): Box => {
    let box = ofLeaf.get(leaf);
    if (box === undefined) {
      box = add(boxes, { title: (leaf as Param).name || "param", detail: describe(leaf.payload), kind: "leaf", scope: null, from: [] });
      ofLeaf.set(leaf, box);
    }
    return box;
  };
  for (const node of [...nodes].reverse()) {
    const from = node.sources.map((source, k) => {
      if (source === null)
        return add(boxes, { title: describe(node.operands[k]), detail: "constant", kind: "constant", scope: null, from: [] });
      return "leaf" in source ? leafBox(source.leaf) : (ofNode.get(source.node) as Box);
    });
    ofNode.set(node, add(boxes, { title: node.op.name, detail: describe(node.outputs[0]), kind: "op", scope: node.scope, from }));
  }
  const [only] = roots;
  if (nodes.length === 0) {
    if (only && "leaf" in only) leafBox(only.leaf);
    else add(boxes, { title: describe(root.payload), detail: "constant", kind: "constant", scope: null, from: [] });
  }
  return boxes;
}

function add(boxes: Box[], box: Omit<Box, "layer" | "x" | "y">): Box {
  const placed = { ...box, layer: box.from.reduce((layer, b) => Math.max(layer, b.layer + 1), 0), x: 0, y: 0 };
  boxes.push(placed);
  return placed;
}

/** A number for a scalar, the shape for an array. */
function describe(x: Value["payload"] | ArrayType | undefined): string {
  if (x === undefined) return "";
  if (typeof x === "number") return String(Number(x.toPrecision(4)));
  const type = x instanceof ArrayType ? x : typeOf(x);
  return type.shape.length === 0 ? type.dtype : `[${type.shape.join(", ")}]`;
}

/** Leaves and constants move down to just above their first use; each layer is then ordered by where its sources lie. */
function place(layers: Box[][]): void {
  const all = layers.flat();
  for (const box of all) {
    if (box.kind === "op") continue;
    const users = all.filter((b) => b.from.includes(box));
    if (users.length > 0) box.layer = Math.min(...users.map((b) => b.layer)) - 1;
  }
  layers.forEach((_, k) => {
    layers[k] = all.filter((box) => box.layer === k);
  });
  const widest = Math.max(...layers.map((layer) => layer.length));
  layers.forEach((layer, k) => {
    if (k > 0) layer.sort((p, q) => centre(p) - centre(q));
    const indent = ((widest - layer.length) * (WIDTH + GAP_X)) / 2;
    layer.forEach((box, j) => {
      box.x = GAP_X / 2 + indent + j * (WIDTH + GAP_X);
      box.y = GAP_Y / 2 + k * (HEIGHT + GAP_Y);
    });
  });
}

function centre(box: Box): number {
  const placed = box.from.filter((b) => b.y > 0 || b.x > 0);
  return placed.length === 0 ? Number.MAX_VALUE : placed.reduce((sum, b) => sum + b.x, 0) / placed.length;
}

function edge(from: Box, to: Box): string {
  const [x1, y1, x2, y2] = [from.x + WIDTH / 2, from.y + HEIGHT, to.x + WIDTH / 2, to.y];
  const middle = (y1 + y2) / 2;
  return `<path d="M${x1} ${y1}C${x1} ${middle} ${x2} ${middle} ${x2} ${y2}"/>`;
}

function draw({ title, detail, kind, scope, x, y }: Box): string {
  const tip = scope === null ? "" : `<title>${escape(scope)}</title>`;
  const middle = x + WIDTH / 2;
  return `<g class="${kind}">${tip}<rect x="${x}" y="${y}" width="${WIDTH}" height="${HEIGHT}" rx="6"/><text x="${middle}" y="${y + 17}">${escape(title)}</text><text class="detail" x="${middle}" y="${y + 32}">${escape(detail)}</text></g>`;
}

function escape(text: string): string {
  return text.replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);
}
