import { describe, expect, test } from 'vitest';
import { comparisonChoices, comparisonPoint } from '../../../../src/extension/panels/comparisonChoices';
import { modelDetails, modelSummary } from '../models/models';

const details = modelDetails({ layers: 1, heads: 1, attentionOnly: true, checkpoints: [0, 1000, 2000] });
const [own, other] = [modelSummary(), modelSummary({ id: 'o', name: 'modular-addition' })];
const state = { model: 'm', analysis: 'attention', params: {} };
const reads = { atCheckpoint: true };

describe('what a panel can be compared with', () => {
  test('the other checkpoints of its model in the order of training, then the newest weights of other models', () => {
    const groups = comparisonChoices({ ...state, checkpoint: 1000 }, reads, details, [own, other]);
    expect(groups.map(({ title, items }) => [title, items.map(({ label, against }) => [label, against])])).toEqual([
      ['Checkpoints of array-update', [['Step 0', { model: 'm', checkpoint: 0 }], ['Step 2,000', { model: 'm', checkpoint: 2000 }], ['Newest weights', { model: 'm' }]]],
      ['Other models', [['modular-addition', { model: 'o' }]]],
    ]);
  });

  test('says what it is compared with now', () => {
    const items = (against: { model: string; checkpoint?: number }) => comparisonChoices({ ...state, against }, reads, details, [other]).flatMap(group => group.items);
    expect(items({ model: 'm', checkpoint: 0 }).filter(({ description }) => description.includes('compared now')).map(({ label }) => label)).toEqual(['Step 0']);
    expect(items({ model: 'o' }).filter(({ description }) => description.includes('compared now')).map(({ label }) => label)).toEqual(['modular-addition']);
  });

  test('tells models of one name apart', () => {
    const groups = comparisonChoices(state, { atCheckpoint: false }, details, [own, modelSummary({ id: '0123456789abcdef' }), other]);
    expect(groups[0]?.items.map(({ label }) => label)).toEqual(['array-update (0123456)', 'modular-addition']);
  });

  test('other models alone where no weights are read, and nothing where there are none', () => {
    expect(comparisonChoices(state, { atCheckpoint: false }, details, [own, other]).map(({ title }) => title)).toEqual(['Other models']);
    expect(comparisonChoices(state, { atCheckpoint: false }, details, [own])).toEqual([]);
  });
});

describe('a row of the tree', () => {
  test.each([
    ['a checkpoint', { model: 'm', checkpoint: 1000 }, reads, { model: 'm', checkpoint: 1000 }],
    ['another model', { model: 'o' }, reads, { model: 'o' }],
    ['a checkpoint of another model, where no weights are read', { model: 'o', checkpoint: 5 }, { atCheckpoint: false }, { model: 'o' }],
    ['what is shown already', { model: 'm' }, reads, undefined],
    ['a checkpoint of the model, where no weights are read', { model: 'm', checkpoint: 5 }, { atCheckpoint: false }, undefined],
  ])('%s', (_, target, analysis, point) => {
    expect(comparisonPoint(state, analysis, target)).toEqual(point);
  });
});
