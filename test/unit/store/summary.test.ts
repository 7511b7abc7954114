import { expect, test } from 'vitest';
import type { ModelSource } from '../../../src/protocol/checkpointFile';
import type { ResolvedExperiment } from '../../../src/protocol/model';
import { summaryOf } from '../../../src/store/summary';
import { experiment, modelRecord } from './samples';

const source: ModelSource = { kind: 'file', file: 'mine.pt', format: 'torch', layout: 'transformer-lens', inferred: [] };
const keyOf = async (changes: Partial<ResolvedExperiment>) => (await summaryOf('/models/m', modelRecord({ experiment: experiment(changes), source }))).taskKey;

test('an imported model has another key with another task, other parameters, another module or other test examples, and else none', async () => {
  const task = { name: 'max', parameters: { count: 3 } };
  const keys = await Promise.all([
    keyOf({ task }), keyOf({ task: { ...task, name: 'sort' } }), keyOf({ task: { ...task, parameters: { count: 4 } } }),
    keyOf({ task: { ...task, module: 'a'.repeat(32) } }), keyOf({ task, seed: 598 }),
  ]);
  expect(new Set(keys).size).toBe(keys.length);
  expect(await keyOf({ task, name: 'another name' })).toBe(keys[0]);
  const known = modelRecord({ experiment: experiment({ task }), source: { ...source, splitIsKnown: true } });
  expect((await summaryOf('/models/m', known)).taskKey).not.toBe(keys[0]);
});

test('a model that was trained here keeps its task, and has no key', async () => {
  expect(await summaryOf('/models/m', modelRecord())).not.toHaveProperty('taskKey');
});
