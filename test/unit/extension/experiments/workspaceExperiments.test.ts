import { beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import type * as vscode from 'vscode';
import { WorkspaceExperiments } from '../../../../src/extension/experiments/workspaceExperiments';
import { experimentFileLimit } from '../../../../src/protocol/experiment';

const around = await vi.hoisted(async () => {
  const { Emitter } = await import('../../../../src/common/event');
  const events = Object.fromEntries([
    'onDidOpenTextDocument', 'onDidChangeTextDocument', 'onDidCloseTextDocument', 'onDidChangeWorkspaceFolders', 'onDidSaveTextDocument',
    'onDidDeleteFiles', 'onDidRenameFiles', 'onDidCreate', 'onDidChange', 'onDidDelete',
  ].map(name => [name, new Emitter<unknown>()]));
  return { events, disk: new Map<string, string>(), open: new Map<string, string>(), searches: 0, reading: Promise.resolve() };
});

/** A workspace with files on its disk, of which some are open. */
vi.mock('vscode', () => ({
  workspace: {
    ...Object.fromEntries(Object.entries(around.events).map(([name, { event }]) => [name, event])),
    createFileSystemWatcher: () => ({ ...Object.fromEntries(Object.entries(around.events).map(([name, { event }]) => [name, event])), dispose: () => undefined }),
    get textDocuments() { return [...around.open.keys()].map(document); },
    findFiles: async () => {
      around.searches++;
      return [...around.disk.keys()].filter(file => !file.includes('node_modules')).map(uri);
    },
    fs: {
      stat: async (file: vscode.Uri) => ({ size: around.disk.get(file.toString())?.length ?? 0 }),
      readFile: async (file: vscode.Uri) => {
        await around.reading;
        const text = around.disk.get(file.toString());
        if (text === undefined) throw new Error('it is gone');
        return new TextEncoder().encode(text);
      },
    },
  },
}));

function uri(file: string): vscode.Uri {
  const [scheme = '', path = ''] = file.split(':');
  return { scheme, path, toString: () => file } as vscode.Uri;
}

function document(file: string) {
  return { uri: uri(file), getText: () => around.open.get(file) };
}

const tell = (event: string, what: unknown) => around.events[event]?.fire(what);
const open = (file: string, text: string) => {
  around.open.set(file, text);
  tell('onDidOpenTextDocument', document(file));
};
const close = (file: string) => {
  around.open.delete(file);
  tell('onDidCloseTextDocument', { uri: uri(file) });
};

/** Lets what was begun come to its end. */
const settle = () => new Promise(resolve => setImmediate(resolve));
const [a, b, inFolder] = ['file:/a.circuit.json', 'file:/b.circuit.json', 'file:/studies/c.circuit.json'] as const;

let experiments: WorkspaceExperiments;
let told: (string | undefined)[];
const known = () => experiments.all.map(({ file }) => file);

beforeEach(() => {
  [around.disk, around.open].forEach(files => files.clear());
  around.reading = Promise.resolve();
  around.searches = 0;
  for (const file of [a, b, inFolder]) around.disk.set(file, '{}');
  told = [];
  experiments = new WorkspaceExperiments();
  experiments.onChange(({ file }) => told.push(file));
  onTestFinished(() => experiments.dispose());
});

test('a search finds what is new, and forgets what is neither there nor open', async () => {
  await experiments.load();
  await experiments.load();
  expect(around.searches).toBe(1);
  expect(known()).toEqual([a, b, inFolder]);
  open(b, '{}');
  [a, b].forEach(file => around.disk.delete(file));
  around.disk.set('file:/new.circuit.json', '{}');
  await experiments.reload();
  expect(known()).toEqual([b, inFolder, 'file:/new.circuit.json']);
  expect(told).toContain(a);
});

test.each([
  ['deleted', 'onDidDeleteFiles', { files: [uri('file:/studies')] }],
  ['renamed', 'onDidRenameFiles', { files: [{ oldUri: uri('file:/studies'), newUri: uri('file:/other') }] }],
  ['taken out of the workspace', 'onDidChangeWorkspaceFolders', {}],
])('what was in a folder is forgotten when that is %s', async (_, event, what) => {
  await experiments.load();
  around.disk.delete(inFolder);
  tell(event, what);
  await settle();
  expect(known()).toEqual([a, b]);
});

test('a file that is opened while it is read is open', async () => {
  let go = () => undefined as void;
  around.reading = new Promise(resolve => { go = resolve; });
  tell('onDidCreate', uri(a));
  open(a, '{ }');
  go();
  await settle();
  expect(experiments.get(a)).toMatchObject({ text: '{ }', isOpen: true });
  close(a);
  await settle();
  expect(experiments.get(a)).toMatchObject({ text: '{}', isOpen: false });
});

test.each([
  ['of the older side of a comparison', 'git:/a.circuit.json'],
  ['of a history', 'timeline-local-history:/a.circuit.json'],
  ['of a package', 'file:/node_modules/package/a.circuit.json'],
])('a file %s is no experiment of the workspace', async (_, file) => {
  open(file, '{}');
  around.disk.set(file, '{}');
  tell('onDidCreate', uri(file));
  await settle();
  expect(known()).not.toContain(file);
});

test('a text that is too large is none, while it is', () => {
  open(a, '{}');
  expect(known()).toEqual([a]);
  around.open.set(a, ' '.repeat(experimentFileLimit + 1));
  tell('onDidChangeTextDocument', { document: document(a), contentChanges: [{}] });
  expect(known()).toEqual([]);
});

test('saved code is news where an experiment names a task module', async () => {
  await experiments.load();
  told = [];
  tell('onDidSaveTextDocument', document('file:/index.ts'));
  expect(told).toEqual([]);
  open(a, '{ "task": { "name": "./parity.ts" } }');
  told = [];
  tell('onDidSaveTextDocument', document('file:/index.ts'));
  expect(told).toEqual([undefined]);
});
