import { expect, test } from 'vitest';
import { experimentProblems } from '../../../src/engine/experimentProblems';
import { tinyExperiment } from './experiments';

const learns = { claim: 'it learns', analysis: 'training-curves', scalar: 'testLoss', expect: '< 1' };

function problemsOf(more: object) {
  return experimentProblems(JSON.stringify({ ...JSON.parse(tinyExperiment()), ...more }));
}

test('an experiment that can be trained has no problems, with a sweep or without', () => {
  expect(problemsOf({ claims: [learns] })).toEqual([]);
  expect(problemsOf({ sweep: { seed: [0, 1] }, claims: [learns, { ...learns, where: { seed: 1 } }] })).toEqual([]);
});

test('a value of a sweep that fits no model is marked where it stands', () => {
  expect(problemsOf({ sweep: [{ seed: [1] }, { 'model.d_head': [4, 64] }] })).toEqual([
    { path: ['sweep', 1, 'model.d_head'], message: expect.stringMatching(/^With d_head 64: d_head 64 does not fit/) },
  ]);
});

test('a claim about some runs is checked with their models, and marked once, where it stands', () => {
  const about = { claim: 'the second layer', analysis: 'attention', params: { head: '1.0' }, scalar: 'entropy', expect: '> 0', where: { 'model.n_layers': 2 } };
  expect(problemsOf({ sweep: { 'model.n_layers': [1, 2], seed: [0, 1] }, claims: [learns, about] })).toEqual([]);
  expect(problemsOf({ sweep: { 'model.n_layers': [1, 2], seed: [0, 1] }, claims: [{ ...about, where: { seed: 0 } }, learns] })).toMatchObject([
    { path: ['claims', 0, 'params', 'head'], nearest: { of: 'value', names: ['L0H0', 'L0H1'] } },
  ]);
  expect(problemsOf({ sweep: { seed: [0, 1] }, claims: [{ ...learns, where: { seed: 1 } }, { ...learns, scalar: 'testLos' }] })).toMatchObject([
    { path: ['claims', 1, 'scalar'], message: expect.stringContaining('"testLoss"') },
  ]);
});

test('a claim cannot be about runs of a sweep that is not there', () => {
  expect(problemsOf({ claims: [learns, { ...learns, where: { seed: 1 } }] })).toEqual([
    { path: ['claims', 1, 'where'], message: '"where" names runs of a sweep, and this experiment has none.' },
  ]);
});

test('a sweep of tens of thousands of runs keeps nobody from typing', () => {
  const sweep = { seed: Array.from({ length: 300 }, (_, i) => i), 'training.steps': Array.from({ length: 300 }, (_, i) => i + 1) };
  const start = performance.now();
  expect(problemsOf({ sweep, claims: [learns, { ...learns, where: { seed: 299 } }] })).toEqual([]);
  // All of its 90,000 runs take a minute.
  expect(performance.now() - start).toBeLessThan(2000);
});

test('a name that does not exist comes with those that may have been meant, of a field or of its value', () => {
  const [first] = problemsOf({ claims: [{ ...learns, analysis: 'training-curve' }] });
  expect(first).toMatchObject({ path: ['claims', 0, 'analysis'], nearest: { of: 'value', names: ['training-curves'] } });
  expect(problemsOf({ claims: [{ ...learns, params: { metrc: 1 } }, { ...learns, scalar: 'testLos' }] }).map(({ path, nearest }) => [path, nearest?.of])).toContainEqual([['claims', 1, 'scalar'], 'value']);
  expect(problemsOf({ tasks: 'x' })[0]).toMatchObject({ path: ['tasks'], nearest: { of: 'name', names: expect.arrayContaining(['task']) } });
  expect(problemsOf({ task: { name: 'modular-arithmetic', modulos: 7 } })[0]).toMatchObject({ path: ['task', 'modulos'], nearest: { of: 'name', names: ['modulus'] } });
  expect(problemsOf({ task: { name: 'modular-arithmetik' } })[0]).toMatchObject({ path: ['task', 'name'], nearest: { of: 'value', names: ['modular-arithmetic'] } });
  expect(problemsOf({ task: 'modular-arithmetik' })[0]).toMatchObject({ path: ['task'], nearest: { of: 'value' } });
});
