import { beforeEach, expect, test, vi } from 'vitest';
import { withProgress } from '../../../src/extension/notifications';

interface Shown {
  readonly options: { readonly location: string; readonly title: string; readonly cancellable: boolean };
  readonly reported: unknown[];
  cancel: (() => void) | undefined;
}

const shown = vi.hoisted(() => [] as Shown[]);
beforeEach(() => void shown.splice(0));

vi.mock('vscode', () => ({
  ProgressLocation: { Notification: 'notification', Window: 'window' },
  window: {
    withProgress: (options: Shown['options'], task: (progress: unknown, token: unknown) => Promise<unknown>) => {
      const one: Shown = { options, reported: [], cancel: undefined };
      shown.push(one);
      return task({ report: (step: unknown) => one.reported.push(step) }, {
        onCancellationRequested: (listener: () => void) => {
          one.cancel = listener;
          return { dispose: () => (one.cancel = undefined) };
        },
      });
    },
  },
}));

test('names in the title and the messages of progress are neither links nor icons', async () => {
  const name = 'a [b](command:evil) $(trash)';
  await withProgress(`Importing ${name}`, async (_, report) => report(name), 'status bar');
  const plain = 'a [b] (command:evil) $ (trash)';
  expect(shown).toMatchObject([{ options: { title: `Importing ${plain}`, location: 'window', cancellable: false }, reported: [{ message: plain }] }]);
});

test('work is told when it is cancelled, and nobody listens once it has ended', async () => {
  let end = () => undefined as unknown;
  const work = withProgress('Processing', signal => new Promise<boolean>(resolve => (end = () => resolve(signal.aborted))));
  expect(shown[0]?.options).toMatchObject({ location: 'notification', cancellable: true });
  shown[0]?.cancel?.();
  end();
  expect(await work).toBe(true);
  expect(shown[0]?.cancel).toBeUndefined();
});

test('what cannot be cancelled is not said to be', async () => {
  expect(await withProgress('Collecting', async () => 3, 'notification')).toBe(3);
  expect(shown[0]?.options).toMatchObject({ location: 'notification', cancellable: false });
});
