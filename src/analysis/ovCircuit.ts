import { throwIfCancelled } from '../common/errors';
import type { BarsFigure, HeatmapFigure } from '../protocol/figure';
import { defineAnalysis, type AnalysisContext } from './define';
import { circuitAlong, circuitFigure, type Circuit } from './weights/circuit';
import { copyingLeftOut, copyingOfAll, ovPath } from './weights/copying';
import { asideOf, asideParameter, scoresOf, wholeBlock } from './weights/circuitScores';
import { allHeads, componentName, headOf, type Head } from './heads';
import { directionsParameter, eigenvalueScore, lowRankFigures, singularDirections, topSingularShare } from './weights/lowRank';
import { leftOut } from './weights/weights';
import { ovCircuitLines } from './python/ovCircuit';

/**
 * What each head writes to the logits when it attends to a token: the full OV circuit `W_E W_V W_O W_U` (Elhage et al. 2021,
 * "A Mathematical Framework for Transformer Circuits"; `W_E @ model.OV[l, h] @ W_U` in TransformerLens).
 */
export const ovCircuit = defineAnalysis({
  id: 'ov-circuit',
  title: 'OV circuit',
  description: 'What a head adds to each logit when it attends to a token, and how far that is copying.',
  group: 'Weights',
  params: {
    head: { kind: 'head', title: 'Head', description: 'The head whose circuit is drawn; empty for the one that copies most, the last of several.', default: '', otherwise: 'Best copier' },
    ...asideParameter,
    ...directionsParameter,
  },
  scalars: {
    copying: 'fraction of the tokens, of those that are also outputs, whose own logit the head raises most; tokens aside left out',
    eigenvalueCopying: 'sum of the eigenvalues of the circuit over those tokens, over the sum of their absolute values: 1 when all are positive',
    topSingularShare: 'share of the circuit\'s squared entries in its largest singular value',
  },
  appliesTo: () => true,
  python: (context, { aside }) => ovCircuitLines(context, aside),
  async run(context, { head, aside, directions }) {
    const { details: { config }, task } = context;
    const setAside = asideOf(task, aside);
    const heads = allHeads(config);
    const scores = await copyingOfAll(context, heads, setAside);
    const chosen = head === '' ? heads[scores?.lastIndexOf(Math.max(...scores)) ?? heads.length - 1] ?? { layer: 0, head: 0 } : headOf(config, head);
    const circuit = circuitAlong(context, ovPath(chosen));
    throwIfCancelled(context.signal);
    const singular = singularDirections(circuit);
    const block = wholeBlock(circuit, setAside);
    const { diagonal: copying } = scoresOf(circuit, block);
    const eigenvalueCopying = eigenvalueScore(circuit, block.diagonal);
    return {
      figures: [
        { ...byToken(context, circuit, chosen, copyingLeftOut(context, heads, setAside)), subject: chosen, scalar: copying === undefined ? 'topSingularShare' : 'copying' },
        ...(config.positional_embedding_type === 'standard' ? [byPosition(context, chosen)] : []),
        ...(scores ? [copyingFigure(heads, scores)] : []),
        ...lowRankFigures(circuit, singular, directions, chosen),
      ],
      scalars: {
        ...(copying !== undefined && { copying }),
        ...(eigenvalueCopying !== undefined && { eigenvalueCopying }),
        topSingularShare: topSingularShare(singular),
      },
    };
  },
});

function byToken({ details: { config } }: AnalysisContext, circuit: Circuit, head: Head, missing: string): HeatmapFigure {
  const without = config.positional_embedding_type === 'shortformer'
    ? ' Positions are added to queries and keys only, so that no head moves them: there is no OV circuit by position.'
    : '';
  return circuitFigure(circuit, {
    title: `OV circuit of ${componentName(head)}`,
    caption: `W_E W_V W_O W_U: what a token (row) adds to each logit (column) where the head attends to it fully.${leftOut(config)}${without}${missing}`,
    rowTitle: 'Source token',
    columnTitle: 'Logit',
  });
}

function byPosition(context: AnalysisContext, head: Head): HeatmapFigure {
  const figure = circuitFigure(circuitAlong(context, ovPath(head, 'W_pos')), {
    title: `OV circuit of ${componentName(head)} by position`,
    caption: `W_pos W_V W_O W_U: what a position (row) adds to each logit (column) where the head attends to it fully.${leftOut(context.details.config)}`,
    rowTitle: 'Source position',
    columnTitle: 'Logit',
  });
  return { ...figure, subject: head };
}

function copyingFigure(heads: readonly Head[], scores: readonly number[]): BarsFigure {
  return {
    kind: 'bars',
    title: 'Copying of every head',
    caption: 'Fraction of the tokens whose own logit the head raises most.',
    x: { title: 'Head', labels: heads.map(componentName), subjects: heads },
    y: { title: 'Copying' },
    series: [{ name: 'copying', values: Float64Array.from(scores) }],
  };
}
