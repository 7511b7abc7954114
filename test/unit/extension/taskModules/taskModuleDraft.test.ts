import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { problemOfTaskModuleName, renamedParity, taskModuleName } from '../../../../src/extension/taskModules/taskModuleDraft';
import { repository } from '../../../support/repository.mjs';

const text = (file: string) => readFileSync(path.join(repository, 'media/task-module', file), 'utf8');

test('a task module is called as its file is, whatever suffix was typed', () => {
  expect(['bits.ts', 'bits.js', 'bits', 'bits.circuit.json', 'two.words.ts'].map(taskModuleName)).toEqual(['bits', 'bits', 'bits', 'bits', 'two.words']);
});

test('it may not be called as its typings are, nor as nothing', () => {
  expect(['task-module.ts', 'task-module.d.ts', 'bits.d.ts', '.ts'].map(file => problemOfTaskModuleName(taskModuleName(file)) !== undefined)).toEqual([true, true, true, true]);
  expect(problemOfTaskModuleName('bits')).toBeUndefined();
});

describe('the example under another name', () => {
  test('is trained by its experiment', () => {
    expect(JSON.parse(renamedParity(text('parity.circuit.json'), 'bits'))).toMatchObject({ name: 'bits', task: { name: './bits.ts' } });
  });

  test('says in the module how it is named', () => {
    const module = renamedParity(text('parity.ts'), 'bits');
    expect(module).toContain('"task": { "name": "./bits.ts"');
    expect(module).not.toContain('./parity.ts');
  });

  test('may have quotes and dollars in its name', () => {
    const name = 'my "$&" task';
    expect(JSON.parse(renamedParity(text('parity.circuit.json'), name))).toMatchObject({ name, task: { name: `./${name}.ts` } });
  });
});
