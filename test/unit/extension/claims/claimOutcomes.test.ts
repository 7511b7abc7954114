import { describe, expect, test } from 'vitest';
import { ClaimOutcomes, isFailing, type KeptOutcome } from '../../../../src/extension/claims/claimOutcomes';
import { memory } from '../memory';

const file = 'file:///studies/mod.circuit.json';
const learned = { claim: 'It learns', analysis: 'training-curves', scalar: 'testAccuracy', expect: '>= 0.99' };
const fourier = { claim: 'It uses few frequencies', analysis: 'fourier-spectrum', scalar: 'keyFrequencies', expect: '<= 5' };
const text = (...claims: readonly object[]) => JSON.stringify({ task: 'modular-arithmetic', claims }, undefined, 2);

function outcome(changes: Partial<KeptOutcome> = {}): KeptOutcome {
  return { trained: 'aaa', model: 'aaa', measured: 0.994, expect: '>= 0.99', ok: true, at: 1, ...changes };
}

describe('what was measured of a claim', () => {
  test('is found again by what the claim says, wherever it stands and however it is laid out', () => {
    const outcomes = new ClaimOutcomes(memory());
    outcomes.keep(file, text(learned, fourier), new Map([[0, outcome()]]));
    expect(outcomes.of(file, JSON.stringify({ claims: [fourier, learned] })).map(claim => claim.outcome?.measured)).toEqual([undefined, 0.994]);
    expect(outcomes.of('file:///other.circuit.json', text(learned))[0]?.outcome).toBeUndefined();
  });

  test('is gone once the claim says something else, and for good once the file was measured again', () => {
    const outcomes = new ClaimOutcomes(memory());
    outcomes.keep(file, text(learned, fourier), new Map([[0, outcome()]]));
    const stricter = text({ ...learned, expect: '>= 0.999' }, fourier);
    expect(outcomes.of(file, stricter)[0]?.outcome).toBeUndefined();
    outcomes.keep(file, stricter, new Map([[1, outcome({ measured: 4 })]]));
    expect(outcomes.of(file, text(learned, fourier)).map(claim => claim.outcome?.measured)).toEqual([undefined, 4]);
  });

  test('stays while only other claims are measured', () => {
    const outcomes = new ClaimOutcomes(memory());
    outcomes.keep(file, text(learned, fourier), new Map([[0, outcome()]]));
    outcomes.keep(file, text(learned, fourier), new Map([[1, outcome({ measured: 7, ok: false })]]));
    expect(outcomes.of(file, text(learned, fourier)).map(claim => claim.outcome?.ok)).toEqual([true, false]);
  });

  test('outlives the window, unless what is found makes no sense', () => {
    const kept = memory();
    new ClaimOutcomes(kept).keep(file, text(learned), new Map([[0, outcome()]]));
    expect(new ClaimOutcomes(kept).of(file, text(learned))[0]?.outcome).toEqual(outcome());
    expect(new ClaimOutcomes(memory({ 'circuits.claims': [{ file, content: 3 }] })).of(file, text(learned))[0]?.outcome).toBeUndefined();
  });

  test('is told of by its file', () => {
    const outcomes = new ClaimOutcomes(memory());
    const told: string[] = [];
    outcomes.onChange(changed => told.push(changed));
    outcomes.keep(file, text(learned), new Map([[0, outcome()]]));
    outcomes.keep(file, text(learned), new Map());
    expect(told).toEqual([file]);
  });

  test('is read from a text that is half typed', () => {
    const outcomes = new ClaimOutcomes(memory());
    outcomes.keep(file, text(learned), new Map([[0, outcome()]]));
    expect(outcomes.of(file, `{ "claims": [${JSON.stringify(learned)}, { "claim": "and`).map(claim => claim.outcome?.ok)).toEqual([true, undefined]);
    expect(outcomes.of(file, '{ "claims": ')).toEqual([]);
  });
});

describe('an outcome', () => {
  const measured = (ok: boolean, changes: Partial<KeptOutcome> = {}) => {
    const outcomes = new ClaimOutcomes(memory());
    outcomes.keep(file, text(learned), new Map([[0, outcome({ ok, ...changes })]]));
    return outcomes;
  };

  test('is stale once the experiment would train another model', () => {
    const stale = (now: string, trains?: string) => measured(true).of(file, now, trains).map(({ isStale }) => isStale);
    expect([stale(text(learned), 'aaa'), stale(text(learned), 'bbb')]).toEqual([[false], [true]]);
    // What the engine knows counts: a default that is written out changes nothing.
    expect(stale(JSON.stringify({ task: 'modular-arithmetic', seed: 0, claims: [learned] }), 'aaa')).toEqual([false]);
  });

  test('is stale once the file says something else, where what it would train is not known, or is a sweep', () => {
    const changed = JSON.stringify({ task: 'array-update', claims: [learned] });
    const described = JSON.stringify({ description: 'A study.', claims: [learned, fourier], task: 'modular-arithmetic' });
    expect([changed, described].map(now => measured(true).of(file, now)[0]?.isStale)).toEqual([true, false]);
    const { trained: _, ...ofSweep } = outcome();
    const swept = new ClaimOutcomes(memory());
    swept.keep(file, text(learned), new Map([[0, ofSweep]]));
    expect([text(learned), changed].map(now => swept.of(file, now, 'bbb')[0]?.isStale)).toEqual([false, true]);
  });

  test('is not stale where the fields of the file, objects among them, only stand in another order', () => {
    const fields = { task: { name: 'max' }, model: { n_layers: 1 }, training: { steps: 1 } };
    const outcomes = new ClaimOutcomes(memory());
    outcomes.keep(file, JSON.stringify({ ...fields, claims: [learned] }), new Map([[0, outcome()]]));
    const { task, ...rest } = fields;
    expect(outcomes.of(file, JSON.stringify({ claims: [learned], ...rest, task }))).toMatchObject([{ isStale: false }]);
  });

  test('fails its file only while it is not stale', () => {
    expect([isFailing(measured(false).of(file, text(learned), 'aaa')), isFailing(measured(false).of(file, text(learned), 'bbb'))]).toEqual([true, false]);
    expect([isFailing(measured(true).of(file, text(learned))), isFailing([])]).toEqual([false, false]);
  });
});
