import { Matrix, SingularValueDecomposition } from 'ml-matrix';
import type { Random } from '../common/random';
import { float32 } from '../common/tensor';
import type { HeatmapFigure, LinesFigure } from '../protocol/figure';
import { defineAnalysis, type AnalysisContext } from './define';
import { isModular, modularTaskOf } from './fourier/modular';
import { singularDirections, type SingularDirections } from './weights/lowRank';
import { matrixOf } from './weights/weights';
import { tensorLines } from './python/written';

// N rows, a number or a token each · D d_model · R the smaller of the two

/** Rows that are read of a vocabulary of words; of numbers all are. */
const mostTokens = 512;
/** Components that are drawn of a wide residual stream. */
const mostComponents = 256;

/**
 * The singular values of the embedding beside those of a random matrix, and its principal components over the numbers or
 * tokens: the left singular vectors, as the embedding is not centred. A grokked model's has few that count, and they are waves.
 */
export const embeddingSvd = defineAnalysis({
  id: 'embedding-svd',
  title: 'Embedding SVD',
  description: 'Singular values of the embedding against a random matrix of the same norm, and its principal components over the input.',
  group: 'Fourier structure',
  params: {
    components: { kind: 'integer', title: 'Principal components', description: 'How many of the first are drawn as lines and counted into the share.', default: 4, minimum: 1, maximum: 50 },
  },
  scalars: {
    effectiveRank: 'participation ratio of the squared singular values, (Σσ²)²/Σσ⁴: how many directions hold the squared norm, as if evenly',
    randomEffectiveRank: 'participation ratio of the random matrix',
    share: 'share of the squared norm of the embedding in the first principal components, as many as are drawn',
    randomShare: 'share of the squared norm of the random matrix in as many of its components',
  },
  appliesTo: () => true,
  python(context, { components }) {
    const { figure } = context;
    const embedding = `model.W_E[:${embeddingOf(context).rows.names.length}].double()`;
    if (figure.kind === 'lines' && figure.title.startsWith('Singular')) {
      const [, random] = figure.series;
      return [
        '# Of the random matrix that the figure drew.',
        ...tensorLines('random', float32([random?.y.length ?? 0], Float32Array.from(random?.y ?? []))),
        `figure = {"embedding": torch.linalg.svdvals(${embedding}), "random": random}`,
      ];
    }
    const lines = [
      `U = torch.linalg.svd(${embedding}, full_matrices=False).U`,
      'U = U * U.gather(0, U.abs().argmax(dim=0, keepdim=True)).sign()  # the largest entry of each is positive',
    ];
    return figure.kind === 'heatmap' ? [...lines, `figure = U[:, :${figure.columns}]`]
      : [...lines, `figure = {f"component {at + 1}": values for at, values in enumerate(U.T[:${components}])}`];
  },
  run(context, { components }) {
    const { rows, embedding } = embeddingOf(context);
    const directions = singularDirections({ left: embedding, right: undefined, values: embedding });
    const random = randomSingularValues(embedding, context.random);
    const [ofEmbedding, ofRandom] = [spread(directions.values, components), spread(random, components)];
    return {
      figures: [
        singularValues(directions.values, random, rows.sentence),
        principalComponents(directions, components, rows),
        wholeInput(directions, rows),
      ],
      scalars: {
        effectiveRank: ofEmbedding.effectiveRank,
        randomEffectiveRank: ofRandom.effectiveRank,
        share: ofEmbedding.share,
        randomShare: ofRandom.share,
      },
    };
  },
});

/** What the rows of the embedding stand for. */
interface Rows {
  readonly title: 'Number' | 'Token';
  readonly names: readonly string[];
  /** Which rows of W_E they are, for a caption. */
  readonly sentence: string;
}

