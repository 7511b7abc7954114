import * as v from 'valibot';
import type { Parameters, ParameterValues } from './parameter';

/** Whether a task's name is the path of a module rather than that of a built-in task. */
export function isTaskModule(name: string): boolean {
  return /^\.{0,2}[\\/]/.test(name) || /\.[mc]?[jt]s$/.test(name);
}

/** The files that a module is made of. */
export interface ModuleSources {
  /** The file that the experiment names, as a path from the folder that all of them lie in. */
  readonly entry: string;
  /** Path from that folder, with `/` → text: all that it imports or reads. */
  readonly files: Readonly<Record<string, string>>;
}

/** The order to load a module from disk and to say what task it makes. */
export interface DescribeOrder {
  /** Absolute path of its file, without symbolic links. */
  readonly file: string;
  /** As an experiment gives them, which the module has not checked yet. */
  readonly parameters: Readonly<Record<string, unknown>>;
}

/** Examples one after the other: the tokens of all prompts, and the outputs that are right. */
export interface ExampleList {
  readonly tokens: readonly number[];
  readonly answers: readonly number[];
}

/**
 * What a module said of the task that it makes for some values of its parameters, with examples of it: all that a model of
 * the task needs to be looked at without running the module. With its sources, it is trained again as it was.
 */
export interface TaskSnapshot {
  readonly format: 1;
  readonly sources: ModuleSources;
  /** Absolute path of the folder in which its files lay when it was made; they may be others by now. */
  readonly folder: string;
  readonly title: string;
  readonly description: string;
  readonly params: Parameters;
  readonly parameters: ParameterValues;
  readonly vocabulary: readonly string[];
  readonly outputs: readonly string[];
  readonly positions: readonly string[];
  readonly answerPositions: readonly number[];
  /** Where the examples are all that there are: the share of them that is trained on. */
  readonly trainFraction?: number;
  /** Whether the examples are all that there are, and none is trained on: those of a file of prompts. */
  readonly complete?: true;
  /** In an order without meaning. */
  readonly examples: ExampleList;
  /** Way to corrupt a prompt → the first of the examples, corrupted by it. */
  readonly corruptions: Readonly<Record<string, ExampleList>>;
}

/** Examples that are drawn to know a task by, and the most that are corrupted. */
export const pooledExamples = 4096;
/** Tokens, or answers, in all the examples of a module. */
export const mostTokens = 2_000_000;

const text = (most: number) => v.pipe(v.string(), v.maxLength(most));
const words = (most: number) => v.pipe(v.array(v.pipe(text(200), v.minLength(1))), v.minLength(1), v.maxLength(most));
/** Of words of a vocabulary, of outputs, and of positions. */
export const [wordsLimit, positionsLimit] = [100_000, 4096];
const numbers = v.pipe(v.array(v.pipe(v.number(), v.safeInteger(), v.minValue(0))), v.maxLength(mostTokens));
const listEntries = { tokens: numbers, answers: numbers };
const described = { title: text(100), description: text(1000) };
const bounds = { minimum: v.exactOptional(v.number()), maximum: v.exactOptional(v.number()) };

const StoredParameterSchema = v.variant('kind', [
  v.strictObject({ ...described, kind: v.literal('integer'), default: v.number(), ...bounds }),
  v.strictObject({ ...described, kind: v.literal('number'), default: v.number(), ...bounds, slider: v.exactOptional(v.boolean()) }),
  v.strictObject({ ...described, kind: v.literal('boolean'), default: v.boolean() }),
  v.strictObject({ ...described, kind: v.literal('choice'), default: v.string(), options: v.array(v.string()) }),
  v.strictObject({ ...described, kind: v.literal('text'), default: v.string() }),
]);

/** Snapshots as a store keeps them. */
export const TaskSnapshotSchema = v.pipe(
  v.strictObject({
    format: v.literal(1),
    folder: v.string(),
    sources: v.strictObject({ entry: v.string(), files: v.record(v.string(), v.string()) }),
    ...described,
    params: v.record(v.string(), StoredParameterSchema),
    parameters: v.record(v.string(), v.union([v.number(), v.boolean(), v.string()])),
    vocabulary: words(wordsLimit),
    outputs: words(wordsLimit),
    positions: words(positionsLimit),
    answerPositions: v.pipe(v.array(v.pipe(v.number(), v.integer(), v.minValue(0))), v.minLength(1)),
    trainFraction: v.exactOptional(v.pipe(v.number(), v.gtValue(0), v.ltValue(1))),
    complete: v.exactOptional(v.literal(true)),
    examples: v.strictObject(listEntries),
    corruptions: v.record(v.string(), v.strictObject(listEntries)),
  }),
  v.check(snapshot => fits(snapshot), 'its examples do not fit its positions, its vocabulary or its outputs'),
) satisfies v.GenericSchema<unknown, TaskSnapshot>;

/** Whether every token is one of the vocabulary, every answer one of the outputs, and every example whole. */
function fits({ vocabulary, outputs, positions, answerPositions, trainFraction, examples, corruptions }: TaskSnapshot): boolean {
  const [T, A] = [positions.length, answerPositions.length];
  const isWhole = ({ tokens, answers }: ExampleList) => tokens.length % T === 0 && tokens.length / T === answers.length / A
    && tokens.every(token => token < vocabulary.length) && answers.every(answer => answer < outputs.length);
  const isAscending = answerPositions.every((position, at) => position < T && (at === 0 || position > (answerPositions[at - 1] ?? T)));
  // Of all that there are, one is trained on and one tests.
  const least = trainFraction === undefined ? 1 : 2;
  return isAscending && examples.tokens.length >= least * T && isWhole(examples)
    && Object.values(corruptions).every(list => isWhole(list) && list.tokens.length <= examples.tokens.length);
}
