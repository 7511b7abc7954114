import { describe, expect, test } from 'vitest';
import { breakpointProblems } from '../../../src/engine/breakpointProblems';
import { experimentProblems } from '../../../src/engine/experimentProblems';
import type { Breakpoint } from '../../../src/protocol/experiment';
import { idOf } from '../../../src/store/modelRecord';
import { readExperiment } from '../../../src/training/experiment';
import { tinyExperiment } from './experiments';

const entropy: Partial<Breakpoint> = { analysis: 'attention', scalar: 'entropy', when: '> 1' };

function textWith(breakpoint: object, options: Parameters<typeof tinyExperiment>[0] = {}, more: object = {}): string {
  return JSON.stringify({ ...JSON.parse(tinyExperiment(options)), breakpoints: [entropy, breakpoint], ...more });
}

/** What is wrong with a breakpoint of the tiny model, with where it is. */
function problemsOf(...given: Parameters<typeof textWith>): readonly string[] {
  return experimentProblems(textWith(...given)).map(({ path, message }) => `${path.join('.')}: ${message}`);
}

describe('breakpoints of an experiment', () => {
  test.each<object>([
    entropy,
    { ...entropy, when: undefined, changesBy: 0.5, params: { head: '0.1' }, action: 'snapshot' },
    { ...entropy, action: 'fork', set: ['training.learningRate=1e-4', 'training.steps=5'] },
  ])('that can be reached have no problems: %o', breakpoint => {
    expect(problemsOf(breakpoint)).toEqual([]);
  });

  test.each<[string, object, string | RegExp]>([
    ['no condition', { when: undefined }, 'breakpoints.1: A breakpoint takes one condition: either "when", a bound to cross, or "changesBy", how far the number moves.'],
    ['two conditions', { changesBy: 1 }, /^breakpoints\.1: A breakpoint takes one condition/],
    ['a bound that is no number', { when: '> 1e999' }, 'breakpoints.1.when: "> 1e999" is not a bound; one is written like ">= 0.99".'],
    ['a bound that is none', { when: 'high' }, /^breakpoints\.1\.when: .*a bound is written like/],
    ['an unknown analysis', { analysis: 'atention' }, /^breakpoints\.1\.analysis: There is no analysis "atention"; the nearest/],
    ['an unknown scalar', { scalar: 'entropie' }, /^breakpoints\.1\.scalar: .* the nearest is "entropy"/],
    ['an unknown head', { params: { head: '3.1' } }, 'breakpoints.1.params.head: There is no head "L3H1"; the nearest are "L0H1", "L0H0".'],
    ['an analysis that does not fit', { analysis: 'composition', scalar: 'largestQ' }, /^breakpoints\.1\.analysis: The analysis "composition" does not apply to "tiny"; it needs/],
    ['changes without a fork', { set: ['training.steps=5'] }, /^breakpoints\.1\.set: "set" changes what is trained on, which a fork is alone/],
    ['changes of another form', { action: 'fork', set: ['faster'] }, /^breakpoints\.1\.set: "faster" is not of the form path=value/],
    ['changes of fields that there are not', { action: 'fork', set: ['training.learningrate=1'] }, /^breakpoints\.1\.set: There is no field of "training" called "learningrate"; the nearest is "learningRate"/],
  ])('%s is found where it is', (_, changes, problem) => {
    expect(problemsOf({ ...entropy, ...changes })).toEqual([expect.stringMatching(problem)]);
  });

  test('need checkpoints before the end', () => {
    expect(problemsOf(entropy, { checkpointEvery: 0 })).toEqual([
      'breakpoints: Breakpoints are looked at at checkpoints, and this experiment writes none before its end; set checkpointEvery.',
    ]);
  });

  test('of a sweep are checked with each of its runs, and what is wrong is said once', () => {
    expect(problemsOf({ ...entropy, scalar: 'entropie' }, {}, { sweep: { seed: [0, 1, 2] } })).toEqual([expect.stringMatching(/^breakpoints\.1\.scalar/)]);
  });

  test('leave the id of the model as it is', () => {
    const ids = [tinyExperiment(), textWith(entropy)].map(text => {
      const reading = readExperiment(text);
      if (!reading.ok) throw new Error('it cannot be read');
      expect(breakpointProblems(reading.experiment)).toEqual([]);
      return idOf(reading.experiment.resolved);
    });
    expect(ids[1]).toBe(ids[0]);
  });
});
