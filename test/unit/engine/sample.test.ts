import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { experimentProblems } from '../../../src/engine/experimentProblems';
import { repository } from '../../support/repository.mjs';

const media = path.join(repository, 'media');
const textOf = (...file: readonly string[]) => readFileSync(path.join(media, ...file), 'utf8');
/** The files of the sample workspace, as it is written. */
const files = [...readdirSync(path.join(media, 'sample')), ...readdirSync(path.join(media, 'task-module')), 'task-module.d.ts'];

describe('the sample workspace', () => {
  test('has files of different names', () => {
    expect(new Set(files).size).toBe(files.length);
  });

  test('has an experiment that can be trained, and claims to run', () => {
    const text = textOf('sample', 'array.circuit.json');
    expect(experimentProblems(text)).toEqual([]);
    expect(JSON.parse(text)).toMatchObject({ claims: { length: 3 } });
  });

  test('has one of a task module, whose claims can be measured on a model of its size', () => {
    const { task, ...experiment } = JSON.parse(textOf('task-module', 'parity.circuit.json')) as { readonly task: { readonly name: string } };
    expect(files).toContain(path.basename(task.name));
    const numbers = { name: 'modular-arithmetic', modulus: 7, trainFraction: 0.5 };
    expect(experimentProblems(JSON.stringify({ ...experiment, task: numbers }))).toEqual([]);
    expect(experiment).toMatchObject({ claims: { length: 2 } });
  });

  test('says of files alone that are there', () => {
    const named = [...textOf('sample', 'README.md').matchAll(/`([\w-]+\.[\w.]+)`/g)].map(([, name]) => name);
    expect(named.length).toBeGreaterThan(3);
    expect(files).toEqual(expect.arrayContaining(named));
  });
});
