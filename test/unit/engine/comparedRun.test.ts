import { describe, expect, test } from 'vitest';
import { CancelledError, UserError } from '../../../src/common/errors';
import { runCompared, type OneRun } from '../../../src/engine/comparedRun';
import type { AnalysisRequest, AnalysisResult, ModelPoint } from '../../../src/protocol/analysis';

const modelNames: Readonly<Record<string, string>> = { one: 'addition', twin1234567: 'addition', other: 'subtraction' };
const result = (value: number): AnalysisResult => ({ figures: [], scalars: { loss: value } });

/** Compares with `run` in place of the analysis, and says what it was asked for. */
async function compareBy(against: ModelPoint, run: (request: AnalysisRequest) => Promise<Omit<OneRun, 'readsWeights'>>, { checkpoint, readsWeights = true }: { checkpoint?: number; readsWeights?: boolean } = {}) {
  const asked: { readonly request: AnalysisRequest; readonly seed: number | undefined }[] = [];
  const fractions: number[] = [];
  const partials: unknown[] = [];
  const compared = await runCompared(
    { model: 'one', analysis: 'attention', params: { examples: 4 }, ...(checkpoint !== undefined && { checkpoint }), against },
    { signal: new AbortController().signal, progress: (fraction, partial) => void (fractions.push(fraction), partial && partials.push(partial)) },
    {
      store: { details: id => modelNames[id] === undefined ? Promise.reject(new UserError(`There is no model ${id}.`)) : Promise.resolve({ summary: { name: modelNames[id] } } as never) },
      run: async (request, steering, seed) => {
        asked.push({ request, seed });
        steering.progress(0.5, () => result(0));
        return { ...await run(request), readsWeights };
      },
    },
  );
  return { asked, fractions, partials, comparison: compared.comparison, scalars: compared.scalars };
}
const always = (request: AnalysisRequest) => Promise.resolve({ result: result(request.checkpoint ?? 9), seed: 7 });

describe('a compared run', () => {
  test('runs the analysis twice, with the same parameters and draws', async () => {
    const { asked, scalars, comparison } = await compareBy({ model: 'other', checkpoint: 5 }, always, { checkpoint: 3 });
    expect(asked).toEqual([
      { request: { model: 'one', analysis: 'attention', params: { examples: 4 }, checkpoint: 3 }, seed: undefined },
      { request: { model: 'other', analysis: 'attention', params: { examples: 4 }, checkpoint: 5 }, seed: 7 },
    ]);
    expect([scalars, comparison]).toMatchObject([{ loss: 3 }, { scalars: { loss: 5 } }]);
  });

  test('tells how far both are, and shows neither before it is done', async () => {
    const { fractions, partials } = await compareBy({ model: 'other' }, always);
    expect([fractions, partials]).toEqual([[0.25, 0.75], []]);
  });

  test.each<[string, ModelPoint, Parameters<typeof compareBy>[2], readonly string[]]>([
    ['checkpoints of a model by their steps', { model: 'one' }, { checkpoint: 12_000 }, ['step 12,000', 'newest weights']],
    ['models by their names', { model: 'other', checkpoint: 5 }, {}, ['addition, newest weights', 'subtraction, step 5']],
    ['models of one name by their ids too', { model: 'twin1234567' }, {}, ['addition (one), newest weights', 'addition (twin1234), newest weights']],
    ['what reads no weights by the model alone', { model: 'other' }, { readsWeights: false }, ['addition', 'subtraction']],
  ])('calls %s', async (_, against, options, names) => {
    expect((await compareBy(against, always, options)).comparison?.names).toEqual(names);
  });

  test('says in a sentence what is wrong with the other, and has the first', async () => {
    const { scalars, comparison } = await compareBy({ model: 'gone' }, request => request.model === 'gone' ? Promise.reject(new UserError('There is no model gone.')) : always(request));
    expect(scalars).toEqual({ loss: 9 });
    expect(comparison).toEqual({ names: ['addition, newest weights', 'gone, newest weights'], problem: 'There is no model gone.' });
  });

  test('fails with what is wrong with the first, and with a defect, and is cancelled', async () => {
    await expect(compareBy({ model: 'other' }, () => Promise.reject(new UserError('no')))).rejects.toThrow('no');
    for (const error of [new Error('defect'), new CancelledError()]) {
      await expect(compareBy({ model: 'other' }, request => request.model === 'other' ? Promise.reject(error) : always(request))).rejects.toBe(error);
    }
  });
});
