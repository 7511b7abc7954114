import type { AnalysisDefinition, AnalysisContext } from '../../src/analysis/define';
import { codeOf } from '../../src/analysis/pythonCode';
import { runAnalysis } from '../../src/analysis/run';
import { UserError } from '../../src/common/errors';
import { Random } from '../../src/common/random';
import type { Figure } from '../../src/protocol/figure';
import type { ParameterValues } from '../../src/protocol/parameter';
import { contextOf } from './analyses';
import { prepared } from './experiments';
import { pythonParameters } from './pythonParameters';

/** Small models with their weights drawn at random, on which the Python of every figure was run: name → experiment. */
const experiments = {
  /** As the models that grokking was studied on. */
  addition: { task: { operation: 'add', modulus: 7 }, model: { d_model: 16, d_head: 8 } },
  /** With an output for `=` too, as the published model of grokking has one. */
  published: { task: { operation: 'add', modulus: 7 } },
  /** Attention alone, in two layers. */
  updates: {
    task: { name: 'array-update', length: 2, numbers: 5, modulus: undefined, trainFraction: undefined },
    model: { n_layers: 2, d_model: 12, attn_only: true, d_mlp: undefined, normalization_type: 'LN' },
    training: { batch: 8, evaluationExamples: 60 },
  },
  subtraction: {
    task: { operation: 'subtract', modulus: 6 },
    model: { n_layers: 2, attn_only: true, d_mlp: undefined, normalization_type: 'LN', positional_embedding_type: 'shortformer' },
  },
  largest: {
    task: { name: 'max', count: 3, numbers: 8, smallShare: 0.2, smallBelow: 4, trainExamples: 60, testExamples: 60, modulus: undefined, trainFraction: undefined },
    model: { positional_embedding_type: 'rotary' },
    training: { batch: 8 },
  },
  sorted: {
    task: { name: 'sort', count: 3, numbers: 6, smallShare: 0.2, smallBelow: 3, trainExamples: 60, testExamples: 60, modulus: undefined, trainFraction: undefined },
    training: { batch: 8 },
  },
  distances: {
    task: { name: 'shortest-paths-adjacency', vertices: 4, modulus: undefined, trainFraction: undefined },
    model: { attention_dir: 'bidirectional', normalization_type: 'RMS' },
    training: { batch: 8, evaluationExamples: 60 },
  },
  /** Of pairs of tokens and padding, which TransformerLens does not have: there are reasons, and no code. */
  graphs: {
    task: { name: 'shortest-paths', vertices: 4, largest: 4, modulus: undefined, trainFraction: undefined },
    model: { attention_dir: 'bidirectional' },
    training: { batch: 8 },
  },
  /** Shaped as a search by hand is. */
  search: {
    task: { name: 'shortest-paths-adjacency', vertices: 4, modulus: undefined, trainFraction: undefined },
    model: { n_layers: 4, n_heads: 5, d_model: 18, d_head: 4, d_mlp: 4, act_fn: 'saturate', attention_dir: 'bidirectional', use_attn_scale: false, init_mode: 'bfs' },
    training: { steps: 0, batch: 8, learningRate: undefined },
  },
} as const;
export type PythonModel = keyof typeof experiments;
export const pythonModels = Object.keys(experiments) as readonly PythonModel[];

/** Models that take a way through the code that others do not → the analyses that have it. */
const onlyFor: Partial<Record<PythonModel, readonly string[]>> = {
  published: ['fourier-logits', 'logit-periodicity', 'restricted-loss', 'excluded-loss', 'position-similarity'],
  subtraction: ['fourier-embedding', 'fourier-attention', 'logit-periodicity', 'restricted-loss', 'excluded-loss', 'position-similarity', 'qk-circuit', 'composition', 'direct-logit-attribution', 'path-patching'],
  largest: ['ov-robustness', 'qk-by-value', 'qk-linear-fit', 'ov-circuit', 'path-circuit', 'permutation-invariance', 'attention-leak', 'activation-patching', 'logit-lens'],
  sorted: ['ov-robustness', 'embedding-svd'],
  graphs: ['generalization'],
  search: ['hidden-blocks'],
  distances: ['ablation', 'prediction-histogram', 'loss-by-group', 'graph-playground', 'attention-statistics', 'attention-leak', 'logit-lens', 'direct-logit-attribution', 'activation-patching', 'path-patching', 'edge-attribution'],
};

