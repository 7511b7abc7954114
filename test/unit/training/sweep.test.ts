import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { SweptValues } from '../../../src/protocol/sweep';
import { readSweep, sampleSweep, type Sweep } from '../../../src/training/sweep';
import { tinyExperiment } from '../engine/experiments';

const learns = { claim: 'it learns', analysis: 'training-curves', scalar: 'testLoss', expect: '< 1' };

function withSweep(sweep: unknown, more: object = {}): string {
  return JSON.stringify({ ...JSON.parse(tinyExperiment()), ...more, sweep });
}

function sweepOf(text: string): Sweep {
  const reading = readSweep(text);
  if (!reading.ok) throw new Error(JSON.stringify(reading));
  return reading.sweep;
}

function valuesOf(sweep: unknown): readonly SweptValues[] {
  return sweepOf(withSweep(sweep)).runs.map(({ values }) => values);
}

function problemsOf(sweep: unknown, more?: object) {
  const reading = readSweep(withSweep(sweep, more));
  return reading.ok ? [] : reading.problems;
}

describe('the runs of a sweep', () => {
  test('are all combinations of a grid, the last field varying fastest', () => {
    expect(valuesOf({ 'model.d_model': [8, 16], 'task.modulus': [5, 7], seed: 3 })).toEqual([
      { 'model.d_model': 8, 'task.modulus': 5, seed: 3 },
      { 'model.d_model': 8, 'task.modulus': 7, seed: 3 },
      { 'model.d_model': 16, 'task.modulus': 5, seed: 3 },
      { 'model.d_model': 16, 'task.modulus': 7, seed: 3 },
    ]);
  });

  test('are those of several grids, one after another', () => {
    const { fields, runs } = sweepOf(withSweep([{ seed: [0, 1] }, { 'model.d_model': 16, seed: 2 }]));
    expect(runs.map(({ values }) => values)).toEqual([{ seed: 0 }, { seed: 1 }, { 'model.d_model': 16, seed: 2 }]);
    expect(fields).toEqual(['seed', 'model.d_model']);
  });

  test('are as many as the product of the numbers of values', () => {
    const grid = fc.record({
      seed: fc.uniqueArray(fc.nat(1000), { minLength: 1, maxLength: 4 }),
      'training.steps': fc.uniqueArray(fc.integer({ min: 1, max: 1000 }), { minLength: 1, maxLength: 4 }),
      'task.modulus': fc.subarray([5, 7, 11], { minLength: 1 }),
    });
    fc.assert(fc.property(grid, swept => {
      const { runs } = sweepOf(withSweep(swept));
      expect(runs).toHaveLength(Object.values(swept).reduce((product, values) => product * values.length, 1));
      for (const { values, experiment: { resolved } } of runs) {
        expect(resolved).toMatchObject({ seed: values['seed'], training: { steps: values['training.steps'] }, task: { parameters: { modulus: values['task.modulus'] } } });
      }
      expect(new Set(runs.map(({ text }) => text)).size).toBe(runs.length);
    }), { numRuns: 30 });
  });

  test('are experiments of their own, named by their values', () => {
    const [run] = sweepOf(withSweep({ 'model.d_model': [16] }, { task: 'modular-arithmetic' })).runs;
    expect(run?.experiment.resolved).toMatchObject({ name: 'tiny: d_model 16', model: { d_model: 16 } });
    expect(JSON.parse(run?.text ?? '')).not.toHaveProperty('sweep');
  });

  test('vary the parameters of a task that is given by its name, and tasks as a whole', () => {
    const [five, other] = sweepOf(withSweep({ task: ['modular-arithmetic', { name: 'modular-arithmetic', operation: 'subtract' }], 'task.modulus': [5] })).runs;
    expect(five?.experiment.resolved.task).toMatchObject({ name: 'modular-arithmetic', parameters: { modulus: 5 } });
    expect(other?.experiment.resolved.task.parameters).toMatchObject({ modulus: 5, operation: 'subtract' });
  });

  test('take what is changed on the way', () => {
    const reading = readSweep(withSweep({ 'model.d_model': [8, 16] }), { seed: 9, set: ['sweep={"seed": [1, 2, 3]}'] });
    expect(reading.ok && reading.sweep.runs.map(({ experiment }) => experiment.resolved.seed)).toEqual([1, 2, 3]);
  });

  test('have lists as values where a field holds one', () => {
    expect(valuesOf({ 'training.betas': [[0.9, 0.98], [0.8, 0.99]] })).toEqual([{ 'training.betas': [0.9, 0.98] }, { 'training.betas': [0.8, 0.99] }]);
  });
});

describe('the claims of a sweep', () => {
  test('are about every run, or about those with the values that they name', () => {
    const { runs } = sweepOf(withSweep({ seed: [0, 1], 'model.d_model': [8, 16] }, {
      claims: [{ ...learns, claim: 'the wide one', where: { 'model.d_model': 16 } }, learns, { ...learns, claim: 'one of them', where: { 'model.d_model': 8, seed: 1 } }],
    }));
    expect(runs.map(({ experiment }) => experiment.claims.map(({ claim }) => claim))).toEqual([
      ['it learns'], ['the wide one', 'it learns'], ['it learns', 'one of them'], ['the wide one', 'it learns'],
    ]);
    expect(runs.map(({ claimsAt }) => claimsAt)).toEqual([[1], [0, 1], [1, 2], [0, 1]]);
    expect(runs[1]?.experiment.claims[0]).not.toHaveProperty('where');
  });

  test.each([
    [{ 'model.d_modle': 8 }, 'There is no swept field "model.d_modle"; the nearest is "model.d_model".'],
    [{ 'model.d_model': 32 }, 'No run of the sweep has these values.'],
  ])('name values that some run has: not %j', (where, message) => {
    expect(problemsOf({ 'model.d_model': [8, 16] }, { claims: [{ ...learns, where }] })).toEqual([{ path: ['claims', 0, 'where'], message }]);
  });
});

