/** By which column rows stand in order. */
export interface Sorting<Column> {
  readonly column: Column;
  readonly direction: 'ascending' | 'descending';
}

/** Ascending, then descending, then as it came. */
export function nextSorting<Column>(sorting: Sorting<Column> | undefined, column: Column): Sorting<Column> | undefined {
  if (sorting?.column !== column) return { column, direction: 'ascending' };
  return sorting.direction === 'ascending' ? { column, direction: 'descending' } : undefined;
}

const collator = new Intl.Collator('en', { numeric: true });

/** How two cells stand to each other; empty ones come last either way. */
export function compareCells(left: string | number, right: string | number, direction: Sorting<unknown>['direction']): number {
  if (left === '' || right === '') return Number(left === '') - Number(right === '');
  const sign = direction === 'ascending' ? 1 : -1;
  if (typeof left === 'number' && typeof right === 'number') return sign * (left - right);
  return sign * collator.compare(String(left), String(right));
}
