import { markdownTable } from '../../src/common/markdown';
import type { Table } from '../figures/tabulate';
import { formatNumber } from '../numbers';

/** A table as GitHub's Markdown has it, its numbers as people read them. */
export function markdown({ columns, rows }: Table): string {
  return `${markdownTable(columns, rows.map(row => row.map(value => typeof value === 'number' ? formatNumber(value) : value)))}\n`;
}
