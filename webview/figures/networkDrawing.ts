import type { NetworkFigure, NetworkNode, NetworkPlace } from '../../src/protocol/figure';
import { anchorRadius, layOutNetwork } from '../../src/protocol/network/layout';
import type { LegendKey, PlacedNode } from '../../src/protocol/network/shapes';
import { coloursFor } from '../colours';
import { svgElement } from '../elements';
import type { Theme } from '../theme';
import { textWidth } from './text';

export interface NetworkDrawing {
  readonly root: SVGSVGElement;
  readonly width: number;
  readonly height: number;
  /** In the order of the figure. */
  readonly nodes: readonly SVGGElement[];
  /** In the order of the figure. */
  readonly links: readonly SVGGElement[];
  readonly arrows: readonly DrawnArrow[];
}

export interface DrawnArrow {
  /** Its place among the arrows of the figure. */
  readonly index: number;
  readonly from: NetworkPlace;
  readonly to: NetworkPlace;
  readonly shape: SVGGElement;
}

/** Draws the lines, over them the arrows, over them the nodes, within `available` pixels of width. */
export function drawNetwork(figure: NetworkFigure, theme: Theme, available: number): NetworkDrawing {
  const measure = (text: string, size: number) => textWidth(text, `${size}px ${theme.font}`);
  const layout = layOutNetwork(figure, available, measure);
  const { width, height, fontSize } = layout;
  const links = layout.links.map(({ path, anchor, hasArrows }, at) => svgElement('g', { class: 'network-link' },
    svgElement('path', { class: 'network-reach', d: path, fill: 'none', stroke: 'transparent', 'stroke-width': 12 }),
    figure.links[at]?.marked === true
      ? svgElement('path', { d: path, fill: 'none', stroke: pathColour(theme), 'stroke-width': 5, 'stroke-linecap': 'round' })
      : svgElement('path', { d: path, fill: 'none', stroke: theme.muted, 'stroke-width': 1.25, 'stroke-opacity': theme.highContrast ? 1 : 0.6 }),
    hasArrows ? svgElement('circle', { cx: anchor.x, cy: anchor.y, r: anchorRadius, fill: theme.background, stroke: theme.foreground, 'stroke-width': 1.25 }) : undefined));
  const arrows = layout.arrows.map(({ index, arrow: { from, to, weight }, path, head, strokeWidth }) => {
    const colour = arrowColour(theme);
    return { index, from, to, shape: svgElement('g', { class: 'network-arrow', opacity: theme.highContrast ? 1 : 0.2 + 0.8 * weight },
      svgElement('path', { class: 'network-reach', d: path, fill: 'none', stroke: 'transparent', 'stroke-width': strokeWidth + 7 }),
      svgElement('path', { d: path, fill: 'none', stroke: colour, 'stroke-width': strokeWidth }),
      svgElement('path', { d: head, fill: colour })) };
  });
  const nodes = layout.nodes.map((placed, at) => {
    const node = figure.nodes[at];
    return svgElement('g', { class: 'network-node' },
      ...outlines(placed, node?.mark, theme),
      svgElement('text', {
        x: placed.x, y: placed.y, 'text-anchor': 'middle', 'dominant-baseline': 'central', fill: theme.foreground, 'font-size': fontSize,
        'font-weight': node?.mark === undefined ? 400 : 600,
      }, node?.label ?? ''));
  });
  const root = svgElement('svg', { class: 'network-drawing', width, height, viewBox: `0 0 ${width} ${height}`, 'font-family': theme.font },
    ...links, ...arrows.map(({ shape }) => shape), ...nodes, ...layout.legend.map(key => legendKey(key, fontSize, theme)));
  return { root, width, height, nodes, links, arrows };
}

function outlines({ x, y, outlines: all }: PlacedNode, mark: NetworkNode['mark'], theme: Theme): readonly SVGRectElement[] {
  return all.map(({ halfWidth, halfHeight, corner }, at) => svgElement('rect', {
    class: at === 0 ? 'network-outline' : undefined,
    x: x - halfWidth, y: y - halfHeight, width: 2 * halfWidth, height: 2 * halfHeight, rx: corner,
    fill: theme.background, stroke: mark === undefined ? theme.muted : pathColour(theme),
    'stroke-width': mark === undefined ? 1.25 : all.length > 1 ? 1.75 : 2.5,
  }));
}

function legendKey(key: LegendKey, fontSize: number, theme: Theme): SVGGElement {
  return svgElement('g', { class: 'network-key' }, ...outlines(key, key.mark, theme),
    svgElement('text', { x: key.textX, y: key.y, 'dominant-baseline': 'central', fill: theme.muted, 'font-size': fontSize }, key.text));
}

const pathColour = (theme: Theme) => coloursFor(theme).series[0];
const arrowColour = (theme: Theme) => coloursFor(theme).series[1];
