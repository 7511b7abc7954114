import type { Matrix } from 'ml-matrix';
import { headName } from '../model/names';
import type { BarsFigure, Figure, HeatmapFigure, LinesFigure } from '../protocol/figure';
import type { Task } from '../tasks/task';
import { mean } from './attribution/logitContrast';
import { defineAnalysis, knownScalars } from './define';
import { pearson } from './patching/correlation';
import { chosenQueryAndKeys, hasScoredNumbers, headOfFirstLayer, headsOfFirstLayer, nameOf, queriesAndKeys, queryAndKeyParameters, scoredNumbersNeeds, scoresBetween, type TokenVectors } from './queriesAndKeys';
import { qkByValueLines } from './python/queriesAndKeys';

// n values of the query, or 1 where its token is always the same · m values of the key · K d_head

/** Scores of the first layer as a function of the numbers that stand at query and key, and what they are made of. */
export const qkByValue = defineAnalysis({
  id: 'qk-by-value',
  title: 'QK by value',
  description: 'Attention scores before the softmax for each number at a key and, where its token varies, at a query position, and each dimension of both as a function of the number.',
  group: 'Weights',
  params: {
    head: { kind: 'head', title: 'Head', description: 'The head of layer 0 that is drawn and measured; empty for the one whose scores differ most.', default: '', otherwise: 'Widest range of scores' },
    query: queryAndKeyParameters.query,
    key: { ...queryAndKeyParameters.key, description: 'The position that is attended to; empty for the first input that the query sees.' },
  },
  scalars: {
    smallest: 'smallest score of the head, scaled as in the model, for any numbers at the two positions',
    largest: 'largest score',
    correlation: 'correlation of the score with the number at the key; mean over the numbers at the query, where scores differ',
    rising: 'fraction of the steps from one number at the key to the next larger at which the score rises',
  },
  needs: scoredNumbersNeeds,
  appliesTo: hasScoredNumbers,
  python: qkByValueLines,
  async run(context, { head: text, ...texts }) {
    const { details: { config }, task } = context;
    const { query: from, keys: [to = 0] } = chosenQueryAndKeys(context, texts);
    const chosen = text === '' ? undefined : headOfFirstLayer(config, text);
    const { query, keys: [key] } = await queriesAndKeys(context, { query: from, keys: [to] });
    if (!key) throw new Error('there is no key');
    const heads = headsOfFirstLayer(config);
    const scores = heads.map(({ head }) => scoresBetween(config, vectorsOf(query, head), vectorsOf(key, head))); // H × [n, m]
    const ranges = scores.map(each => each.max() - each.min());
    const { head } = chosen ?? { head: ranges.indexOf(Math.max(...ranges)) };
    const measured = scores[head];
    if (!measured) throw new Error(`there is no head ${head}`);
    const rows = Array.from({ length: measured.rows }, (_, row) => measured.getRow(row));
    const correlations = rows.flatMap(row => pearson(key.values ?? [], row) ?? []);
    return {
      figures: [
        query.values ? scoreHeatmap(task, head, query, key, measured) : scoreLines(task, query, key, scores),
        dimensionLines(task, head, key, 'Key'),
        query.values ? dimensionLines(task, head, query, 'Query') : dimensionBars(task, head, query),
      ],
      scalars: knownScalars({
        smallest: measured.min(), largest: measured.max(),
        correlation: correlations.length > 0 ? mean(correlations) : undefined,
        rising: mean(rows.map(row => mean(row.slice(1).map((score, at) => Number(score > (row[at] ?? 0)))))),
      }),
    };
  },
});

function vectorsOf({ vectors }: TokenVectors, head: number): Matrix {
  return vectors[head] ?? headMissing(head);
}

/** Of a query whose token is always the same: the scores of every head. */
function scoreLines(task: Task, query: TokenVectors, key: TokenVectors, scores: readonly Matrix[]): LinesFigure {
  const [asks, asked] = [nameOf(task, query.position), nameOf(task, key.position)];
  const x = Float64Array.from(key.values ?? []);
  return {
    kind: 'lines', title: `Scores from ${asks} by the number at ${asked}`, scalar: 'rising',
    caption: 'Of each head before the softmax, scaled as in the model.',
    x: { title: `Number at ${asked}` }, y: { title: 'Score' },
    series: scores.map((each, head) => ({ name: headName(0, head), x, y: Float64Array.from(each.getRow(0)) })),
  };
}

function scoreHeatmap(task: Task, head: number, query: TokenVectors, key: TokenVectors, scores: Matrix): HeatmapFigure {
  const [asks, asked] = [nameOf(task, query.position), nameOf(task, key.position)];
  return {
    kind: 'heatmap', title: `Scores of ${headName(0, head)} by the numbers at ${asks} and ${asked}`, scalar: 'rising', subject: { layer: 0, head },
    caption: 'Before the softmax, scaled as in the model, for every pair of numbers.',
    y: { title: `Number at ${asks} (query)`, labels: (query.values ?? []).map(String) }, x: { title: `Number at ${asked} (key)`, labels: (key.values ?? []).map(String) },
    rows: scores.rows, columns: scores.columns, values: Float32Array.from(scores.to1DArray()), scale: 'diverging', unit: 'score',
  };
}

/** Each dimension of a head's queries or keys as a function of the number. */
function dimensionLines(task: Task, head: number, { position, values = [], vectors }: TokenVectors, what: 'Query' | 'Key'): Figure {
  const each = vectors[head] ?? headMissing(head);
  const x = Float64Array.from(values);
  return {
    kind: 'lines', title: `${what} of ${headName(0, head)} at ${nameOf(task, position)} by the number there`, subject: { layer: 0, head, position },
    caption: 'A line for each dimension of the head.',
    x: { title: `Number at ${nameOf(task, position)}` }, y: { title: what },
    series: Array.from({ length: each.columns }, (_, dimension) => ({ name: `dimension ${dimension}`, x, y: Float64Array.from(each.getColumn(dimension)) })),
  };
}

/** The dimensions of the query of a token that is always the same. */
function dimensionBars(task: Task, head: number, { position, tokens, vectors }: TokenVectors): BarsFigure {
  const values = (vectors[head] ?? headMissing(head)).getRow(0);
  const word = task.vocabulary[tokens[0] ?? -1] ?? '';
  return {
    kind: 'bars', title: `Query of ${headName(0, head)} at ${nameOf(task, position)}`, subject: { layer: 0, head, position },
    caption: `Each dimension of the query of the token ${word}, which always stands there.`,
    x: { title: 'Head dimension', labels: values.map((_, dimension) => String(dimension)) }, y: { title: 'Query' },
    series: [{ name: 'query', values: Float64Array.from(values) }],
  };
}

function headMissing(head: number): never {
  throw new Error(`there is no head ${head}`);
}
