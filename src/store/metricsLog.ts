import { open, readFile, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import * as v from 'valibot';
import { errorCode } from '../common/errors';
import type { MetricsRow } from '../protocol/model';
import { writeFailure, writeFileAtomically } from './atomicFile';
import { finiteJson, MetricsRowSchema } from './modelRecord';

// `metrics.jsonl`: one row a line, only ever appended to. A line counts once its line feed is there; what a crash left
// of the last line is not read, and is cut off before the next row is written.

const fileName = 'metrics.jsonl';
const lineFeed = 0x0a;

/**
 * Adds rows at the end. A value that is not finite is left out of its row. The rows are with the system then, but on
 * the disk only after {@link syncMetrics}, so that a row costs no wait for the disk.
 */
export async function appendMetrics(folder: string, rows: readonly MetricsRow[]): Promise<void> {
  if (rows.length === 0) return;
  const path = join(folder, fileName);
  const lines = Buffer.from(rows.map(row => `${finiteJson(row)}\n`).join(''));
  try {
    await withFile(path, 'a+', async file => {
      const { size } = await file.stat();
      const end = await wholeLinesEnd(file, size);
      if (end < size) await file.truncate(end);
      await file.appendFile(lines).catch(async (error: unknown) => {
        await file.truncate(end).catch(() => undefined); // what is left of a row is cut off later if not now
        throw error;
      });
    });
  } catch (error) {
    throw writeFailure(error, path, lines.length);
  }
}

/** Puts the rows on the disk. */
export async function syncMetrics(folder: string): Promise<void> {
  const path = join(folder, fileName);
  await withFile(path, 'r+', file => file.datasync()).catch((error: unknown) => {
    if (errorCode(error) !== 'ENOENT') throw writeFailure(error, path);
  });
}

/** Every row that is whole. `unreadable` is told of lines that are not rows; they are left out. */
export async function readMetrics(folder: string, unreadable: (problem: string) => void): Promise<MetricsRow[]> {
  const path = join(folder, fileName);
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    if (errorCode(error) === 'ENOENT') return '';
    throw error;
  });
  const lines = text.slice(0, text.lastIndexOf('\n') + 1).split('\n').slice(0, -1);
  return lines.flatMap((line, i) => {
    const row = parseRow(line);
    if (row === undefined) unreadable(`Line ${i + 1} of ${path} is not a row of metrics; it is left out.`);
    return row ?? [];
  });
}

/** Forgets the rows after a step. */
export async function truncateMetrics(folder: string, afterStep: number): Promise<void> {
  const rows = await readMetrics(folder, () => undefined);
  const kept = rows.filter(row => row.step <= afterStep);
  if (kept.length === rows.length) return;
  await writeFileAtomically(join(folder, fileName), kept.map(row => `${finiteJson(row)}\n`).join(''));
}

/** Rows of which each has what was measured at its step beside what came with it, which counts where both have it. */
export function joinedRows(measured: readonly MetricsRow[], came: readonly MetricsRow[]): MetricsRow[] {
  const rows = new Map(measured.map(row => [row.step, row]));
  for (const row of came) rows.set(row.step, { ...rows.get(row.step), ...row });
  return [...rows.values()].sort((one, other) => one.step - other.step);
}

function parseRow(line: string): MetricsRow | undefined {
  try {
    const result = v.safeParse(MetricsRowSchema, JSON.parse(line));
    return result.success ? result.output : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Where the last whole line ends. Looks back from the end in steps, because a log can be long and a torn line is short.
 */
async function wholeLinesEnd(file: FileHandle, size: number): Promise<number> {
  let end = size;
  const chunk = Buffer.alloc(4096);
  while (end > 0) {
    const start = Math.max(0, end - chunk.length);
    const { bytesRead } = await file.read(chunk, 0, end - start, start);
    const last = chunk.subarray(0, bytesRead).lastIndexOf(lineFeed);
    if (last >= 0) return start + last + 1;
    end = start;
  }
  return 0;
}

async function withFile<T>(path: string, flags: string, work: (file: FileHandle) => Promise<T>): Promise<T> {
  const file = await open(path, flags);
  try {
    return await work(file);
  } finally {
    await file.close();
  }
}
