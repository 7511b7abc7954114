import * as tf from '@tensorflow/tfjs-core';
import type { Tensor } from '@tensorflow/tfjs-core';
import { int32 } from '../common/tensor';
import type { Weights } from '../model/layers';
import type { RunnableModel } from '../model/runnable';
import type { ModelConfig } from '../protocol/config';
import type { Figure, HeatmapFigure, TableFigure } from '../protocol/figure';
import { mean } from './attribution/logitContrast';
import { onCommonScale } from './commonScale';
import { defineAnalysis } from './define';
import { allFrequencies, fourierBasis, type FourierBasis } from './fourier/basis';
import { allPairs, isModular, modularNeeds, modularTaskOf, type ModularTask } from './fourier/modular';
import { explanationOf, frequencyNormsHeatmap, pairHeatmap, spectrumHeatmap, type PairHeading } from './fourier/pairFigures';
import { pairLogits } from './fourier/pairRuns';
import { explainedVariance, pairSpectra, withNumbers, type ExplainedVariance, type PairFunction } from './fourier/pairSpectra';
import { allHeads, componentName, headOf, type Head } from './heads';
import { fourierAttentionLines } from './python/fourierAttention';

// p modulus · F frequencies · N heads of all layers · H heads of one · Q queries · n maps of attention that are drawn

/** What `=` attends to, in order. */
const sources = ['a', 'b', '='] as const;
type Source = (typeof sources)[number];

/** How the attention of `=` depends on a and b. */
export const fourierAttention = defineAnalysis({
  id: 'fourier-attention',
  title: 'Attention in the Fourier basis',
  description: 'Attention of each head from = to a and to b over all pairs, and its spectrum in the 2D Fourier basis (Nanda et al. 2023).',
  group: 'Fourier structure',
  live: true,
  params: {
    head: { kind: 'head', title: 'Head', description: 'The head that is drawn in full and measured; empty for all of them, of which the first four are drawn.', default: '' },
  },
  scalars: {
    toA: 'attention from = to a; mean over all pairs, of the chosen head or of all',
    toB: 'attention from = to b; mean over all pairs, of the chosen head or of all',
    toEquals: 'attention from = to itself; mean over all pairs, of the chosen head or of all',
    furthestFromHalf: 'how far the mean attention to a or to b is from one half, in the chosen head or in the one where it is furthest',
  },
  needs: modularNeeds,
  appliesTo: isModular,
  python: fourierAttentionLines,
  async run({ details, model }, { head }) {
    const heads = allHeads(details.config);
    const chosen = head === '' ? undefined : headOf(details.config, head);
    const measured = chosen ? [chosen] : heads;
    const drawn = chosen ? [{ ...chosen, source: 'a' as const }, { ...chosen, source: 'b' as const }] : heads.slice(0, mostDrawn).map(each => ({ ...each, source: 'a' as const }));
    const task = modularTaskOf(details);
    const basis = fourierBasis(task.modulus);
    const { variance, maps } = await readAttention(model, task, basis, drawn);
    const meanOf = (each: Head, source: Source) => variance.functions[columnOf(details.config, { ...each, source })]?.mean ?? 0;
    const overHeads = (source: Source) => mean(measured.map(each => meanOf(each, source)));
    return {
      figures: [
        meansTable(heads, meanOf),
        explainedFigure(basis, heads, variance),
        ...mapFigures(basis, maps),
        ...(chosen ? maps.map(map => frequencyNormsHeatmap(basis, map.coefficients, {
          ...headingOf(map, 'coefficient'), title: `Frequencies of the ${attentionName(map)}`, caption: 'Norm of the spectrum at each pair of frequencies, sines and cosines together.',
        })) : []),
      ],
      scalars: {
        toA: overHeads('a'),
        toB: overHeads('b'),
        toEquals: overHeads('='),
        furthestFromHalf: Math.max(...measured.flatMap(each => [meanOf(each, 'a'), meanOf(each, 'b')].map(weight => Math.abs(weight - 0.5)))),
      },
    };
  },
});

/** Of how many heads attention is drawn where none is chosen. */
const mostDrawn = 4;

interface HeadSource extends Head {
  readonly source: Source;
}

type AttentionMap = HeadSource & PairFunction;

interface ReadAttention {
  /** Of every head's attention to each source: see {@link columnOf}. */
  readonly variance: ExplainedVariance;
  readonly maps: readonly AttentionMap[];
}

/** Which of the 3N functions of a and b a head's attention to a source is. */
function columnOf({ n_heads }: ModelConfig, { layer, head, source }: HeadSource): number {
  return (layer * n_heads + head) * sources.length + sources.indexOf(source);
}

