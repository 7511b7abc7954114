import type { Table } from '../figures/tabulate';

/** A table as RFC 4180 has it, with every digit of its numbers. */
export function csv({ columns, rows }: Table): string {
  return [columns.map(({ title }) => title), ...rows].map(row => row.map(field).join(',')).join('\r\n') + '\r\n';
}

function field(value: string | number): string {
  const text = String(value);
  return /[",\r\n]/.test(text) || text !== text.trim() ? `"${text.replaceAll('"', '""')}"` : text;
}
