import type { NetworkFigure, NetworkLink, NetworkNode, NetworkPlace } from '../figure';

/** Arrows lighter than this are in the table, not in the drawing. */
export const lightestArrow = 0.02;

/** What the marks of a node are called. */
export const markWords = { start: 'start', end: 'end', path: 'on the path' } as const satisfies Record<NonNullable<NetworkNode['mark']>, string>;

type Network = Pick<NetworkFigure, 'nodes' | 'links' | 'arrows'>;

/** What a place is called: a node by its label, a link by those of its ends, `1-3 (2)` where it is the second of two. */
export function placeName({ nodes, links }: Pick<Network, 'nodes' | 'links'>, place: NetworkPlace): string {
  const labelOf = (id: string) => nodes.find(node => node.id === id)?.label ?? id;
  if ('node' in place) return labelOf(place.node);
  const link = links[place.link];
  if (!link) return String(place.link);
  const before = links.slice(0, place.link).filter(each => joinsTheSame(each, link)).length;
  return `${labelOf(link.from)}-${labelOf(link.to)}${before === 0 ? '' : ` (${before + 1})`}`;
}

/** Whether two links join the same nodes. */
export function joinsTheSame(one: NetworkLink, other: NetworkLink): boolean {
  return (one.from === other.from && one.to === other.to) || (one.from === other.to && one.to === other.from);
}

export function samePlace(one: NetworkPlace, other: NetworkPlace): boolean {
  return 'node' in one ? 'node' in other && one.node === other.node : 'link' in other && one.link === other.link;
}

export const networkColumns = ['Kind', 'From', 'To', 'Mark', 'Weight'] as const;

/** The links and then the arrows as rows: what it is, from where, to where, the mark of a link, the weight of an arrow. */
export function networkRows(figure: Network): readonly (readonly [string, string, string, string, number | ''])[] {
  const name = (place: NetworkPlace) => placeName(figure, place);
  return [
    ...figure.links.map(({ from, to, marked }) => ['link', name({ node: from }), name({ node: to }), marked === true ? markWords.path : '', ''] as const),
    ...figure.arrows.map(({ from, to, weight }) => ['arrow', name(from), name(to), '', weight] as const),
  ];
}
