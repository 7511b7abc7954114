import { describe, expect, test } from 'vitest';
import { CancelledError, UserError } from '../../../../src/common/errors';
import type { KeptOutcome } from '../../../../src/extension/claims/claimOutcomes';
import { ClaimVerification, type AskedClaims, type ClaimPoints } from '../../../../src/extension/claims/claimVerification';
import type { Verdict } from '../../../../src/extension/claims/claimVerdicts';
import type { Engine } from '../../../../src/extension/engine';
import { TooLongError } from '../../../../src/extension/refusals';
import type { IndexedOutcome, Verification, VerifyNews, VerifyRequest } from '../../../../src/protocol/engine';
import { modelDetails } from '../models/models';

const both: AskedClaims = {
  experiment: { text: '{}' }, claims: [{ index: 0, label: 'It learns' }, { index: 2, label: 'It is sparse' }], isSweep: false, seed: 0,
};

function outcome(index: number, measured: number | null): IndexedOutcome {
  return { index, claim: `claim ${index}`, measured, expect: '>= 0.9', ok: measured !== null && measured >= 0.9 };
}

function verification(outcomes: readonly IndexedOutcome[], changes: Partial<Verification> = {}): Verification {
  return { name: 'array-update', id: 'm0', seed: 0, claims: outcomes, ...changes };
}

type Answer = (request: VerifyRequest, tell: (news: VerifyNews) => void, signal: AbortSignal | undefined) => readonly Verification[] | Promise<readonly Verification[]>;

/** A verification by an engine that answers so, and all that came of it. */
function verifying(answer: Answer, { checkpoints = [], insists = false }: { readonly checkpoints?: readonly number[]; readonly insists?: boolean } = {}) {
  const requests: VerifyRequest[] = [];
  const questions: string[] = [];
  const lines: string[] = [];
  const settled: (readonly [number, Verdict['kind'], ...string[]])[] = [];
  const kept: ReadonlyMap<number, KeptOutcome>[] = [];
  const engine = {
    async requestWithProgress(_type: unknown, { progress: _, ...request }: VerifyRequest & { progress?: string }, progress: { listener(news: VerifyNews): void }, signal?: AbortSignal) {
      requests.push(request);
      return answer(request, news => progress.listener(news), signal);
    },
    async request() {
      const details = modelDetails({ layers: 1, heads: 1, attentionOnly: true, checkpoints });
      return { ...details, summary: { ...details.summary, progress: { step: 1000, steps: 1000 } } };
    },
  } as unknown as Pick<Engine, 'request' | 'requestWithProgress'>;
  const claims = new ClaimVerification({
    engine, now: () => 7,
    confirm: async question => {
      questions.push(question);
      return insists;
    },
  });
  const run = (points: ClaimPoints, asked = both, signal = new AbortController().signal) => claims.verify(asked, points, {
    say: line => lines.push(line),
    settled: (index, verdict) => settled.push(verdict.kind === 'passed' ? [index, 'passed'] : [index, verdict.kind, verdict.message]),
    measured: outcomes => kept.push(outcomes),
  }, signal);
  return { run, requests, questions, lines, settled, kept };
}

describe('at the end of the training', () => {
  test('the claims that are asked for are measured together, on what is trained first, and kept', async () => {
    const { run, requests, settled, kept } = verifying(() => [verification([outcome(0, 0.95), outcome(2, 0.5)])]);
    await run({ kind: 'end' });
    expect(requests).toEqual([{ experiment: { text: '{}' }, claims: [0, 2], train: true }]);
    expect(settled).toEqual([[0, 'passed'], [2, 'failed', 'measured 0.5, expected >= 0.9']]);
    expect([...kept[0] ?? []].map(([index, { trained, measured, at }]) => [index, trained, measured, at])).toEqual([[0, 'm0', 0.95, 7], [2, 'm0', 0.5, 7]]);
  });

  test('a claim is settled once, as soon as it is known', async () => {
    const { run, settled } = verifying((_, tell) => {
      tell({ kind: 'outcome', model: 'm0', outcome: outcome(2, 0.97) });
      expect(settled).toEqual([[2, 'passed']]);
      return [verification([outcome(0, 0.95), outcome(2, 0.97)])];
    });
    await run({ kind: 'end' });
    expect(settled).toEqual([[2, 'passed'], [0, 'passed']]);
  });

  test('the output has a line for each tenth of a training, each analysis and each outcome', async () => {
    const { run, lines } = verifying((_, tell) => {
      for (let step = 1; step <= 100; step++) tell({ kind: 'training', model: 'm0', name: 'array-update', progress: { step, steps: 100 }, metrics: { trainLoss: 1 / step } });
      tell({ kind: 'running', name: 'array-update', analysis: 'OV circuit' });
      tell({ kind: 'outcome', model: 'm0', outcome: outcome(0, 0.95) });
      return [verification([outcome(0, 0.95), outcome(2, 0.97)])];
    });
    await run({ kind: 'end' });
    expect(lines).toHaveLength(13);
    expect(lines.slice(0, 2)).toEqual(['array-update: training 1/100 · loss 1', 'array-update: training 10/100 · loss 0.1']);
    expect(lines.slice(-2)).toEqual(['array-update: OV circuit…', '✓ It learns: 0.95, expected >= 0.9']);
  });

  test('what keeps all of them from being measured is the problem of each', async () => {
    const { run, settled, kept } = verifying(() => [verification([], { problem: 'The run failed.' })]);
    await run({ kind: 'end' });
    expect(settled).toEqual([[0, 'errored', 'The run failed.'], [2, 'errored', 'The run failed.']]);
    expect(kept[0]?.size).toBe(0);
  });

  test('nothing is trained where that was not meant', async () => {
    const { run, requests } = verifying(() => [verification([outcome(0, 1), outcome(2, 1)])]);
    await run({ kind: 'end', untrained: true });
    expect(requests[0]?.train).toBe(false);
  });

  test('of a sweep a claim holds when it does for every run that it is about', async () => {
    const { run, settled, kept } = verifying((_, tell) => {
      tell({ kind: 'outcome', model: 'a', outcome: outcome(0, 0.95) });
      return [
        verification([outcome(0, 0.95)], { name: 'tiny: d_model 8', id: 'a' }),
        verification([outcome(0, 0.2), outcome(2, 1)], { name: 'tiny: d_model 16', id: 'b' }),
      ];
    });
    await run({ kind: 'end' }, { ...both, isSweep: true });
    expect(settled).toEqual([[0, 'failed', 'fails for 1 of 2, expected >= 0.9: tiny: d_model 16: 0.2'], [2, 'passed']]);
    expect([...kept[0] ?? []]).toEqual([
      [0, { model: 'b', measured: 0.2, expect: '>= 0.9', ok: false, at: 7 }], [2, { model: 'b', measured: 1, expect: '>= 0.9', ok: true, at: 7 }],
    ]);
  });
});

