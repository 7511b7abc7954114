/** Rows as RFC 4180 has them, with every digit of their numbers. */
export function csvText(rows: readonly (readonly (string | number)[])[]): string {
  return rows.map(row => row.map(field).join(',')).join('\r\n') + '\r\n';
}

/** Text that a spreadsheet does not take for a formula. */
export function inertText(text: string): string {
  return text.replace(/^[=+\-@]/, "'$&");
}

function field(value: string | number): string {
  const text = String(value);
  return /[",\r\n]/.test(text) || text !== text.trim() ? `"${text.replaceAll('"', '""')}"` : text;
}
