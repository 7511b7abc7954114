import { describe, expect, test } from 'vitest';
import { ModelNames } from '../../../../src/extension/hooks/modelNames';
import type { KnownTensors } from '../../../../src/extension/hooks/resolve';
import { knownOf } from './names';

const model = { id: 'm', name: 'toy' };

/** Names that come, or do not, when it is told so. */
function namesOf() {
  const asked: { resolve(known: KnownTensors): void; reject(error: Error): void }[] = [];
  const failures: unknown[] = [];
  const clock = { now: 0 };
  const names = new ModelNames({
    ask: () => new Promise((resolve, reject) => {
      asked.push({ resolve, reject });
    }),
    loaded: () => undefined,
    failed: (_model, error) => failures.push(error),
    now: () => clock.now,
  });
  return { asked, failures, clock, names };
}

describe('the names of the pinned model', () => {
  test('are asked for once, and there without asking from then on', async () => {
    const { asked, names } = namesOf();
    expect(names.loadedOf(model)).toBeUndefined();
    expect(asked).toHaveLength(0);
    const both = [names.of(model), names.of(model)];
    const known = knownOf();
    asked[0]?.resolve(known);
    expect(await Promise.all(both)).toEqual([known, known]);
    expect(asked).toHaveLength(1);
    expect(names.loadedOf(model)).toBe(known);
    expect(names.loadedOf({ ...model, id: 'other' })).toBeUndefined();
  });

  test('are not waited for longer than somebody who types would', async () => {
    const { asked, names } = namesOf();
    expect(await names.of(model, 1)).toBeUndefined();
    const known = knownOf();
    asked[0]?.resolve(known);
    expect(await names.of(model, 10_000)).toBe(known);
  });

  test('that cannot be had are not asked for, nor spoken of, at every key', async () => {
    const { asked, failures, clock, names } = namesOf();
    const both = [names.of(model), names.of(model)];
    asked[0]?.reject(new Error('gone'));
    expect(await Promise.all(both)).toEqual([undefined, undefined]);
    expect(await names.of(model)).toBeUndefined();
    expect([asked.length, failures.length]).toEqual([1, 1]);
    clock.now = 10_000;
    void names.of(model);
    expect(asked).toHaveLength(2);
  });

  test('are asked for again at once when the engine is there again', async () => {
    const { asked, names } = namesOf();
    const first = names.of(model);
    asked[0]?.reject(new Error('down'));
    await first;
    names.retry();
    void names.of(model);
    expect(asked).toHaveLength(2);
  });
});
