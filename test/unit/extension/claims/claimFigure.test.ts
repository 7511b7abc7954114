import { describe, expect, test } from 'vitest';
import { figureOfClaim, UntrainedClaimError } from '../../../../src/extension/claims/claimFigure';
import { claimLensesOf } from '../../../../src/extension/claims/claimLenses';
import { claimItems } from '../../../../src/extension/claims/claimItems';
import { ClaimOutcomes } from '../../../../src/extension/claims/claimOutcomes';
import type { Engine } from '../../../../src/extension/engine';
import type { ExperimentStanding } from '../../../../src/protocol/engine';
import { memory } from '../memory';
import { modelSummary } from '../models/models';

const file = 'file:///a.circuit.json';
const copies = { claim: 'Head 1.0 copies', analysis: 'ov-circuit', params: { head: '1.0' }, scalar: 'copying', expect: '>= 0.99' };
const trains = { id: 'm', name: 'array-update', seed: 0, steps: 1000 };

function figure(experiment: object, standing: Partial<ExperimentStanding>, { measuredOn, models = [] }: { readonly measuredOn?: string; readonly models?: readonly string[] } = {}) {
  const text = JSON.stringify(experiment);
  const outcomes = new ClaimOutcomes(memory());
  if (measuredOn !== undefined) outcomes.keep(file, text, new Map([[0, { model: measuredOn, measured: 1, expect: '>= 0.99', ok: true, at: 0 }]]));
  const engine = { request: async () => ({ problems: [], ...standing }) } as unknown as Pick<Engine, 'request'>;
  const [claim] = claimItems(text);
  return figureOfClaim({ engine, outcomes, exists: async model => models.includes(model) }, { file, claim: claim?.id ?? '', experiment: { text } });
}

describe('the figure of a claim', () => {
  test('is its analysis with its parameters, on the model of the experiment', async () => {
    await expect(figure({ claims: [copies] }, { trains, model: modelSummary({ id: 'm' }) })).resolves.toEqual({ model: 'm', analysis: 'ov-circuit', params: { head: '1.0' } });
  });

  test('is not there before the model is, or while the experiment cannot be trained', async () => {
    await expect(figure({ claims: [copies] }, { trains })).rejects.toThrow('"array-update" is not trained yet');
    await expect(figure({ claims: [copies] }, { problems: [{ path: ['task'], message: 'There is no task "x".' }] })).rejects.toThrow('There is no task "x".');
    await expect(figure({ claims: [{ claim: 'Half' }] }, { trains })).rejects.toThrow('names no analysis yet');
    await expect(figure({ claims: [] }, { trains })).rejects.toThrow('not there any more');
  });

  test('of another experiment or of a sweep is on the model that was measured', async () => {
    for (const experiment of [{ claims: [{ ...copies, of: 'array-update' }] }, { claims: [copies], sweep: { seed: [0, 1] } }]) {
      await expect(figure(experiment, { trains }, { measuredOn: 'other', models: ['other'] })).resolves.toMatchObject({ model: 'other' });
      await expect(figure(experiment, { trains }, { measuredOn: 'other' })).rejects.toThrow(UntrainedClaimError);
      await expect(figure(experiment, { trains }, {})).rejects.toThrow('Run the claim "Head 1.0 copies" first');
    }
  });
});

describe('over a claim', () => {
  const text = JSON.stringify({ task: 'array-update', claims: [copies, { ...copies, claim: 'Head 1.1 copies' }] });
  const outcomes = new ClaimOutcomes(memory());
  outcomes.keep(file, text, new Map([[0, { trained: 'm', model: 'm', measured: 0.93, expect: '>= 0.99', ok: false, at: 0 }]]));
  const lenses = (trusted: boolean, now?: string) => claimLensesOf(file, claimItems(text), outcomes.of(file, text, now), trusted);

  test('stand what runs it, what was measured, and its figure', () => {
    expect(lenses(true).map(({ title }) => title)).toEqual([
      '$(play) Run', '✗ 0.93, expected >= 0.99', 'Open the Figure', '$(play) Run', '○ not measured', 'Open the Figure',
    ]);
    expect(lenses(true).flatMap(({ click }) => click?.target.claim ?? [])).toEqual(['["Head 1.0 copies",1]', '["Head 1.0 copies",1]', '["Head 1.1 copies",1]', '["Head 1.1 copies",1]']);
    expect([...new Set(lenses(true).map(({ at }) => text.slice(at, at + 27)))]).toEqual(['{"claim":"Head 1.0 copies",', '{"claim":"Head 1.1 copies",']);
  });

  test('stands that what was measured is of another model than would be trained now', () => {
    expect(lenses(true, 'other')[1]?.title).toBe('✗ 0.93, expected >= 0.99 · before the experiment changed');
    expect(lenses(true, 'm')[1]?.title).toBe('✗ 0.93, expected >= 0.99');
  });

  test('stands nothing that runs it in a workspace that is not trusted', () => {
    expect(lenses(false).map(({ title }) => title)).not.toContain('$(play) Run');
  });
});
