import { findAnalysis } from '../../analysis/registry';
import type { AnalysisResult } from '../../protocol/analysis';
import type { Figure } from '../../protocol/figure';
import { parameterValuesFromText } from '../../protocol/parameter';
import { formatNumber } from '../numbers';
import { answer } from '../output';
import { isNumericColumn, readableTableOf, type FigureTable } from '../report/values';
import { withModel, type CommonOptions, type Session } from '../session';
import { textTable, type TextColumn } from '../table';

export interface AnalyzeOptions extends CommonOptions {
  readonly param: readonly string[];
  readonly checkpoint?: number;
}

/** `circuits analyze MODEL ANALYSIS`: its scalars and figures. */
export async function analyze(session: Session, reference: string, analysis: string, { param, checkpoint, ...options }: AnalyzeOptions): Promise<void> {
  const params = parameterValuesFromText(findAnalysis(analysis).params, param);
  const result = await withModel(session, options, reference, (engine, { id }) =>
    engine.analyses.run({ model: id, analysis, params, ...(checkpoint !== undefined && { checkpoint }) }, {
      signal: session.interrupted,
      progress: () => undefined,
    }));
  const { scalars, figures, finding } = result;
  answer(session.output, { scalars, figures, ...(finding !== undefined && { finding }) }, () => resultText(result));
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
