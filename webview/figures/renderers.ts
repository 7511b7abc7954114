import type { FigureKind } from '../../src/protocol/figure';
import { attentionView } from './attention';
import { barsView } from './bars';
import { graphView } from './graph';
import { heatmapView } from './heatmap';
import { histogram2dView } from './histogram2d';
import { linesView } from './lines';
import { networkView } from './network';
import { tableView } from './table';
import type { FigureContext, FigureOf, FigureView } from './view';

export type FigureByKind = { readonly [K in FigureKind]: FigureOf<K> };
type Renderers = { readonly [K in FigureKind]: (figure: FigureByKind[K], context: FigureContext) => FigureView<FigureByKind[K]> };

/** How each kind of figure is drawn; a kind without a renderer does not compile. */
const renderers: Renderers = {
  heatmap: heatmapView,
  attention: attentionView,
  lines: linesView,
  bars: barsView,
  histogram2d: histogram2dView,
  table: tableView,
  graph: graphView,
  network: networkView,
};

export function render<K extends FigureKind>(kind: K, figure: FigureByKind[K], context: FigureContext): FigureView<FigureByKind[K]> {
  return renderers[kind](figure, context);
}
