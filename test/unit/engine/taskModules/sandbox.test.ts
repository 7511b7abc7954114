import { describe, expect, test } from 'vitest';
import { moduleSource, opened, refusalOf } from './modules';

describe('the context of a task module', () => {
  /** Says of whatever it catches whether it is the context's own. */
  const own = 'const told = error => console.log(error instanceof Error && error.constructor.constructor === Function);\n';

  test.each([
    ['a draw while none is drawn', moduleSource({
      example: 'random => { kept = random; return { prompt: [0, 1], answers: [0] }; }',
      answers: '() => { for (const draw of [() => kept.number(), () => kept.normal(), () => kept.integer(2)]) try { draw(); } catch (error) { told(error); } return [0]; }',
      corruptions: '{ same: prompt => prompt }',
    })],
    ['a draw of something else', moduleSource({ example: '() => { Number.isSafeInteger = () => true; return { prompt: [0, 1], answers: [0] }; }', answers: '() => [0]', corruptions: '{ odd: (prompt, random) => { for (const bound of [Symbol(), { valueOf() { throw new Error(); } }]) try { random.integer(bound); } catch (error) { told(error); } return prompt; } }' })],
    ['a log of what is no text', `const { join } = Array.prototype;\nArray.prototype.join = () => ({ toString: () => ({}) });\ntry { console.log('x'); } catch (error) { Array.prototype.join = join; told(error); }\n${moduleSource()}`],
    ['a full stack', `${moduleSource().replace('create() {', 'create(_, files) { let foreign = 0; const down = () => { try { files.read("none"); } catch (error) { foreign += !(error instanceof Error); } down(); }; try { down(); } catch (error) { foreign += !(error instanceof Error); } console.log(foreign === 0);')}`],
  ])('is handed no error of this program by %s', (_, source) => {
    const module = opened({ 'task.mjs': `let kept;\n${own}${source}` });
    module.describe();
    expect(new Set(module.lines)).toEqual(new Set(['true']));
  });

  test.each(['globalThis', 'Object.getPrototypeOf(globalThis)', 'module', 'require', 'console', 'files', 'random'])('makes no code of text by the constructor of %s', reached => {
    const ask = `(() => { try { return typeof ${reached}.constructor.constructor('return process')(); } catch (error) { return error.message; } })()`;
    const source = moduleSource({ example: `random => { console.log(${ask}); return { prompt: [0, 1], answers: [0] }; }` }).replace('create() {', 'create(_, files) {');
    const module = opened({ 'task.mjs': source });
    module.describe();
    expect(new Set(module.lines)).toEqual(new Set(['Code generation from strings disallowed for this context']));
  });

  test.each(['new Date()', 'Date()', 'Date.now()'])('says of %s that there is no clock', clock => {
    expect(refusalOf(`${clock};\n${moduleSource()}`)).toMatchObject({ message: expect.stringContaining('There is no clock in a task module') as string, place: { line: 1 } });
  });

  test('tells no time by formatting it', () => {
    expect(refusalOf(`new Intl.DateTimeFormat().format();\n${moduleSource()}`)).toMatchObject({ name: 'UserError', place: { line: 1 } });
  });

  test('can leave nothing that is believed where it changes the language', () => {
    for (const toJson of ['() => undefined', '() => null', '() => 5', '() => ({ error: 3 })']) {
      expect(refusalOf(`Object.prototype.toJSON = ${toJson};\n${moduleSource()}`)).toMatchObject({ name: 'UserError', message: expect.stringContaining('leave Object.prototype as it is') as string });
    }
  });

  test('is not believed where it changes how lists are made', () => {
    expect(refusalOf(`Array.prototype.map = () => [1];\n${moduleSource()}`)).toMatchObject({ name: 'UserError', message: expect.stringContaining('"corruptions" cannot be read') as string });
  });

  test('says what fails later, not what could not be compiled before', () => {
    const source = `let broken;\ntry { require('./broken.mjs'); } catch { broken = true; }\n${moduleSource({ example: '() => { throw new Error("later"); }' })}`;
    expect(refusalOf({ 'task.mjs': source, 'broken.mjs': 'const = 1;' })).toMatchObject({ message: expect.stringContaining('failed in example(): later') as string });
  });

  test('does not know a file that threw while it was loaded', () => {
    const source = `for (let times = 0; times < 2; times++) try { require('./broken.mjs'); console.log('known'); } catch { console.log('threw'); }\n${moduleSource()}`;
    expect(opened({ 'task.mjs': source, 'broken.mjs': 'export const half = 1; throw new Error("no");' }).lines).toEqual(['threw', 'threw']);
  });
});
