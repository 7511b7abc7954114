import { describe, expect, test } from 'vitest';
import type { RequestType, RequestType0 } from 'vscode-jsonrpc';
import { CancelledError, UserError } from '../../../../src/common/errors';
import { HookPictures } from '../../../../src/extension/hooks/pictures';
import { pictureOf } from '../../../../src/engine/pictures';
import { float32 } from '../../../../src/common/tensor';

const drawn = pictureOf('hook_embed', { tensor: float32([2, 3]) });
const wanted = { model: 'm', name: 'hook_embed' };
const never = new AbortController().signal;

/** An engine that draws when it is told to. */
function pictures(patience: number) {
  const asked: { readonly signal: AbortSignal | undefined; answer(): void; fail(error: Error): void }[] = [];
  function request<P, R>(type: RequestType<P, R, void>, params: P, signal?: AbortSignal): Promise<R>;
  function request<R>(type: RequestType0<R, void>): Promise<R>;
  function request(_type: unknown, _params?: unknown, signal?: AbortSignal): Promise<unknown> {
    return new Promise((resolve, reject) => {
      asked.push({ signal, answer: () => resolve(drawn), fail: reject });
      signal?.addEventListener('abort', () => reject(new CancelledError()));
    });
  }
  return { asked, pictures: new HookPictures({ request }, patience, () => 'A defect.') };
}

describe('pictures for hovers', () => {
  test('are asked for once for the same weights', async () => {
    const { asked, pictures: kept } = pictures(10_000);
    const both = Promise.all([kept.get(wanted, '1', never), kept.get(wanted, '1', never)]);
    asked[0]?.answer();
    expect(await both).toEqual([drawn, drawn]);
    expect(asked).toHaveLength(1);
    void kept.get(wanted, '2', never);
    expect(asked).toHaveLength(2);
    asked[1]?.answer();
  });

  test('that take long are there the next time', async () => {
    const { asked, pictures: kept } = pictures(1);
    expect(await kept.get(wanted, '1', never)).toBe('late');
    asked[0]?.answer();
    expect(await kept.get(wanted, '1', never)).toBe(drawn);
    expect(asked).toHaveLength(1);
  });

  test('are not drawn when the hover is gone, and drawn when it is there again', async () => {
    const { asked, pictures: kept } = pictures(10_000);
    const hover = new AbortController();
    const answer = kept.get(wanted, '1', hover.signal);
    hover.abort();
    await expect(answer).rejects.toThrow(CancelledError);
    expect(asked[0]?.signal?.aborted).toBe(true);
    const again = kept.get(wanted, '1', never);
    asked[1]?.answer();
    expect(await again).toBe(drawn);
  });

  test('are drawn for a second hover over the same name, whatever becomes of the first', async () => {
    const { asked, pictures: kept } = pictures(10_000);
    const [first, gone] = [new AbortController(), new AbortController()];
    void kept.get(wanted, '1', first.signal).catch(() => undefined);
    const second = kept.get(wanted, '1', never);
    first.abort();
    asked[0]?.answer();
    expect(await second).toBe(drawn);

    const { asked: anew, pictures: others } = pictures(10_000);
    void others.get(wanted, '1', gone.signal).catch(() => undefined);
    gone.abort();
    // At once, before the engine has said that it gave up.
    const next = others.get(wanted, '1', never);
    anew[1]?.answer();
    expect(await next).toBe(drawn);
  });

  test('that somebody else cancelled leave the hover its text', async () => {
    const { asked, pictures: kept } = pictures(10_000);
    const answer = kept.get(wanted, '1', never);
    asked[0]?.fail(new CancelledError());
    expect(await answer).toBe('late');
  });

  test('that fail say why, and are asked again', async () => {
    const { asked, pictures: kept } = pictures(10_000);
    const first = kept.get(wanted, '1', never);
    asked[0]?.fail(new UserError('The model has no weights.'));
    expect(await first).toEqual({ problem: 'The model has no weights.' });
    const second = kept.get(wanted, '1', never);
    asked[1]?.fail(new Error('broken'));
    expect(await second).toEqual({ problem: 'A defect.' });
  });
});
