import { toDisposable, type Disposable } from '../src/common/lifetime';

/** Tells whether an element is in sight, or nearly. */
export function watchSight(target: HTMLElement, changed: (inSight: boolean) => void): Disposable {
  const observer = new IntersectionObserver(entries => changed(entries.at(-1)?.isIntersecting ?? true), { rootMargin: '100px' });
  observer.observe(target);
  return toDisposable(() => observer.disconnect());
}

/**
 * Tells the width of an element's content when it changes, first as soon as it has one. Told a frame later, because what
 * is told here changes sizes again.
 */
export function watchWidth(target: HTMLElement, changed: (width: number) => void): Disposable {
  let width = 0;
  let frame = 0;
  const observer = new ResizeObserver(entries => {
    const next = Math.floor(entries[0]?.contentRect.width ?? 0);
    if (next === width) return;
    width = next;
    cancelAnimationFrame(frame);
    frame = requestAnimationFrame(() => changed(width));
  });
  observer.observe(target);
  return toDisposable(() => {
    observer.disconnect();
    cancelAnimationFrame(frame);
  });
}
