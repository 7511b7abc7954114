/** Rows as RFC 4180 has them, with every digit of their numbers. */
export function csvText(rows: readonly (readonly (string | number)[])[]): string {
  return rows.map(row => row.map(field).join(',')).join('\r\n') + '\r\n';
}

function field(value: string | number): string {
  const text = String(value);
  return /[",\r\n]/.test(text) || text !== text.trim() ? `"${text.replaceAll('"', '""')}"` : text;
}
