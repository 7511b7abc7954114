import { describe, expect, test } from 'vitest';
import { HeadSelections } from '../../../../src/extension/models/headSelections';
import { memory } from '../memory';

describe('the head picked in a model', () => {
  test('is told of once, and is there again in the next window', () => {
    const workspace = memory();
    const selections = new HeadSelections(workspace);
    const told: unknown[] = [];
    selections.onChange(selection => told.push(selection));
    const head = { model: 'm', layer: 1, head: 0 };
    selections.pick(head);
    selections.pick({ ...head });
    selections.pick({ model: 'other', layer: 0, head: 2 });
    expect(told).toEqual([head, { model: 'other', layer: 0, head: 2 }]);
    expect(new HeadSelections(workspace).of('m')).toEqual(head);
  });

  test('is forgotten when two hundred others were picked since', () => {
    const workspace = memory();
    const selections = new HeadSelections(workspace);
    for (let i = 0; i < 201; i++) selections.pick({ model: `m${i}`, layer: 0, head: 0 });
    const next = new HeadSelections(workspace);
    expect([next.of('m0'), next.of('m1')?.model]).toEqual([undefined, 'm1']);
  });

  test('counts as none where nonsense was kept', () => {
    const kept = [{ model: 'm', layer: -1, head: 0 }];
    expect(new HeadSelections(memory({ 'circuits.heads': kept })).of('m')).toBeUndefined();
  });
});
