import { expect, test } from 'vitest';
import { PanelSubject } from '../../../../src/extension/panels/panelSubject';
import { modelSummary } from '../models/models';

/** An engine whose answers tell how often it was asked. */
function asking() {
  let count = 0;
  const engine = { start: () => Promise.reject(new Error('not needed')), request: () => Promise.resolve(count++) };
  return new PanelSubject(engine as never, 'm');
}

test('words and analyses are asked for once while the task is the same, and again for another', async () => {
  const subject = asking();
  const [first, again] = [modelSummary({ taskKey: 'a' }), modelSummary({ taskKey: 'a', name: 'renamed' })];
  expect(await subject.about(first)).toEqual([0, 1]);
  expect(await subject.about(again)).toEqual([0, 1]);
  const other = modelSummary({ taskKey: 'b' });
  expect([subject.hasTaskOf(again), subject.hasTaskOf(other)]).toEqual([true, false]);
  expect(await subject.about(other)).toEqual([2, 3]);
});
