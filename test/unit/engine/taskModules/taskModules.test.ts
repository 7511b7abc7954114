import { mkdir, mkdtemp, readFile, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TaskModules } from '../../../../src/engine/taskModules/taskModules';
import { keepSnapshot, readSnapshot } from '../../../../src/store/taskSnapshots';
import { moduleOf } from '../../../../src/tasks/modules';
import { buildBundles, trainerEntryPoints, type Bundles } from '../../../support/bundles';
import { moduleSource } from './modules';

describe('task modules of a workspace', { timeout: 60_000 }, () => {
  let bundles: Bundles;
  let home: string;
  let count = 0;

  beforeAll(async () => {
    bundles = await buildBundles({ taskModule: trainerEntryPoints.taskModule });
    home = await realpath(await mkdtemp(path.join(tmpdir(), 'task-modules-')));
  });
  afterAll(async () => {
    await bundles.dispose();
    await rm(home, { recursive: true, force: true });
  });

  /** A folder with these files, and the modules that are seen from it. */
  async function workspace(files: Readonly<Record<string, string>>, trusted = true) {
    const folder = path.join(home, String(count++));
    await mkdir(folder);
    for (const [name, text] of Object.entries(files)) {
      await mkdir(path.dirname(path.join(folder, name)), { recursive: true });
      await writeFile(path.join(folder, name), text);
    }
    const lines: string[] = [];
    const store = path.join(folder, 'store');
    const modules = new TaskModules(store, path.join(bundles.folder, 'taskModule.js'), trusted, line => lines.push(line));
    return { folder, store, modules, lines, find: (name: string, given = {}) => modules.find(name, given, folder) };
  }

  describe.concurrent('that come to no end are ended', () => {
    const typed = 'const kept = []; for (;;) kept.push(new Float64Array(1e6).fill(1));';
    const values = 'const kept = []; for (;;) kept.push(Array.from({ length: 1000 }, () => ({})));';
    test.each([
      ['loop for ever while they are loaded', 'for (;;) {}', /^endless\.mjs took longer than 5 s to make its task\.$/],
      ['loop for ever in create()', 'export default { title: "x", create() { for (;;) {} } };', /^endless\.mjs took longer than 5 s to make its task\.$/],
      ['loop for ever in example()', moduleSource({ example: '() => { for (;;) {} }' }), /^endless\.mjs took longer than 10 s to give its examples\.$/],
      ['wait for ever', 'const wait = async () => { for (;;) await 0; };\nwait(); export default 3;', /^endless\.mjs: the default export is no task/],
      // On a machine that is busy, the time is up before so much is allocated.
      ['allocate numbers without end', typed, /^endless\.mjs (takes more than 1 GB of memory|took longer than 5 s to make its task)\.$/],
      ['allocate values without end', `export default { title: "x", create() { ${values} } };`, /^endless\.mjs (takes more than 1 GB of memory|took longer than 5 s to make its task)\.$/],
    ])('when they %s', async (_, source, message) => {
      const { find } = await workspace({ 'endless.mjs': source });
      await expect(find('./endless.mjs')).rejects.toMatchObject({ name: 'UserError', message: expect.stringMatching(message) as string });
    });
  });

  test('have their place as a file of this machine where they throw', async () => {
    const { find, folder } = await workspace({ 'tasks/wrong.mjs': '\nthrow new Error("no");' });
    await expect(find('./tasks/wrong.mjs')).rejects.toMatchObject({
      message: 'wrong.mjs could not be loaded: no (wrong.mjs:2:7).', place: { file: path.join(folder, 'tasks/wrong.mjs'), line: 2, column: 7 },
    });
  });

  test('have their place too where nobody waits for the promise that fails', async () => {
    const { find, folder } = await workspace({ 'later.mjs': `Promise.resolve().then(() => {\n  throw new Error('too late');\n});\n${moduleSource()}` });
    await expect(find('./later.mjs')).rejects.toMatchObject({
      message: 'later.mjs failed in a promise: too late (later.mjs:2:9).', place: { file: path.join(folder, 'later.mjs'), line: 2, column: 9 },
    });
  });

  test('may write to the log', async () => {
    const { find, lines } = await workspace({ 'talks.mjs': `console.log('letters:', ['a', 'b']);\n${moduleSource()}` });
    await find('./talks.mjs');
    expect(lines).toEqual(['talks.mjs: letters: ["a","b"]']);
  });

  test('reach no file outside of their folder, not by a link either', async () => {
    const read = (name: string) => moduleSource().replace('create() {', `create(_, files) { files.read(${JSON.stringify(name)});`);
    const { find, folder } = await workspace({ 'secret.txt': 'secret', 'tasks/up.mjs': read('../secret.txt'), 'tasks/linked.mjs': read('link.txt'), 'tasks/none.mjs': read('none.txt') });
    await symlink(path.join(folder, 'secret.txt'), path.join(folder, 'tasks/link.txt'));
    await expect(find('./tasks/up.mjs')).rejects.toThrow('"../secret.txt" is not in it');
    await expect(find('./tasks/linked.mjs')).rejects.toThrow('"link.txt" is not in it');
    await expect(find('./tasks/none.mjs')).rejects.toThrow('There is no file "none.txt" beside none.mjs');
  });

  test('are not found where there are none: the nearest are named', async () => {
    const { find, modules } = await workspace({ 'tasks/parity.mjs': moduleSource() });
    await expect(find('./tasks/party.mjs')).rejects.toThrow('There is no task module "./tasks/party.mjs"; the nearest is "./tasks/parity.mjs".');
    await expect(modules.find('./parity.mjs', {}, undefined)).rejects.toThrow('save it as a file first');
  });

  test('are run once for the same files and parameters, and again when one of their files has changed', async () => {
    const source = `import './beside.mjs';\nconsole.log('run');\n${moduleSource()}`;
    const { find, folder, lines } = await workspace({ 'task.mjs': source, 'beside.mjs': '' });
    const [one, other] = await Promise.all([find('./task.mjs'), find('./task.mjs')]);
    expect(one).toEqual(other);
    expect(lines).toHaveLength(1);
    await writeFile(path.join(folder, 'beside.mjs'), '// changed');
    expect((await find('./task.mjs')).resolved.module).not.toBe(one.resolved.module);
    expect(lines).toHaveLength(2);
  });

  test('are not run again at once where they failed, until they are saved', async () => {
    const { find, folder, lines } = await workspace({ 'task.mjs': 'console.log("run"); throw 1;' });
    await expect(find('./task.mjs')).rejects.toThrow('could not be loaded');
    await expect(find('./task.mjs')).rejects.toThrow('could not be loaded');
    expect(lines).toHaveLength(1);
    await writeFile(path.join(folder, 'task.mjs'), moduleSource());
    await expect(find('./task.mjs')).resolves.toMatchObject({ resolved: { name: 'task.mjs' } });
  });

  test('do not run where the workspace is not trusted; what was made of one before is known as long as its file stays', async () => {
    const source = `console.log('run');\n${moduleSource()}`;
    const { find, modules, folder, lines, store } = await workspace({ 'task.mjs': source }, false);
    await expect(find('./task.mjs')).rejects.toThrow('The task module ./task.mjs runs only in a trusted workspace.');
    expect(lines).toEqual([]);
    modules.trusted = true;
    const { resolved } = await find('./task.mjs');
    await modules.keep(resolved);
    modules.trusted = false;
    expect((await new TaskModules(store, 'nowhere', false, () => undefined).find('./task.mjs', {}, folder)).resolved).toEqual(resolved);
    await expect(modules.checkRunnable(resolved)).rejects.toThrow('The task module task.mjs runs only in a trusted workspace.');
    await writeFile(path.join(folder, 'task.mjs'), `${source}\n`);
    await expect(find('./task.mjs')).rejects.toThrow('runs only in a trusted workspace');
  });

  test('are known by the hash of all that they are made of', async () => {
    const { find, modules, store } = await workspace({ 'task.mjs': moduleSource() });
    const { resolved } = await find('./task.mjs');
    await modules.keep(resolved);
    const { name, module = '' } = resolved;
    expect(await readSnapshot(store, module)).toEqual(moduleOf({ name, module }).snapshot);
    expect((await modules.find('task.mjs', { module }, undefined)).resolved).toEqual(resolved);
    await expect(modules.find('task.mjs', { module: 'f'.repeat(32) }, undefined)).rejects.toThrow('is missing');
    await expect(modules.find('task.mjs', { module: '../../etc/passwd' }, undefined)).rejects.toThrow('names no task module');
  });

  test('are not believed when they come from a store', async () => {
    const { find, modules, store } = await workspace({ 'task.mjs': moduleSource() });
    const { resolved: { module = '', name } } = await find('./task.mjs');
    const { snapshot } = moduleOf({ name, module });
    await modules.keep({ name, parameters: {}, module });
    const file = path.join(store, 'tasks', `${module}.json`);
    const kept = JSON.parse(await readFile(file, 'utf8')) as object;
    for (const [changed, message] of [
      [{ ...snapshot, examples: { ...snapshot.examples, tokens: snapshot.examples.tokens.map(() => 7) } }, 'its examples do not fit'],
      [{ ...snapshot, answerPositions: [9] }, 'its examples do not fit'],
      [{ ...snapshot, sources: { ...snapshot.sources, files: { 'task.mjs': 'other' } } }, 'it holds another task module'],
      [{ ...snapshot, trainFraction: 0.5, examples: { tokens: [0, 0], answers: [0] }, corruptions: {} }, 'its examples do not fit'],
      [{ ...snapshot, examples: { ...snapshot.examples, answers: snapshot.examples.answers.map(answer => 1 - answer) } }, 'has been changed'],
    ] as const) {
      await writeFile(file, JSON.stringify({ ...kept, snapshot: changed }));
      await expect(readSnapshot(store, module)).rejects.toThrow(message);
    }
    await writeFile(file, JSON.stringify({ ...kept, format: 2 }));
    await expect(readSnapshot(store, module)).rejects.toThrow('newer version');
  });

  test('are written anew where what is kept of them is broken', async () => {
    const { find, modules, store } = await workspace({ 'task.mjs': moduleSource() });
    const { resolved: { module = '', name } } = await find('./task.mjs');
    const { snapshot } = moduleOf({ name, module });
    await modules.keep({ name, parameters: {}, module });
    await writeFile(path.join(store, 'tasks', `${module}.json`), '{"format":1,');
    await keepSnapshot(store, snapshot);
    expect(await readSnapshot(store, module)).toEqual(snapshot);
  });

  test('are kept with the folder that they lie in now', async () => {
    const { folder, find, modules, store } = await workspace({ 'one/task.mjs': moduleSource(), 'other/task.mjs': moduleSource() });
    for (const place of ['one', 'other']) {
      const { resolved } = await find(`./${place}/task.mjs`);
      await modules.keep(resolved);
      expect(await readSnapshot(store, resolved.module ?? '')).toMatchObject({ folder: path.join(folder, place) });
    }
  });
});
