import { expect, test } from 'vitest';
import type { ExperimentProblem } from '../../../../src/protocol/experiment';
import { moduleProblems } from '../../../../src/extension/taskModules/moduleProblems';

const thrown = (line: number): ExperimentProblem => ({ path: ['task'], message: 'It threw.', source: { file: '/w/parity.ts', line, column: 3 } });

test('a problem that two experiments have in one module is one problem, of both', () => {
  const found = moduleProblems([['a', [thrown(4)]], ['b', [thrown(4), thrown(4)]]]);
  expect([...found]).toEqual([['/w/parity.ts', [{ place: { file: '/w/parity.ts', line: 4, column: 3 }, message: 'It threw.', experiments: ['a', 'b'] }]]]);
});

test('problems at different lines, or in different files, stay apart', () => {
  const elsewhere: ExperimentProblem = { ...thrown(4), source: { file: '/w/bits.ts', line: 4, column: 3 } };
  const found = moduleProblems([['a', [thrown(4), thrown(9), elsewhere]]]);
  expect([...found].map(([file, problems]) => [file, problems.map(({ place }) => place.line)])).toEqual([['/w/parity.ts', [4, 9]], ['/w/bits.ts', [4]]]);
});

test('a problem of the experiment itself is in no module', () => {
  expect(moduleProblems([['a', [{ path: ['training'], message: 'It has no steps.' }]]]).size).toBe(0);
});
