import { formatNumber } from '../../common/numbers';
import type { NetworkFigure, NetworkNode } from '../../protocol/figure';
import { anchorRadius, layOutNetwork } from '../../protocol/network/layout';
import type { PlacedNode } from '../../protocol/network/shapes';
import { placeName } from '../../protocol/network/words';
import { markup, type Markup } from './markup';
import { short, textWidth } from './matrix';

const drawnWidth = 440;

/** A graph in the plane: the lines, over them the arrows, over them the nodes. */
export function drawNetwork(figure: NetworkFigure): Markup {
  const { width, height, fontSize, nodes, links, arrows, legend } = layOutNetwork(figure, drawnWidth, textWidth);
  return markup`<svg class="network" viewBox="0 0 ${width} ${height}" style="max-width:${width}px" role="img" aria-label="${figure.title}">
    ${links.map(({ path, anchor, hasArrows }, at) => markup`<path class="link${figure.links[at]?.marked === true ? ' marked' : ''}" d="${path}"><title>${placeName(figure, { link: at })}</title></path>${
      hasArrows ? markup`<circle class="node" cx="${short(anchor.x)}" cy="${short(anchor.y)}" r="${anchorRadius}"/>` : undefined}`)}
    ${arrows.map(({ arrow, path, head, strokeWidth }) => markup`<g class="arrow" opacity="${short(0.2 + 0.8 * arrow.weight)}"><title>${placeName(figure, arrow.from)} → ${placeName(figure, arrow.to)}: ${formatNumber(arrow.weight)}</title>
        <path class="shaft" stroke-width="${short(strokeWidth)}" d="${path}"/><path class="tip" d="${head}"/></g>`)}
    ${nodes.map((placed, at) => {
      const { label = '', mark } = figure.nodes[at] ?? {};
      return markup`${drawOutlines(placed, mark)}<text class="ink middle" font-size="${short(fontSize)}" x="${short(placed.x)}" y="${short(placed.y)}" dy=".35em">${label}</text>`;
    })}
    ${legend.map(key => markup`${drawOutlines(key, key.mark)}<text class="tick" font-size="${short(fontSize)}" x="${short(key.textX)}" y="${short(key.y)}" dy=".35em">${key.text}</text>`)}
  </svg>`;
}

function drawOutlines({ x, y, outlines }: PlacedNode, mark: NetworkNode['mark']): readonly Markup[] {
  return outlines.map(({ halfWidth, halfHeight, corner }) =>
    markup`<rect class="node${mark === undefined ? '' : ' marked'}" x="${short(x - halfWidth)}" y="${short(y - halfHeight)}" width="${short(2 * halfWidth)}" height="${short(2 * halfHeight)}" rx="${short(corner)}"/>`);
}
