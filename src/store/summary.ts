import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import type { ModelSummary } from '../protocol/model';
import { canResume } from './checkpoints';
import { canonicalJson, type ModelRecord } from './modelRecord';

/** What the list of models shows of the model in `path`. */
export async function summaryOf(path: string, record: ModelRecord): Promise<ModelSummary> {
  const { id, name, experiment, status, progress, metrics, config, createdAt, problem, problemSource, source } = record;
  const hasEnded = status === 'stopped' || status === 'interrupted' || status === 'failed';
  return {
    id,
    name,
    task: experiment.task.name,
    status,
    progress,
    metrics,
    n_layers: config.n_layers,
    n_heads: config.n_heads,
    attn_only: config.attn_only,
    ...(experiment.from && { from: experiment.from }),
    createdAt,
    path,
    resumable: hasEnded && (await canResume(path)),
    ...(problem === undefined ? {} : { problem }),
    ...(problemSource && { problemSource }),
    ...(source && { source, taskKey: taskKeyOf(record) }),
  };
}

/** Of what decides its prompts, their answers, and which of them it counts as test examples. */
export function taskKeyOf({ experiment: { task, seed }, source }: Pick<ModelRecord, 'experiment' | 'source'>): string {
  return createHash('sha256').update(canonicalJson({ task, seed, splitIsKnown: source?.splitIsKnown })).digest('hex').slice(0, 16);
}

/** A model whose record cannot be read: there to be seen and deleted, with the reason. */
export async function brokenSummary(path: string, id: string, problem: string): Promise<ModelSummary> {
  return {
    id,
    name: id,
    task: 'unknown',
    status: 'failed',
    progress: { step: 0, steps: 0 },
    metrics: {},
    n_layers: 0,
    n_heads: 0,
    attn_only: false,
    createdAt: (await stat(path).catch(() => undefined))?.mtimeMs ?? 0,
    path,
    resumable: false,
    problem,
  };
}
