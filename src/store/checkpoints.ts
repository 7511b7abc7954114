import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { errorCode, UserError } from '../common/errors';
import type { HostTensor } from '../common/tensor';
import { syncFolder, writeFailure, writeFileAtomically } from './atomicFile';
import { encodeSafetensors, readSafetensors, type SavedTensor } from './safetensors';

// A model's numbers, in its folder:
//   weights.safetensors               of a model that has ended, or that came from elsewhere
//   checkpoints/<step>.safetensors    the weights at a step
//   resume.safetensors                everything that continues the run from its newest checkpoint: weights and moments
// A checkpoint is written first and `resume` after it. A crash between the two leaves a run that continues from the
// checkpoint before and comes by the newest again, where it writes the same file once more.

export const checkpointsFolder = 'checkpoints';
const weightsFile = 'weights.safetensors';
const resumeFile = 'resume.safetensors';
const [parameterPrefix, momentPrefix] = ['parameters/', 'moments/'];

/** State-dict name → value. */
export type Weights = ReadonlyMap<string, HostTensor<'float32'>>;

/** Everything that continues a run exactly. */
export interface SavedState {
  /** Steps done. */
  readonly step: number;
  /** Seconds of training so far. */
  readonly seconds: number;
  /** Evaluations in a row for which the stop rule has held. */
  readonly streak: number;
  readonly parameters: Weights;
  /** The optimizer's moments, under names of its own. */
  readonly moments: Weights;
}

/** Steps at which the model in `folder` has a checkpoint, ascending. */
export async function checkpointSteps(folder: string): Promise<number[]> {
  const names = await readdir(join(folder, checkpointsFolder)).catch((error: unknown) => {
    if (errorCode(error) === 'ENOENT') return [];
    throw error;
  });
  const steps = names.flatMap(name => /^(0|[1-9]\d{0,14})\.safetensors$/.exec(name)?.[1] ?? []);
  return steps.map(Number).sort((a, b) => a - b);
}

export async function writeCheckpoint(folder: string, state: SavedState): Promise<void> {
  const { step, seconds, streak, parameters, moments } = state;
  const scalars = new Map([['step', String(step)], ['seconds', String(seconds)], ['streak', String(streak)]]);
  await makeCheckpointsFolder(folder);
  await writeCheckpointWeights(folder, step, parameters, scalars);
  const everything = new Map([...prefixed(parameterPrefix, parameters), ...prefixed(momentPrefix, moments)]);
  await writeFileAtomically(join(folder, resumeFile), encodeSafetensors(everything, scalars));
}

/** Writes a checkpoint alone, from which nothing is resumed. Its folder is there. */
export function writeCheckpointWeights(folder: string, step: number, weights: Weights, scalars?: ReadonlyMap<string, string>): Promise<void> {
  return writeFileAtomically(checkpointFile(folder, step), encodeSafetensors(weights, scalars));
}

/** Whether {@link readResumeState} has something to read. */
export async function canResume(folder: string): Promise<boolean> {
  return (await stat(join(folder, resumeFile)).catch(() => undefined))?.isFile() ?? false;
}

/** The state that a run continues from: its newest whole one. `model` is what to call the model in errors. */
export async function readResumeState(folder: string, model: string): Promise<SavedState> {
  if (!(await canResume(folder))) throw new UserError(`${model} has no checkpoint to resume from.`);
  const path = join(folder, resumeFile);
  const { metadata, tensors } = await readSafetensors(path);
  const scalar = (name: string): number => {
    const value = Number(metadata.get(name) ?? NaN);
    if (!(value >= 0 && value < Infinity)) throw new UserError(`${path} does not say its ${name}.`);
    return value;
  };
  return {
    step: scalar('step'),
    seconds: scalar('seconds'),
    streak: scalar('streak'),
    parameters: floats(path, withPrefix(parameterPrefix, tensors)),
    moments: floats(path, withPrefix(momentPrefix, tensors)),
  };
}

export function writeWeights(folder: string, weights: Weights): Promise<void> {
  return writeFileAtomically(join(folder, weightsFile), encodeSafetensors(weights));
}

/**
 * The weights at a checkpoint; without one, the newest: of the last checkpoint, or of `weights.safetensors` where there
 * are no checkpoints.
 * @throws UserError with the nearest steps when there is no such checkpoint.
 */
export async function readWeights(folder: string, model: string, checkpoint?: number): Promise<Weights> {
  const steps = await checkpointSteps(folder);
  const step = checkpoint ?? steps.at(-1);
  if (step !== undefined && !steps.includes(step)) throw missingCheckpoint(model, step, steps);
  const path = step === undefined ? join(folder, weightsFile) : checkpointFile(folder, step);
  if (step === undefined && (await stat(path).catch(() => undefined)) === undefined) {
    throw new UserError(`${model} has no weights yet: its training has not come to its first checkpoint.`);
  }
  return floats(path, (await readSafetensors(path)).tensors);
}

/** Forgets the checkpoints after a step. */
export async function removeCheckpointsAfter(folder: string, step: number): Promise<void> {
  const gone = (await checkpointSteps(folder)).filter(other => other > step);
  if (gone.length === 0) return;
  try {
    for (const other of gone) await rm(checkpointFile(folder, other), { force: true });
    await syncFolder(join(folder, checkpointsFolder));
  } catch (error) {
    throw writeFailure(error, join(folder, checkpointsFolder));
  }
}

function missingCheckpoint(model: string, step: number, steps: readonly number[]): UserError {
  if (steps.length === 0) return new UserError(`${model} has no checkpoint at step ${step}; it has none at all.`);
  const nearest = [...steps].sort((a, b) => Math.abs(a - step) - Math.abs(b - step)).slice(0, 2).sort((a, b) => a - b);
  const where = nearest.length > 1 ? 'the nearest are' : 'there is one';
  return new UserError(`${model} has no checkpoint at step ${step}; ${where} at ${nearest.join(' and ')}.`);
}

function checkpointFile(folder: string, step: number): string {
  return join(folder, checkpointsFolder, `${step}.safetensors`);
}

/** Not with its parents: a model that was removed meanwhile must not come back as a folder without a record. */
async function makeCheckpointsFolder(folder: string): Promise<void> {
  const path = join(folder, checkpointsFolder);
  await mkdir(path).catch((error: unknown) => {
    if (errorCode(error) !== 'EEXIST') throw writeFailure(error, path);
  });
}

function prefixed(prefix: string, tensors: Weights): (readonly [string, HostTensor<'float32'>])[] {
  return [...tensors].map(([name, tensor]) => [prefix + name, tensor] as const);
}

function withPrefix(prefix: string, tensors: ReadonlyMap<string, SavedTensor>): Map<string, SavedTensor> {
  const those = [...tensors].filter(([name]) => name.startsWith(prefix));
  return new Map(those.map(([name, tensor]) => [name.slice(prefix.length), tensor]));
}

function floats(path: string, tensors: ReadonlyMap<string, SavedTensor>): Weights {
  return new Map([...tensors].map(([name, tensor]) => {
    if (!isFloat32(tensor)) {
      throw new UserError(`${path}: tensor "${name}" holds integers, where a model's weights are expected.`);
    }
    return [name, tensor];
  }));
}

function isFloat32(tensor: SavedTensor): tensor is HostTensor<'float32'> {
  return tensor.dtype === 'float32';
}