export function pythonContext(model: PythonModel): AnalysisContext {
  // With one checkpoint, whose weights are the model's own.
  const experiment = prepared(experiments[model]);
  const config = { ...experiment.config, ...(model === 'published' && { d_vocab_out: 8 }) };
  return contextOf({ ...experiment, config }, { checkpoints: [1] });
}

/** One figure, the Python for it or why there is none, and the figure's numbers as that Python leaves them. */
export interface PythonCase {
  /** Model, parameters and the figure's place and title: `updates {"head":"1.0"} 0 Attention on one prompt`. */
  readonly name: string;
  readonly model: PythonModel;
  readonly code?: string;
  readonly reason?: string;
  readonly numbers: readonly (number | undefined)[];
}

/** Every figure of an analysis on every model that it applies to, with its defaults and with what `pythonParameters` has for it. */
export async function pythonCases(definition: AnalysisDefinition): Promise<readonly PythonCase[]> {
  const cases: PythonCase[] = [];
  // Enough to tell numbers apart, and code that does not fill pages.
  const few: ParameterValues = Object.fromEntries(Object.entries({ examples: 12, pairs: 3 }).filter(([name]) => Object.hasOwn(definition.params, name)));
  for (const model of pythonModels) {
    const context = pythonContext(model);
    if (!definition.appliesTo(context.details) || onlyFor[model]?.includes(definition.id) === false) continue;
    for (const params of [{}, ...(pythonParameters[definition.id] ?? []).flatMap(given => (given.on === undefined || given.on === model ? [given.params] : []))]) {
      cases.push(...await casesOf(definition, model, { ...few, ...params }));
    }
  }
  return cases;
}

async function casesOf(definition: AnalysisDefinition, model: PythonModel, params: ParameterValues): Promise<readonly PythonCase[]> {
  const context = pythonContext(model);
  const random = () => new Random(context.details.experiment.seed, `analysis ${definition.id}`);
  const figures = await runAnalysis(definition, { ...context, random: random() }, params).then(result => result.figures, userError);
  if (figures instanceof UserError) return [{ name: `${model} ${JSON.stringify(params)}`, model, reason: figures.message, numbers: [] }];
  return Promise.all(figures.map(async (figure, index) => {
    const name = `${model} ${JSON.stringify(params)} ${index} ${figure.title}`;
    const code = await codeOf(definition, { ...context, random }, params, index).catch(userError);
    return { name, model, numbers: numbersOf(figure), ...(typeof code === 'string' ? { code } : { reason: code.message }) };
  }));
}

/** An error for people, as that of a measure that random weights have none of; any other is thrown. */
function userError(error: unknown): UserError {
  if (error instanceof UserError) return error;
  throw error;
}

/** The numbers of a figure in the order in which its Python has them; undefined where a cell is empty. */
export function numbersOf(figure: Figure): readonly (number | undefined)[] {
  switch (figure.kind) {
    case 'heatmap': // [rows, columns]
      return Array.from(figure.values, (value, at) => (figure.present && figure.present[at] !== 1 ? undefined : value));
    case 'attention': // [L, H, T, T]
      return figure.heads.flatMap(({ pattern }) => [...pattern]);
    case 'lines': // series after series
      return figure.series.flatMap(({ y }) => [...y]);
    case 'bars':
      return figure.series.flatMap(({ values }) => [...values]);
    case 'histogram2d': // [y bins, x bins]
      return [...figure.counts];
    case 'table': // column after column, those of numbers whole
      return figure.columns.flatMap(({ numeric }, column) => figure.rows.map(row => cellNumber(row[column])).filter(number => numeric || number !== undefined));
    case 'graph':
      return figure.edges.map(({ weight }) => weight);
    case 'network':
      return figure.arrows.map(({ weight }) => weight);
  }
}

function cellNumber(cell: string | number | undefined): number | undefined {
  return typeof cell === 'number' ? cell : undefined;
}
