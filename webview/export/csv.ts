import { csvText } from '../../src/common/csv';
import type { Table } from '../figures/tabulate';

/** A table as RFC 4180 has it, with every digit of its numbers. */
export function csv({ columns, rows }: Table): string {
  return csvText([columns.map(({ title }) => title), ...rows]);
}
