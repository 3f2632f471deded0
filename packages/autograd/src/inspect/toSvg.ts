import { GraphError } from "../errors.js";
import { type GraphNode, graphOf } from "../tape/graph.js";
import { ArrayType, typeOf } from "../ops/array.js";
import { type Param, type Value } from "../tape/value.js";
import { layered, type Place } from "./layout.js";

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
}

const WIDTH = 116;
const HEIGHT = 40;
const GAP_X = 18;
const GAP_Y = 34;
/** The space for an edge that passes between boxes, and between edges that come to one box. */
const LANE = 16;
const PORT = 12;

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
  const layers = layered(boxes, ({ from }) => from, spaceOf);
  const places = layers.flat();
  const left = places.reduce((least, place) => Math.min(least, place.x - spaceOf(place) / 2), Infinity);
  for (const place of places) place.x = Math.round(place.x - left);
  const width = places.reduce((most, place) => Math.max(most, place.x + spaceOf(place) / 2), 0);
  const height = GAP_Y / 2 + layers.length * (HEIGHT + GAP_Y);
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="ui-sans-serif, system-ui, sans-serif" font-size="12" role="img" aria-label="graph of ${boxes.length} nodes">
<style>${STYLE}</style>
${places.flatMap(edgesTo).join("\n")}
${places.flatMap((place) => (place.box === null ? [] : [draw(place.box, place)])).join("\n")}
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

function add(boxes: Box[], box: Box): Box {
  boxes.push(box);
  return box;
}

/** A number for a scalar, the shape for an array. */
function describe(x: Value["payload"] | ArrayType | undefined): string {
  if (x === undefined) return "";
  if (typeof x === "number") return String(Number(x.toPrecision(4)));
  const type = x instanceof ArrayType ? x : typeOf(x);
  return type.shape.length === 0 ? type.dtype : `[${type.shape.join(", ")}]`;
}

function spaceOf({ box }: Place<Box>): number {
  return box === null ? LANE : WIDTH + GAP_X;
}

function topOf({ layer }: Place<Box>): number {
  return GAP_Y / 2 + layer * (HEIGHT + GAP_Y);
}

/** The edges that come to a place from the layer above, side by side, from left to right; where it has no box, one goes on through it. */
function edgesTo(place: Place<Box>): string[] {
  const y = topOf(place);
  return [...place.above]
    .sort((p, q) => p.x - q.x)
    .map((from, k, { length }) => {
      const x = place.x + (k - (length - 1) / 2) * PORT;
      const curve = `M${from.x} ${y - GAP_Y}C${from.x} ${y - GAP_Y / 2} ${x} ${y - GAP_Y / 2} ${x} ${y}`;
      return `<path d="${curve}${place.box === null ? `V${y + HEIGHT}` : ""}"/>`;
    });
}

function draw({ title, detail, kind, scope }: Box, place: Place<Box>): string {
  const tip = scope === null ? "" : `<title>${escape(scope)}</title>`;
  const [middle, y] = [place.x, topOf(place)];
  return `<g class="${kind}">${tip}<rect x="${middle - WIDTH / 2}" y="${y}" width="${WIDTH}" height="${HEIGHT}" rx="6"/><text x="${middle}" y="${y + 17}">${escape(title)}</text><text class="detail" x="${middle}" y="${y + 32}">${escape(detail)}</text></g>`;
}

function escape(text: string): string {
  return text.replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);
}
