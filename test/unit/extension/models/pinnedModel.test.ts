import { describe, expect, test } from 'vitest';
import { Emitter } from '../../../../src/common/event';
import type { ModelListChange } from '../../../../src/extension/models/modelList';
import { PinnedModel } from '../../../../src/extension/models/pinnedModel';
import type { ModelSummary } from '../../../../src/protocol/model';
import { memory } from '../memory';
import { modelSummary } from './models';

function pinning(kept = memory(), listed: readonly ModelSummary[] = [modelSummary()]) {
  const changes = new Emitter<ModelListChange>();
  const told: string[] = [];
  const list = { find: (id: string) => listed.find(model => model.id === id), load: () => Promise.resolve(listed), onChange: changes.event };
  const pinned = new PinnedModel(kept, list, message => told.push(message));
  const change = (part: Partial<ModelListChange>) => changes.fire({ structure: false, changed: [], before: new Map(), removed: [], ...part });
  return { pinned, told, change, kept };
}

describe('the pinned model', () => {
  test('is remembered', () => {
    const { pinned, kept } = pinning();
    expect(pinned.current).toBeUndefined();
    pinned.pin(modelSummary());
    expect(pinning(kept).pinned.current).toEqual({ id: 'm', name: 'array-update' });
    pinned.unpin();
    expect(pinning(kept).pinned.current).toBeUndefined();
  });

  test('does not come from a memory that holds something else', () => {
    expect(pinning(memory({ 'circuits.pinned': { id: 3 } })).pinned.current).toBeUndefined();
  });

  test('goes when it is deleted, with one message', () => {
    const { pinned, told, change } = pinning();
    pinned.pin(modelSummary());
    const seen: unknown[] = [];
    pinned.onChange(({ now }) => seen.push(now));
    change({ removed: ['other'] });
    expect(pinned.current).toBeDefined();
    change({ removed: ['m'] });
    change({ removed: ['m'] });
    expect([pinned.current, seen, told]).toEqual([undefined, [undefined], ['The pinned model array-update was deleted, so no model is pinned.']]);
  });

  test('goes when it was deleted while the window was closed', async () => {
    const { pinned, told } = pinning(memory({ 'circuits.pinned': { id: 'gone', name: 'gone' } }));
    await pinned.check();
    expect([pinned.current, told.length]).toEqual([undefined, 1]);
  });

  test('keeps its name up to date', () => {
    const { pinned, change } = pinning();
    pinned.pin(modelSummary());
    change({ changed: [modelSummary({ name: 'renamed' })] });
    expect(pinned.current).toEqual({ id: 'm', name: 'renamed' });
  });
});
