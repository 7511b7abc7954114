import { expect, test } from 'vitest';
import { baseFirst } from '../../../../src/extension/training/baseFirst';
import type { ModelSummary } from '../../../../src/protocol/model';
import { modelSummary } from '../models/models';

const origin = { id: 'm', name: 'base', request: { experiment: { bundled: 'base' } } };
const named = (changes: Partial<ModelSummary>) => modelSummary({ name: 'renamed', ...changes });

test.each([
  ['that was never trained is trained', undefined, 'Train base First', 'send'],
  ['that trains is waited for', named({ status: 'training' }), 'Wait for renamed', 'wait'],
  ['that has been trained meanwhile is not trained again', named({}), 'Wait for renamed', 'wait'],
  ['that is paused goes on', named({ status: 'paused' }), 'Resume renamed First', 'resume'],
  ['that stopped short goes on from its checkpoint', named({ status: 'stopped', resumable: true }), 'Resume renamed First', 'resume'],
  ['that failed with nothing to go on from is trained again', named({ status: 'failed' }), 'Train renamed First', 'retrain'],
])('a base %s', (_, base, title, how) => {
  expect(baseFirst(origin, base)).toEqual({ title, how });
});

test('a base that is gone, and whose experiment is not at hand, cannot be trained first', () => {
  expect(baseFirst({ id: 'm', name: 'base' }, undefined)).toBeUndefined();
});
