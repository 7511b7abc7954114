import { describe, expect, onTestFinished, test } from 'vitest';
import { UserError } from '../../../src/common/errors';
import { Badges } from '../../../src/engine/badges';
import type { AnalysisInfo, AnalysisRequest, AnalysisResult, HeadBadge } from '../../../src/protocol/analysis';
import type { ModelDetails, ModelStatus } from '../../../src/protocol/model';
import { modelDetails } from '../extension/models/models';

const info = (id: string, badges: boolean): AnalysisInfo =>
  ({ id, title: id, description: '', group: 'Attention', params: {}, scalars: {}, badges, live: false, atCheckpoint: true });
const badge = (text: string): HeadBadge => ({ layer: 0, head: 1, text });

function badgesOf(results: Readonly<Record<string, AnalysisResult | Error>>) {
  const ran: AnalysisRequest[] = [];
  const logged: string[] = [];
  const signals: AbortSignal[] = [];
  const badges = new Badges({
    applicable: async () => [...Object.keys(results).map(id => info(id, true)), info('attention', false)],
    runWhenIdle: async (request, signal) => {
      ran.push(request);
      signals.push(signal);
      const result = results[request.analysis];
      if (!result || result instanceof Error) throw result ?? new Error(`${request.analysis} was not to be run`);
      return result;
    },
  }, message => logged.push(message));
  onTestFinished(() => badges.dispose());
  return { badges, ran, logged, signals };
}

interface Given {
  readonly id?: string;
  readonly status?: ModelStatus;
  readonly checkpoints?: readonly number[];
  readonly taskKey?: string;
}

function model({ id = 'm', status = 'finished', checkpoints = [100], taskKey }: Given = {}): ModelDetails {
  const details = modelDetails({ layers: 1, heads: 2, attentionOnly: true, checkpoints });
  return { ...details, summary: { ...details.summary, id, status, ...(taskKey !== undefined && { taskKey }) } };
}

describe('the badges of a model', () => {
  test('are those of every analysis that has some, with its usual parameters', async () => {
    const { badges, ran } = badgesOf({
      'head-scores': { figures: [], scalars: {}, badges: [badge('previous 0.98')] },
      copying: { figures: [], scalars: {}, badges: [badge('copies 1')] },
      silent: { figures: [], scalars: {} },
    });
    expect(await badges.of(model())).toEqual([badge('previous 0.98'), badge('copies 1')]);
    expect(ran).toEqual(['head-scores', 'copying', 'silent'].map(analysis => ({ model: 'm', analysis, params: {} })));
  });

  test('are worked out once for the same weights, however many ask', async () => {
    const { badges, ran } = badgesOf({ 'head-scores': { figures: [], scalars: {}, badges: [badge('previous 0.98')] } });
    await Promise.all([badges.of(model()), badges.of(model())]);
    await badges.of(model({ status: 'stopped' }));
    expect(ran).toHaveLength(1);
    await badges.of(model({ checkpoints: [100, 200] }));
    await badges.of(model({ id: 'other' }));
    expect(ran.map(request => request.model)).toEqual(['m', 'm', 'other']);
  });

  test('are worked out again for another task', async () => {
    const { badges, ran } = badgesOf({ 'head-scores': { figures: [], scalars: {}, badges: [badge('previous 0.98')] } });
    for (const taskKey of ['a', 'a', 'b']) await badges.of(model({ taskKey }));
    expect(ran).toHaveLength(2);
  });

  test('are none while it trains, and nothing is run for them', async () => {
    const { badges, ran } = badgesOf({ 'head-scores': { figures: [], scalars: {}, badges: [badge('previous 0.98')] } });
    expect(await badges.of(model({ status: 'training' }))).toEqual([]);
    expect(await badges.of(model({ status: 'paused' }))).toEqual([]);
    expect(ran).toEqual([]);
  });

  test('leave out an analysis that fails, which the log tells', async () => {
    const { badges, logged } = badgesOf({
      broken: new UserError('The model has no weights yet.'),
      'head-scores': { figures: [], scalars: {}, badges: [badge('previous 0.98')] },
    });
    expect(await badges.of(model())).toEqual([badge('previous 0.98')]);
    expect(logged).toEqual(['The analysis "broken" gives no badges for array-update: The model has no weights yet.']);
  });

  test('are given up when the engine ends', async () => {
    const { badges, signals } = badgesOf({ 'head-scores': { figures: [], scalars: {} } });
    await badges.of(model());
    badges.dispose();
    expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
  });
});
