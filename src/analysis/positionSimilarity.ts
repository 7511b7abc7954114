import type { Axis, HeatmapFigure, TableFigure } from '../protocol/figure';
import type { Task } from '../tasks/task';
import { positionNames } from '../tasks/words';
import { defineAnalysis, type AnalysisContext } from './define';
import { isModular, modularTaskOf } from './fourier/modular';
import { pairHeatmap } from './fourier/pairFigures';
import { differencesOfSwapped, type SwappedDifference } from './fourier/swappedPairs';
import { matrixOf, hasPositions } from './weights/weights';
import { swappedLines } from './python/positionSimilarity';

// T positions · D d_model · p modulus

/**
 * Whether a model tells positions apart: by their embeddings, and, where it computes with a and b, by what becomes of (a, b) and
 * of (b, a). A model that adds up has no reason to.
 */
export const positionSimilarity = defineAnalysis({
  id: 'position-similarity',
  title: 'Position similarity',
  description: 'How alike the embeddings of positions are, and, for modular arithmetic, how alike the model treats (a, b) and (b, a).',
  group: 'Weights',
  params: {},
  scalars: {
    cosine: 'cosine similarity of the position embeddings of a and b in modular arithmetic; otherwise its mean over all pairs of positions',
    neuronDifference: 'for modular arithmetic in a model with neurons: how far the activations of the last layer\'s neurons for (a, b) and (b, a) are apart, over their norm; mean over pairs',
  },
  needs: 'an embedding of positions, W_pos',
  appliesTo: ({ config }) => hasPositions(config),
  python(context) {
    const { figure, task } = context;
    if (figure.title.includes('(b, a)')) return swappedLines(context);
    const positions = `positions = model.W_pos[:${task.positions.length}]`;
    if (figure.kind === 'table') return [positions, 'figure = {"Norm": positions.norm(dim=-1)}'];
    if (figure.title.startsWith('Distance')) return [positions, 'figure = (positions[:, None] - positions).norm(dim=-1)'];
    return [positions, 'directions = F.normalize(positions, dim=-1)', 'figure = directions @ directions.T'];
  },
  async run(context) {
    const { details, task } = context;
    const embeddings = positionEmbeddings(context); // T × [D]
    const cosines = embeddings.map(one => embeddings.map(other => cosineOf(one, other)));
    const modular = isModular(details) ? modularTaskOf(details) : undefined;
    const swapped = modular ? await differencesOfSwapped(context.model, modular) : [];
    const neurons = swapped.find(({ isNeurons }) => isNeurons);
    const cosine = modular ? cosines[0]?.[1] ?? 0 : meanOffDiagonal(cosines);
    return {
      figures: [
        {
          ...byPosition(task, cosines), title: 'Cosine similarity of position embeddings', caption: 'Of the rows of W_pos, two at a time.',
          scale: 'diverging', reach: 1, unit: 'cosine', scalar: 'cosine',
        },
        {
          ...byPosition(task, embeddings.map(one => embeddings.map(other => normOf(one.map((value, at) => value - (other[at] ?? 0)))))),
          title: 'Distance between position embeddings', caption: 'Euclidean distance between the rows of W_pos, two at a time.',
          scale: 'sequential', unit: 'distance',
        },
        {
          kind: 'table', title: 'Norms of position embeddings',
          columns: [{ title: 'Position', numeric: false }, { title: 'Norm', numeric: true }],
          rows: positionNames(task).slice(0, embeddings.length).map((name, position) => [name, normOf(embeddings[position] ?? [])]),
          subjects: embeddings.map((_, position) => ({ position })),
        },
        ...(modular ? [differenceTable(swapped, modular.sign)] : []),
        ...(modular && neurons ? [neuronHeatmap(modular.modulus, neurons)] : []),
      ],
      scalars: { cosine, ...(neurons && { neuronDifference: neurons.mean }) },
    };
  },
});

/** The embeddings of the task's positions: `T × [D]`. */
function positionEmbeddings({ model, task }: AnalysisContext): readonly (readonly number[])[] {
  return matrixOf({ weight: model.parameter('pos_embed.W_pos'), transposed: false }, task.positions.length).to2DArray();
}

function byPosition(task: Task, values: readonly (readonly number[])[]): Pick<HeatmapFigure, 'kind' | 'x' | 'y' | 'rows' | 'columns' | 'values'> {
  const T = values.length;
  const axis: Axis = { title: 'Position', labels: positionNames(task).slice(0, T), subjects: values.map((_, position) => ({ position })) };
  return { kind: 'heatmap', x: axis, y: axis, rows: T, columns: T, values: Float32Array.from(values.flat()) };
}

function differenceTable(differences: readonly SwappedDifference[], sign: 1 | -1): TableFigure {
  const expected = sign === 1 ? 'Both have the same answer.' : 'Their answers differ, as a − b is not symmetric, so the logits must too.';
  return {
    kind: 'table',
    title: 'Difference between (a, b) and (b, a)',
    caption: `Norm of the difference at = in the last layer, over the mean of the two norms, for all pairs of different numbers. ${expected}`,
    columns: [{ title: 'Activation', numeric: false }, { title: 'Mean', numeric: true }, { title: 'Largest', numeric: true }],
    rows: differences.map(({ name, mean, largest }) => [name, mean, largest]),
    scalar: 'neuronDifference',
  };
}

function neuronHeatmap(p: number, { values }: SwappedDifference): HeatmapFigure {
  return pairHeatmap(p, values, {
    title: 'Difference of the neurons between (a, b) and (b, a)',
    caption: 'Norm of the difference of the last layer\'s activations behind the nonlinearity, over the mean of the two norms.',
    unit: 'relative difference',
    scalar: 'neuronDifference',
  }, 'sequential');
}

function normOf(values: readonly number[]): number {
  return Math.hypot(...values);
}

/** 0 where one of them is zero. */
function cosineOf(one: readonly number[], other: readonly number[]): number {
  const product = one.reduce((sum, value, at) => sum + value * (other[at] ?? 0), 0);
  const norms = normOf(one) * normOf(other);
  return norms > 0 ? product / norms : 0;
}

function meanOffDiagonal(values: readonly (readonly number[])[]): number {
  const others = values.flatMap((row, at) => row.filter((_, column) => column !== at));
  return others.length > 0 ? others.reduce((sum, value) => sum + value, 0) / others.length : 1;
}
