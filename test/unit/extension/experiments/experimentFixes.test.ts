import { applyEdits } from 'jsonc-parser';
import { describe, expect, test } from 'vitest';
import { fixesOf } from '../../../../src/extension/experiments/experimentFixes';
import { placeProblems } from '../../../../src/extension/experiments/experimentProblems';
import type { ExperimentProblem } from '../../../../src/protocol/experiment';

const text = `{
  "task": { "name": "modular-arithmetic", "modulos": 59 }, // a comment
  "from": { "model": "bse" },
  "training": { "batch": "full" },
  "claims": [
    { "claim": "it learns", "analysis": "training-curve", "scalar": "testLoss" },
  ],
}`;

function mend(problem: ExperimentProblem) {
  const [placed] = placeProblems(text, [problem]);
  return fixesOf(text, problem).map(({ title, edits }) => ({ title, marked: text.slice(placed?.start, placed?.end), mended: applyEdits(text, [...edits]) }));
}

describe('a name that does not exist', () => {
  test('is marked by itself, and changed to any of the nearest', () => {
    const path = ['claims', 0, 'analysis'];
    const fixes = mend({ path, message: 'wrong', nearest: { of: 'value', names: ['training-curves', 'attention'] } });
    expect(fixes.map(({ title, marked }) => [title, marked])).toEqual([['Change to "training-curves"', '"training-curve"'], ['Change to "attention"', '"training-curve"']]);
    expect(fixes[0]?.mended).toBe(text.replace('"training-curve"', '"training-curves"'));
  });

  test('of a field keeps its value', () => {
    const [fix] = mend({ path: ['task', 'modulos'], message: 'wrong', nearest: { of: 'name', names: ['modulus'] } });
    expect(fix).toMatchObject({ marked: '"modulos"', mended: text.replace('modulos', 'modulus') });
  });

  test('within an object that stands for it', () => {
    const [fix] = mend({ path: ['from'], message: 'wrong', nearest: { of: 'value', names: ['base'] } });
    expect(fix).toMatchObject({ marked: '"bse"', mended: text.replace('bse', 'base') });
  });
});

describe('a field that is missing', () => {
  test('is added with what it may begin with, in its place', () => {
    const [fix] = mend({ path: ['training', 'steps'], message: '"training.steps" is missing.' });
    expect(fix?.title).toBe('Add "steps"');
    expect(fix?.mended.replace(/\s+/g, ' ')).toContain('"training": { "batch": "full", "steps": 1000 }');
    expect(mend({ path: ['claims', 0, 'expect'], message: 'missing' })[0]?.mended).toContain('"expect": ">= 0.99"');
    expect(mend({ path: ['model'], message: 'missing' })[0]?.mended).toContain('"n_layers": 1');
  });

  test('is not guessed where nothing is known of it, nor where it is there', () => {
    expect(mend({ path: ['model', 'd_mlp'], message: 'missing' })).toEqual([]);
    expect(mend({ path: ['training', 'batch'], message: 'wrong' })).toEqual([]);
    expect(mend({ path: ['claims', 3, 'expect'], message: 'missing' })).toEqual([]);
    expect(fixesOf('', { path: ['model'], message: 'missing' })).toEqual([]);
  });
});
