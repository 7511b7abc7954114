import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { UserError } from '../common/errors';
import { Random } from '../common/random';
import { int32, nested, sizeOf, type HostTensor } from '../common/tensor';
import { parameterSpecs } from '../model/parameters';
import type { RunnableModel } from '../model/runnable';
import { missingInTransformerLens } from '../model/transformerLens';
import type { FileFormat } from '../protocol/checkpointFile';
import type { ModelConfig } from '../protocol/config';
import type { ExportAnswer, ExportRequest } from '../protocol/engine';
import { writeFileAtomically } from '../store/atomicFile';
import { configFile, hookedStateDict } from '../store/export/hookedTransformer';
import { pythonHead, rebuildingPython } from '../store/export/python';
import { encodeTorch } from '../store/export/torchFile';
import { encodeSafetensors } from '../store/safetensors';
import type { Task } from '../tasks/task';
import type { OpenModel, OpenModels } from './openModels';

// B prompts · T positions · P positions that are compared · U d_vocab_out

/** Prompts that the logits are checked on. */
const checkedPrompts = 3;
/** The most positions of them, and the most logits that are written down: of a large vocabulary, those of the last position. */
const [mostPositions, mostLogits] = [64, 100_000];

/**
 * Writes a model to a file, and beside it its config, prompts with its logits, and Python that rebuilds it with
 * TransformerLens and checks these. An earlier export of this name is replaced, and nothing else but the file itself.
 * @throws UserError for a name that does not say the format, a place that cannot be written, or files of others beside it.
 */
export async function exportModel(models: OpenModels, { model, checkpoint, file }: ExportRequest): Promise<ExportAnswer> {
  return models.use(model, checkpoint, ({ details: { experiment, summary }, ...opened }) =>
    writeExport({ ...opened, name: summary.name, seed: experiment.seed }, file));
}

/** A model as far as a file of it needs it. `seed` draws the prompts. */
export interface Exported extends Pick<OpenModel, 'model'> {
  readonly name: string;
  readonly task: Pick<Task, 'sample'>;
  readonly seed: number;
}

/** As {@link exportModel}, of a model that is open. */
export async function writeExport(exported: Exported, file: string): Promise<ExportAnswer> {
  const format = formatOf(file);
  const { name, seed, model } = exported;
  const { config } = model;
  const weights = new Map(parameterSpecs(config).map(spec => [spec.name, model.parameter(spec.name)]));
  const tensors = hookedStateDict(config, weights);
  const stem = path.basename(file, path.extname(file));
  const beside = { format, weights: path.basename(file), config: `${stem}.config.json`, check: `${stem}.check.json` };
  const missing = missingInTransformerLens(config);
  const python = `${stem}.py`;
  const folder = path.dirname(file);
  await checkBeside(folder, [beside.check, beside.config, python]);
  const check = await checkOf(exported);
  const texts = new Map([
    [beside.config, `${JSON.stringify(configFile(config, seed), null, 2)}\n`],
    [beside.check, `${JSON.stringify(check)}\n`],
    ...(missing === undefined ? [[python, rebuildingPython(name, config, beside)] as const] : []),
  ]);
  // Hugging Face's library refuses to load a file that does not say so.
  const metadata = new Map([['format', 'pt']]);
  await writeFileAtomically(file, format === 'torch' ? encodeTorch(tensors) : encodeSafetensors(tensors, metadata));
  for (const [beneath, text] of texts) await writeFileAtomically(path.join(folder, beneath), text);
  return {
    files: [file, ...[...texts.keys()].map(name => path.join(folder, name))],
    ...(missing !== undefined && { withoutPython: `No Python to rebuild it was written, because ${missing}, which TransformerLens does not have.` }),
  };
}

/** @param names that of its check first. @throws UserError where one of the files beside an export is there, and is not that of an earlier one. */
async function checkBeside(folder: string, names: readonly string[]): Promise<void> {
  const begins = async (name: string) => (await readFile(path.join(folder, name), 'utf8').catch(() => undefined))?.slice(0, 100);
  const beginnings = await Promise.all(names.map(begins));
  // What an export is checked on is written by nobody else.
  const isExport = beginnings[0]?.startsWith('{"tokens":[[') ?? false;
  for (const [index, name] of names.entries()) {
    const text = beginnings[index];
    const isOwn = isExport && (!name.endsWith('.py') || text?.startsWith(pythonHead));
    if (text !== undefined && !isOwn) throw new UserError(`${path.join(folder, name)} is there already and would be replaced; export under another name.`);
  }
}

/** @throws UserError for a name that says no format. */
function formatOf(file: string): FileFormat {
  switch (path.extname(file).toLowerCase()) {
    case '.safetensors': return 'safetensors';
    case '.pt':
    case '.pth': return 'torch';
    default: throw new UserError(`${path.basename(file)} does not say what to write; end its name in .safetensors or .pt.`);
  }
}

/** Prompts `tokens [B, T]`, and the logits `[B, P, U]` that the model gives at `positions`. */
async function checkOf({ model, task, seed }: Exported) {
  const tokens = promptsOf(model.config, task, seed);
  const [, T = 0] = tokens.shape;
  const { logits } = await model.runWithCache(tokens, []);
  const isLong = sizeOf(logits.shape) > mostLogits;
  const positions = isLong ? [T - 1] : Array.from({ length: T }, (_, position) => position);
  return { tokens: nested(tokens), positions, logits: nested(atPositions(logits, positions)) };
}

/** A HookedTransformer with a mask of its own takes the last rows of it for a shorter prompt, so that such a prompt stays whole. */
function promptsOf(config: ModelConfig, task: Exported['task'], seed: number): HostTensor<'int32'> {
  const { tokens } = task.sample(new Random(seed, 'exported prompts'), checkedPrompts);
  const [B = 0, T = 0] = tokens.shape;
  const kept = config.mask ? T : Math.min(T, mostPositions);
  if (kept === T) return tokens;
  const rows = Array.from({ length: B }, (_, row) => [...tokens.data.subarray(row * T, row * T + kept)]);
  return int32([B, kept], Int32Array.from(rows.flat()));
}

function atPositions({ shape: [B = 0, T = 0, U = 0], data }: Awaited<ReturnType<RunnableModel['runWithCache']>>['logits'], positions: readonly number[]) {
  const kept = new Float32Array(B * positions.length * U);
  for (let row = 0; row < B; row++) {
    positions.forEach((position, at) => {
      const from = (row * T + position) * U;
      kept.set(data.subarray(from, from + U), (row * positions.length + at) * U);
    });
  }
  return { shape: [B, positions.length, U], data: kept };
}
