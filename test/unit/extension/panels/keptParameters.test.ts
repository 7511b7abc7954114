import { describe, expect, test } from 'vitest';
import { KeptParameters } from '../../../../src/extension/panels/keptParameters';
import { memory } from '../memory';

describe('the parameters of panels', () => {
  test('are there again in the next window, for each analysis of each model', () => {
    const workspace = memory();
    const kept = new KeptParameters(workspace);
    kept.keep({ model: 'm', analysis: 'attention', params: { head: '1.0' }, checkpoint: 5 });
    kept.keep({ model: 'm', analysis: 'attention', params: { head: '0.1', examples: 3 } });
    kept.keep({ model: 'other', analysis: 'attention', params: { mean: true } });
    const next = new KeptParameters(workspace);
    expect(next.of({ model: 'm', analysis: 'attention' })).toEqual({ head: '0.1', examples: 3 });
    expect(next.of({ model: 'other', analysis: 'attention' })).toEqual({ mean: true });
    expect(next.of({ model: 'm', analysis: 'ov-circuit' })).toEqual({});
  });

  test('are forgotten when two hundred others were changed since', () => {
    const kept = new KeptParameters(memory());
    const keep = (model: string) => kept.keep({ model, analysis: 'attention', params: { sample: 1 } });
    for (let i = 0; i < 200; i++) keep(`m${i}`);
    keep('m0');
    keep('new');
    const known = (model: string) => Object.keys(kept.of({ model, analysis: 'attention' })).length > 0;
    expect([known('m0'), known('m1'), known('m2'), known('new')]).toEqual([true, false, true, true]);
  });

  test.each([
    ['a text', 'nonsense'],
    ['values that are no parameters', [['attention m', { head: { deep: 1 } }]]],
    ['other shapes', [['attention m']]],
  ])('count as none where %s was kept', (_, value) => {
    const kept = new KeptParameters(memory({ 'circuits.parameters': value }));
    expect(kept.of({ model: 'm', analysis: 'attention' })).toEqual({});
    kept.keep({ model: 'm', analysis: 'attention', params: { head: '1.0' } });
    expect(kept.of({ model: 'm', analysis: 'attention' })).toEqual({ head: '1.0' });
  });
});
