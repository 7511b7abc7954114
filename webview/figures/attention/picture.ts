import type { AttentionFigure } from '../../../src/protocol/figure';
import { svgElement } from '../../elements';
import { serialised, titledPicture } from '../../export/picture';
import type { Theme } from '../../theme';
import { headTitle, sameHead, type HeadName } from '../../subjects';
import type { Picture } from '../view';
import { layOutMatrix, matrixLabels } from './matrixLayout';
import { patternShapes, weightColours } from './paint';

const [thumbnailSize, gap, headingHeight] = [72, 10, 18];
const largeWidth = 620;

/** All heads small and the picked one large, as the page shows them. */
export function attentionPicture(figure: AttentionFigure, picked: HeadName, theme: Theme): Picture {
  const { heads, tokens, allowed } = figure;
  const positions = tokens.length;
  const colours = weightColours(theme);
  const group = svgElement('g', { 'font-size': theme.fontSize - 1, fill: theme.foreground }, hatch(theme));
  const pattern = (values: Float32Array, x: number, y: number, size: number, frame: string) => svgElement('g', { transform: `translate(${x} ${y})` },
    svgElement('rect', { width: size, height: size, fill: 'url(#masked)' }),
    svgElement('g', { transform: `scale(${size / Math.max(1, positions)})` }, patternShapes(values, allowed, positions, colours)),
    svgElement('rect', { width: size, height: size, fill: 'none', stroke: frame }));

  let [x, height] = [0, 0];
  if (heads.length > 1) {
    const layers = [...new Set(heads.map(({ layer }) => layer))].sort((a, b) => a - b);
    const columns = [...new Set(heads.map(({ head }) => head))].sort((a, b) => a - b);
    for (const head of heads) {
      const left = columns.indexOf(head.head) * (thumbnailSize + gap);
      const top = layers.indexOf(head.layer) * (thumbnailSize + gap + headingHeight);
      group.append(
        svgElement('text', { x: left, y: top + 12 }, headTitle(head)),
        pattern(head.pattern, left, top + headingHeight, thumbnailSize, sameHead(head, picked) ? theme.accent : theme.muted),
      );
    }
    x = columns.length * (thumbnailSize + gap) + 24;
    height = layers.length * (thumbnailSize + gap + headingHeight);
  }
  const large = heads.find(head => sameHead(head, picked));
  if (!large) return titledPicture(figure.title, serialised(group), { width: x, height }, theme);
  const layout = layOutMatrix(tokens, largeWidth, theme);
  group.append(svgElement('g', { transform: `translate(${x} 0)` },
    svgElement('text', { x: 0, y: 12, 'font-weight': 600 }, headTitle(large)),
    svgElement('g', { transform: `translate(0 ${headingHeight})` },
      matrixLabels(tokens, layout, theme),
      pattern(large.pattern, layout.left, layout.top, layout.cell * positions, theme.muted))));
  return titledPicture(figure.title, serialised(group), { width: x + layout.width, height: Math.max(height, layout.height + headingHeight) }, theme);
}

/** The ground under what the mask forbids. */
function hatch(theme: Theme): SVGElement {
  return svgElement('defs', {}, svgElement('pattern', { id: 'masked', width: 6, height: 6, patternUnits: 'userSpaceOnUse' },
    svgElement('rect', { width: 6, height: 6, fill: theme.background }),
    svgElement('path', { d: 'M-1 7L7 -1M-1 1L1 -1M5 7L7 5', stroke: theme.muted, 'stroke-width': 0.8, opacity: 0.6 })));
}
