import { basename } from 'node:path';
import { UserError } from '../../common/errors';
import { quoted } from '../safetensorsHeader';
import { layoutTitles } from '../../protocol/checkpointFile';
import type { FileTensor, FileValue, TensorFile } from '../files/tensorFile';
import { canBeLookedAt } from './layout';
import { countIn, isDictionary, isList, isTensor, listed, shownName, shownValue, type FileDictionary, type State } from './fileValues';

// Where state dicts lie in what a file holds: at its root, in a dictionary of its root, or many of them in a list or in a
// dictionary from steps, as the checkpoints of one model. All of this may lie in a dictionary under a usual key.

export interface FoundCheckpoint {
  readonly step: number;
  readonly state: State;
}

export interface FoundStates {
  /** The model's own state; of a file of checkpoints alone, the last. */
  readonly state: State;
  /** Whether it is one of the checkpoints. */
  readonly isCheckpoint: boolean;
  /** By ascending steps. */
  readonly checkpoints: readonly FoundCheckpoint[];
  /** What told the steps; absent without checkpoints. */
  readonly stepsFrom?: string;
  /** What lies beside them. */
  readonly beside: FileDictionary;
}

/** Where studies and libraries put a model's state. */
const usualKeys = ['model', 'state_dict', 'model_state_dict', 'net', 'weights'];
/** Where they put a dictionary around it. */
const outerKeys = [...usualKeys, 'checkpoint', 'ckpt', 'state'];
const stepKeys = ['checkpoint_epochs', 'checkpoint_steps', 'epochs', 'steps'];
/** What wrappers of a model put before all of its names. */
const prefixes = ['module.', '_orig_mod.', 'model.', 'net.', 'transformer.'];
/** Names of what may be a part of the model itself, wherever it lies. */
const partOfModel = /(^|\.)(embed|pos_embed|unembed|blocks|ln_final|wte|wpe|h|ln_f|lm_head)\./;
/** Keys of checkpoints: `100`, `step_0`, `step-000100`, `epoch100`. */
const stepName = /^(?:(?:step|epoch|checkpoint|ckpt|iter|iteration)s?[ _=-]?\d{1,15}|0|[1-9]\d{0,14})$/i;
/** One wrapper can be within another. */
const wrapperLimit = 4;
const signature = /^(embed\.W_E|unembed\.W_U|blocks\.\d+\.attn\.W_[QKVO]|(transformer\.)?(wte\.weight|h\.\d+\.attn\.c_attn\.weight))$/;

/** Numbers of the tensors that may be lists of steps. */
export type StepTensors = ReadonlyMap<FileTensor, readonly number[]>;

/**
 * @param numbers what the tensors beside checkpoints hold; one that is not there is taken to number them in their order
 * @throws UserError where there is no state dict of a transformer, or several of which none is the model's.
 */
export function findStates(file: TensorFile, numbers: StepTensors = new Map()): FoundStates {
  const alone = stateOf(file.root);
  if (alone) return { state: alone, isCheckpoint: false, checkpoints: [], beside: new Map() };
  const name = basename(file.path);
  const found = statesIn(file.root, name, numbers);
  if (found) return found;
  const inner = innerDictionaries(file.root).flatMap(([key, value]) => {
    const within = statesIn(value, name, numbers);
    return within ? [{ key, within }] : [];
  });
  const [first, second] = inner;
  if (second) throw severalModels(name, inner.map(({ key }) => key));
  // A config may lie beside the outer dictionary's keys, or the inner's.
  if (first && isDictionary(file.root)) return { ...first.within, beside: new Map([...file.root, ...first.within.beside]) };
  throw new UserError(`${basename(file.path)} holds no state dict of a transformer that is known here (${Object.values(layoutTitles).join(', ')}): ${contents(file)}. ${canBeLookedAt}`);
}

/** Reads the tensors that may be lists of steps. */
export async function readStepTensors(file: TensorFile): Promise<StepTensors> {
  const numbers = new Map<FileTensor, readonly number[]>();
  for (const dictionary of [file.root, ...innerDictionaries(file.root).map(([, value]) => value)]) {
    for (const key of stepKeys) {
      const value = isDictionary(dictionary) ? dictionary.get(key) : undefined;
      if (isStepTensor(value)) numbers.set(value, Array.from(await file.read(value)));
    }
  }
  return numbers;
}

