import { describe, expect, onTestFinished, test } from 'vitest';
import { CancelledError, UserError } from '../../../../src/common/errors';
import { Emitter } from '../../../../src/common/event';
import { HeadBadges } from '../../../../src/extension/models/headBadges';
import type { ModelListChange } from '../../../../src/extension/models/modelList';
import type { HeadBadge } from '../../../../src/protocol/analysis';
import type { ModelSummary } from '../../../../src/protocol/model';
import { modelSummary } from './models';

interface Asked {
  answer(badges: readonly HeadBadge[]): Promise<void>;
  refuse(error: Error): Promise<void>;
}

const settled = () => new Promise<void>(resolve => setImmediate(resolve));
const head = { model: 'm', layer: 0, head: 1 };

function looked() {
  const asked: Asked[] = [];
  const told: string[] = [];
  const warnings: string[] = [];
  const models = new Emitter<ModelListChange>();
  const request = (_type: unknown, _params: unknown, signal?: AbortSignal) => new Promise((resolve, reject) => {
    signal?.addEventListener('abort', () => reject(new CancelledError()));
    asked.push({
      answer(badges) {
        resolve(badges);
        return settled();
      },
      refuse(error) {
        reject(error);
        return settled();
      },
    });
  });
  const badges = new HeadBadges({ request: request as never }, { onChange: models.event }, { warn: message => warnings.push(message) });
  onTestFinished(() => badges.dispose());
  badges.onChange(model => told.push(model));
  let model = modelSummary();
  const change = (now: Partial<ModelSummary>) => {
    const before = model;
    model = modelSummary(now);
    models.fire({ structure: false, changed: [model], before: new Map([['m', before]]), removed: [] });
  };
  return { badges, asked, told, warnings, change, models };
}

describe('the badges of heads', () => {
  test('are asked for once when heads are looked at, and joined head by head', async () => {
    const { badges, asked, told } = looked();
    badges.want('m');
    badges.want('m');
    expect([asked.length, badges.of(head)]).toEqual([1, []]);
    await asked[0]?.answer([{ layer: 0, head: 1, text: 'previous 0.98' }, { layer: 1, head: 0, text: 'copies 1' }, { layer: 0, head: 1, text: 'first 0.5' }]);
    expect(told).toEqual(['m']);
    expect(badges.of(head)).toEqual(['previous 0.98', 'first 0.5']);
    expect(badges.of({ ...head, model: 'other' })).toEqual([]);
  });

  test('go when the model trains on, and are asked for again when it ends', async () => {
    const { badges, asked, change } = looked();
    badges.want('m');
    await asked[0]?.answer([{ layer: 0, head: 1, text: 'previous 0.98' }]);
    change({ status: 'training', progress: { step: 1, steps: 1000 } });
    expect(badges.of(head)).toEqual([]);
    change({ status: 'training', progress: { step: 2, steps: 1000 } });
    expect(asked).toHaveLength(1);
    change({ status: 'finished' });
    expect(asked).toHaveLength(2);
    await asked[1]?.answer([{ layer: 0, head: 1, text: 'previous 0.99' }]);
    expect(badges.of(head)).toEqual(['previous 0.99']);
  });

  test('stay when only the name changes, and are not asked for of models that nobody looks at', async () => {
    const { badges, asked, change } = looked();
    change({ name: 'mine' });
    badges.want('m');
    await asked[0]?.answer([{ layer: 0, head: 1, text: 'previous 0.98' }]);
    change({ name: 'yours' });
    expect([asked.length, badges.of(head)]).toEqual([1, ['previous 0.98']]);
  });

  test('are asked for again when the model has another task', async () => {
    const { badges, asked, change } = looked();
    change({ taskKey: 'a' });
    badges.want('m');
    await asked[0]?.answer([{ layer: 0, head: 1, text: 'previous 0.98' }]);
    change({ taskKey: 'b' });
    expect(asked).toHaveLength(2);
    await asked[1]?.answer([]);
    expect(badges.of(head)).toEqual([]);
  });

  test('of an older question are dropped', async () => {
    const { badges, asked, change, warnings } = looked();
    badges.want('m');
    change({ status: 'training' });
    change({ status: 'finished' });
    await asked[0]?.answer([{ layer: 0, head: 1, text: 'old' }]);
    await asked[1]?.answer([{ layer: 0, head: 1, text: 'new' }]);
    expect([badges.of(head), warnings]).toEqual([['new'], []]);
  });

  test('that cannot be had are no error for people, and are asked for at the next look', async () => {
    const { badges, asked, warnings } = looked();
    badges.want('m');
    await asked[0]?.refuse(new UserError('The engine has just ended.'));
    expect(warnings).toEqual(['There are no badges for the heads of m: The engine has just ended.']);
    badges.want('m');
    expect(asked).toHaveLength(2);
  });

  test('of a deleted model are forgotten', async () => {
    const { badges, asked, models } = looked();
    badges.want('m');
    await asked[0]?.answer([{ layer: 0, head: 1, text: 'previous 0.98' }]);
    models.fire({ structure: true, changed: [], before: new Map(), removed: ['m'] });
    expect(badges.of(head)).toEqual([]);
  });
});
