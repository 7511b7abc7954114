import { eventually } from './eventually';

/** Whether a process is there and runs; one that has ended but was not waited for does not. */
export async function isRunning(processId: number): Promise<boolean> {
  try {
    process.kill(processId, 0);
  } catch {
    return false;
  }
  if (process.platform !== 'linux') return true;
  const { readFile } = await import('node:fs/promises');
  const status = await readFile(`/proc/${processId}/stat`, 'utf8').catch(() => undefined);
  return status !== undefined && !/\) [ZX] /.test(status);
}

/** Resolves when a process that is nobody's child here has ended; there is no event for that. */
export async function ended(processId: number, timeoutMilliseconds = 20_000): Promise<void> {
  await eventually(`the end of process ${processId}`, async () => ((await isRunning(processId)) ? undefined : true), timeoutMilliseconds);
}
