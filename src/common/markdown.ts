/** A table as GitHub's Markdown has it; what stands in its cells is text, and never markup. */
export function markdownTable(
  columns: readonly { readonly title: string; readonly numeric: boolean }[], rows: readonly (readonly string[])[],
): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [
    line(columns.map(({ title }) => escaped(title))),
    line(columns.map(({ numeric }) => (numeric ? '---:' : '---'))),
    ...rows.map(row => line(row.map(escaped))),
  ].join('\n');
}

/** Text that stays in its cell, and is not taken for markup. */
function escaped(text: string): string {
  return text.replace(/[\\`*_[\]<>|~]/g, '\\$&').replace(/\s+/g, ' ');
}
