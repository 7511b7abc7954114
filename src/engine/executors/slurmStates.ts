import { taskNumbers } from './taskList';

/** What Slurm says of a task of an array. */
export interface TaskReport {
  readonly array: string;
  readonly task: number;
  readonly state: string;
  /** How its script ended, once it has. */
  readonly exit?: { readonly code: number; readonly signal: number };
  /** Why it waits, or ended, in one of Slurm's words. */
  readonly reason?: string;
}

/** `--Format` of squeue, whose lines {@link parseQueue} reads. */
export const queueFormat = ['ArrayJobID', 'ArrayTaskID', 'State', 'exit_code', 'Reason'].map(field => `${field}:|`).join(',');
/** `--format` of sacct, whose lines {@link parseAccounts} reads. */
export const accountsFormat = 'JobID,State,ExitCode';

/** Reads squeue's lines, one a task; lines that tell of no task are passed over. */
export function parseQueue(text: string): TaskReport[] {
  return text.split('\n').flatMap(line => {
    const [, array, task, state, exit = '', reason = ''] = /^(\d+)\|(\d+)\|([A-Z_]+)\|([\d:]*)\|(.*?)\|?$/.exec(line.trim()) ?? [];
    return array === undefined || task === undefined || state === undefined ? [] : [reportOf(array, Number(task), state, exit, reason)];
  });
}

/** Reads sacct's lines: one a task, and one for all tasks of an array that wait. */
export function parseAccounts(text: string): TaskReport[] {
  return text.split('\n').flatMap(line => {
    // A cancelled task has the number of the user who did it: `CANCELLED by 1000`.
    const [, array, one, some, state, exit = ''] = /^(\d+)_(?:(\d+)|\[([\d,-]+)(?:%\d+)?\])\|([A-Z_]+)[^|]*\|([\d:]*)$/.exec(line.trim()) ?? [];
    if (array === undefined || state === undefined) return [];
    const tasks = taskNumbers(one ?? some ?? '') ?? [];
    return tasks.map(task => reportOf(array, task, state, exit, ''));
  });
}

function reportOf(array: string, task: number, state: string, exitText: string, reason: string): TaskReport {
  const exit = exitOf(exitText);
  return { array, task, state, ...(exit && { exit }), ...(reason !== '' && reason !== 'None' && { reason }) };
}

/** `3:0`, code and signal, as sacct writes it, or the status that `wait` gives, as squeue does. */
function exitOf(text: string): TaskReport['exit'] {
  const [first, second] = text.split(':');
  if (first === undefined || first === '') return undefined;
  if (second !== undefined) return { code: Number(first), signal: Number(second) };
  return { code: (Number(first) >> 8) & 0xff, signal: Number(first) & 0x7f };
}

/** Where a task stands, by its state. */
export type Standing = 'queued' | 'training' | 'ended';

const queued = new Set(['PENDING', 'CONFIGURING', 'REQUEUED', 'REQUEUE_FED', 'REQUEUE_HOLD', 'SPECIAL_EXIT', 'RESV_DEL_HOLD', 'POWER_UP_NODE']);
const ended = new Set(['COMPLETED', 'CANCELLED', 'FAILED', 'TIMEOUT', 'NODE_FAIL', 'BOOT_FAIL', 'DEADLINE', 'OUT_OF_MEMORY', 'REVOKED', 'LAUNCH_FAILED']);

/** `isGone`: squeue knows the task no more, and accounting has the last word. */
export function standingOf(state: string, isGone: boolean): Standing {
  // A preempted task comes back to the queue, unless its cluster cancels what it preempts.
  if (state === 'PREEMPTED') return isGone ? 'ended' : 'queued';
  if (queued.has(state)) return 'queued';
  return ended.has(state) ? 'ended' : 'training';
}

/** Whether a reason to wait is one that waiting alone does not end. */
export function needsSomebody(reason: string): boolean {
  return /held|BadConstraints|Partition\w*Limit|NeverSatisfied|Invalid|launch failed/i.test(reason);
}
