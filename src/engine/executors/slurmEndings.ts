import { open } from 'node:fs/promises';
import type { SweepRow } from '../../protocol/sweep';
import type { ModelRecord } from '../../store/modelRecord';
import type { TaskReport } from './slurmStates';

/** How a run ended whose job is over and whose model is not trained to its end. */
export type Ending = Required<Pick<SweepRow, 'status' | 'problem'>>;

const killedForMemory: Ending = { status: 'failed', problem: 'Slurm killed the run for memory; ask for more with --memory.' };
const goesOn = 'it goes on from its newest checkpoint when the sweep is resumed';

/** What the job's state says, with the model's record and the end of the job's log where that says more. */
export async function endingOf(report: TaskReport | undefined, record: ModelRecord | undefined, log: string): Promise<Ending> {
  switch (report?.state) {
    case 'OUT_OF_MEMORY': return killedForMemory;
    case 'TIMEOUT':
    case 'DEADLINE': return { status: 'interrupted', problem: `The run came to the time limit of its job; ask for more with --time: ${goesOn}.` };
    case 'NODE_FAIL':
    case 'BOOT_FAIL': return { status: 'interrupted', problem: `The node of the run failed; ${goesOn}.` };
    case 'PREEMPTED': return { status: 'interrupted', problem: `Slurm gave the node of the run to other jobs; ${goesOn}.` };
    case 'CANCELLED':
    case 'REVOKED': return record ? { status: 'stopped', problem: `Slurm was told to cancel the job of the run; ${goesOn}.` } : { status: 'cancelled', problem: 'Slurm was told to cancel the job of the run before it began.' };
    default: return failureOf(report, record, log);
  }
}

async function failureOf(report: TaskReport | undefined, record: ModelRecord | undefined, log: string): Promise<Ending> {
  const lines = await lastLines(log);
  // Not every way in which a cluster watches over memory has a state of its own.
  if (lines.some(line => /^slurmstepd.*(exceeded .*memory limit|oom.kill|out-of-memory)/i.test(line))) return killedForMemory;
  const last = lines.at(-1) ?? '';
  // A record that says it is training is one whose process was killed a few seconds ago.
  const status = record?.status === 'training' || record?.status === 'paused' ? 'interrupted' : record?.status ?? 'failed';
  // The record may still tell of the attempt before; the log has the last word of this one.
  if (record?.problem !== undefined && last.includes(record.problem)) return { status, problem: record.problem };
  return { status, problem: `${how(report)}; its log ${last === '' ? `is ${log}` : `${log} ends with "${last}"`}.` };
}

function how(report: TaskReport | undefined): string {
  if (!report) return 'Slurm knows nothing of the job any more, and its model is not trained to its end';
  const { state, exit, reason } = report;
  if (state === 'COMPLETED') return 'The job ended, and its model is not trained to its end';
  if (exit && exit.signal > 0 && exit.signal <= 31) return `The job was ended by signal ${exit.signal}`;
  // What Slurm then calls its exit is an error of its own.
  if (reason === 'JobLaunchFailure') return 'Slurm could not start the job, or not write its log (JobLaunchFailure)';
  return exit && exit.code > 0 ? `The job failed with exit code ${exit.code}` : `The job ended in Slurm's state ${state}`;
}

/** The last lines of a log that have anything to read, without what could steer a terminal, and none too long. */
async function lastLines(log: string): Promise<readonly string[]> {
  const text = await tail(log, 4096).catch(() => '');
  const lines = text.split('\n').map(line => line.replace(/\p{Cc}/gu, ' ').trim()).filter(line => line !== '');
  return lines.map(line => (line.length <= 300 ? line : `${line.slice(0, 299)}…`)).slice(-5);
}

async function tail(file: string, bytes: number): Promise<string> {
  const handle = await open(file, 'r');
  try {
    const { size } = await handle.stat();
    const length = Math.min(size, bytes);
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, size - length);
    return buffer.subarray(0, bytesRead).toString('utf8');
  } finally {
    await handle.close();
  }
}
