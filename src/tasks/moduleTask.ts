import { UserError } from '../common/errors';
import { Random } from '../common/random';
import { int32 } from '../common/tensor';
import { pooledExamples, type ExampleList, type TaskSnapshot } from '../protocol/taskModule';
import type { Examples, Task } from './task';

// T positions · A answers an example

/** The corruption that every module's task has. */
export const anotherExample = 'another example';

/** Draws before an example is taken whose answers are not others. */
const mostDraws = 100;

/**
 * The task of a module as its snapshot knows it, which nothing of the module runs for. Examples are drawn from those that the
 * snapshot holds, and the right answers of other prompts are not known.
 */
export function moduleTask(snapshot: TaskSnapshot): Task {
  const { vocabulary, outputs, positions, answerPositions, trainFraction, complete } = snapshot;
  const [T, A] = [positions.length, answerPositions.length];
  const [examples, ...corrupted] = [snapshot.examples, ...Object.values(snapshot.corruptions)].map(list => new Rows(list, T, A));
  if (!examples) throw new Error('a snapshot has examples');
  let prompts: KnownPrompts | undefined;
  /** Made when they are first asked for: whoever types an experiment asks for none. */
  const known = () => (prompts ??= new KnownPrompts([examples, ...corrupted], T, (answerPositions.at(-1) ?? 0) + 1));
  const pool = Math.min(examples.count, pooledExamples);

  const sample = (random: Random, count: number) => examples.gather(Array.from({ length: count }, () => random.integer(pool)));
  const another = (prompt: readonly number[], random: Random) => {
    const own = known().answers(prompt)?.join();
    let row = random.integer(pool);
    for (let draws = 0; draws < mostDraws && examples.answers(row).join() === own; draws++) row = random.integer(pool);
    return [...examples.prompt(row)];
  };
  const corruptions = Object.keys(snapshot.corruptions).map((name, at) => [name, (prompt: readonly number[]) => {
    const row = known().example(prompt);
    const rows = corrupted[at];
    if (row !== undefined && rows && row < rows.count) return [...rows.prompt(row)];
    throw new UserError(`What the corruption "${name}" makes is known for the examples of this task, and this prompt is not among them; choose "${anotherExample}", or give both prompts.`);
  }] as const);

  return {
    vocabulary, outputs, positions, answerPositions,
    alphabet: alphabetOf([examples, ...corrupted], T),
    answers: prompt => known().answers(prompt),
    // The module's own come first, the first being what is taken where none is named.
    corruptions: { ...Object.fromEntries([...corruptions, ...(anotherExample in snapshot.corruptions ? [] : [[anotherExample, another] as const])]) },
    sample,
    ...(complete && { allExamples: examples.gather([...Array(examples.count).keys()]) }),
    ...(trainFraction !== undefined && { split: (seed: number) => splitOf(examples, trainFraction, seed) }),
  };
}

function splitOf(examples: Rows, trainFraction: number, seed: number) {
  const order = new Random(seed, 'task module split').permutation(examples.count);
  const trained = Math.min(examples.count - 1, Math.max(1, Math.round(examples.count * trainFraction)));
  return { train: examples.gather([...order.subarray(0, trained)]), test: examples.gather([...order.subarray(trained)]) };
}

/** Every token that stands at each position. */
function alphabetOf(lists: readonly Rows[], T: number): number[][] {
  const seen = Array.from({ length: T }, () => new Set<number>());
  for (const { tokens } of lists) tokens.forEach((token, at) => seen[at % T]?.add(token));
  return seen.map(tokens => [...tokens].sort((a, b) => a - b));
}

/** A list of examples. */
class Rows {
  readonly tokens: Int32Array;
  private readonly right: Int32Array;
  readonly count: number;

  constructor({ tokens, answers }: ExampleList, private readonly T: number, private readonly A: number) {
    this.tokens = Int32Array.from(tokens);
    this.right = Int32Array.from(answers);
    this.count = tokens.length / T;
  }

  prompt(row: number): Int32Array {
    return this.tokens.subarray(row * this.T, (row + 1) * this.T);
  }

  answers(row: number): Int32Array {
    return this.right.subarray(row * this.A, (row + 1) * this.A);
  }

  gather(rows: readonly number[]): Examples {
    const [tokens, labels] = [int32([rows.length, this.T]), int32([rows.length, this.A])];
    rows.forEach((row, at) => {
      tokens.data.set(this.prompt(row), at * this.T);
      labels.data.set(this.answers(row), at * this.A);
    });
    return { tokens, labels };
  }
}

/** Looks prompts up among those whose answers are known; one may end where its last answer is read. */
class KnownPrompts {
  private readonly places = new Map<string, readonly [rows: Rows, row: number]>();

  constructor(private readonly lists: readonly Rows[], T: number, answered: number) {
    // The first counts, so that an example is found as one rather than as what another became.
    for (const rows of lists) {
      for (let row = 0; row < rows.count; row++) {
        const prompt = rows.prompt(row);
        for (const length of answered < T ? [T, answered] : [T]) {
          const key = prompt.subarray(0, length).join();
          if (!this.places.has(key)) this.places.set(key, [rows, row]);
        }
      }
    }
  }

  answers(prompt: readonly number[]): readonly number[] | undefined {
    const [rows, row = 0] = this.places.get(prompt.join()) ?? [];
    return rows && [...rows.answers(row)];
  }

  /** The number of an example. */
  example(prompt: readonly number[]): number | undefined {
    const [rows, row] = this.places.get(prompt.join()) ?? [];
    return rows === this.lists[0] ? row : undefined;
  }
}