async function readAttention(model: RunnableModel, task: ModularTask, basis: FourierBasis, drawn: readonly HeadSource[]): Promise<ReadAttention> {
  const columns = drawn.map(each => columnOf(model.config, each));
  const [values, coefficients, ...measures] = await model.compute('fourier attention', (weights, tokens, given) => {
    if (!tokens || !given) throw new Error('attention takes the pairs and which of it is drawn');
    const attention = attentionOfEquals(model.config, task.modulus, weights, tokens); // [p², 3N]
    const { coefficients, measures } = pairSpectra(basis, attention);
    return [...[attention, coefficients].map(all => tf.transpose(tf.gather(all, given, 1))), ...measures]; // [n, p²], [n, p²], …
  }, [allPairs(task), int32([columns.length], Int32Array.from(columns))]);
  const variance = explainedVariance(basis, measures);
  const functions = drawn.flatMap((each, at) => variance.functions.slice(columns[at], (columns[at] ?? 0) + 1).map(measured => ({ ...each, ...measured })));
  return { variance, maps: withNumbers(functions, values, coefficients) };
}

/** Attention from `=` of every head: `[p², 3N]`, of `tokens [p², 3]`. */
function attentionOfEquals(config: ModelConfig, p: number, weights: Weights, tokens: Tensor): Tensor {
  const patterns: Tensor[] = [];
  pairLogits(config, p, weights, tokens, (name, value) => {
    if (!name.endsWith('hook_pattern')) return value; // [p², H, Q, 3]
    const ofEquals = tf.slice(value, [0, 0, (value.shape[2] ?? 1) - 1, 0], [-1, -1, 1, -1]);
    patterns.push(tf.reshape(ofEquals, [-1, config.n_heads * sources.length]));
    return value;
  });
  return tf.concat(patterns, 1);
}

function meansTable(heads: readonly Head[], meanOf: (head: Head, source: Source) => number): TableFigure {
  return {
    kind: 'table', title: 'Mean attention of =', caption: 'Mean weight over all pairs; rows sum to 1.', scalar: 'furthestFromHalf',
    columns: [{ title: 'Head', numeric: false }, ...sources.map(source => ({ title: `To ${source}`, numeric: true }))],
    rows: heads.map(head => [componentName(head), ...sources.map(source => meanOf(head, source))]), subjects: heads,
  };
}

/** How far each frequency explains the attention of every head to a and to b. */
function explainedFigure(basis: FourierBasis, heads: readonly Head[], { fractions, functions: { length } }: ExplainedVariance): HeatmapFigure {
  const rows = heads.flatMap((head, at) => ['a', 'b'].map((source, index) => ({ head, label: `${componentName(head)} to ${source}`, column: at * sources.length + index })));
  const frequencies = allFrequencies(basis.modulus);
  return {
    kind: 'heatmap', title: 'Variance of attention explained by each frequency',
    caption: 'Fraction of the variance of the attention from = over all pairs that lies in the products of 1, cos k and sin k in a and in b.',
    y: { title: 'Attention', labels: rows.map(({ label }) => label), subjects: rows.map(({ head }) => head) },
    x: { title: 'Frequency k', labels: frequencies.map(String) }, rows: rows.length, columns: frequencies.length, scale: 'sequential', reach: 1, unit: 'fraction',
    values: Float32Array.from(rows.flatMap(({ column }) => frequencies.map(frequency => fractions[(frequency - 1) * length + column] ?? 0))),
  };
}

function mapFigures(basis: FourierBasis, maps: readonly AttentionMap[]): readonly Figure[] {
  const attention = onCommonScale(maps.map(map => pairHeatmap(basis.modulus, map.values, {
    ...headingOf(map, 'attention weight'), title: capitalised(attentionName(map)), caption: `For every pair; ${map.mean.toFixed(3)} on average.`,
  }, 'sequential')));
  const spectra = onCommonScale(maps.map(map => spectrumHeatmap(basis, map.coefficients, {
    ...headingOf(map, 'coefficient'), title: `Spectrum of the ${attentionName(map)}`, caption: `F X Fᵀ in the orthonormal Fourier basis, without the constant term. ${explanationOf(map)}`,
  })));
  return attention.flatMap((figure, at) => [figure, ...spectra.slice(at, at + 1)]);
}

function headingOf({ layer, head, source }: HeadSource, unit: string): Omit<PairHeading, 'title'> {
  return { subject: { layer, head }, scalar: source === 'a' ? 'toA' : 'toB', unit };
}

function attentionName({ source, ...head }: HeadSource): string {
  return `attention of ${componentName(head)} from = to ${source}`;
}

function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
