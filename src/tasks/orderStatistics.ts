import { UserError } from '../common/errors';
import { Random } from '../common/random';
import { int32 } from '../common/tensor';
import type { Parameters, ValuesOf } from '../protocol/parameter';
import type { Examples, Task } from './task';

/** The parameters of the tasks that ask about the order of some numbers. */
export const orderParameters = {
  count: { kind: 'integer', title: 'Count', description: 'How many numbers there are.', default: 5, minimum: 2, maximum: 20 },
  numbers: { kind: 'integer', title: 'Numbers', description: 'The numbers are below this one.', default: 100, minimum: 2, maximum: 1000 },
  smallShare: {
    kind: 'number', title: 'Share of small examples', default: 0.1, minimum: 0, maximum: 1,
    description: 'Share of the examples, trained on and tested on, all of whose numbers are small. Without them a largest number that is small is hardly ever seen.',
  },
  smallBelow: { kind: 'integer', title: 'Small below', description: 'Small numbers are below this one.', default: 20, minimum: 1, maximum: 1000 },
  trainExamples: { kind: 'integer', title: 'Training examples', description: 'Examples of the training set.', default: 40_000, minimum: 1, maximum: 1_000_000 },
  testExamples: { kind: 'integer', title: 'Test examples', description: 'Examples of the test set, none of which is trained on.', default: 4000, minimum: 1, maximum: 1_000_000 },
} as const satisfies Parameters;

/** What is asked about the numbers of an example. */
export interface OrderQuestion {
  /** The right answers, as many for every example. */
  answersOf(numbers: readonly number[]): readonly number[];
  /** What the answers are called where they stand behind `=` one after the other; absent for one that is only read at `=`. */
  readonly written?: string;
}

/**
 * A question about the order of `a1 … an`, read at `=`. Several answers are written behind, `= s1 … sn`: the model sees the
 * whole line and is scored on predicting each answer from the position just before it.
 * @throws UserError when there are not as many different examples as are asked for.
 */
export function orderTask(question: OrderQuestion, parameters: ValuesOf<typeof orderParameters>): Task {
  const { count: n, numbers: V, smallShare, smallBelow, trainExamples, testExamples } = parameters;
  const [smallTrained, smallTested] = [Math.round(smallShare * trainExamples), Math.round(smallShare * testExamples)];
  if (smallShare > 0 && smallBelow > V) throw new UserError(`Small numbers cannot be below ${smallBelow} when all numbers are below ${V}; lower smallBelow, or set smallShare to 0.`);
  checkEnough(trainExamples + testExamples, V, n, 'numbers', 'fewer training and test examples');
  checkEnough(smallTrained + smallTested, smallBelow, n, 'small numbers', 'a smaller smallShare or a larger smallBelow');

  const { answersOf, written } = question;
  const everyNumber = Array.from({ length: V }, (_, number) => number);
  const places = Array.from({ length: n }, (_, place) => place);
  const A = answersOf(places).length;
  const answerPlaces = Array.from({ length: A }, (_, answer) => answer);
  const behind = written === undefined ? [] : answerPlaces.map(answer => `${written}${answer + 1}`);
  const T = n + 1 + behind.length;
  const line = (numbers: readonly number[]) => [...numbers, V, ...(written === undefined ? [] : answersOf(numbers))];
  const drawn = (random: Random, bound: number) => places.map(() => random.integer(bound));
  const anotherThan = (value: number, random: Random) => (value + 1 + random.integer(V - 1)) % V;

  const examples = (rows: readonly (readonly number[])[]): Examples => {
    const tokens = int32([rows.length, T]);
    const labels = int32([rows.length, A]);
    rows.forEach((numbers, row) => {
      tokens.data.set(line(numbers), row * T);
      labels.data.set(answersOf(numbers), row * A);
    });
    return { tokens, labels };
  };

  return {
    vocabulary: [...everyNumber.map(String), '='],
    outputs: everyNumber.map(String),
    positions: [...places.map(place => `a${place + 1}`), '=', ...behind],
    answerPositions: answerPlaces.map(answer => n + answer),
    alphabet: [...places.map(() => everyNumber), [V], ...behind.map(() => everyNumber)],
    answers(prompt) {
      const numbers = prompt.slice(0, n);
      return prompt[n] === V && numbers.every(number => number >= 0 && number < V) ? answersOf(numbers) : undefined;
    },
    corruptions: {
      number(prompt, random) {
        const changed = random.integer(n);
        return line(prompt.slice(0, n).map((number, place) => (place === changed ? anotherThan(number, random) : number)));
      },
      // Changed wherever it stands, so that the answer changes too.
      ...(A === 1 && {
        answer(prompt, random) {
          const numbers = prompt.slice(0, n);
          const [answer = 0] = answersOf(numbers);
          const other = anotherThan(answer, random);
          return line(numbers.map(number => (number === answer ? other : number)));
        },
      }),
    },
    sample: (random, count) =>
      examples(Array.from({ length: count }, () => drawn(random, random.uniform() < smallShare ? smallBelow : V))),
    split(seed) {
      // One stream for every question, so that what differs between two models is the question and not the numbers.
      const random = new Random(seed, 'numbers split');
      const seen = new Set<string>();
      const unseen = (count: number, bound: number) => {
        const rows: (readonly number[])[] = [];
        while (rows.length < count) {
          const row = drawn(random, bound);
          const key = row.join();
          if (seen.has(key)) continue;
          seen.add(key);
          rows.push(row);
        }
        return rows;
      };
      // The small ones first: the others could use up their supply by chance, but not the other way round.
      const small = unseen(smallTrained + smallTested, smallBelow);
      const rest = unseen(trainExamples + testExamples - small.length, V);
      const shuffled = (rows: readonly (readonly number[])[]) => [...random.permutation(rows.length)].map(at => rows[at] ?? []);
      return {
        train: examples(shuffled([...small.slice(0, smallTrained), ...rest.slice(0, trainExamples - smallTrained)])),
        test: examples(shuffled([...small.slice(smallTrained), ...rest.slice(trainExamples - smallTrained)])),
      };
    },
  };
}

function checkEnough(wanted: number, below: number, count: number, what: string, remedy: string): void {
  const most = below ** count;
  if (wanted <= most) return;
  throw new UserError(`There are only ${most} different examples of ${count} ${what} below ${below}, and ${wanted} are asked for; take ${remedy}.`);
}
