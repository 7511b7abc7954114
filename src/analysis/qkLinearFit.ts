import { headName } from '../model/names';
import type { BarsFigure, HeatmapFigure, LinesFigure, TableFigure } from '../protocol/figure';
import type { Task } from '../tasks/task';
import { onCommonScale } from './commonScale';
import { defineAnalysis, knownScalars, type AnalysisContext } from './define';
import { exampleParameters } from './examples';
import { accuracyWithFit, type FitAccuracy } from './fittedAccuracy';
import { chosenQueryAndKeys, hasScoredNumbers, headOfFirstLayer, nameOf, queriesAndKeys, queryAndKeyParameters, scoredNumbersNeeds, scoresBetween, type QueriesAndKeys } from './queriesAndKeys';
import { fittedHeads, scoreOf, type HeadFit, type ScoreTerms } from './scoreFit';
import { qkLinearFitLines } from './python/queriesAndKeys';

// H heads of the first layer · K d_head

/** How well attention scores are told by straight lines: each dimension of keys and queries as a linear function of the number. */
export const qkLinearFit = defineAnalysis({
  id: 'qk-linear-fit',
  title: 'QK linear fit',
  description: 'Each dimension of the keys, and of queries where they vary, as a straight line of the number (least squares), the scores that follow, and what the model makes of those scores in place of its own.',
  group: 'Weights',
  params: {
    head: { kind: 'head', title: 'Head', description: 'The head of layer 0 that is drawn and measured; empty for the one whose scores are told worst.', default: '', otherwise: 'Worst fit' },
    ...queryAndKeyParameters,
    from: { kind: 'integer', title: 'Values from', description: 'Smaller numbers are not fitted; the accuracy with the fit is of all of them.', default: 0, minimum: 0, maximum: 1_000_000 },
    examples: { ...exampleParameters.examples, description: 'Test examples that the accuracy is measured on; all where there are no more.', default: 4096 },
  },
  scalars: {
    slope: 'slope a of the fitted scores a · (x − c) of the head, for a query whose token is always the same',
    centre: 'centre c of those scores; where they do not vary there is none',
    r2: 'share of the variance of the head\'s real scores that the fitted ones explain',
    worstR2: 'the same of the head where it is smallest',
    accuracy: 'fraction of the test examples whose answer at the query position is right',
    fittedAccuracy: 'the same with the fitted scores of all heads of layer 0, from the query to the keys, in place of the real ones',
  },
  needs: scoredNumbersNeeds,
  appliesTo: hasScoredNumbers,
  python: qkLinearFitLines,
  async run(context, { head: text, query, key, from, examples }) {
    const { details: { config }, task } = context;
    const positions = chosenQueryAndKeys(context, { query, key });
    const chosen = text === '' ? undefined : headOfFirstLayer(config, text);
    const read = await queriesAndKeys(context, positions);
    const fits = await fittedHeads(context, read, from);
    const worst = fits.reduce((least, fit) => (fit.r2 < least.r2 ? fit : least));
    const fit = fits.find(({ head }) => head === chosen?.head) ?? worst;
    const accuracy = await accuracyWithFit(context, fits, positions, examples);
    const isFixed = read.query.values === undefined;
    return {
      figures: [
        ...(isFixed ? [scoreLines(context, read, fit)] : scoreHeatmaps(context, read, fit)),
        headTable(task, read, fits, isFixed),
        dimensionTable(task, read, fit, isFixed),
        ...(accuracy ? [accuracyBars(task, read, accuracy)] : []),
      ],
      scalars: knownScalars({
        slope: isFixed ? fit.terms.key : undefined,
        centre: isFixed ? centreOf(fit.terms) : undefined,
        r2: fit.r2, worstR2: worst.r2,
        accuracy: accuracy?.real, fittedAccuracy: accuracy?.fitted,
      }),
    };
  },
});

/** Where scores that do not depend on the query are 0; undefined where they do not vary. */
function centreOf({ key, constant }: ScoreTerms): number | undefined {
  const centre = -constant / key;
  return Number.isFinite(centre) ? centre : undefined;
}

/** `0.150 · (x − 59.5)` */
function closedForm(terms: ScoreTerms): string {
  const centre = centreOf(terms);
  if (centre === undefined) return terms.constant.toPrecision(3);
  return `${terms.key.toPrecision(3)} · (x ${centre < 0 ? '+' : '−'} ${Math.abs(centre).toPrecision(3)})`;
}

/** What the keys stand at: `a1`, or `a1, a2`. */
function keyNames(task: Task, { keys }: QueriesAndKeys): string {
  return keys.map(({ position }) => nameOf(task, position)).join(', ');
}

function realScores({ details: { config } }: AnalysisContext, { query, keys }: QueriesAndKeys, head: number) {
  return keys.map(key => {
    const [asking, asked] = [query.vectors[head], key.vectors[head]];
    if (!asking || !asked) throw new Error(`there is no head ${head}`);
    return { position: key.position, values: key.values ?? [], scores: scoresBetween(config, asking, asked) };
  });
}