function isStepTensor(value: FileValue | undefined): value is FileTensor {
  return isTensor(value) && value.shape.length === 1 && /^u?int/.test(value.dtype);
}

function innerDictionaries(root: FileValue): readonly (readonly [string, FileDictionary])[] {
  if (!isDictionary(root)) return [];
  return outerKeys.flatMap(key => {
    const value = root.get(key);
    return isDictionary(value) ? [[key, value] as const] : [];
  });
}

/** The states in a value, or in the dictionary that it is. */
function statesIn(value: FileValue, file: string, numbers: StepTensors): FoundStates | undefined {
  const single = singleState(value, file);
  const many = checkpointsIn(value, numbers);
  const beside = isDictionary(value) ? value : new Map<string, FileValue>();
  const last = many?.checkpoints.at(-1);
  if (many && last) return { ...many, state: single ?? last.state, isCheckpoint: single === undefined, beside };
  return single && { state: single, isCheckpoint: false, checkpoints: [], beside };
}

/** The state dict that a value is, without what wrappers put before its names; undefined where it is none. */
function stateOf(value: FileValue | undefined): State | undefined {
  if (!isDictionary(value)) return undefined;
  let tensors = new Map([...value].flatMap(([name, tensor]) => (isTensor(tensor) ? [[String(name), tensor] as const] : [])));
  const leftOut: string[] = [];
  for (let wrapper = 0; wrapper <= wrapperLimit; wrapper++) {
    if ([...tensors.keys()].some(name => signature.test(name))) return leftOut.length > 0 ? Object.assign(tensors, { leftOut }) : tensors;
    const prefix = wrapperOf([...tensors.keys()]);
    if (prefix === undefined) return undefined;
    // A loss or a metric beside the model is no part of it; what may be one keeps its name, and is refused by it.
    leftOut.push(...[...tensors.keys()].filter(name => !name.startsWith(prefix) && !partOfModel.test(name)));
    tensors = new Map([...tensors].flatMap(([name, tensor]) => {
      if (name.startsWith(prefix)) return [[name.slice(prefix.length), tensor] as const];
      return partOfModel.test(name) ? [[name, tensor] as const] : [];
    }));
  }
  return undefined;
}

/** What stands before the names of a model: before all of them, or before those by which it is known. */
function wrapperOf(names: readonly string[]): string | undefined {
  if (names.length === 0) return undefined;
  return prefixes.find(prefix => names.every(name => name.startsWith(prefix)))
    ?? prefixes.find(prefix => names.some(name => name.startsWith(prefix) && signature.test(withoutWrappers(name))));
}

function withoutWrappers(name: string): string {
  for (let [rest, wrapper] = [name, 0]; wrapper <= wrapperLimit; wrapper++) {
    const prefix = signature.test(rest) ? undefined : prefixes.find(known => rest.startsWith(known));
    if (prefix === undefined) return rest;
    rest = rest.slice(prefix.length);
  }
  return name;
}

/** The one state among a dictionary's entries; of several, the one under a usual key. */
function singleState(value: FileValue, file: string): State | undefined {
  if (!isDictionary(value) || byStep(value)) return undefined;
  const all = [...value].flatMap(([key, inner]) => {
    const state = stateOf(inner);
    return state ? [{ key: String(key), state }] : [];
  });
  const [first, second] = all.length > 1 ? all.filter(({ key }) => usualKeys.includes(key)) : all;
  if (second || (!first && all.length > 0)) {
    throw severalModels(file, all.map(({ key }) => key));
  }
  return first?.state;
}

function severalModels(file: string, keys: readonly string[]): UserError {
  return new UserError(`${file} holds ${keys.length} models, at ${listed(keys.map(quoted))}; save the state dict of one of them in a file of its own, or under "model". ${canBeLookedAt}`);
}

type Checkpoints = Pick<FoundStates, 'checkpoints'> & { readonly stepsFrom: string };

function checkpointsIn(root: FileValue, numbers: StepTensors): Checkpoints | undefined {
  const own = listOf(root, 'the file', new Map(), numbers);
  if (own || !isDictionary(root)) return own;
  const lists = [...root].flatMap(([key, value]) => listOf(value, shownName(String(key)), root, numbers) ?? []);
  const [first, second] = lists;
  if (second) throw new UserError(`The file holds several lists of state dicts; save one of them in a file of its own. ${canBeLookedAt}`);
  return first;
}

