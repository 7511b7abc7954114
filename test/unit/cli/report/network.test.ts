import { expect, test } from 'vitest';
import { drawNetwork } from '../../../../src/cli/report/network';
import type { NetworkFigure } from '../../../../src/protocol/figure';

const figure: NetworkFigure = {
  kind: 'network', title: 'Attention <over> the graph',
  nodes: [{ id: 'a', label: '1', x: 0, y: 0, mark: 'start' }, { id: 'b', label: '<2>', x: 1, y: 0.5, mark: 'end' }, { id: 'c', label: '3', x: 0, y: 1 }],
  links: [{ from: 'a', to: 'b', marked: true }, { from: 'b', to: 'c' }],
  arrows: [{ from: { link: 0 }, to: { node: 'b' }, weight: 0.42 }, { from: { node: 'c' }, to: { link: 1 }, weight: 0.01 }],
};

test('a network is drawn with its marks, and says what each line and arrow is', () => {
  const { text } = drawNetwork(figure);
  expect(text).toContain('aria-label="Attention &lt;over&gt; the graph"');
  expect([...text.matchAll(/<title>([^<]*)<\/title>/g)].map(([, title]) => title)).toEqual(['1-&lt;2&gt;', '&lt;2&gt;-3', '1-&lt;2&gt; → &lt;2&gt;: 0.42']);
  expect(text.match(/class="link marked"/g)).toHaveLength(1);
  expect([...text.matchAll(/class="(?:ink middle|tick)"[^>]*>([^<]*)</g)].map(([, label]) => label)).toEqual(['1', '&lt;2&gt;', '3', 'start', 'end']);
  expect(text).not.toMatch(/NaN|undefined/);
});
