import { expect, test } from 'vitest';
import { byAnalysisGroup, type AnalysisGroup } from '../../../src/protocol/analysis';

test('analyses stand under their headings, in the order in which a study goes', () => {
  const all: readonly { id: string; group: AnalysisGroup }[] = [{ id: 'ov-circuit', group: 'Weights' }, { id: 'attention', group: 'Attention' }, { id: 'curves', group: 'Training' }, { id: 'head-scores', group: 'Attention' }];
  expect(byAnalysisGroup(all, ({ group }) => group).map(({ group, members }) => [group, members.map(({ id }) => id)])).toEqual([
    ['Training', ['curves']], ['Attention', ['attention', 'head-scores']], ['Weights', ['ov-circuit']],
  ]);
});
