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
import type { Parameters, ValuesOf } from '../protocol/parameter';
import type { Task } from '../tasks/task';
import { positionNames, positionOf } from '../tasks/words';
import type { AnalysisContext } from './define';
import { headOf, type Head } from './heads';
import { computeInStretches } from './inStretches';
import { inputPositions, numbersAt } from './numberInputs';
import { product } from './weights/product';
import { matrixOf } from './weights/weights';

// V tokens of the vocabulary · n tokens at a position · T positions · H heads · K d_head

/** The parameters by which an analysis lets people choose who asks and who is asked. */
export const queryAndKeyParameters = {
  query: { kind: 'position', title: 'Query position', description: 'The position that attends; empty for the last that reads an answer.', default: '' },
  key: { kind: 'position', title: 'Key position', description: 'The position that is attended to; empty for the inputs that the query sees.', default: '' },
} as const satisfies Parameters;

/** The positions that ask and are asked. */
export interface QueryAndKeys {
  readonly query: number;
  readonly keys: readonly number[];
}

/**
 * The chosen positions; where no key is chosen, all inputs that the query sees.
 * @throws UserError for a position that the task does not have, a key without numbers, or one that the query does not see.
 */
export function chosenQueryAndKeys({ details: { config }, task }: Pick<AnalysisContext, 'details' | 'task'>, texts: ValuesOf<typeof queryAndKeyParameters>): QueryAndKeys {
  const names = positionNames(task);
  const T = names.length;
  const allowed = allowedAttention(config, T);
  const query = texts.query.trim() === '' ? task.answerPositions.at(-1) ?? 0 : positionOf(task, texts.query);
  const asks = names[query] ?? '';
  tokensAt(task, query);
  const sees = (position: number) => position !== query && allowed[query * T + position] === 1;
  if (texts.key.trim() === '') {
    const keys = inputPositions(task).filter(sees);
    if (keys.length === 0) throw new UserError(`The position ${asks} sees no input but itself; choose another query position, such as ${names[task.answerPositions[0] ?? 0] ?? ''}.`);
    return { query, keys };
  }
  const key = positionOf(task, texts.key);
  const asked = names[key] ?? '';
  if (!tokensAt(task, key).values) throw new UserError(`There are no numbers to compare at the key position ${asked}; choose one where numbers stand, such as ${names[inputPositions(task)[0] ?? 0] ?? ''}.`);
  if (key === query) throw new UserError(`Query and key are both at ${asked}, where they come of one token; choose two positions.`);
  if (!sees(key)) throw new UserError(`The position ${asks} does not see ${asked}: the mask forbids it. Choose a key position that it sees.`);
  return { query, keys: [key] };
}

/** What a position is called. */
export function nameOf(task: Task, position: number): string {
  return positionNames(task)[position] ?? '';
}

/** The tokens at a position in the order of their values, or the one that always stands there. @throws UserError where numbers stand and others too. */
function tokensAt(task: Task, position: number): Pick<TokenVectors, 'tokens' | 'values'> {
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
  const T = Math.max(query, ...keys) + 1;
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
