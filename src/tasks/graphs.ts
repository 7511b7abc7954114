import { UserError } from '../common/errors';

/** A graph in which the way from vertex 1 to the target is asked for. */
export interface PosedGraph {
  /** Vertices are 1 to this number. */
  readonly vertices: number;
  /** Undirected, in the order in which a prompt has them. */
  readonly edges: readonly (readonly [number, number])[];
  readonly target: number;
}

/** What a position of a prompt stands for: an edge by its place in the list, or a vertex. */
export type GraphPlace = { readonly edge: number } | { readonly vertex: number };

/** How the prompts of a task are graphs. */
export interface GraphReading {
  /** The most vertices that a graph can have. */
  readonly vertices: number;
  /** The most edges. */
  readonly maximumEdges: number;
  /** The graph of a prompt `[T]`; undefined where it poses none. */
  read(prompt: readonly number[]): PosedGraph | undefined;
  /** @throws UserError when the task cannot pose the graph: which vertex, edge or target is wrong, and what would fit. */
  write(graph: PosedGraph): readonly number[];
  /** What a position stands for; undefined for one that holds nothing. */
  placeOf(position: number, graph: PosedGraph): GraphPlace | undefined;
}

/** @throws UserError for an edge that does not join two different vertices of 1 to `vertices`. */
export function checkEdges(edges: PosedGraph['edges'], vertices: number): void {
  for (const [a, b] of edges) {
    const wrong = [a, b].find(vertex => !Number.isInteger(vertex) || vertex < 1 || vertex > vertices);
    if (wrong !== undefined) throw new UserError(`The edge ${a}-${b} has the vertex ${wrong}; the vertices of this model are 1 to ${vertices}.`);
    if (a === b) throw new UserError(`The edge ${a}-${b} joins a vertex to itself; an edge has two different ends.`);
  }
}
