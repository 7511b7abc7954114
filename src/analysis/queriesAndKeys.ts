import * as tf from '@tensorflow/tfjs-core';
import type { Tensor } from '@tensorflow/tfjs-core';
import type { Matrix } from 'ml-matrix';
import { UserError } from '../common/errors';
import { int32 } from '../common/tensor';
import { scoreScale, type Weights } from '../model/layers';
import { allowedAttention } from '../model/mask';
import { headName } from '../model/names';
import { forward } from '../model/transformer';
import type { ModelConfig } from '../protocol/config';
import type { ModelDetails } from '../protocol/model';
import type { Parameters, ValuesOf } from '../protocol/parameter';
import type { Task } from '../tasks/task';
import { positionNames, positionOf } from '../tasks/words';
import type { AnalysisContext } from './define';
import { headOf, type Head } from './heads';
import { computeInStretches } from './inStretches';
import { inputPositions, numbersAt, taskOf } from './numberInputs';
import { product } from './weights/product';
import { matrixOf } from './weights/weights';

// V tokens of the vocabulary · n tokens at a position · T positions · H heads · K d_head

/** The parameters by which an analysis lets people choose who asks and who is asked. */
export const queryAndKeyParameters = {
  query: { kind: 'position', title: 'Query position', description: 'The position that attends; empty for the last that reads an answer and sees an input, or otherwise the last that sees one.', default: '' },
  key: { kind: 'position', title: 'Key position', description: 'The position that is attended to; empty for the inputs that the query sees.', default: '' },
} as const satisfies Parameters;

/** The positions that ask and are asked. */
export interface QueryAndKeys {
  readonly query: number;
  readonly keys: readonly number[];
}

/** What to say of a model of which {@link hasScoredNumbers} does not hold. */
export const scoredNumbersNeeds = 'a task with numbers for inputs, which another position attends to';

/** Whether there are scores that follow from the numbers that are a task's inputs. */
export function hasScoredNumbers({ experiment, config }: Pick<ModelDetails, 'experiment' | 'config'>): boolean {
  const task = taskOf({ experiment, config });
  return task !== undefined && usualQuery(config, task, inputPositions(task)) !== undefined;
}

/** The last position that reads an answer, or otherwise the last of all, that sees one of some others; undefined where none does. */
function usualQuery(config: ModelConfig, task: Task, keys: readonly number[]): number | undefined {
  return [...task.positions.keys(), ...task.answerPositions].findLast(query => seenFrom(config, task, query, keys).length > 0);
}

/** Which of some positions another may attend to. */
function seenFrom(config: ModelConfig, { positions: { length: T } }: Task, query: number, keys: readonly number[]): readonly number[] {
  const allowed = allowedAttention(config, T);
  return keys.filter(key => key !== query && allowed[query * T + key] === 1);
}

/**
 * The chosen positions; where no key is chosen, all inputs that the query sees.
 * @throws UserError for a position that the task does not have, a key without numbers, or one that the query does not see.
 */
export function chosenQueryAndKeys({ details: { config }, task }: Pick<AnalysisContext, 'details' | 'task'>, texts: ValuesOf<typeof queryAndKeyParameters>): QueryAndKeys {
  const inputs = inputPositions(task);
  const key = texts.key.trim() === '' ? undefined : positionOf(task, texts.key);
  const asked = key === undefined ? 'an input' : nameOf(task, key);
  if (key !== undefined && !tokensAt(task, key).values) throw new UserError(`There are no numbers to compare at the key position ${asked}; choose one where numbers stand, such as ${nameOf(task, inputs[0] ?? 0)}.`);
  const wanted = key === undefined ? inputs : [key];
  const usual = usualQuery(config, task, wanted);
  if (usual === undefined) throw new UserError(`No other position sees ${asked}, so that no score is made of it; choose another key position.`);
  const query = texts.query.trim() === '' ? usual : positionOf(task, texts.query);
  const asks = nameOf(task, query);
  tokensAt(task, query);
  if (key === query) throw new UserError(`Query and key are both at ${asks}, where they come of one token; choose two positions.`);
  const keys = seenFrom(config, task, query, wanted);
  if (keys.length > 0) return { query, keys };
  throw new UserError(`The position ${asks} does not see ${key === undefined ? 'another input' : asked}; choose another query position, such as ${nameOf(task, usual)}.`);
}

/** What a position is called. */
export function nameOf(task: Task, position: number): string {
  return positionNames(task)[position] ?? '';
}

