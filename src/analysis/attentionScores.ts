import type { HostTensor } from '../common/tensor';
import { allowedAttention } from '../model/mask';
import type { ModelConfig } from '../protocol/config';
import type { Task } from '../tasks/task';

// B batch · T positions · H heads

/** The sources that a kind of head would look at from a destination, given the tokens; none where it would look nowhere. */
export type ExpectedSources = (tokens: Int32Array, destination: number) => readonly number[];

/**
 * Kinds of heads by where they look, as `transformer_lens.head_detector` has them (previous, duplicate, induction), except
 * that destinations where a kind expects nothing are not counted.
 */
export const attentionKinds = {
  previous: (_, destination) => (destination > 0 ? [destination - 1] : []),
  current: (_, destination) => [destination],
  first: (_, destination) => (destination > 0 ? [0] : []),
  duplicate: earlierOccurrences,
  afterDuplicate: (tokens, destination) => earlierOccurrences(tokens, destination).map(source => source + 1),
} as const satisfies Readonly<Record<string, ExpectedSources>>;

export type AttentionKind = keyof typeof attentionKinds;

/** Where the right answer can be read: from the position that answers, every position that holds its token. */
export function answerSources({ vocabulary, outputs, answersAre, answerPositions, answers }: Task): ExpectedSources {
  if (answersAre === 'numbers' || answersAre === 'unknown') return () => []; // the output is no word, or nobody knows it
  const tokens = new Map(vocabulary.map((word, token) => [word, token]));
  const tokenOf = outputs.map(word => tokens.get(word) ?? -1); // which no position holds, for a word of the outputs alone
  return (tokens, destination) => {
    const answer = answerPositions.indexOf(destination);
    const right = answer < 0 ? undefined : answers([...tokens])?.[answer];
    return right === undefined ? [] : [...tokens.keys()].filter(source => tokens[source] === tokenOf[right]);
  };
}

function earlierOccurrences(tokens: Int32Array, destination: number): readonly number[] {
  const found: number[] = [];
  for (let source = 0; source < destination; source++) if (tokens[source] === tokens[destination]) found.push(source);
  return found;
}

/**
 * For each head, layer by layer, the mean weight that it gives to the expected sources; undefined where no destination of any
 * example counts. A destination counts when the mask allows it one of those sources, and another source besides: a head that has
 * no choice says nothing by it. Positions that hold nothing neither attend nor are attended to. `patterns`: `[B, H, T, T]` of
 * each layer.
 */
export function expectedAttention(
  config: ModelConfig, { shape, data }: HostTensor<'int32'>, patterns: readonly HostTensor<'float32'>[], expected: ExpectedSources,
): readonly number[] | undefined {
  const [B = 0, T = 0] = shape;
  const H = config.n_heads;
  const allowed = allowedAttention(config, T);
  const hasChoice = Array.from({ length: T }, (_, row) => allowed.subarray(row * T, (row + 1) * T).reduce((sum, allows) => sum + allows, 0) > 1);
  const rows = Array.from({ length: B * T }, (_, at) => {
    const [example, destination] = [Math.floor(at / T), at % T];
    const tokens = data.subarray(example * T, (example + 1) * T);
    const counts = hasChoice[destination] && tokens[destination] !== config.padding_token;
    const sources = counts ? expected(tokens, destination) : [];
    return { example, destination, sources: sources.filter(source => allowed[destination * T + source] === 1 && tokens[source] !== config.padding_token) };
  }).filter(({ sources }) => sources.length > 0);
  if (rows.length === 0) return undefined;
  return patterns.flatMap(pattern => Array.from({ length: H }, (_, head) => {
    let sum = 0;
    for (const { example, destination, sources } of rows) {
      const row = ((example * H + head) * T + destination) * T;
      for (const source of sources) sum += pattern.data[row + source] ?? 0;
    }
    return sum / rows.length;
  }));
}
