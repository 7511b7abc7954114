import { UserError } from '../common/errors';
import type { AnalysisResult } from '../protocol/analysis';
import type { Figure } from '../protocol/figure';

/** Bytes of numbers that one answer may hold; a panel could not show more. */
const frameLimit = 256 << 20;

/** The result itself. @throws UserError when it is larger than a message may be. */
export function checkFrame(result: AnalysisResult): AnalysisResult {
  const bytes = figuresOf(result).reduce((sum, figure) => sum + bytesOf(figure), 0);
  if (bytes <= frameLimit) return result;
  throw new UserError(`The figures hold ${Math.ceil(bytes / 2 ** 20)} MB of numbers, more than the ${frameLimit / 2 ** 20} MB that can be shown; ask for fewer heads or positions.`);
}

function figuresOf({ figures, comparison }: AnalysisResult): readonly Figure[] {
  if (!comparison || 'problem' in comparison) return figures;
  return [...figures, ...comparison.figures.filter(figure => figure !== null), ...comparison.differences.flat(), ...comparison.others];
}

/** Bytes of numbers in a figure. */
export function bytesOf(figure: Figure): number {
  switch (figure.kind) {
    case 'heatmap': return figure.values.byteLength + (figure.precise?.byteLength ?? 0);
    case 'attention': return figure.heads.reduce((sum, { pattern }) => sum + pattern.byteLength, figure.allowed.byteLength);
    case 'lines': return figure.series.reduce((sum, { x, y }) => sum + x.byteLength + y.byteLength, 0);
    case 'bars': return figure.series.reduce((sum, { values }) => sum + values.byteLength, 0);
    case 'histogram2d': return figure.counts.byteLength;
    case 'table': return figure.rows.length * figure.columns.length * 16;
    case 'graph': return (figure.nodes.length + figure.edges.length) * 64;
    case 'network': return (figure.nodes.length + figure.links.length + figure.arrows.length) * 64;
    default: return figure satisfies never;
  }
}
