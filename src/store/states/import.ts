import { FieldError, messageOf, UserError } from '../../common/errors';
import { layouts, layoutTitles, type CheckpointFile, type InferredField } from '../../protocol/checkpointFile';
import type { TensorFile } from '../files/tensorFile';
import { tellBuffers, tellBufferSizes } from './buffers';
import { fieldsGiven, fieldsOfConfig } from './configFile';
import { isDictionary, listed, shownName, shownValue, type FileDictionary, type State } from './fileValues';
import { findStates, readStepTensors, type FoundCheckpoint, type FoundStates } from './find';
import { gpt2 } from './gpt2';
import { grokking } from './grokking';
import type { ImportedState, ImportOptions } from './importedState';
import { inferConfig, type InferredConfig } from './inferConfig';
import type { Fields, StateLayout, Told } from './layout';
import { lossesBeside } from './losses';
import { StateParameters } from './parameters';
import { transformerLens } from './transformerLens';

const byId: Readonly<Record<(typeof layouts)[number], StateLayout>> = { 'transformer-lens': transformerLens, grokking, gpt2 };

/**
 * The model in a file of tensors. What the shapes tell is inferred, what they cannot is taken from the options or a default.
 * @throws UserError one sentence that says what keeps the file from being a model: the tensor, what was found, what was expected.
 * @throws FieldError for a field of the config that nothing tells, or that is told wrongly.
 */
export async function readImport(file: TensorFile, options: ImportOptions = {}): Promise<ImportedState> {
  const found = findStates(file, await readStepTensors(file));
  const layout = layoutOf(found.state, options.given?.['layout']);
  const told = new Map([...configBeside(found.beside, options), ...fieldsGiven(options.given ?? {})]);
  const shapes = fieldsOf(layout, found.state, told);
  await tellBuffers(file, found.state, told, shapes);
  const { config, inferred } = inferConfig(layout, found.state, shapes, told);
  const parameters = parametersOf(layout, found, { config, inferred });
  const losses = await lossesBeside(file, found.beside, found.checkpoints.map(({ step }) => step));
  const checkpoints = await withOwnState(file, found, losses.at(-1)?.step);
  return {
    layout: layout.id,
    config,
    inferred: [...inferred, ...notes(parameters, found, checkpoints), ...normNote(inferred)],
    weights: () => parameters.read(file, found.state),
    checkpoints: checkpoints.map(({ step, state }) => ({ step, weights: () => parameters.read(file, state) })),
    ...(losses.length > 0 && { metrics: losses }),
  };
}

/** In a few words what a file is recognised as, or why it cannot become a model; looks at names and shapes alone. */
export function recogniseFile(file: TensorFile): CheckpointFile['recognised'] {
  try {
    const found = findStates(file);
    const layout = layoutOf(found.state, undefined);
    return { as: [layoutTitles[layout.id], ...partsOf(layout, found)].join(', ') };
  } catch (error) {
    if (error instanceof UserError) return { problem: messageOf(error) };
    throw error;
  }
}

/** How large what a state holds is; what only a config can tell is no problem yet. */
function partsOf(layout: StateLayout, found: FoundStates): readonly string[] {
  const count = (number: number, what: string) => `${number} ${what}${number === 1 ? '' : 's'}`;
  const checkpoints = found.checkpoints.length > 0 ? [count(found.checkpoints.length, 'checkpoint')] : [];
  const layers: string[] = [];
  try {
    const fields = fieldsOf(layout, found.state, new Map());
    layers.push(count(Number(fields.get('n_layers')?.value), 'layer'));
    parametersOf(layout, found, inferConfig(layout, found.state, fields, new Map()));
  } catch (error) {
    if (!(error instanceof FieldError)) throw error;
  }
  return [...layers, ...checkpoints];
}

/** The layout of a state: that of its names, and of those that two layouts share, the one that its shapes fit. */
function layoutOf(state: State, given: unknown): StateLayout {
  if (given !== undefined) {
    const id = layouts.find(known => known === given);
    if (id) return byId[id];
    throw new FieldError('layout', `layout is one of ${layouts.join(', ')}, not ${shownValue(given)}.`);
  }
  if (![...state.keys()].some(name => /^(embed|unembed|blocks)\./.test(name))) return gpt2;
  // Heads and their dimensions are one axis of W_O there, and two in TransformerLens.
  const output = [...state].find(([name]) => /^blocks\.\d+\.attn\.W_O$/.test(name))?.[1];
  return output?.shape.length === 2 ? grokking : transformerLens;
}

