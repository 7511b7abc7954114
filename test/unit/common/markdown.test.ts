import { expect, test } from 'vitest';
import { markdownTable } from '../../../src/common/markdown';

test('a table of Markdown keeps text in its cells, as text', () => {
  const columns = [{ title: 'a|b', numeric: false }, { title: 'n_heads', numeric: true }];
  expect(markdownTable(columns, [['<b>*bold*</b>\nnext', '3'], ['[link](x) `code` ~no~ \\|', '']])).toBe([
    '| a\\|b | n\\_heads |',
    '| --- | ---: |',
    '| \\<b\\>\\*bold\\*\\</b\\> next | 3 |',
    '| \\[link\\](x) \\`code\\` \\~no\\~ \\\\\\| |  |',
  ].join('\n'));
});