/** The tokens at a position in the order of their values, or the one that always stands there. @throws UserError where numbers stand and others too. */
export function tokensAt(task: Task, position: number): Pick<TokenVectors, 'tokens' | 'values'> {
  const [all, numbers] = [task.alphabet[position] ?? [], numbersAt(task, position)];
  if (all.length === 1) return { tokens: all };
  if (numbers.length === all.length) return { tokens: numbers.map(({ token }) => token), values: numbers.map(({ value }) => value) };
  throw new UserError(`At ${nameOf(task, position)} not all tokens are numbers, so that scores are no function of a number there; choose another position.`);
}

/** @throws UserError for a head that is not there, or of a later layer, whose queries and keys are made of more than one token. */
export function headOfFirstLayer(config: ModelConfig, text: string): Head {
  const head = headOf(config, text);
  if (head.layer === 0) return head;
  throw new UserError(`${headName(head.layer, head.head)} reads what layers before it have written, so that its queries and keys do not follow from a single token; choose a head of layer 0.`);
}

/** The heads of the first layer. */
export function headsOfFirstLayer({ n_heads }: ModelConfig): readonly Head[] {
  return Array.from({ length: n_heads }, (_, head) => ({ layer: 0, head }));
}

/** Queries or keys at a position, of every head of the first layer. */
export interface TokenVectors {
  readonly position: number;
  /** The tokens `[n]` in the order of their values; or the one that always stands there. */
  readonly tokens: readonly number[];
  /** What they count, `[n]`; absent of a token that always stands there. */
  readonly values?: readonly number[];
  /** H × `[n, K]` */
  readonly vectors: readonly Matrix[];
}

export interface QueriesAndKeys {
  readonly query: TokenVectors;
  readonly keys: readonly TokenVectors[];
}

/**
 * Queries and keys of the first layer as the scores use them (norm, biases and positions included): there they follow from the
 * token and its position alone. Each token is run at every position at once.
 */
export async function queriesAndKeys(context: Pick<AnalysisContext, 'model' | 'signal' | 'task'>, { query, keys }: QueryAndKeys): Promise<QueriesAndKeys> {
  const { model: { config }, task } = context;
  const T = task.positions.length; // a mask can have no sources in shorter prompts
  const everyToken = int32([config.d_vocab, T], Int32Array.from({ length: config.d_vocab * T }, (_, at) => Math.floor(at / T)));
  const outputs = await computeInStretches(context, `queries and keys ${query} ${keys.join()}`, (weights, tokens) => projections(config, weights, tokens, { query, keys }), everyToken);
  const H = config.n_heads;
  const at = (position: number, place: number): TokenVectors => {
    const { tokens, values } = tokensAt(task, position);
    const vectors = outputs.slice(place * H, (place + 1) * H).map(weight => matrixOf({ weight, transposed: false })); // H × [V, K]
    const columns = Array.from({ length: config.d_head }, (_, dimension) => dimension);
    return { position, tokens, vectors: vectors.map(all => all.selection([...tokens], columns)), ...(values && { values }) };
  };
  return { query: at(query, 0), keys: keys.map((key, index) => at(key, index + 1)) };
}

/** Within a compiled function: the query and then each key of every head, (1 + keys) · H × `[V, K]`. */
function projections(config: ModelConfig, weights: Weights, tokens: Tensor, { query, keys }: QueryAndKeys): Tensor[] {
  const part = config.positional_embedding_type === 'rotary' ? 'rot_' : '';
  const seen = new Map<string, Tensor>(); // [V, T, H, K]
  forward(config, weights, tokens, {
    hook: (name, value) => {
      seen.set(name, value);
      return value;
    },
  });
  const at = (letter: 'q' | 'k', position: number) => {
    const value = seen.get(`blocks.0.attn.hook_${part}${letter}`);
    if (!value) throw new Error(`the forward pass has no ${letter}`);
    const row = tf.slice(value, [0, position, 0, 0], [-1, 1, -1, -1]); // [V, 1, H, K]
    return tf.split(row, config.n_heads, 2).map(head => tf.squeeze(head, [1, 2]));
  };
  return [...at('q', query), ...keys.flatMap(key => at('k', key))];
}

/** Scores before the softmax, scaled as in the model: `[n, m]` of queries `[n, K]` and keys `[m, K]`. */
export function scoresBetween(config: ModelConfig, queries: Matrix, keys: Matrix): Matrix {
  return product(queries, keys.transpose()).mul(scoreScale(config));
}
