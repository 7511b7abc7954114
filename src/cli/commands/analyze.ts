import { findAnalysis } from '../../analysis/registry';
import type { AnalysisResult } from '../../protocol/analysis';
import { parameterValuesFromText } from '../../protocol/parameter';
import { formatNumber } from '../numbers';
import { answer } from '../output';
import { tableOf } from '../report/values';
import { withModel, type CommonOptions, type Session } from '../session';
import { textTable } from '../table';

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
  answer(session.output, { scalars: result.scalars, figures: result.figures }, () => resultText(result));
}

function resultText({ scalars, figures }: AnalysisResult): string {
  const names = Object.keys(scalars);
  const parts = names.length === 0 ? [] : [textTable([
    { title: 'scalar', value: (name: string) => name },
    { title: 'value', numeric: true, value: (name: string) => formatNumber(scalars[name] ?? 0) },
  ], names)];
  for (const figure of figures) {
    const { rows } = tableOf(figure);
    parts.push(`${figure.title} (${figure.kind}, ${formatNumber(rows.length)} rows; --json has the numbers, "circuits report" the pictures)`);
  }
  return parts.join('\n\n');
}
