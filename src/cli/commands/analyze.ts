import { findAnalysis } from '../../analysis/registry';
import { UserError } from '../../common/errors';
import { formatNumber } from '../../common/numbers';
import { textTable } from '../../common/textTable';
import { figureText, resultText, type Elsewhere } from '../../engine/words/results';
import type { AnalysisResult, Compared } from '../../protocol/analysis';
import { parameterValuesFromText } from '../../protocol/parameter';
import type { modelAtStep } from '../arguments';
import { answer } from '../output';
import { showWorkProgress } from '../progress';
import { withModel, type CommonOptions, type Session } from '../session';

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
    comparison ? comparedText(result, comparison) : resultText(result, place));
}

/** Where there is what a terminal has no room for. */
const place: Elsewhere = { numbers: '--json has the numbers, "circuits report" the pictures', rest: '--json has them' };

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
      return [figureText(figure, place), ...(drawn.length > 0 ? drawn.map(each => figureText(each, place)) : beside ? [`In ${names[1]}:\n${figureText(beside, place)}`] : [])];
    }),
    ...other.others.map(figure => `Only in ${names[1]}:\n${figureText(figure, place)}`),
  ].join('\n\n');
}
