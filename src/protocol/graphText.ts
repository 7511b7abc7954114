import { UserError } from '../common/errors';

/** An edge between two vertices, by their numbers. */
export type GraphEdge = readonly [number, number];

/**
 * The edges of a graph from a text: `1-3 3-4 2-4`, or its numbers alone, two an edge, separated by blanks or commas.
 * Empty for no edges. Which numbers are vertices is the task's to say.
 * @throws UserError for what is no number, an end without a partner, or a vertex joined to itself.
 */
export function parseGraph(text: string): readonly GraphEdge[] {
  const parts = text.split(/[\s,]+/).filter(part => part !== '');
  const edges: GraphEdge[] = [];
  let first: number | undefined;
  for (const part of parts) {
    const ends = part.split(/[-–]/).map(end => vertexOf(end, part));
    const [one, other] = ends;
    if (ends.length > 2 || one === undefined) throw new UserError(`"${part}" is no edge: an edge has two ends, as in 1-3.`);
    if (other !== undefined) {
      if (first !== undefined) throw withoutPartner(first);
      edges.push(edgeBetween(one, other));
    } else if (first === undefined) {
      first = one;
    } else {
      edges.push(edgeBetween(first, one));
      first = undefined;
    }
  }
  if (first !== undefined) throw withoutPartner(first);
  return edges;
}

/** The text that `parseGraph` reads as these edges. */
export function formatGraph(edges: readonly GraphEdge[]): string {
  return edges.map(([one, other]) => `${one}-${other}`).join(' ');
}

function vertexOf(end: string, part: string): number {
  if (/^\d{1,9}$/.test(end)) return Number(end);
  if (end !== '') throw new UserError(`"${end}" is no number of a vertex: edges are written 1-3 3-4.`);
  throw new UserError(`"${part}" has an end without a partner: an edge is written 1-3, without blanks around the line.`);
}

function edgeBetween(one: number, other: number): GraphEdge {
  if (one === other) throw new UserError(`The edge ${one}-${other} joins a vertex to itself.`);
  return [one, other];
}

function withoutPartner(end: number): UserError {
  return new UserError(`The end ${end} has no partner: an edge has two, as in ${end}-${end === 1 ? 2 : 1}.`);
}
