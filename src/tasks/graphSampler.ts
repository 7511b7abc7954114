import { Random } from '../common/random';

// Sets of vertices are bits: vertex v is bit v − 1.

/** Whose distance is asked for. */
export const targetRules = ['vertex 2', 'on path', 'any'] as const;

/** Which graphs and targets are drawn. */
export interface Distribution {
  /** Vertices of the smallest and of the largest graphs; all sizes are equally frequent. */
  readonly smallest: number;
  readonly largest: number;
  readonly target: (typeof targetRules)[number];
  /** The largest target; at least 3 unless it is always vertex 2. */
  readonly targetLimit: number;
  /** Distances that more than this share of the graphs of a size have, before any are thinned, are thinned to so many. */
  readonly balance: number;
}

/** A graph of `n` vertices and as many edges, with a target and its distance: `n` where there is no path. */
export interface DrawnGraph {
  readonly vertices: number;
  /** The lower and the higher end of each edge; only the first `n` count. */
  readonly first: Int32Array;
  readonly second: Int32Array;
  readonly target: number;
  readonly distance: number;
}

/** Graphs by which it is found out how frequent the distances are. */
const pilotGraphs = 20_000;

/**
 * Draws random graphs with labels, fast enough to do so while a model trains: `n` edges of `n` vertices, each any pair of
 * different ones, drawn with replacement; the label is the distance from vertex 1, or `n` where there is no path.
 */
export class GraphSampler {
  /** All pairs a < b, those of fewer vertices first: the pairs of n vertices are the first n (n − 1) / 2. */
  private readonly first: Int32Array;
  private readonly second: Int32Array;
  private readonly neighbours = new Int32Array(32);
  private readonly drawn: { -readonly [K in keyof DrawnGraph]: DrawnGraph[K] };
  private readonly layers = new Int32Array(32);
  private readonly layersBack = new Int32Array(32);
  /** Size → distance → the share of its graphs that is kept. */
  private kept: ReadonlyMap<number, Float64Array> | undefined;

  constructor(private readonly distribution: Distribution) {
    const { largest } = distribution;
    const pairs = Array.from({ length: largest }, (_, b) => Array.from({ length: b }, (__, a) => [a + 1, b + 1] as const)).flat();
    this.first = Int32Array.from(pairs, ([a]) => a);
    this.second = Int32Array.from(pairs, ([, b]) => b);
    this.drawn = { vertices: 0, first: new Int32Array(largest), second: new Int32Array(largest), target: 0, distance: 0 };
  }

  /** Draws so many examples and hands each on, which is the next one's when the hand returns. */
  draw(random: Random, count: number, take: (row: number, drawn: DrawnGraph) => void): void {
    const { smallest, largest, balance } = this.distribution;
    const kept = balance < 1 ? (this.kept ??= this.keptShares()) : undefined;
    for (let row = 0; row < count; row++) {
      const n = smallest + random.below(largest - smallest + 1);
      const shares = kept?.get(n);
      do this.drawOne(random, n);
      while (shares && random.uniform() >= (shares[this.drawn.distance] ?? 1));
      take(row, this.drawn);
    }
  }

  /** Draws graphs of `n` vertices until one has a target as the distribution wants it. */
  private drawOne(random: Random, n: number): void {
    const { drawn, neighbours } = this;
    const pairCount = (n * (n - 1)) / 2;
    drawn.vertices = n;
    do {
      neighbours.fill(0, 1, n + 1);
      for (let edge = 0; edge < n; edge++) {
        const pair = random.below(pairCount);
        const [a, b] = [this.first[pair] ?? 0, this.second[pair] ?? 0];
        drawn.first[edge] = a;
        drawn.second[edge] = b;
        neighbours[a] = (neighbours[a] ?? 0) | (1 << (b - 1));
        neighbours[b] = (neighbours[b] ?? 0) | (1 << (a - 1));
      }
    } while (!this.chooseTarget(random, n));
  }

  /** Whether there is such a target in the graph that was drawn; then it is set, with its distance. */
  private chooseTarget(random: Random, n: number): boolean {
    const { drawn, distribution: { target, targetLimit } } = this;
    switch (target) {
      case 'vertex 2':
        drawn.target = 2;
        break;
      case 'any':
        drawn.target = 3 + random.below(Math.min(n, targetLimit) - 2);
        break;
      case 'on path': {
        const between = this.betweenOneAndTwo() & below(targetLimit);
        if (between === 0) return false;
        drawn.target = memberOf(between, random.below(sizeOf(between)));
        break;
      }
      default: target satisfies never;
    }
    const distance = this.layersTo(1, drawn.target, this.layers);
    drawn.distance = distance < 0 ? n : distance;
    return true;
  }

  /**
   * Fills `layers` with the sets of vertices at distance 0, 1, … from `start`, up to that of `end`, whose distance it returns;
   * −1 where there is no path.
   */
  private layersTo(start: number, end: number, layers: Int32Array): number {
    const goal = bit(end);
    let reached = bit(start);
    let frontier = reached;
    for (let distance = 0; frontier !== 0; distance++) {
      layers[distance] = frontier;
      if (frontier & goal) return distance;
      let next = 0;
      for (let left = frontier; left !== 0; left &= left - 1) next |= this.neighbours[lowestOf(left)] ?? 0;
      frontier = next & ~reached;
      reached |= frontier;
    }
    return -1;
  }

  /** The vertices between 1 and 2 on their shortest paths. */
  private betweenOneAndTwo(): number {
    const length = this.layersTo(1, 2, this.layers);
    if (length < 2) return 0;
    this.layersTo(2, 1, this.layersBack);
    let between = 0;
    for (let distance = 1; distance < length; distance++) between |= (this.layers[distance] ?? 0) & (this.layersBack[length - distance] ?? 0);
    return between;
  }

  /** The same for every model: how frequent distances are is no matter of its seed. */
  private keptShares(): ReadonlyMap<number, Float64Array> {
    const { smallest, largest, balance } = this.distribution;
    const random = new Random(0, 'balance');
    return new Map(Array.from({ length: largest - smallest + 1 }, (_, index) => {
      const n = smallest + index;
      const counts = new Float64Array(n + 1);
      for (let graph = 0; graph < pilotGraphs; graph++) {
        this.drawOne(random, n);
        counts[this.drawn.distance] = (counts[this.drawn.distance] ?? 0) + 1;
      }
      const kept = counts.map(count => (count === 0 ? 1 : Math.min(1, (balance * pilotGraphs) / count)));
      // Where all are thinned, all can be thinned less.
      const most = Math.max(...kept.filter((_, distance) => (counts[distance] ?? 0) > 0));
      return [n, kept.map(share => Math.min(1, share / most))];
    }));
  }
}

function bit(vertex: number): number {
  return 1 << (vertex - 1);
}

/** The vertices up to one. */
function below(limit: number): number {
  return limit >= 31 ? -1 : (1 << limit) - 1;
}

/** The vertex of the lowest bit. */
function lowestOf(set: number): number {
  return 32 - Math.clz32(set & -set);
}

function sizeOf(set: number): number {
  let size = 0;
  for (let left = set; left !== 0; left &= left - 1) size++;
  return size;
}

/** The vertex of the set with so many below it. */
function memberOf(set: number, place: number): number {
  let left = set;
  for (let skipped = 0; skipped < place; skipped++) left &= left - 1;
  return lowestOf(left);
}
