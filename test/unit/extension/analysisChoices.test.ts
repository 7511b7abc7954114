import { expect, test } from 'vitest';
import { analysesByGroup, paramsOfHead } from '../../../src/extension/analysisChoices';
import type { AnalysisGroup, AnalysisInfo } from '../../../src/protocol/analysis';

const analysis = (id: string, group: AnalysisGroup): AnalysisInfo =>
  ({ id, title: id, description: '', group, params: {}, scalars: {}, badges: false, live: false, atCheckpoint: true });

test('analyses stand under their headings, in the order in which a study goes', () => {
  const all = [analysis('ov-circuit', 'Weights'), analysis('attention', 'Attention'), analysis('curves', 'Training'), analysis('head-scores', 'Attention')];
  expect(analysesByGroup(all).map(({ group, analyses }) => [group, analyses.map(({ id }) => id)])).toEqual([
    ['Training', ['curves']], ['Attention', ['attention', 'head-scores']], ['Weights', ['ov-circuit']],
  ]);
});

test('a head is the value of the first parameter for one, whatever its name', () => {
  const head = { kind: 'head', title: '', description: '', default: '' } as const;
  const text = { ...head, kind: 'text' } as const;
  expect(paramsOfHead({ head: text, sender: head, receiver: head }, { layer: 1, head: 2 })).toEqual({ sender: '1.2' });
  expect(paramsOfHead({ head: text }, { layer: 1, head: 2 })).toEqual({});
});
