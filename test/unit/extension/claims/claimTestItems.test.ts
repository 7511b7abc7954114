import { beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import type * as vscode from 'vscode';
import { Emitter } from '../../../../src/common/event';
import { ClaimTestItems } from '../../../../src/extension/claims/claimTestItems';
import type { SourceChange, SourceFile } from '../../../../src/extension/experiments/experimentStandings';

vi.mock('vscode', () => ({
  Range: class {},
  Uri: { parse: uri },
  workspace: { asRelativePath: ({ path }: vscode.Uri) => path.slice(1) },
}));

function uri(file: string): vscode.Uri {
  return { path: file.slice('file:'.length), toString: () => file } as vscode.Uri;
}

/** Items as VS Code keeps them: under their ids, in a collection that is gone through in pairs. */
class Items {
  private readonly all = new Map<string, vscode.TestItem>();
  get size() { return this.all.size; }
  get(id: string) { return this.all.get(id); }
  add(item: vscode.TestItem) { this.all.set(item.id, item); }
  delete(id: string) { this.all.delete(id); }
  replace(items: readonly vscode.TestItem[]) {
    this.all.clear();
    items.forEach(item => this.add(item));
  }
  [Symbol.iterator]() { return this.all[Symbol.iterator](); }
}

const file = 'file:/studies/$(zap).circuit.json';
const claims = (...words: string[]) => JSON.stringify({ claims: words.map(claim => ({ claim, expect: '> 0' })) });

let controller: vscode.TestController;
let sources: Map<string, SourceFile>;
let changes: Emitter<SourceChange>;
let items: ClaimTestItems;
let counts: number[];
const write = (text: string, typed: boolean) => {
  sources.set(file, { file, text, isOpen: true });
  changes.fire({ file, typed });
};
const labels = () => [...controller.items].map(([, item]) => [item.label, ...[...item.children].map(([, { label }]) => label)]);

beforeEach(() => {
  vi.useFakeTimers();
  controller = {
    items: new Items(),
    createTestItem: (id: string, label: string, uri: vscode.Uri) => ({ id, label, uri, children: new Items() }),
    invalidateTestResults: () => undefined,
  } as never;
  [sources, changes, counts] = [new Map(), new Emitter(), []];
  items = new ClaimTestItems(controller, { onChange: changes.event, get all() { return [...sources.values()]; }, get: each => sources.get(each) });
  items.onChange(() => counts.push(items.count));
  onTestFinished(() => {
    items.dispose();
    vi.useRealTimers();
  });
});

test('a file goes by its path, with nothing that is drawn as an icon or read out in place of the label', () => {
  write(claims('One'), false);
  expect(labels()).toEqual([['studies/$ (zap)', 'One']]);
  const [[, item] = []] = [...controller.items];
  expect(item?.description).toBeUndefined();
  expect([...item?.children ?? []].map(([, { description }]) => description)).toEqual([undefined]);
});

test('what is typed is shown after a rest, and what is half typed keeps the claims that were there', async () => {
  write(claims('One', 'Two'), false);
  for (const text of ['{ "claims": [', '{ "claims": ', claims('One', 'Three')]) {
    write(text, true);
    expect(labels()).toEqual([['studies/$ (zap)', 'One', 'Two']]);
    await vi.advanceTimersByTimeAsync(text.endsWith('}') ? 299 : 300);
    expect(labels()).toEqual([['studies/$ (zap)', 'One', 'Two']]);
  }
  await vi.advanceTimersByTimeAsync(1);
  expect(labels()).toEqual([['studies/$ (zap)', 'One', 'Three']]);
  expect(counts).toEqual([1]);
  write('{}', false);
  expect(labels()).toEqual([]);
  expect(counts).toEqual([1, 0]);
});

test('items that have gone and come again are found in place of those that were', () => {
  write(claims('One', 'Two'), false);
  const [[, then] = []] = [...controller.items];
  const claimThen = [...then?.children ?? []].map(([, claim]) => claim)[1];
  if (!then || !claimThen) return expect.fail('there are two claims');
  write('{}', false);
  expect(items.current(then)).toBeUndefined();
  write(claims('Two'), false);
  expect(items.current(then)).toBe(controller.items.get(file));
  expect(items.current(then)).not.toBe(then);
  expect(items.current(claimThen)).toMatchObject({ label: 'Two' });
  expect(items.current(claimThen)).not.toBe(claimThen);
});
