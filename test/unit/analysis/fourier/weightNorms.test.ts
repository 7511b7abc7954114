import { expect, test } from 'vitest';
import { weightNorms } from '../../../../src/analysis/fourier/weightNorms';
import { contextOf } from '../../../support/analyses';
import { prepared } from '../../../support/experiments';

test('weight norms are sums of squares of every weight, each in one part', () => {
  const { model, details } = contextOf(prepared({ model: { n_layers: 2, normalization_type: 'LN', biases: true } }));
  const norms = weightNorms(model, details.parameters);
  const sum = (...names: readonly RegExp[]) => details.parameters.filter(({ name }) => names.some(pattern => pattern.test(name)))
    .flatMap(({ name }) => [...model.parameter(name).data]).reduce((total, value) => total + value ** 2, 0);
  expect([...norms.keys()].sort()).toEqual(['MLP', 'attention', 'embedding', 'norms', 'unembedding']);
  expect(norms.get('embedding')).toBeCloseTo(sum(/^embed\.W_E$/, /^pos_embed\.W_pos$/), 8);
  expect(norms.get('attention')).toBeCloseTo(sum(/attn\.[Wb]_[QKVO]$/), 8);
  expect(norms.get('MLP')).toBeCloseTo(sum(/mlp\.[Wb]_(in|out)$/), 8);
  expect(norms.get('unembedding')).toBeCloseTo(sum(/^unembed\./), 8);
  expect([...norms.values()].reduce((total, value) => total + value, 0)).toBeCloseTo(sum(/./), 8);
});
