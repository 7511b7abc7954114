import { throwIfCancelled, UserError } from '../common/errors';
import type { HostTensor } from '../common/tensor';
import { scoreScale } from '../model/layers';
import type { RunnableModel } from '../model/runnable';
import type { BarsFigure, HeatmapFigure } from '../protocol/figure';
import type { PathFactor } from '../protocol/path';
import { defineAnalysis, type AnalysisContext } from './define';
import { circuitAlong, circuitAxes, circuitFigure, masked, type Circuit } from './weights/circuit';
import { blockFigures, blockParameters, blockScalarNames, blockScalars, chosenBlock, scoresOf, wholeBlock } from './weights/circuitScores';
import { allHeads, componentName, headOf, type Head } from './heads';
import { directionsParameter, eigenvalueScore, lowRankFigures, singularDirections, topSingularShare } from './weights/lowRank';
import { chosenRows, hasPositions, headWeight, leftOut, quickNorm, withoutPositions, wordEmbeddings } from './weights/weights';
import { circuitLines, circuitValues, firstRows, singularLines } from './python/circuits';

/** What a destination and a source are known by: the first asks, the second is asked for. */
const kinds = {
  token: ['W_E', 'W_E'],
  position: ['W_pos', 'W_pos'],
  'position to token': ['W_pos', 'W_E'],
  'token to position': ['W_E', 'W_pos'],
} as const;
type Kind = keyof typeof kinds;
const kindNames = ['token', 'position', 'position to token', 'token to position'] as const satisfies readonly Kind[];

/**
 * What each head attends to: the full QK circuit `W_E W_Q W_Kᵀ W_Eᵀ` `[destination, source]`, and the same by position (Elhage
 * et al. 2021, "A Mathematical Framework for Transformer Circuits"; `W_E @ model.QK[l, h] @ W_E.T` in TransformerLens).
 */
export const qkCircuit = defineAnalysis({
  id: 'qk-circuit',
  title: 'QK circuit',
  description: 'How much a head attends from each token or position to each other, as far as its weights alone say.',
  group: 'Weights',
  params: {
    head: { kind: 'head', title: 'Head', description: 'The head whose circuit is drawn; empty for the one whose circuit is largest.', default: '', otherwise: 'Largest circuit' },
    by: { kind: 'choice', title: 'By', description: 'What destinations and sources are known by.', options: kindNames, default: 'token' },
    scaled: { kind: 'boolean', title: 'As the model scales them', description: 'Divides by the square root of d_head, as the model does with its scores; otherwise the product as it is.', default: false },
    ...blockParameters,
    ...directionsParameter,
  },
  scalars: {
    diagonal: 'fraction of the rows whose largest entry is that of the same token or position; of rows with a choice',
    eigenvalue: 'sum of the circuit\'s eigenvalues over the sum of their absolute values: 1 when all are positive',
    largest: 'largest absolute entry; by position, of the pairs that the mask allows',
    ...blockScalarNames,
    topSingularShare: 'share of the circuit\'s squared entries in its largest singular value',
  },
  appliesTo: () => true,
  python(context, { by, scaled, ...names }) {
    const { figure, model } = context;
    const kind = kindOf(context, by);
    const { layer = 0, head = 0 } = figure.subject ?? {};
    const path = qkPath({ layer, head }, kind);
    const { rows, columns } = circuitAxes(context, path);
    if (figure.kind === 'bars') {
      const [asks, asked] = [firstRows(kinds[kind][0], rows), firstRows(kinds[kind][1], columns)];
      return [`figure = {"norm": (${asks} @ model.QK @ ${asked}.T).norm().flatten()}`];
    }
    const lines = circuitLines(context, path, scaled ? ` * ${scoreScale(model.config)}` : '');
    const block = figure.title === 'Chosen block' ? chosenBlock({ rows, columns }, names, []) : undefined;
    return [...lines, ...(singularLines(context, path) ?? circuitValues(context, path, block))];
  },
  async run(context, { head, by, scaled: wantsScale, directions, ...names }) {
    const { details: { config }, model } = context;
    const kind = kindOf(context, by);
    const heads = allHeads(config);
    const sizes = await sizesOfAll(context, heads, kind);
    const chosen = head === '' ? heads[sizes.indexOf(Math.max(...sizes))] ?? { layer: 0, head: 0 } : headOf(config, head);
    const scale = wantsScale ? scoreScale(config) : 1;
    const circuit = masked(scaledBy(circuitAlong(context, qkPath(chosen, kind)), scale), model);
    throwIfCancelled(context.signal);
    const singular = singularDirections(circuit);
    const whole = wholeBlock(circuit, []);
    const { diagonal, largest } = scoresOf(circuit, whole);
    const block = chosenBlock(circuit, names, []);
    const eigenvalue = kinds[kind][0] === kinds[kind][1] ? eigenvalueScore(circuit, whole.diagonal) : undefined;
    return {
      figures: [
        { ...drawn(context, circuit, chosen, kind, scale), subject: chosen, scalar: diagonal === undefined ? 'largest' : 'diagonal' },
        ...blockFigures(circuit, block, names).map(figure => ({ ...figure, subject: chosen })),
        sizesFigure(heads, sizes, kind),
        ...lowRankFigures(circuit, singular, directions, chosen),
      ],
      scalars: {
        ...(diagonal !== undefined && { diagonal }),
        ...(eigenvalue !== undefined && { eigenvalue }),
        ...(largest !== undefined && { largest }),
        ...blockScalars(scoresOf(circuit, block)),
        topSingularShare: topSingularShare(singular),
      },
    };
  },
});

