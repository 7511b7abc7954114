import { describe, expect, test } from 'vitest';
import { networkRows, placeName } from '../../../../src/protocol/network/words';

const nodes = [['a', '1'], ['b', '2'], ['c', 'TARGET']].map(([id = '', label = ''], at) => ({ id, label, x: at / 2, y: 0 }));
const links = [{ from: 'a', to: 'b', marked: true }, { from: 'b', to: 'c' }, { from: 'b', to: 'a' }];

describe('a place is called', () => {
  test('by the label of its node', () => {
    expect(placeName({ nodes, links }, { node: 'c' })).toBe('TARGET');
  });

  test('by the ends of its line, and by its number where others have them too', () => {
    expect(links.map((_, link) => placeName({ nodes, links }, { link }))).toEqual(['1-2', '2-TARGET', '2-1 (2)']);
  });
});

test('lines and arrows are rows of one table', () => {
  expect(networkRows({ nodes, links: links.slice(0, 2), arrows: [{ from: { link: 0 }, to: { node: 'c' }, weight: 0.25 }, { from: { node: 'a' }, to: { link: 1 }, weight: 0 }] })).toEqual([
    ['link', '1', '2', 'on the path', ''],
    ['link', '2', 'TARGET', '', ''],
    ['arrow', '1-2', 'TARGET', '', 0.25],
    ['arrow', '1', '2-TARGET', '', 0],
  ]);
});