function scoreLines(context: AnalysisContext, read: QueriesAndKeys, { head, terms, r2 }: HeadFit): LinesFigure {
  const { task } = context;
  const real = realScores(context, read, head);
  const x = Float64Array.from(real[0]?.values ?? []);
  return {
    kind: 'lines', title: `Scores of ${headName(0, head)} from ${nameOf(task, read.query.position)} and their fit`, scalar: 'r2', subject: { layer: 0, head },
    caption: `Before the softmax, by the number x at the key; the fit is ${closedForm(terms)} and explains ${r2.toPrecision(3)} of the variance.`,
    x: { title: 'Number at the key' }, y: { title: 'Score' },
    series: [
      ...real.map(({ position, values, scores }) => ({ name: `at ${nameOf(task, position)}`, x: Float64Array.from(values), y: Float64Array.from(scores.getRow(0)) })),
      { name: 'fit', x, y: x.map(value => scoreOf(terms, value, 0)) },
    ],
  };
}

/** Real and fitted scores for each two numbers, in colours of one scale. */
function scoreHeatmaps(context: AnalysisContext, read: QueriesAndKeys, { head, terms, r2 }: HeadFit): readonly HeatmapFigure[] {
  const { task } = context;
  const real = realScores(context, read, head);
  const [[first], asking] = [real, read.query.values ?? []];
  const values = first?.values ?? [];
  const asks = nameOf(task, read.query.position);
  const heatmap = (title: string, caption: string, score: (row: number, column: number) => number): HeatmapFigure => ({
    kind: 'heatmap', title, caption, scalar: 'r2', subject: { layer: 0, head }, scale: 'diverging', unit: 'score',
    y: { title: `Number at ${asks} (query)`, labels: asking.map(String) }, x: { title: 'Number at the key', labels: values.map(String) },
    rows: asking.length, columns: values.length,
    values: Float32Array.from(asking.flatMap((_, row) => values.map((__, column) => score(row, column)))),
  });
  const mean = real.length > 1 ? ', mean over the key positions' : '';
  return onCommonScale([
    heatmap(`Scores of ${headName(0, head)} from ${asks}`, `Before the softmax, for every pair of numbers${mean}.`,
      (row, column) => real.reduce((sum, { scores }) => sum + scores.get(row, column), 0) / real.length),
    heatmap(`Fitted scores of ${headName(0, head)} from ${asks}`, `Products of the lines fitted to each dimension; they explain ${r2.toPrecision(3)} of the variance.`,
      (row, column) => scoreOf(terms, values[column] ?? 0, asking[row] ?? 0)),
  ]);
}

function headTable(task: Task, read: QueriesAndKeys, fits: readonly HeadFit[], isFixed: boolean): TableFigure {
  const columns = isFixed
    ? [{ title: 'Slope a', of: ({ key }: ScoreTerms) => key }, { title: 'Centre c', of: (terms: ScoreTerms) => centreOf(terms) ?? '' }]
    : [
      { title: 'x · y', of: ({ both }: ScoreTerms) => both }, { title: 'x', of: ({ key }: ScoreTerms) => key },
      { title: 'y', of: ({ query }: ScoreTerms) => query }, { title: 'Constant', of: ({ constant }: ScoreTerms) => constant },
    ];
  const form = isFixed ? 'a · (x − c) of the number x at the key' : 'a sum of terms of the number x at the key and y at the query';
  return {
    kind: 'table', title: `Fitted scores from ${nameOf(task, read.query.position)} to ${keyNames(task, read)}`, scalar: 'worstR2',
    caption: `Scores as ${form}, and the share of the variance of the real ones that they explain.`,
    columns: [{ title: 'Head', numeric: false }, ...columns.map(({ title }) => ({ title, numeric: true })), { title: 'R²', numeric: true }],
    rows: fits.map(({ head, terms, r2 }) => [headName(0, head), ...columns.map(({ of }) => of(terms)), r2]), subjects: fits.map(({ head }) => ({ layer: 0, head })),
  };
}

function dimensionTable(task: Task, read: QueriesAndKeys, { head, keys, queries }: HeadFit, isFixed: boolean): TableFigure {
  const line = (what: string) => [`${what} slope`, `${what} at 0`, `${what} R²`];
  return {
    kind: 'table', title: `Dimensions of ${headName(0, head)} as lines of the number`, subject: { layer: 0, head }, scalar: 'r2',
    caption: `Least squares over the keys at ${keyNames(task, read)}${isFixed ? '; the query is always the same' : ` and the queries at ${nameOf(task, read.query.position)}`}. A dimension that does not vary is told whole, R² 1.`,
    columns: ['Dimension', ...line('Key'), ...(isFixed ? ['Query'] : line('Query'))].map(title => ({ title, numeric: true })),
    rows: keys.map((key, dimension) => {
      const query = queries[dimension] ?? { slope: 0, intercept: 0, explained: 1 };
      return [dimension, key.slope, key.intercept, key.explained, ...(isFixed ? [query.intercept] : [query.slope, query.intercept, query.explained])];
    }),
  };
}

function accuracyBars(task: Task, read: QueriesAndKeys, { real, fitted }: FitAccuracy): BarsFigure {
  const where = nameOf(task, read.query.position);
  return {
    kind: 'bars', title: `Accuracy at ${where} with real and with fitted scores`, scalar: 'fittedAccuracy',
    caption: `Fraction of test examples that are right when all heads of layer 0 score ${keyNames(task, read)} from ${where} as they do, and as fitted.`,
    x: { title: 'Scores', labels: ['real', 'fitted'] }, y: { title: 'Fraction right' },
    series: [{ name: 'accuracy', values: Float64Array.of(real, fitted) }],
  };
}
