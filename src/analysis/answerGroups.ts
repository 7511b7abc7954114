import type { Random } from '../common/random';
import { int32, rowsOf } from '../common/tensor';
import { distancesFrom1 } from '../tasks/paths';
import type { Examples, Task } from '../tasks/task';
import { mean } from './attribution/logitContrast';

// B examples · T positions · A answers an example

/** Examples with the same right answer, or with shortest paths of the same length. */
export interface AnswerGroup {
  readonly name: string;
  /** The answer or the length; absent for graphs without a path, whose answers differ. */
  readonly size?: number;
  /** Its examples are the rows from one up to another. */
  readonly from: number;
  readonly to: number;
}

export interface GroupedExamples extends Examples {
  /** Ascending in size, that without one last. */
  readonly groups: readonly AnswerGroup[];
  /** The best single guess, which is the mean answer of examples as they are drawn, and its loss on them, their variance. */
  readonly guess: { readonly answer: number; readonly loss: number };
  /** Names of the groups of which too few examples were found. */
  readonly tooFew: readonly string[];
}

/** Rare groups are searched for among this many draws of so many examples. */
const [mostDraws, drawnAtOnce] = [16, 4096];
/** The mean of fewer examples says little. */
const fewest = 16;

/**
 * Examples of every group that the task has, `most` of each at most. They are grouped by their first answer; graphs by the
 * length of the shortest path, which an answer does not tell where there is none.
 */
export function groupedExamples(task: Task, random: Random, most: number): GroupedExamples {
  const answers: number[] = [];
  const found = new Map<number | undefined, Examples[]>();
  for (let draw = 0, isFull = false; draw < mostDraws && !isFull; draw++) {
    const known = found.size;
    const drawn = task.sample(random, drawnAtOnce);
    answers.push(...drawn.labels.data);
    for (let row = 0; row < drawnAtOnce; row++) {
      const example = { tokens: rowsOf(drawn.tokens, row, row + 1), labels: rowsOf(drawn.labels, row, row + 1) };
      const size = sizeOf(task, example);
      const own = found.get(size) ?? [];
      if (own.length < most) own.push(example);
      found.set(size, own);
    }
    isFull = found.size === known && [...found.values()].every(({ length }) => length === most);
  }
  const ascending = [...found].sort(([one = Infinity], [other = Infinity]) => one - other);
  const isEnough = ([, { length }]: readonly [unknown, readonly Examples[]]) => length >= Math.min(fewest, most);
  const kept = ascending.filter(isEnough);
  let to = 0;
  const groups = kept.map(([size, { length }]): AnswerGroup => ({ name: nameOf(task, size), ...(size !== undefined && { size }), from: to, to: (to += length) }));
  return { ...stacked(task, kept.flatMap(([, examples]) => examples)), groups, guess: guessOf(answers), tooFew: ascending.filter(group => !isEnough(group)).map(([size]) => nameOf(task, size)) };
}

function sizeOf({ graphs }: Task, { tokens, labels }: Examples): number | undefined {
  const graph = graphs?.read([...tokens.data]);
  return graph ? distancesFrom1(graph)[graph.target] : labels.data[0];
}

function nameOf({ graphs }: Task, size: number | undefined): string {
  return size === undefined ? 'no path' : `${graphs ? 'length ' : ''}${size}`;
}

function guessOf(answers: readonly number[]): GroupedExamples['guess'] {
  const answer = mean(answers);
  return { answer, loss: mean(answers.map(each => (each - answer) ** 2)) };
}

/** Single examples as the rows of one tensor. */
function stacked({ positions, answerPositions }: Task, examples: readonly Examples[]): Examples {
  const [B, T, A] = [examples.length, positions.length, answerPositions.length];
  const [tokens, labels] = [int32([B, T]), int32([B, A])];
  examples.forEach((example, row) => {
    tokens.data.set(example.tokens.data, row * T);
    labels.data.set(example.labels.data, row * A);
  });
  return { tokens, labels };
}
