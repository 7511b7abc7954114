import { describe, expect, test } from 'vitest';
import { csvText, inertText } from '../../../src/common/csv';

describe('comma-separated values', () => {
  test('keep commas, quotes, ends of lines and outer spaces in their fields, and every digit', () => {
    expect(csvText([['a', 'b,c'], ['say "x"', 'two\nlines'], [' padded ', 0.1 + 0.2]]))
      .toBe('a,"b,c"\r\n"say ""x""","two\nlines"\r\n" padded ",0.30000000000000004\r\n');
  });

  test('text that begins like a formula stays text in a spreadsheet', () => {
    expect(['=1+1', '+1', '-1', '@sum', 'a=b', ''].map(inertText)).toEqual(["'=1+1", "'+1", "'-1", "'@sum", 'a=b', '']);
  });
});
