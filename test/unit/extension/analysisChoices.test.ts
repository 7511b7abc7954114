import { expect, test } from 'vitest';
import { stateOn } from '../../../src/extension/analysisChoices';
import type { AnalysisGroup, AnalysisInfo } from '../../../src/protocol/analysis';

const analysis = (id: string, group: AnalysisGroup): AnalysisInfo =>
  ({ id, title: id, description: '', group, params: {}, scalars: {}, badges: false, live: false, atCheckpoint: true });

test('a row of a head gives its head to the first parameter for one, whatever its name', () => {
  const head = { kind: 'head', title: '', description: '', default: '' } as const;
  const text = { ...head, kind: 'text' } as const;
  const row = { model: 'm', layer: 1, head: 2 };
  const path = { ...analysis('path-patching', 'Interventions'), params: { head: text, sender: head, receiver: head } };
  expect(stateOn(path, row)).toEqual({ model: 'm', analysis: 'path-patching', params: { sender: '1.2' } });
  expect(stateOn({ ...path, params: { head: text } }, row).params).toEqual({});
  expect(stateOn(path, { model: 'm', layer: 1 }).params).toEqual({});
});

test('a row of a checkpoint is shown as it was then, by an analysis that can', () => {
  const row = { model: 'm', checkpoint: 100 };
  expect(stateOn(analysis('attention', 'Attention'), row)).toEqual({ model: 'm', analysis: 'attention', params: {}, checkpoint: 100 });
  expect(stateOn({ ...analysis('curves', 'Training'), atCheckpoint: false }, row)).toEqual({ model: 'm', analysis: 'curves', params: {} });
});
