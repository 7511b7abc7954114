import { describe, expect, test } from 'vitest';
import { allComponents, allHeads, componentName, componentsOf, headOf } from '../../../src/analysis/heads';
import { UserError } from '../../../src/common/errors';
import { configOf } from '../../support/models';

const config = configOf({ n_layers: 2, n_heads: 3 });
const attentionOnly = configOf({ attn_only: true });

describe('heads and MLPs', () => {
  test('stand in the order of the forward pass', () => {
    expect(allComponents(config).map(componentName)).toEqual(['L0H0', 'L0H1', 'L0H2', 'MLP 0', 'L1H0', 'L1H1', 'L1H2', 'MLP 1']);
    expect(allHeads(config).map(componentName)).toEqual(['L0H0', 'L0H1', 'L0H2', 'L1H0', 'L1H1', 'L1H2']);
    expect(allComponents(attentionOnly)).toEqual(allHeads(attentionOnly));
  });

  test.each(['1.2', 'L1H2'])('a head is written %s', text => {
    expect(headOf(config, text)).toEqual({ layer: 1, head: 2 });
  });

  test.each(['2.0', '0.3', 'L0H3', '10.10'])('there is no head %s', text => {
    expect(() => headOf(config, text)).toThrow(UserError);
    expect(() => headOf(config, text)).toThrow(/^There is no head "L\d+H\d+"; /);
  });
});

describe('a list of components', () => {
  test.each([
    ['', []],
    [' , ', []],
    ['1.0', ['L1H0']],
    ['L0H2, mlp 0', ['L0H2', 'MLP 0']],
    ['MLP 1,0.0 , mlp1, L0H0', ['MLP 1', 'L0H0']],
    ['l1h1', ['L1H1']],
  ])('"%s" names each once', (text, names) => {
    expect(componentsOf(config, text).map(componentName)).toEqual(names);
  });

  test.each([
    ['2.0', /^There is no head or MLP "L2H0"; the nearest are "L0H0"/],
    ['mlp 2', /^There is no head or MLP "MLP 2"; the nearest are "MLP 0", "MLP 1"/],
    ['0.0, embedding', /^There is no head or MLP "embedding"/],
    ['0', /^There is no head or MLP "0"/],
  ])('"%s" is refused', (text, message) => {
    expect(() => componentsOf(config, text)).toThrow(UserError);
    expect(() => componentsOf(config, text)).toThrow(message);
  });

  test('of a model with attention only has no MLPs, and says so', () => {
    expect(() => componentsOf(attentionOnly, 'mlp 0')).toThrow(new UserError('There is no MLP 0: this model has attention only.'));
  });
});
