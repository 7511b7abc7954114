import type { Random } from '../common/random';
import type { HostTensor } from '../common/tensor';
import type { Parameters, ValuesOf } from '../protocol/parameter';
import type { GraphReading } from './graphs';

// B examples · T positions · A answers an example

/** Examples with what is right at their answer positions. */
export interface Examples {
  /** `[B, T]` token ids, below the size of the vocabulary. */
  readonly tokens: HostTensor<'int32'>;
  /** `[B, A]` right outputs, below the number of output words; or the right numbers, where answers are numbers. */
  readonly labels: HostTensor<'int32'>;
}

/** A task with its parameters chosen: the language a model speaks, and where its examples come from. */
export interface Task {
  /** Token id → word. */
  readonly vocabulary: readonly string[];
  /** Output id → word: what the logits stand for. */
  readonly outputs: readonly string[];
  /**
   * With `numbers` the one output is a number itself, and its error is squared; with `unknown` nobody knows what is right, and
   * labels say nothing. Absent: the outputs are words to choose from.
   */
  readonly answersAre?: 'words' | 'numbers' | 'unknown';
  /** What the two parts of a position can be, where a token is a pair of them: `first · parts + second`. */
  readonly parts?: readonly string[];
  /** The token of positions that hold nothing, where there are such. */
  readonly padding?: number;
  /** What stands at each of the `T` positions, as in `BOS a1 a2 a3 ↵ idx elt ↵ b1 b2 b3`. */
  readonly positions: readonly string[];
  /** The most tokens of a prompt that people type, where that is more than the `T` of an example. */
  readonly longestPrompt?: number;
  /** The positions whose logits are scored, ascending; `A` of them. */
  readonly answerPositions: readonly number[];
  /** Position → every token id that can stand there, ascending. */
  readonly alphabet: readonly (readonly number[])[];
  /** The right outputs `[A]` of a prompt `[T]`, or undefined where the prompt does not pose the task. */
  answers(prompt: readonly number[]): readonly number[] | undefined;
  /**
   * Ways to change one thing about an example, with all that follows from it, and thereby its answers: name → another prompt
   * of the same length. Pairs for patching are made of an example and its corruption.
   */
  readonly corruptions: Readonly<Record<string, (prompt: readonly number[], random: Random) => readonly number[]>>;
  /** The tokens of a text that people type, where words are not just separated by spaces. */
  encode?(text: string): readonly number[];
  /** Examples drawn afresh. A split task draws them from its test set. */
  sample(random: Random, count: number): Examples;
  /** All that there are, where nothing is trained on them: what a model is tested on. */
  readonly allExamples?: Examples;
  /** How its prompts are graphs, where they are. */
  readonly graphs?: GraphReading;
  /** Examples of other distributions, on which a model of this task can be tested. */
  readonly otherSets?: readonly TestSet[];
  /** The fixed training and test sets, where the task has them; otherwise every batch is drawn afresh. */
  split?(seed: number): { readonly train: Examples; readonly test: Examples };
  /** Whether the two sets are together all examples that there are. */
  readonly splitsAll?: true;
}

/** A distribution that a model was not, or not only, trained on. */
export interface TestSet {
  readonly id: string;
  readonly title: string;
  /** The title in 18 characters at most, which axes have room for. */
  readonly short: string;
  readonly description: string;
  /** The losses that were published of a model of this task, before and after it was fine-tuned. */
  readonly published?: { readonly before?: number; readonly after?: number };
  sample(random: Random, count: number): Examples;
}

/** A task as its file defines it. */
export interface TaskDefinition<P extends Parameters = Parameters> {
  readonly id: string;
  readonly title: string;
  readonly description: string;
  readonly params: P;
  /** @throws UserError when the values do not make a task together. */
  create(values: ValuesOf<P>): Task;
}

/** Defines a task: one file, and it is in the palette, the command line and every experiment. */
export function defineTask<const P extends Parameters>(definition: TaskDefinition<P>): TaskDefinition<P> {
  return definition;
}
