import { toDisposable, type Disposable } from './lifetime';

/** A function that runs at once, and then at most once in every `milliseconds`, the last call never lost. */
export function throttle(run: () => void, milliseconds: number): Disposable & { readonly call: () => void } {
  let timer: NodeJS.Timeout | undefined;
  let again = false;
  let live = true;
  const elapsed = () => {
    timer = undefined;
    if (again) call();
  };
  const call = () => {
    if (!live) return;
    again = timer !== undefined;
    if (again) return;
    timer = setTimeout(elapsed, milliseconds);
    run();
  };
  const end = toDisposable(() => {
    live = false;
    clearTimeout(timer);
  });
  return { call, dispose: () => end.dispose() };
}
