import { findAnalysis } from '../../analysis/registry';
import { UserError } from '../../common/errors';
import type { AnalysisResult, Compared } from '../../protocol/analysis';
import type { Figure } from '../../protocol/figure';
import { parameterValuesFromText } from '../../protocol/parameter';
import type { modelAtStep } from '../arguments';
import { formatNumber } from '../numbers';
import { answer } from '../output';
import { showWorkProgress } from '../progress';
import { isNumericColumn, readableTableOf, type FigureTable } from '../report/values';
import { withModel, type CommonOptions, type Session } from '../session';
import { textTable, type TextColumn } from '../table';

export interface AnalyzeOptions extends CommonOptions {
  readonly param: readonly string[];
  readonly checkpoint?: number;
  readonly against?: ReturnType<typeof modelAtStep>;
}

/** `circuits analyze MODEL ANALYSIS`: its scalars and figures, beside those of another model or checkpoint where one is named. */
export async function analyze(session: Session, reference: string, analysis: string, { param, checkpoint, against, ...options }: AnalyzeOptions): Promise<void> {
  const { params: parameters, title } = findAnalysis(analysis);
  const params = parameterValuesFromText(parameters, param);
  const result = await withModel(session, options, reference, async (engine, { id, name }) => {
    const other = against && { model: (await engine.store.find(against.reference)).id, ...(against.checkpoint !== undefined && { checkpoint: against.checkpoint }) };
    const shown = showWorkProgress(`${title} of ${name}`, session.output.err);
    try {
      return await engine.analyses.run({ model: id, analysis, params, ...(checkpoint !== undefined && { checkpoint }), ...(other && { against: other }) }, {
        signal: session.interrupted,
        progress: fraction => shown.show(fraction),
      });
    } finally {
      shown.dispose();
    }
  });
  const { scalars, figures, finding, comparison } = result;
  if (comparison && 'problem' in comparison) throw new UserError(`It cannot be compared with ${comparison.names[1]}: ${comparison.problem}`);
  answer(session.output, { scalars, figures, ...(finding !== undefined && { finding }), ...(comparison && { comparison }) }, () =>
    comparison ? comparedText(result, comparison) : resultText(result));
}

/** What a terminal shows of a figure at once; the rest is a page's and a spreadsheet's. */
const mostRows = 30;
const mostColumns = 16;

function resultText({ scalars, figures, finding }: AnalysisResult): string {
  const names = Object.keys(scalars);
  return [
    ...(finding === undefined ? [] : [`Found: ${finding}`]),
    ...(names.length === 0 ? [] : [textTable(scalarColumns(scalars), names)]),
    ...figures.map(figureText),
  ].join('\n\n');
}

/** The scalars of both side by side, and every figure with its difference, or the other's figure where there is none. */
function comparedText({ scalars, figures, finding }: AnalysisResult, { names, scalars: others, finding: found, ...other }: Compared): string {
  const rows = [...new Set([...Object.keys(scalars), ...Object.keys(others)])];
  const cell = (value: number | undefined) => value === undefined ? '' : formatNumber(value);
  const difference = (name: string) => {
    const [one, two] = [scalars[name], others[name]];
    return cell(one === undefined || two === undefined ? undefined : one - two);
  };
  const findings = [finding, found].flatMap((text, at) => text === undefined ? [] : [`Found in ${names[at] ?? ''}: ${text}`]);
  return [
    ...(findings.length === 0 ? [] : [findings.join('\n')]),
    ...(rows.length === 0 ? [] : [textTable([
      { title: 'scalar', value: (name: string) => name },
      { title: names[0], numeric: true, value: (name: string) => cell(scalars[name]) },
      { title: names[1], numeric: true, value: (name: string) => cell(others[name]) },
      { title: 'difference', numeric: true, value: difference },
    ], rows)]),
    ...figures.flatMap((figure, at) => {
      const [drawn = [], beside] = [other.differences[at], other.figures[at]];
      return [figureText(figure), ...(drawn.length > 0 ? drawn.map(figureText) : beside ? [`In ${names[1]}:\n${figureText(beside)}`] : [])];
    }),
    ...other.others.map(figure => `Only in ${names[1]}:\n${figureText(figure)}`),
  ].join('\n\n');
}

function scalarColumns(scalars: AnalysisResult['scalars']) {
  return [
    { title: 'scalar', value: (name: string) => name },
    { title: 'value', numeric: true, value: (name: string) => formatNumber(scalars[name] ?? 0) },
  ];
}

/** A figure's numbers where they fit a screen; of a table always the first of them. */
function figureText(figure: Figure): string {
  const { columns, rows } = readableTableOf(figure);
  const title = `${figure.title}${figure.caption === undefined ? '' : `\n${figure.caption}`}`;
  if (columns.length > mostColumns || (rows.length > mostRows && figure.kind !== 'table')) {
    return `${title}\n(${figure.kind}, ${formatNumber(rows.length)} rows; --json has the numbers, "circuits report" the pictures)`;
  }
  const more = rows.length > mostRows ? `\n… and ${formatNumber(rows.length - mostRows)} more; --json has them` : '';
  return `${title}\n${textTable(columns.map((column, at) => figureColumn(column, at, rows)), rows.slice(0, mostRows))}${more}`;
}

function figureColumn(title: string, at: number, rows: FigureTable['rows']): TextColumn<FigureTable['rows'][number]> {
  return {
    title,
    numeric: isNumericColumn(rows, at),
    value: row => {
      const cell = row[at] ?? '';
      return typeof cell === 'number' ? formatNumber(cell) : cell;
    },
  };
}
