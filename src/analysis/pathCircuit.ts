import { throwIfCancelled, UserError } from '../common/errors';
import type { ModelConfig } from '../protocol/config';
import { formatPath, parsePath } from '../protocol/path';
import { defineAnalysis } from './define';
import { circuitAlong, circuitAxes, circuitFigure, masked, type Circuit } from './weights/circuit';
import { asideOf, asideParameter, blockFigures, blockParameters, blockScalarNames, blockScalars, chosenBlock, scoresOf, wholeBlock, type BlockScores } from './weights/circuitScores';
import { directionsParameter, lowRankFigures, singularDirections, topSingularShare } from './weights/lowRank';
import { hasPositions, leftOut } from './weights/weights';
import { circuitLines, circuitValues, singularLines } from './python/circuits';

/**
 * The product of weights along any path through the model: virtual heads, compositions, single matrices (Elhage et al. 2021,
 * "A Mathematical Framework for Transformer Circuits": path expansion).
 */
export const pathCircuit = defineAnalysis({
  id: 'path-circuit',
  title: 'Path circuit',
  description: 'The product of weights along a path, such as W_pos · QK(1.0) · OV(0.0)ᵀ · W_Eᵀ: which tokens that head 0.0 moved does head 1.0 look for from each position?',
  group: 'Weights',
  params: {
    path: { kind: 'path', title: 'Path', description: 'Factors from left to right. Empty: the keys of the last layer composed with head 0.0, or the OV circuit of a single layer.', default: '' },
    ...blockParameters,
    ...asideParameter,
    masked: { kind: 'boolean', title: 'Allowed pairs only', description: 'Whether a circuit from positions to positions leaves out the pairs that the model\'s mask forbids.', default: true },
    against: { kind: 'text', title: 'Relative to', description: 'Another path, by whose largest entry the largest of the block is divided; empty for none.', default: '' },
    ...directionsParameter,
  },
  scalars: {
    diagonal: 'fraction of the rows whose largest entry is in the column of their own name; tokens aside left out',
    copying: 'the same of a circuit from tokens to outputs',
    ...blockScalarNames,
    relative: 'largest absolute entry of the block divided by the largest of the circuit along the other path',
    topSingularShare: 'share of the circuit\'s squared entries in its largest singular value',
  },
  appliesTo: () => true,
  python(context, { path, aside, ...names }) {
    const factors = parsePath(path.trim() === '' ? defaultPath(context.details.config) : path);
    const block = context.figure.title === 'Chosen block' ? chosenBlock(circuitAxes(context, factors), names, asideOf(context.task, aside)) : undefined;
    return [...circuitLines(context, factors), ...(singularLines(context, factors) ?? circuitValues(context, factors, block))];
  },
  run(context, { path, aside, masked: wantsMask, against, directions, ...names }) {
    const { details: { config }, model, task, signal } = context;
    const factors = parsePath(path.trim() === '' ? defaultPath(config) : path);
    const setAside = asideOf(task, aside);
    const circuitOf = (path: typeof factors) => {
      const product = circuitAlong(context, path);
      return wantsMask ? masked(product, model) : product;
    };
    const circuit = circuitOf(factors);
    throwIfCancelled(signal);
    const block = chosenBlock(circuit, names, setAside);
    const scores = scoresOf(circuit, block);
    const relative = against.trim() === '' ? undefined : relativeSize(scores, circuitOf(parsePath(against)));
    const singular = singularDirections(circuit);
    const { diagonal } = scoresOf(circuit, wholeBlock(circuit, setAside));
    const copies = circuit.rows.kind === 'vocabulary' && circuit.columns.kind === 'outputs';
    const whole = circuitFigure(circuit, {
      title: formatPath(factors),
      caption: `The product of these weights, not scaled.${leftOut(config)}`,
    });
    return {
      figures: [
        { ...whole, scalar: diagonal === undefined ? 'blockLargest' : copies ? 'copying' : 'diagonal' },
        ...blockFigures(circuit, block, names),
        ...lowRankFigures(circuit, singular, directions),
      ],
      scalars: {
        ...(diagonal !== undefined && { diagonal }),
        ...(diagonal !== undefined && copies && { copying: diagonal }),
        ...blockScalars(scores),
        ...(relative !== undefined && { relative }),
        topSingularShare: topSingularShare(singular),
      },
    };
  },
});

/** How large a block is beside another whole circuit. */
function relativeSize({ largest }: BlockScores, other: Circuit): number {
  const size = scoresOf(other, wholeBlock(other, [])).largest ?? 0;
  if (largest === undefined || size === 0) throw new UserError('The circuit along the other path is 0 everywhere, so that nothing can be divided by it; choose another path.');
  return largest / size;
}

/** The path that shows most of a model by itself: composition through the keys of the last layer where there are two. */
function defaultPath(config: ModelConfig): string {
  const last = config.n_layers - 1;
  if (last === 0) return 'W_E · OV(0.0) · W_U';
  return `${hasPositions(config) ? 'W_pos' : 'W_E'} · QK(${last}.0) · OV(0.0)ᵀ · W_Eᵀ`;
}