function kindOf({ details: { config } }: Pick<AnalysisContext, 'details'>, by: string): Kind {
  const kind = kindNames.find(name => name === by) ?? 'token';
  if (hasPositions(config) || kind === 'token') return kind;
  throw new UserError(`There is no circuit by position: ${withoutPositions(config)}. Choose "token".`);
}

function qkPath(head: Head, kind: Kind): readonly PathFactor[] {
  const [destination, source] = kinds[kind];
  return [{ matrix: destination, transposed: false }, { matrix: 'QK', ...head, transposed: false }, { matrix: source, transposed: true }];
}

function tableOf(model: RunnableModel, table: 'W_E' | 'W_pos'): HostTensor<'float32'> {
  return table === 'W_E' ? wordEmbeddings(model) : model.parameter('pos_embed.W_pos');
}

/** The Frobenius norm of every head's circuit, in float32. */
async function sizesOfAll(context: AnalysisContext, heads: readonly Head[], kind: Kind): Promise<readonly number[]> {
  const { model, signal, progress } = context;
  const { rows, columns } = circuitAxes(context, qkPath({ layer: 0, head: 0 }, kind));
  const [asks, asked] = kinds[kind];
  const destinations = chosenRows(tableOf(model, asks), [...rows.names.keys()]); // [N, D]
  const sources = chosenRows(tableOf(model, asked), [...columns.names.keys()]); // [C, D]
  const sizes: number[] = [];
  for (const head of heads) {
    sizes.push(await quickNorm(model, [destinations, headWeight(model, head, 'W_Q')], [sources, headWeight(model, head, 'W_K')]));
    throwIfCancelled(signal);
    progress(sizes.length / (heads.length + 1));
  }
  return sizes;
}

/** The circuit times a number. */
function scaledBy(circuit: Circuit, scale: number): Circuit {
  return scale === 1 ? circuit : { ...circuit, left: circuit.left.clone().mul(scale), values: circuit.values.clone().mul(scale) };
}

function drawn({ details: { config } }: AnalysisContext, circuit: Circuit, head: Head, kind: Kind, scale: number): HeatmapFigure {
  const [destination, source] = kinds[kind];
  const rotation = config.positional_embedding_type === 'rotary' ? ' Queries and keys are taken before their rotation.' : '';
  const unit = scale === 1 ? 'not scaled' : 'divided by √d_head as in the model';
  const hidden = circuit.allowed?.includes(0) ? ' Pairs that the mask forbids are blank; eigenvalues and singular values count them.' : '';
  return circuitFigure(circuit, {
    title: `QK circuit of ${componentName(head)} by ${kind}`,
    caption: `${destination} W_Q W_Kᵀ ${source}ᵀ, ${unit}: what a source (column) adds to the attention score from a destination (row).${hidden}${rotation}${leftOut(config)}`,
    rowTitle: `Destination ${destination === 'W_E' ? 'token' : 'position'}`,
    columnTitle: `Source ${source === 'W_E' ? 'token' : 'position'}`,
  });
}

function sizesFigure(heads: readonly Head[], sizes: readonly number[], kind: Kind): BarsFigure {
  return {
    kind: 'bars',
    title: 'Size of every head\'s circuit',
    caption: `Frobenius norm of the circuit by ${kind}, not scaled.`,
    x: { title: 'Head', labels: heads.map(componentName), subjects: heads },
    y: { title: 'Norm' },
    series: [{ name: 'norm', values: Float64Array.from(sizes) }],
  };
}
