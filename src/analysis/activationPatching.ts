import type { ModelConfig } from '../protocol/config';
import type { HeatmapFigure, Subject } from '../protocol/figure';
import { defineAnalysis } from './define';
import { allHeads, componentName, headOf, type Head } from './heads';
import { pairParameters, pairPositions, promptPairs } from './pairs';
import { headActivations, patchSites, type PatchedActivation, type Site } from './patching';
import { expectedSites, judgeSites } from './patchingExpectations';

/** What is patched, and what its figure is called. */
const titles: Readonly<Record<PatchedActivation, string>> = {
  resid_pre: 'Residual stream',
  attn_out: 'Attention output',
  mlp_out: 'MLP output',
  z: 'Head output (z)',
  q: 'Queries',
  k: 'Keys',
  v: 'Values',
  pattern: 'Pattern',
};

const sweeps = ['by position', 'whole heads', 'residual stream'] as const;

/** One heatmap: its sites fill it row by row. */
interface Sweep {
  readonly title: string;
  readonly rows: { readonly title: string; readonly labels: readonly string[]; readonly subjects: readonly Subject[] };
  readonly columns: { readonly title: string; readonly labels: readonly string[]; readonly subjects: readonly Subject[] };
  readonly sites: readonly Site[];
}

/**
 * Activation patching (Meng et al. 2022; TransformerLens' `patching`): what of the clean run, put into the corrupted one,
 * brings the clean answer back.
 */
export const activationPatching = defineAnalysis({
  id: 'activation-patching',
  title: 'Activation patching',
  description: 'Carries activations from a clean run into a corrupted one and shows how much of the clean answer each brings back.',
  group: 'Interventions',
  params: {
    ...pairParameters,
    patch: { kind: 'choice', title: 'Patch', description: 'What is carried over: everything by position, each head at all positions, or the residual stream alone.', options: sweeps, default: 'by position' },
    head: { kind: 'head', title: 'Head', description: 'Patch this head alone.', default: '' },
    expected: {
      kind: 'text', title: 'Expected sites', default: '',
      description: 'Sites that should carry the answer, as in "keys: z 0.0 elt, k 1.0 elt"; several such circuits are separated by "|". "answer" stands for the position where the answer is read.',
    },
  },
  scalars: {
    largest: 'largest share of the clean metric that one site brings back, above the residual stream',
    least: 'smallest share that an expected site brings back',
    elsewhere: 'largest share that any site brings back which is not expected, above the residual stream',
    circuit: 'which of the expected circuits was found, from 1: the one whose sites bring back most',
    cleanDifference: 'logit of the clean answer less that of the corrupted one, in the clean run',
    corruptedDifference: 'the same in the corrupted run',
  },
  appliesTo: () => true,
  async run(context, { patch, head, expected, ...wanted }) {
    const { details: { config }, model, task, signal } = context;
    const pairs = promptPairs(context, wanted);
    const [pair] = pairs;
    if (!pair) throw new Error('there is no pair');
    const heads = head === '' ? allHeads(config) : [headOf(config, head)];
    const all = sweepsOf(config, heads, head === '', patch, pairPositions(task, pairs));
    const sites = all.flatMap(sweep => sweep.sites);
    const circuits = expectedSites(expected, { task, config, answer: pair.position });
    const { recovered, clean, corrupted } = await patchSites(model, pairs, sites, { signal, progress: fraction => context.progress(fraction) });

    let from = 0;
    const figures = all.map(({ title, rows, columns, sites }): HeatmapFigure => {
      const values = Float32Array.from(recovered.subarray(from, from += sites.length));
      return {
        kind: 'heatmap', title, y: rows, x: columns, rows: rows.labels.length, columns: columns.labels.length, values, scale: 'diverging', unit: '',
        caption: 'Share of the clean logit difference that the patch brings back: 0 as corrupted, 1 as clean.', scalar: circuits.length > 0 ? 'least' : 'largest',
      };
    });
    const { scalars, finding } = judgeSites(circuits, sites, recovered);
    return { figures, scalars: { ...scalars, cleanDifference: clean, corruptedDifference: corrupted }, ...(finding !== undefined && { finding }) };
  },
});

function sweepsOf(config: ModelConfig, heads: readonly Head[], isEveryHead: boolean, patch: string, positions: readonly string[]): readonly Sweep[] {
  const columns = { title: 'Position', labels: positions, subjects: positions.map((_, position) => ({ position })) };
  const layers = Array.from({ length: config.n_layers }, (_, layer) => layer);
  const layerRows = { title: 'Layer', labels: layers.map(String), subjects: layers.map(layer => ({ layer })) };
  const headRows = { title: 'Head', labels: heads.map(componentName), subjects: heads };
  const ofLayers = (activation: 'resid_pre' | 'attn_out' | 'mlp_out'): Sweep => ({
    title: titles[activation], rows: layerRows, columns,
    sites: layers.flatMap(layer => positions.map((_, position) => ({ activation, layer, position }))),
  });
  const ofHeads = headActivations.map((activation): Sweep => ({
    title: titles[activation], rows: headRows, columns: activation === 'pattern' ? { ...columns, title: 'Destination' } : columns,
    sites: heads.flatMap(({ layer, head }) => positions.map((_, position) => ({ activation, layer, head, position }))),
  }));
  switch (patch) {
    case 'residual stream': return [ofLayers('resid_pre')];
    case 'whole heads': return [{
      title: 'Heads at every position', rows: headRows,
      columns: { title: 'Activation', labels: headActivations.map(activation => titles[activation]), subjects: headActivations.map(() => ({})) },
      sites: heads.flatMap(({ layer, head }) => headActivations.map(activation => ({ activation, layer, head }))),
    }];
    default: return isEveryHead ? [ofLayers('resid_pre'), ...ofHeads, ofLayers('attn_out'), ...(config.attn_only ? [] : [ofLayers('mlp_out')])] : ofHeads;
  }
}