describe('a sweep is refused', () => {
  test('over a field that does not exist, with the nearest names', () => {
    expect(problemsOf({ 'model.d_modle': [8, 16] })).toEqual([
      { path: ['sweep', 'model.d_modle'], message: expect.stringMatching(/^With d_modle 8: There is no field of "model" called "d_modle"; the nearest (is|are) "d_model"/) },
    ]);
    expect(problemsOf({ 'task.modulos': [5] })[0]).toMatchObject({ path: ['sweep', 'task.modulos'], message: expect.stringContaining('"modulus"') });
    expect(problemsOf([{ seed: [1] }, { sed: [1, 2] }])).toEqual([{ path: ['sweep', 1, 'sed'], message: 'There is no field called "sed"; the nearest is "seed".' }]);
  });

  test.each(['name', 'claims', 'description', 'sweep.seed', '$schema'])('over %s, which decides no number of a model', field => {
    expect(problemsOf({ [field]: ['x'] })[0]).toMatchObject({ path: ['sweep', field], message: expect.stringContaining(`"${field}" cannot be swept: a sweep varies "task", "model", "training", "seed"`) });
  });

  test('when it is empty', () => {
    expect(problemsOf({ seed: [] })).toEqual([{ path: ['sweep', 'seed'], message: 'This sweep has no runs: "seed" is given no values.' }]);
    expect(problemsOf({})[0]?.message).toContain('a sweep names at least one field to vary');
    expect(problemsOf([])[0]?.message).toContain('a sweep needs at least one grid');
  });

  test('when the experiment has none', () => {
    expect(readSweep(tinyExperiment())).toMatchObject({ ok: false, problems: [{ path: ['sweep'], message: expect.stringMatching(/^This experiment has no sweep/) }] });
  });

  test('when it has more runs than there may be', () => {
    const many = Array.from({ length: 400 }, (_, i) => i + 1);
    expect(problemsOf({ seed: many, 'training.steps': many })).toEqual([{ path: ['sweep'], message: 'This sweep has more than 100,000 runs, which is the most that a sweep may have.' }]);
    const endless = Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`training.${i}`, Array.from({ length: 400 }, (_, value) => value)]));
    expect(problemsOf([endless, endless])[0]?.message).toContain('has more than 100,000 runs');
  });

  test('when a grid varies more fields than there may be', () => {
    const grid = (fields: number) => Object.fromEntries(Array.from({ length: fields }, (_, i) => [`model.field${i}`, [1]]));
    expect(problemsOf(grid(8000))).toEqual([{ path: ['sweep'], message: '"sweep": a sweep varies at most 50 fields.' }]);
    expect(problemsOf([{ seed: [1] }, {}])).toEqual([{ path: ['sweep', 1], message: '"sweep.1": a sweep names at least one field to vary.' }]);
    expect(problemsOf([{ seed: [1] }, grid(51)])[0]?.message).toContain('a sweep varies at most 50 fields');
    expect(problemsOf(grid(50))[0]?.message).toContain('There is no field of "model" called "field0"');
  });

  test('unread, when it has more runs than were meant', () => {
    const text = withSweep({ seed: Array.from({ length: 100 }, (_, i) => i), 'training.steps': Array.from({ length: 100 }, (_, i) => i + 1) });
    expect(readSweep(text, {}, 1000)).toEqual({ ok: false, problems: [], unconfirmed: { name: 'tiny', fields: ['seed', 'training.steps'], runs: 10_000 } });
  });

  test('where values do not fit the model, or each other, with the first run that has them', () => {
    expect(problemsOf({ 'model.d_head': [4, 64], seed: [0, 1] })).toEqual([
      { path: ['sweep', 'model.d_head'], message: 'With d_head 64, seed 0: d_head 64 does not fit a d_model of 8: a head reads at most the whole residual stream.' },
    ]);
    expect(problemsOf({ 'training.steps': ['many'] })[0]).toMatchObject({ path: ['sweep', 'training.steps'], message: expect.stringContaining('Expected number') });
  });

  test.each(['model.__proto__.polluted', '__proto__', 'task.__proto__'])('over %s, and nothing is polluted', field => {
    const text = withSweep({}).replace('"sweep":{}', `"sweep":{${JSON.stringify(field)}:[true]}`);
    const reading = readSweep(text);
    expect(reading.ok).toBe(false);
    expect(reading.ok || reading.problems[0]?.message).toContain('__proto__');
    expect({}).not.toHaveProperty('polluted');
  });
});

describe('while somebody types', () => {
  test('a large sweep is known by the runs that differ from its first in one field', () => {
    const reading = sampleSweep(withSweep({ seed: Array.from({ length: 20 }, (_, i) => i), 'model.d_model': [8, 16, 24, 32] }));
    const runs = reading.ok ? reading.sweep.runs : [];
    expect(runs).toHaveLength(1 + 19 + 3);
    expect(runs.every(({ values }) => values['seed'] === 0 || values['model.d_model'] === 8)).toBe(true);
  });

  test('a wrong value of a large sweep is found', () => {
    const reading = sampleSweep(withSweep({ seed: Array.from({ length: 1000 }, (_, i) => i), 'model.d_head': [4, 64] }));
    // The seeds alone are more than are looked at.
    expect(reading).toMatchObject({ ok: false, problems: [{ path: ['sweep', 'model.d_head'] }] });
  });
});
