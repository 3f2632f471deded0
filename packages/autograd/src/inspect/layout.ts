/** A place in a drawing by layers. Where it has no box, a long edge passes between the boxes of its layer. */
export interface Place<B> {
  readonly box: B | null;
  readonly layer: number;
  /** Neighbours in the layer above and below. */
  readonly above: Place<B>[];
  readonly below: Place<B>[];
  /** Its middle. */
  x: number;
}

const SWEEPS = 24;
/** How much more a long edge wants to be straight than a box to stand under what it uses. */
const STRAIGHT = 4;

/**
 * A directed acyclic graph in layers, top to bottom, as K. Sugiyama, S. Tagawa and M. Toda draw it (Methods for visual understanding of
 * hierarchical system structures, 1981): an edge over several layers passes a place in each, the edges of one node the same places; layers are ordered
 * by the means of their neighbours' places, so that few edges cross; then places move towards their neighbours, in that order and `spaceOf`
 * apart. Boxes come in an order in which sources are before what uses them.
 */
export function layered<B>(
  boxes: readonly B[],
  sourcesOf: (box: B) => readonly B[],
  spaceOf: (place: Place<B>) => number,
): readonly (readonly Place<B>[])[] {
  const layers = placed(boxes, layerOfEach(boxes, sourcesOf), sourcesOf);
  order(layers);
  for (const layer of layers) spread(layer, spaceOf, () => 0);
  sweep(layers, SWEEPS, (layer, neighbours) => spread(layer, spaceOf, (place) => mean(neighbours(place)) ?? place.x));
  return layers;
}

/**
 * As high as its sources let it. But what uses nothing stands just above its first use, and so does what only uses that, or what goes on
 * further down anyway: no edge becomes longer than it was.
 */
function layerOfEach<B>(boxes: readonly B[], sourcesOf: (box: B) => readonly B[]): Map<B, number> {
  const layers = new Map<B, number>();
  const users = new Map<B, B[]>();
  const layerOf = (box: B): number => layers.get(box) as number;
  for (const box of boxes) {
    users.set(box, []);
    layers.set(box, 1 + sourcesOf(box).reduce((layer, source) => Math.max(layer, layerOf(source)), -1));
    for (const source of sourcesOf(box)) users.get(source)?.push(box);
  }
  for (const box of [...boxes].reverse()) {
    const below = (users.get(box) as B[]).reduce((layer, user) => Math.min(layer, layerOf(user)), Infinity);
    const goesOn = (source: B): boolean =>
      sourcesOf(source).length === 0 || (users.get(source) as B[]).some((user) => user !== box && layerOf(user) >= below - 1);
    if (below < Infinity && sourcesOf(box).every(goesOn)) layers.set(box, below - 1);
  }
  return layers;
}

function placed<B>(boxes: readonly B[], layerOf: ReadonlyMap<B, number>, sourcesOf: (box: B) => readonly B[]): Place<B>[][] {
  const layers: Place<B>[][] = [];
  const add = (box: B | null, layer: number): Place<B> => {
    const place = { box, layer, above: [], below: [], x: 0 };
    (layers[layer] ??= []).push(place);
    return place;
  };
  /** By box, its own place and those that its edges pass, one a layer. */
  const ways = new Map<B, Place<B>[]>();
  for (const box of boxes) {
    const place = add(box, layerOf.get(box) as number);
    ways.set(box, [place]);
    for (const source of sourcesOf(box)) {
      const way = ways.get(source) as [Place<B>, ...Place<B>[]];
      const [{ layer: top }] = way;
      while (top + way.length < place.layer) way.push(joined(way[way.length - 1] as Place<B>, add(null, top + way.length)));
      joined(way[place.layer - top - 1] as Place<B>, place);
    }
  }
  return layers;
}

function joined<B>(upper: Place<B>, lower: Place<B>): Place<B> {
  upper.below.push(lower);
  lower.above.push(upper);
  return lower;
}

/** Goes down the layers and up, in turns; each time what counts are the neighbours on the side from which one comes. */
function sweep<B>(
  layers: readonly Place<B>[][],
  times: number,
  visit: (layer: Place<B>[], neighbours: (place: Place<B>) => readonly Place<B>[]) => void,
): void {
  for (let k = 0; k < times; k++) {
    if (k % 2 === 0) for (const layer of layers.slice(1)) visit(layer, ({ above }) => above);
    else for (const layer of layers.slice(0, -1).reverse()) visit(layer, ({ below }) => below);
  }
}

const mean = (places: readonly { readonly x: number }[]): number | null =>
  places.length === 0 ? null : places.reduce((sum, { x }) => sum + x, 0) / places.length;

/** Orders each layer; of the orders that the sweeps come to, the one with the fewest crossings stays. */
function order<B>(layers: Place<B>[][]): void {
  const number = (layer: Place<B>[]): void => layer.forEach((place, k) => (place.x = k));
  layers.forEach(number);
  let [fewest, best] = [crossings(layers), layers.map((layer) => [...layer])];
  for (let k = 0; k < SWEEPS && fewest > 0; k++) {
    sweep(layers, 1 + (k % 2), (layer, neighbours) => {
      const wanted = new Map(layer.map((place) => [place, mean(neighbours(place)) ?? place.x]));
      layer.sort((p, q) => (wanted.get(p) as number) - (wanted.get(q) as number));
      number(layer);
    });
    const found = crossings(layers);
    if (found < fewest) [fewest, best] = [found, layers.map((layer) => [...layer])];
  }
  best.forEach((layer, k) => layers[k]?.splice(0, layer.length, ...layer));
}

function crossings<B>(layers: readonly (readonly Place<B>[])[]): number {
  let count = 0;
  for (const layer of layers) {
    const edges = layer.flatMap(({ x, below }) => below.map((lower) => [x, lower.x] as const));
    edges.forEach(([p, q], k) => {
      for (const [r, s] of edges.slice(k + 1)) if ((p - r) * (q - s) < 0) count++;
    });
  }
  return count;
}

/**
 * Moves the places of a layer as near as can be to where they want to be, in their order and their space apart: least squares, by joining
 * neighbours that want to be on the other side of one another into blocks (pool adjacent violators).
 */
function spread<B>(layer: readonly Place<B>[], spaceOf: (place: Place<B>) => number, wantedOf: (place: Place<B>) => number): void {
  const blocks: { readonly places: Place<B>[]; readonly starts: number[]; at: number; weight: number; width: number }[] = [];
  for (const place of layer) {
    const space = spaceOf(place);
    let block = {
      places: [place],
      starts: [space / 2],
      at: wantedOf(place) - space / 2,
      weight: place.box === null ? STRAIGHT : 1,
      width: space,
    };
    for (let left = blocks.at(-1); left !== undefined && left.at + left.width > block.at; left = blocks.at(-1)) {
      blocks.pop();
      const weight = left.weight + block.weight;
      block = {
        places: [...left.places, ...block.places],
        starts: [...left.starts, ...block.starts.map((start) => start + (left as { width: number }).width)],
        at: (left.at * left.weight + (block.at - left.width) * block.weight) / weight,
        weight,
        width: left.width + block.width,
      };
    }
    blocks.push(block);
  }
  for (const { places, starts, at } of blocks) places.forEach((place, k) => (place.x = at + (starts[k] as number)));
}
