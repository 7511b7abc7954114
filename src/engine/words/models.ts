import { formatNumber, formatPercent } from '../../common/numbers';
import { textTable } from '../../common/textTable';
import type { ModelSource } from '../../protocol/checkpointFile';
import type { ModelSummary } from '../../protocol/model';

/** Models, a row each. */
export function modelsTable(models: readonly ModelSummary[]): string {
  return textTable(columns.filter(column => column !== fromColumn || models.some(({ from }) => from)), models);
}

/** Of models that were not trained here. */
const statusOf = { file: 'imported', processed: 'processed' } satisfies Record<ModelSource['kind'], string>;

const fromColumn = {
  title: 'fine-tuned from',
  value: ({ from }: ModelSummary) => (from ? `${from.name}${from.checkpoint === undefined ? '' : ` at step ${formatNumber(from.checkpoint)}`}` : ''),
};
const columns = [
  { title: 'id', value: ({ id }: ModelSummary) => id },
  { title: 'name', value: ({ name }: ModelSummary) => name },
  { title: 'task', value: ({ task }: ModelSummary) => task },
  { title: 'layers', numeric: true, value: ({ n_layers }: ModelSummary) => String(n_layers) },
  { title: 'heads', numeric: true, value: ({ n_heads }: ModelSummary) => String(n_heads) },
  { title: 'status', value: ({ status, source }: ModelSummary) => (source ? statusOf[source.kind] : status) },
  fromColumn,
  { title: 'step', numeric: true, value: ({ progress }: ModelSummary) => formatNumber(progress.step) },
  { title: 'test loss', numeric: true, value: ({ metrics }: ModelSummary) => (metrics.testLoss === undefined ? '' : formatNumber(metrics.testLoss)) },
  { title: 'accuracy', numeric: true, value: ({ metrics }: ModelSummary) => (metrics.testAccuracy === undefined ? '' : formatPercent(metrics.testAccuracy)) },
];