/** The checkpoints that a list, or a dictionary from steps, holds. */
function listOf(value: FileValue, name: string, beside: FileDictionary, numbers: StepTensors): Checkpoints | undefined {
  const steps = byStep(value);
  if (steps) return { checkpoints: [...steps].sort(([a], [b]) => a - b).map(([step, state]) => ({ step, state })), stepsFrom: `the keys of ${name}` };
  if (!isList(value) || value.length === 0) return undefined;
  const states = value.map(stateWithin);
  if (states[0] === undefined) return undefined;
  const whole = states.map((state, index) => {
    if (state) return state;
    throw new UserError(`Number ${index} of the ${states.length} checkpoints in ${name} holds no state dict. ${canBeLookedAt}`);
  });
  const told = stepsBeside(value, name, beside, numbers);
  const checkpoints = whole.map((state, index) => ({ step: told?.steps[index] ?? index, state })).sort((a, b) => a.step - b.step);
  return { checkpoints, stepsFrom: told?.from ?? 'their order: nothing beside them gives their steps' };
}

/** An element of a list of checkpoints: a state dict, or a dictionary with one under a usual key. */
function stateWithin(value: FileValue): State | undefined {
  const key = isDictionary(value) ? usualKeys.find(usual => stateOf(value.get(usual))) : undefined;
  return stateOf(value) ?? (isDictionary(value) && key !== undefined ? stateOf(value.get(key)) : undefined);
}

/**
 * The steps of checkpoints in a list, as a list beside it or its elements have them; undefined where there is none.
 * @throws UserError where there is, and none that can be theirs.
 */
function stepsBeside(list: readonly FileValue[], name: string, beside: FileDictionary, numbers: StepTensors): { readonly steps: readonly number[]; readonly from: string } | undefined {
  const given: { readonly from: string; readonly values: readonly FileValue[] }[] = stepKeys.flatMap(key => {
    const value = beside.get(key);
    if (isStepTensor(value)) return [{ from: key, values: numbers.get(value) ?? Array.from({ length: value.shape[0] === list.length ? list.length : 0 }, (_, index) => index) }];
    return isList(value) ? [{ from: key, values: value }] : [];
  });
  for (const key of ['step', 'epoch']) {
    const values = list.map(element => (isDictionary(element) ? element.get(key) ?? null : null));
    if (values.some(value => value !== null)) given.push({ from: `their "${key}"`, values });
  }
  for (const { from, values } of given) {
    const steps = values.flatMap(value => countIn(value) ?? []);
    if (values.length === list.length && new Set(steps).size === list.length) return { steps, from };
  }
  const [first] = given;
  if (!first) return undefined;
  const { from, values } = first;
  const found = values.length === list.length ? listed(values.map(value => (isTensor(value) ? 'a tensor' : shownValue(value)))) : `${values.length} values`;
  throw new UserError(`The steps of the ${list.length} checkpoints in ${name} are to be read from ${from}, which has ${found}, where as many different whole numbers were expected. ${canBeLookedAt}`);
}

/** A dictionary that holds a state at each of some steps, and nothing else. */
function byStep(value: FileValue): ReadonlyMap<number, State> | undefined {
  if (!isDictionary(value) || value.size === 0) return undefined;
  const found = new Map<number, State>();
  for (const [key, inner] of value) {
    const step = typeof key === 'number' ? countIn(key) : stepName.test(key) ? Number(/\d+$/.exec(key)?.[0]) : undefined;
    const state = step === undefined ? undefined : stateWithin(inner);
    if (step === undefined || !state) return undefined;
    found.set(step, state);
  }
  return found.size === value.size ? found : undefined;
}

/** What a file holds in place of a state dict, in a few words. */
function contents({ root, tensors }: TensorFile): string {
  if (tensors.size === 0) return 'it has no tensors at all';
  const names = isDictionary(root) && root.size > 0 ? [...root.keys()].map(String) : [...tensors.keys()];
  return `it has ${tensors.size} ${tensors.size === 1 ? 'tensor' : 'tensors'}, and ${listed(names.map(quoted), 6)}`;
}