function fieldsOf(layout: StateLayout, state: State, told: Fields): Map<string, Told> {
  const fields = layout.fields(state, told);
  tellBufferSizes(fields, state);
  return fields;
}

/** Where the parameters of a model lie, in all states alike. */
function parametersOf(layout: StateLayout, found: FoundStates, { config, inferred }: InferredConfig): StateParameters {
  const told = new Map(inferred.map(({ field, value, from }) => [field, { value, from }]));
  const parameters = new StateParameters(layout, config, told, found.state);
  parameters.check(found.state);
  for (const { step, state } of found.checkpoints) {
    try {
      parameters.check(state);
    } catch (error) {
      throw error instanceof UserError ? new UserError(`The checkpoint of step ${step} is not of the same model: ${error.message}`) : error;
    }
  }
  return parameters;
}

/** What a config says: one that was given, or the dictionary that lies beside the states. */
function configBeside(beside: FileDictionary, { config, configName = 'config.json' }: ImportOptions): Fields {
  if (config !== undefined) return fieldsOfConfig(config, { name: configName });
  // Where both are there, `config` is a script's, with defaults that a checkpoint has overridden.
  const inside = ['model_args', 'config', 'cfg'].map(key => beside.get(key)).find(value => isDictionary(value) && ['n_heads', 'n_head'].some(field => value.has(field)));
  return isDictionary(inside) ? fieldsOfConfig(Object.fromEntries(inside), { name: "the file's own config", lenient: true }) : new Map();
}

/** The checkpoints, with the model's own state behind them where it is none of them: then it was trained on. */
async function withOwnState(file: TensorFile, { state, isCheckpoint, checkpoints }: FoundStates, lastLoss = 0): Promise<readonly FoundCheckpoint[]> {
  const last = checkpoints.at(-1);
  if (!last || isCheckpoint || (await sameNumbers(file, state, last.state))) return checkpoints;
  return [...checkpoints, { step: Math.max(last.step + 1, lastLoss), state }];
}

async function sameNumbers(file: TensorFile, a: State, b: State): Promise<boolean> {
  for (const [name, tensor] of a) {
    const other = b.get(name);
    if (!other || other === tensor) continue;
    const [values, others] = [await file.read(tensor), await file.read(other)];
    if (!values.every((value, at) => Object.is(value, others[at]))) return false;
  }
  return true;
}

/** A norm without weights leaves no trace: a model without norms, and one whose norms were folded, look alike. */
function normNote(inferred: readonly InferredField[]): readonly InferredField[] {
  const isUnsure = inferred.some(({ field, from }) => field === 'normalization_type' && from === 'default');
  return isUnsure ? [{ field: 'norms', value: 'null, LNPre or RMSPre', from: 'no tensor of a norm: without norms and with folded ones a state dict is the same' }] : [];
}

function notes(parameters: StateParameters, { state, checkpoints: found, stepsFrom }: FoundStates, checkpoints: readonly FoundCheckpoint[]): readonly InferredField[] {
  const missing = parameters.missing(state);
  const types = parameters.otherTypes(state);
  const { leftOut = [] } = state;
  const own = checkpoints.length > found.length ? ', and the model after them' : '';
  return [
    ...(missing.length > 0 ? [{ field: 'zeros', value: missing.length, from: `${listed(missing)}: the file lacks ${missing.length > 1 ? 'them' : 'it'}` }] : []),
    ...(leftOut.length > 0 ? [{ field: 'left out', value: leftOut.length, from: `${listed(leftOut.map(shownName))} beside the model` }] : []),
    ...(types.length > 0 ? [{ field: 'dtype', value: 'float32', from: `${types.join(' and ')} in the file` }] : []),
    ...(stepsFrom === undefined ? [] : [{ field: 'checkpoints', value: checkpoints.length, from: `${stepsFrom}${own}` }]),
  ];
}
