import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { Random } from '../../../../src/common/random';
import { drawing } from '../../../../src/engine/taskModules/thread';
import { moduleTask } from '../../../../src/tasks/moduleTask';
import { moduleSource, opened, refusalOf } from './modules';

const parity = await readFile(path.join(import.meta.dirname, '../../../../media/task-module/parity.ts'), 'utf8');

describe('a task module described', () => {
  test('is what its parameters make of it, with examples whose answers are right', () => {
    const { describe: describeIt } = opened({ 'parity.ts': parity }, { length: 6 });
    const snapshot = describeIt();
    expect(snapshot).toMatchObject({
      title: 'Parity', parameters: { length: 6 }, vocabulary: ['0', '1', '='], outputs: ['even', 'odd'],
      positions: ['b1', 'b2', 'b3', 'b4', 'b5', 'b6', '='], answerPositions: [6],
    });
    const task = moduleTask(snapshot);
    const { tokens, labels } = task.sample(new Random(3, 'a test'), 500);
    expect(tokens.shape).toEqual([500, 7]);
    for (let row = 0; row < 500; row++) {
      const bits = [...tokens.data.subarray(row * 7, row * 7 + 6)];
      expect(labels.data[row]).toBe(bits.reduce((sum, bit) => sum + bit, 0) % 2);
      expect(tokens.data[row * 7 + 6]).toBe(2);
    }
    expect(task.alphabet).toEqual([...Array.from({ length: 6 }, () => [0, 1]), [2]]);
  });

  test('is the same each time, and draws the same examples for the same random numbers', () => {
    expect(opened({ 'parity.ts': parity }).describe()).toEqual(opened({ 'parity.ts': parity }).describe());
    const [one, other] = [drawing(opened({ 'parity.ts': parity })), drawing(opened({ 'parity.ts': parity }))];
    for (const step of [1, 2, 900]) expect(one.sample(new Random(7, `batch ${step}`), 16)).toEqual(other.sample(new Random(7, `batch ${step}`), 16));
    expect(one.sample(new Random(7, 'batch 1'), 16)).not.toEqual(one.sample(new Random(7, 'batch 2'), 16));
  });

  test('has its corruptions of the examples, with what is right after them', () => {
    const task = moduleTask(opened({ 'parity.ts': parity }).describe());
    expect(Object.keys(task.corruptions)).toEqual(['flip a bit', 'another example']);
    const random = new Random(0, 'a test');
    const prompt = [...task.sample(random, 1).tokens.data];
    const flipped = task.corruptions['flip a bit']?.(prompt, random) ?? [];
    expect(flipped.filter((token, at) => token !== prompt[at])).toHaveLength(1);
    expect(task.answers(flipped)).toEqual([1 - (task.answers(prompt)?.[0] ?? Number.NaN)]);
    expect(task.answers(task.corruptions['another example']?.(prompt, random) ?? [])).toEqual([1 - (task.answers(prompt)?.[0] ?? Number.NaN)]);
    expect(() => task.corruptions['flip a bit']?.([2, 2, 2, 2, 2], random)).toThrow('this prompt is not among them');
  });

  test('may give all its examples at once: a share of them is trained on, another for each seed', () => {
    const { describe: describeIt } = opened({ 'task.mjs': moduleSource({
      example: 'undefined', trainFraction: '0.25', vocabulary: '["0", "1", "2", "3"]',
      examples: '() => [0, 1, 2, 3].flatMap(a => [0, 1, 2, 3].map(b => ({ prompt: [a, b], answers: [(a + b) % 4] })))',
    }) });
    const { split } = moduleTask(describeIt());
    const { train, test: held } = split?.(1) ?? {};
    expect([train?.tokens.shape, held?.tokens.shape]).toEqual([[4, 2], [12, 2]]);
    const all = [...train?.tokens.data ?? [], ...held?.tokens.data ?? []];
    expect(new Set(Array.from({ length: 16 }, (_, at) => `${all[2 * at]} ${all[2 * at + 1]}`)).size).toBe(16);
    expect(split?.(1)).toEqual(split?.(1));
    expect(split?.(2).train.tokens.data).not.toEqual(train?.tokens.data);
  });

  test('imports its neighbours and reads text beside it, and nothing is there but the language', () => {
    const files = {
      'task.ts': `import { letters } from './lib/letters';\nimport shout from './lib/shout.js';\nexport default { title: 'x', create(_: object, files: { read(name: string): string }) {
        console.log('seen', typeof process, typeof require('./lib/letters').letters, typeof fetch, typeof setTimeout, files.read('words.txt').trim());
        return { vocabulary: shout(letters), positions: 1, answerPositions: [0], example: (random: any) => ({ prompt: [random.choice(['A', 'B'])], answers: ['B'] }) };
      } };`,
      'lib/letters.ts': 'export const letters: readonly string[] = ["a", "b"];',
      'lib/shout.ts': 'export default function shout(words: readonly string[]) { return words.map(word => word.toUpperCase()); }',
      'words.txt': 'some words\n',
    };
    const module = opened(files);
    expect(module.lines).toEqual(['seen undefined object undefined undefined some words']);
    expect(module.describe().vocabulary).toEqual(['A', 'B']);
  });

  test.each([
    ['a prompt twice among all', { example: 'undefined', examples: '() => [["a", "b"], ["b", "b"], [0, 1]].map(prompt => ({ prompt, answers: [0] }))' }, 'task.mjs: examples() gave the prompt "a b" twice; it gives each once, as some are trained on and the others test.'],
    ['a prompt that is short', { example: '() => ({ prompt: ["a"], answers: [0] })' }, 'task.mjs: example() gave a prompt of 1 token; positions names 2.'],
    ['a token that is no number of a word', { example: '() => ({ prompt: [0, 12], answers: [0] })' }, 'task.mjs: example() gave 12 at position 1 (second); the vocabulary has 2 words, 0 to 1.'],
    ['a token that is no word', { example: '() => ({ prompt: ["a", "bb"], answers: [0] })' }, 'task.mjs: example() gave "bb" at position 1 (second); there is no token "bb"; the nearest is "b".'],
    ['a token that is not whole', { example: '() => ({ prompt: [0, 0.5], answers: [0] })' }, 'task.mjs: example() gave 0.5 at position 1 (second); the vocabulary has 2 words, 0 to 1.'],
    ['a token that is no finite number', { example: '() => ({ prompt: [0, NaN], answers: [0] })' }, 'task.mjs: example() gave "NaN" at position 1 (second); there is no token "NaN"; there are "a", "b".'],
    ['too many answers', { example: '() => ({ prompt: [0, 1], answers: [0, 1] })' }, 'task.mjs: example() gave 2 answers; answerPositions names 1.'],
    ['an answer that is no output', { outputs: '["yes", "no"]', example: '() => ({ prompt: [0, 1], answers: ["a"] })' }, 'task.mjs: example() gave "a" as answer 1; there is no output "a"; there are "yes", "no".'],
    ['nothing', { example: '() => undefined' }, 'task.mjs: example() gave nothing; an example is an object with a prompt and its answers.'],
    ['a promise', { example: 'async () => ({ prompt: [0, 1], answers: [0] })' }, 'task.mjs: example() gave a promise; an example is an object with a prompt and its answers.'],
    ['no examples', { example: 'undefined' }, 'task.mjs: The task has no examples: give example(random), which draws one, or examples(), which gives all.'],
    ['no positions', { positions: 'undefined' }, 'task.mjs: "positions" is missing; it is a list of names, or how many there are (at most 4,096).'],
    ['a word twice', { vocabulary: '["a", "a"]' }, 'task.mjs: "vocabulary" has "a" twice; each word stands for one token.'],
    ['an answer beyond the prompt', { answerPositions: '[2]' }, 'task.mjs: "answerPositions" has 2; the positions are 0 to 1.'],
    ['answers out of order', { answerPositions: '[1, 0]' }, 'task.mjs: "answerPositions" are not in ascending order, each once.'],
    ['a corruption without answers', { corruptions: '{ swap: prompt => prompt }' }, 'task.mjs: A task with corruptions has answers(prompt) too, which says what is right after the change.'],
    ['a corruption of another length', { corruptions: '{ cut: prompt => prompt.slice(1) }', answers: '() => [0]' }, 'task.mjs: corruption "cut" gave a prompt of 1 token; positions names 2.'],
    ['a corruption named as no field can be', { corruptions: 'JSON.parse(\'{"__proto__": 1}\')', answers: '() => [0]' }, 'task.mjs: A corruption cannot be called "__proto__".'],
    ['examples that depend on what was before', { example: '(n => () => ({ prompt: [0, n++ % 3 === 0 ? 1 : 0], answers: [0] }))(0)' }, 'task.mjs: example() gave other examples for the same random numbers; keep nothing between its calls.'],
  ])('says of %s what would fit', (_, changes: Readonly<Record<string, string>>, message) => {
    expect(refusalOf(moduleSource(changes))).toMatchObject({ message });
  });

  test.each([
    ['a default that does not fit', 'export default { title: "x", params: { size: { kind: "integer", default: 9, maximum: 4 } }, create() {} }', /^task\.mjs: the default of "size" does not fit it: /],
    ['a parameter of another kind', 'export default { title: "x", params: { size: { kind: "head", default: "" } }, create() {} }', /^task\.mjs: "params\.size\.kind" is wrong: a parameter is an object whose kind is "integer"/],
    ['a parameter called as the task is', 'export default { title: "x", params: { name: { kind: "text", default: "" } }, create() {} }', /^task\.mjs: a parameter cannot be called "name"/],
    ['no title', 'export default { create() {} }', /^task\.mjs: "title" /],
    ['nothing', '', /^task\.mjs: "title" is missing\.$/],
    ['no create()', 'export default { title: "x" }', /^task\.mjs: create\(\) is missing/],
    ['no default export', 'export default 3', /^task\.mjs: the default export is no task/],
    ['create() that waits', 'export default { title: "x", async create() { return {}; } }', /^task\.mjs: create\(\) gave a promise/],
  ])('says what is wrong with %s', (_, source, message) => {
    expect(refusalOf(source)).toMatchObject({ message: expect.stringMatching(message) as string });
  });

  test('says which parameter does not fit, and which there are', () => {
    expect(refusalOf({ 'parity.ts': parity }, { length: 99 })).toMatchObject({ field: 'length', message: expect.stringContaining('"length" of task "parity.ts"') as string });
    expect(refusalOf({ 'parity.ts': parity }, { lenght: 3 })).toMatchObject({ field: 'lenght', message: expect.stringContaining('"length"') as string });
  });

  test('names the line of the source where it throws, in TypeScript too', () => {
    const source = parity.replace('const bits = places.map', '(undefined as unknown as string[]).push("x");\n        const bits = places.map');
    const line = source.split('\n').findIndex(text => text.includes('.push("x")')) + 1;
    const column = (source.split('\n')[line - 1] ?? '').indexOf('push') + 1;
    expect(refusalOf({ 'parity.ts': source })).toMatchObject({
      message: `parity.ts failed in example(): Cannot read properties of undefined (reading 'push') (parity.ts:${line}:${column}).`,
      place: { file: 'parity.ts', line, column },
    });
  });

  test.each([
    ['what is not JavaScript', 'const a = 1;\nexport default {{ };', { file: 'task.mjs', line: 2 }],
    ['what JavaScript refuses', 'const a = 1;\nconst b = 2;\nconst a = 3;\nexport default {};', { file: 'task.mjs', line: 3 }],
    ['a throw at the top', '\n\nthrow new Error("no");', { file: 'task.mjs', line: 3 }],
    ['an import of Node.js', '\nimport fs from "node:fs";', { file: 'task.mjs', line: 2 }],
    ['an import of a package', 'import fs from "lodash";', { file: 'task.mjs', line: 1 }],
    ['an import from outside', 'import a from "../secret.mjs";', { file: 'task.mjs', line: 1 }],
    ['chance of its own', 'export default {};\nMath.random();', { file: 'task.mjs', line: 2 }],
    ['a clock', 'export default {};\nnew Date();', { file: 'task.mjs', line: 2 }],
    ['code made of text', 'export default {};\nnew Function("return process")();', { file: 'task.mjs', line: 2 }],
    ['reaching out of its context', 'export default { title: "x", create(_, files) {\n    return files.read.constructor("return process")(); } };', { file: 'task.mjs', line: 2 }],
    ['reading outside of its folder', 'export default { title: "x", create(_, files) {\n    files.read("../../etc/passwd"); } };', { file: 'task.mjs', line: 2 }],
    ['reading an absolute path', 'export default { title: "x", create(_, files) {\n    files.read("/etc/passwd"); } };', { file: 'task.mjs', line: 2 }],
  ])('refuses %s at its line', (_, source, place) => {
    expect(refusalOf(source)).toMatchObject({ name: 'UserError', place });
  });

  test('refuses Node.js and packages by name', () => {
    expect(refusalOf('import fs from "node:fs";')).toMatchObject({ message: 'task.mjs could not be loaded: A task module may import only files beside it; "node:fs" is not there (task.mjs:1:1).' });
  });

  test('names the file of a neighbour that throws', () => {
    expect(refusalOf({ 'task.mjs': 'import { go } from "./lib/deep.ts";\ngo();', 'lib/deep.ts': 'export function go(): never {\n  throw new Error("deep");\n}' }))
      .toMatchObject({ place: { file: 'lib/deep.ts', line: 2, column: 9 } });
  });

  test('survives whatever is thrown', () => {
    for (const thrown of ['null', '"text"', '{ get message() { throw 1; } }', 'Object.create(null)', 'Symbol("x")']) {
      expect(refusalOf(`throw ${thrown};`), thrown).toMatchObject({ name: 'UserError', message: expect.stringContaining('task.mjs could not be loaded') as string });
    }
  });
});
