import { errorCode } from '../common/errors';
import { toDisposable, type Disposable } from '../common/lifetime';

const pollMilliseconds = 1000;

/**
 * Calls `gone` once when this process' channel closes, and also when the process `parent` is no more: a channel stays
 * open while anybody else still holds its other end.
 */
export function whenParentIsGone(parent: number, gone: () => void): Disposable {
  // A process whose parent ends gets another one (not on Windows); its old parent's number can live on as a zombie's.
  const wasChild = process.ppid === parent;
  const poll = setInterval(() => {
    if (!isAlive(parent) || (wasChild && process.ppid !== parent)) end();
  }, pollMilliseconds);
  poll.unref();
  const stop = toDisposable(() => {
    clearInterval(poll);
    process.off('disconnect', end);
  });
  process.once('disconnect', end);
  return stop;

  function end(): void {
    stop.dispose();
    gone();
  }
}

function isAlive(processId: number): boolean {
  try {
    process.kill(processId, 0);
    return true;
  } catch (error) {
    return errorCode(error) === 'EPERM';
  }
}
