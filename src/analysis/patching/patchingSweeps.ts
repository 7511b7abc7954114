import type { ModelConfig } from '../../protocol/config';
import type { HeatmapFigure, Subject } from '../../protocol/figure';
import { onCommonScale } from '../commonScale';
import { componentName, type Head } from '../heads';
import { headActivations, type PatchedActivation, type Site } from './patching';

/** What is patched, and what its figure is called. */
export const activationTitles: Readonly<Record<PatchedActivation, string>> = {
  resid_pre: 'Residual stream',
  attn_out: 'Attention output',
  mlp_out: 'MLP output',
  z: 'Head output (z)',
  q: 'Queries',
  k: 'Keys',
  v: 'Values',
  pattern: 'Pattern',
};

interface SweepAxis {
  readonly title: string;
  readonly labels: readonly string[];
  readonly subjects: readonly Subject[];
}

/** One heatmap: its sites fill it row by row. */
export interface Sweep {
  readonly title: string;
  readonly rows: SweepAxis;
  readonly columns: SweepAxis;
  readonly sites: readonly Site[];
}

/** One activation of every layer, by position. */
export function layerSweep(config: ModelConfig, activation: 'resid_pre' | 'attn_out' | 'mlp_out', positions: readonly string[]): Sweep {
  const layers = Array.from({ length: config.n_layers }, (_, layer) => layer);
  return {
    title: activationTitles[activation],
    rows: { title: 'Layer', labels: layers.map(String), subjects: layers.map(layer => ({ layer })) },
    columns: positionAxis('Position', positions),
    sites: layers.flatMap(layer => positions.map((_, position) => ({ activation, layer, position }))),
  };
}

/** Each activation of some heads, by position. */
export function headSweeps(heads: readonly Head[], positions: readonly string[]): readonly Sweep[] {
  return headActivations.map(activation => ({
    title: activationTitles[activation],
    rows: headAxis(heads),
    columns: positionAxis(activation === 'pattern' ? 'Destination' : 'Position', positions),
    sites: heads.flatMap(({ layer, head }) => positions.map((_, position) => ({ activation, layer, head, position }))),
  }));
}

/** Everything by position: the residual stream, the activations of heads, and what attention and MLPs write. */
export function allSweeps(config: ModelConfig, heads: readonly Head[], positions: readonly string[]): readonly Sweep[] {
  const ofLayers = (activation: 'resid_pre' | 'attn_out' | 'mlp_out') => layerSweep(config, activation, positions);
  return [ofLayers('resid_pre'), ...headSweeps(heads, positions), ofLayers('attn_out'), ...(config.attn_only ? [] : [ofLayers('mlp_out')])];
}

/** Each activation of some heads at all positions at once. */
export function wholeHeadSweep(heads: readonly Head[]): Sweep {
  return {
    title: 'Heads at every position',
    rows: headAxis(heads),
    columns: { title: 'Activation', labels: headActivations.map(activation => activationTitles[activation]), subjects: headActivations.map(() => ({})) },
    sites: heads.flatMap(({ layer, head }) => headActivations.map(activation => ({ activation, layer, head }))),
  };
}

/** The heatmaps of some sweeps, of the sites' shares one after the other, in which 1 has the same colour. The scalar is of sites of heads. */
export function sweepFigures(sweeps: readonly Sweep[], shares: Float64Array, { caption, scalar }: { readonly caption: string; readonly scalar?: string }): readonly HeatmapFigure[] {
  let from = 0;
  return onCommonScale(sweeps.map(({ title, rows, columns, sites }): HeatmapFigure => ({
    kind: 'heatmap', title, caption, ...(scalar !== undefined && isOfHeads(sites) && { scalar }), y: rows, x: columns, rows: rows.labels.length, columns: columns.labels.length,
    values: Float32Array.from(shares.subarray(from, from += sites.length)), scale: 'diverging', unit: '',
  })), 1);
}

function isOfHeads(sites: readonly Site[]): boolean {
  return sites.every(({ head }) => head !== undefined);
}

function headAxis(heads: readonly Head[]): SweepAxis {
  return { title: 'Head', labels: heads.map(componentName), subjects: heads };
}

function positionAxis(title: string, positions: readonly string[]): SweepAxis {
  return { title, labels: positions, subjects: positions.map((_, position) => ({ position })) };
}
