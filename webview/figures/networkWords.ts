import type { NetworkFigure, NetworkNode, NetworkPlace } from '../../src/protocol/figure';
import { markWords, placeName, samePlace } from '../../src/protocol/network/words';
import { formatWeight } from '../numbers';
import { nameHeaviest } from './heaviest';

/** What the cursor can be on. */
export type NetworkItem = NetworkPlace | { readonly arrow: number };

/** A node, a link or an arrow in words, with all that comes from it and goes to it. */
export function describeItem(figure: NetworkFigure, item: NetworkItem): string {
  const name = (place: NetworkPlace) => placeName(figure, place);
  if ('arrow' in item) {
    const arrow = figure.arrows[item.arrow];
    return arrow ? `${name(arrow.from)} → ${name(arrow.to)}: ${formatWeight(arrow.weight)}` : '';
  }
  const itself = 'node' in item ? describeNode(figure, item.node) : `${name(item)}${figure.links[item.link]?.marked === true ? ` (${markWords.path})` : ''}`;
  if (figure.arrows.length === 0) return itself;
  const list = (end: 'from' | 'to', other: 'from' | 'to') =>
    nameHeaviest(figure.arrows.filter(arrow => samePlace(arrow[end], item)), arrow => `${name(arrow[other])} ${formatWeight(arrow.weight)}`);
  return `${itself}: from ${list('to', 'from')}; to ${list('from', 'to')}`;
}

function describeNode({ nodes, links }: NetworkFigure, id: string): string {
  const node: NetworkNode | undefined = nodes.find(each => each.id === id);
  const neighbours = nodes.filter(each => links.some(({ from, to }) => (from === id && to === each.id) || (to === id && from === each.id)));
  const mark = node?.mark === undefined ? '' : ` (${markWords[node.mark]})`;
  return `${node?.label ?? id}${mark}, joined to ${neighbours.length === 0 ? 'nothing' : neighbours.map(({ label }) => label).join(', ')}`;
}