describe('what would take too long', () => {
  const refusing: Answer = ({ force }) => {
    if (!force) throw new TooLongError('Training would take 3 days on this CPU.');
    return [verification([outcome(0, 1), outcome(2, 1)])];
  };

  test('starts when the user insists, who is asked once', async () => {
    const { run, requests, questions, settled } = verifying(refusing, { insists: true });
    await run({ kind: 'seeds', seeds: [0, 1, 2] });
    expect(questions).toEqual(['Training would take 3 days on this CPU.']);
    expect(requests.map(({ seed, force = false }) => [seed, force])).toEqual([[0, false], [0, true], [1, true], [2, true]]);
    expect(settled.map(([, kind]) => kind)).toEqual(['passed', 'passed']);
  });

  test('is not started otherwise', async () => {
    const { run, requests, settled } = verifying(refusing);
    await expect(run({ kind: 'end' })).rejects.toThrow(UserError);
    expect([requests.length, settled.length]).toEqual([1, 0]);
  });
});

describe('at all checkpoints', () => {
  const growing: Answer = ({ checkpoint = 1000 }) => [verification([outcome(0, checkpoint / 1000), outcome(2, checkpoint === 500 ? 1 : 0.1)])];

  test('each is asked for once what is trained is there, and the end decides', async () => {
    const { run, requests, settled, lines, kept } = verifying(growing, { checkpoints: [0, 500, 900, 1000] });
    await run({ kind: 'checkpoints' });
    expect(requests.map(({ checkpoint, train }) => [checkpoint, train])).toEqual([[undefined, true], [0, false], [500, false], [900, false]]);
    expect(settled).toEqual([[0, 'passed'], [2, 'failed', 'measured 0.1, expected >= 0.9']]);
    const table = lines.slice(lines.indexOf('It learns'));
    expect(table).toEqual([
      'It learns', ' step  measured  holds', '    0         0  ✗', '  500       0.5  ✗', '  900       0.9  ✓', '1,000         1  ✓', 'It holds for good from step 900 on.',
      'It is sparse', ' step  measured  holds', '    0       0.1  ✗', '  500         1  ✓', '  900       0.1  ✗', '1,000       0.1  ✗', 'It does not hold at the end.',
    ]);
    expect(kept).toHaveLength(1);
  });

  test('nothing more is asked where there is no model', async () => {
    const { run, requests, settled } = verifying(() => [verification([], { problem: 'The run failed.' })], { checkpoints: [500] });
    await run({ kind: 'checkpoints' });
    expect([requests.length, settled.map(([, kind]) => kind)]).toEqual([1, ['errored', 'errored']]);
  });

  test('a sweep has no checkpoints of its own', async () => {
    const { run, requests } = verifying(growing);
    await expect(run({ kind: 'checkpoints' }, { ...both, isSweep: true })).rejects.toThrow('has a sweep');
    expect(requests).toEqual([]);
  });
});

describe('with several seeds', () => {
  test('a claim holds when it does for each, and that of the file is kept', async () => {
    const { run, settled, kept } = verifying(({ seed = -1 }) => [verification([outcome(0, 1), outcome(2, seed === 3 ? 0.4 : 0.95)], { id: `m${seed}`, seed })]);
    await run({ kind: 'seeds', seeds: [0, 3, 7] }, { ...both, seed: 7 });
    expect(settled).toEqual([[0, 'passed'], [2, 'failed', 'fails for 1 of 3, expected >= 0.9: seed 3: 0.4']]);
    expect(kept.map(outcomes => outcomes.get(2)?.trained)).toEqual(['m7']);
  });
});

test('cancelled, it ends at once and settles nothing more', async () => {
  const abort = new AbortController();
  const { run, requests, settled } = verifying((_, __, signal) => {
    abort.abort();
    if (signal?.aborted) throw new CancelledError();
    return [];
  });
  await expect(run({ kind: 'seeds', seeds: [0, 1] }, both, abort.signal)).rejects.toThrow(CancelledError);
  expect([requests.length, settled.length]).toEqual([1, 0]);
});