/** The numbers' rows of W_E in modular arithmetic, without that of `=`; in other tasks every token's. `[N, D]` */
function embeddingOf({ details, model, task }: Pick<AnalysisContext, 'details' | 'model' | 'task'>): { readonly rows: Rows; readonly embedding: Matrix } {
  const weight = model.parameter('embed.W_E');
  const [V = 0] = weight.shape;
  const modulus = isModular(details) ? modularTaskOf(details).modulus : undefined;
  const count = modulus ?? Math.min(V, mostTokens);
  // Where a position holds a pair, each of the two is a row, and takes one half of the residual stream.
  const words = task.parts ?? task.vocabulary;
  const what = task.parts ? 'parts of a token, which take half of the residual stream each' : 'tokens';
  const sentence = modulus !== undefined
    ? `Rows of W_E: the ${modulus} numbers, without "=".`
    : `Rows of W_E: ${count < V ? `the first ${count} of ${V}` : `all ${V}`} ${what}.`;
  return {
    rows: { title: modulus === undefined ? 'Token' : 'Number', names: Array.from({ length: count }, (_, at) => words[at] ?? String(at)), sentence },
    embedding: matrixOf({ weight, transposed: false }, count),
  };
}

/** Singular values, descending, of a matrix with normal entries that has the shape and the Frobenius norm of another. */
function randomSingularValues(like: Matrix, random: Random): readonly number[] {
  const drawn = Matrix.zeros(like.rows, like.columns).apply(function (row, column) { this.set(row, column, random.normal()); });
  drawn.mul(like.norm() / drawn.norm());
  return new SingularValueDecomposition(drawn, { computeLeftSingularVectors: false, computeRightSingularVectors: false, autoTranspose: true }).diagonal;
}

/**
 * How the squared norm spreads over singular values: the participation ratio of their squares (Gao et al. 2017, "A theory of
 * multineuronal dimensionality, dynamics and measurement"), n where n are equal and the others 0, and the share of the first.
 * Both are 0 for zeros.
 */
function spread(values: readonly number[], count: number): { readonly effectiveRank: number; readonly share: number } {
  const sum = (terms: readonly number[]) => terms.reduce((total, term) => total + term, 0);
  const squares = values.map(value => value * value);
  const total = sum(squares);
  if (total === 0) return { effectiveRank: 0, share: 0 };
  const shares = squares.map(square => square / total);
  return { effectiveRank: 1 / sum(shares.map(share => share * share)), share: sum(shares.slice(0, count)) };
}

function singularValues(values: readonly number[], random: readonly number[], sentence: string): LinesFigure {
  const series = (name: string, y: readonly number[]) => ({ name, x: Float64Array.from(y, (_, at) => at + 1), y: Float64Array.from(y) });
  return {
    kind: 'lines',
    title: 'Singular values of the embedding',
    caption: `Largest first, beside those of a random Gaussian matrix of the same shape and norm. ${sentence}`,
    x: { title: 'Principal component' },
    y: { title: 'Singular value' },
    series: [series('embedding', values), series('random', random)],
    scalar: 'effectiveRank',
  };
}

function principalComponents({ values, input }: SingularDirections, count: number, { title, names, sentence }: Rows): LinesFigure {
  const x = Float64Array.from(names, (_, at) => at);
  return {
    kind: 'lines',
    title: 'First principal components',
    caption: `Left singular vectors, each of norm one, over the ${title === 'Number' ? 'numbers' : 'tokens in the order of the vocabulary'}; their sign is arbitrary. ${sentence}`,
    x: { title },
    y: { title: 'Value' },
    series: values.slice(0, count).map((_, at) => ({ name: `component ${at + 1}`, x, y: Float64Array.from(input.getColumn(at)) })),
    scalar: 'share',
  };
}

function wholeInput({ values, input }: SingularDirections, { title, names, sentence }: Rows): HeatmapFigure {
  const columns = Math.min(values.length, mostComponents);
  const cut = columns < values.length ? ` The first ${columns} of ${values.length} components are drawn.` : '';
  return {
    kind: 'heatmap',
    title: 'Principal components on the input',
    caption: `Left singular vectors, each of norm one: a ${title.toLowerCase()} in each row, a component in each column. ${sentence}${cut}`,
    y: { title, labels: names },
    x: { title: 'Principal component', labels: Array.from({ length: columns }, (_, at) => String(at + 1)) },
    rows: names.length,
    columns,
    values: Float32Array.from(input.subMatrix(0, names.length - 1, 0, columns - 1).to1DArray()),
    scale: 'diverging',
    unit: '',
  };
}
