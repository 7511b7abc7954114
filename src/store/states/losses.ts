import type { MetricsRow } from '../../protocol/model';
import type { FileValue, TensorFile } from '../files/tensorFile';
import { isList, isTensor, type FileDictionary } from './fileValues';

const lists = [['train_losses', 'trainLoss'], ['test_losses', 'testLoss']] as const;

/**
 * The losses beside a run's checkpoints: one for each epoch up to the last checkpoint's, or one for each checkpoint.
 * Lists of another length are left out, since nothing tells the steps of their losses.
 */
export async function lossesBeside(file: TensorFile, beside: FileDictionary, steps: readonly number[]): Promise<readonly MetricsRow[]> {
  const rows = new Map<number, MetricsRow>();
  const last = steps.at(-1) ?? 0;
  for (const [key, metric] of lists) {
    const losses = await numbersOf(file, beside.get(key));
    const stepOf = losses.length === steps.length ? (index: number) => steps[index] : losses.length > last ? (index: number) => index : undefined;
    if (!stepOf) continue;
    losses.forEach((loss, index) => {
      const step = stepOf(index);
      if (step !== undefined && Number.isFinite(loss)) rows.set(step, { step, seconds: 0, ...rows.get(step), [metric]: loss });
    });
  }
  return [...rows.values()].sort((a, b) => a.step - b.step);
}

/** A list of numbers, or a tensor of one axis; nothing of anything else. */
async function numbersOf(file: TensorFile, value: FileValue | undefined): Promise<readonly number[]> {
  if (isTensor(value)) return value.shape.length === 1 ? Array.from(await file.read(value)) : [];
  if (!isList(value)) return [];
  const numbers: number[] = [];
  for (const element of value) {
    if (typeof element === 'number') numbers.push(element);
    else if (isTensor(element) && element.shape.length === 0) numbers.push(...(await file.read(element)));
    else return [];
  }
  return numbers;
}
