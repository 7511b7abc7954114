/**
 * What a task module of Circuit Explorer is: a JavaScript or TypeScript file whose default export is a `TaskModule`.
 * An experiment names it by its path, with values for its parameters beside it:
 *
 *     "task": { "name": "./parity.ts", "length": 8 }
 *
 * A module runs by itself: it may import files beside it or in folders below, and nothing else. There is no network, no
 * clock and no `Math.random`; all chance comes from the `random` that a function is given, so that the same seed trains the
 * same model. Keep nothing between calls: what `example` gives may depend on its `random` and the parameters alone.
 */
export interface TaskModule<Params extends Readonly<Record<string, ParameterValue>> = Readonly<Record<string, ParameterValue>>> {
  /** What the task is called, as in "Parity". */
  readonly title: string;
  readonly description?: string;
  /** What an experiment may choose. Each has a default. */
  readonly params?: { readonly [Name in keyof Params]: Parameter<Params[Name]> };
  /** Makes the task for values of its parameters. It has 5 seconds. */
  create(params: Params, files: Files): Task;
}

/** A task with its parameters chosen. */
export interface Task {
  /** What each token is called: the word at 0 is that of token 0. */
  readonly vocabulary: readonly string[];
  /** What each output is called, where answers are other words than the vocabulary's. */
  readonly outputs?: readonly string[];
  /** What stands at each position of a prompt, or how many positions there are. Every prompt is as long. */
  readonly positions: readonly string[] | number;
  /** The positions, counted from 0, where an answer is read; ascending. */
  readonly answerPositions: readonly number[];
  /** Draws an example. Training draws every batch anew with it. */
  example?(random: Random): Example;
  /** All the examples there are, in place of `example`: a share of them is trained on, and the others are the test set. */
  examples?(): readonly Example[];
  /** With `examples`: the share that is trained on, 0.5 where it is left out. The seed of the experiment chooses which. */
  readonly trainFraction?: number;
  /**
   * The right answers of a prompt, which comes as words; undefined where it does not pose the task. It says what is right for
   * prompts that were corrupted.
   */
  answers?(prompt: readonly string[]): readonly Token[] | undefined;
  /**
   * Ways to change one thing about a prompt, for patching: name → the changed prompt. The prompt comes as words. What is right
   * after the change, `answers` says, which such a task needs.
   */
  readonly corruptions?: Readonly<Record<string, (prompt: readonly string[], random: Random) => readonly Token[]>>;
}

/** One prompt with what is right at each of the answer positions. */
export interface Example {
  /** As many tokens as there are positions. */
  readonly prompt: readonly Token[];
  /** As many outputs as there are answer positions. */
  readonly answers: readonly Token[];
}

/** A word of the vocabulary (of the outputs, in answers), or its number. */
export type Token = string | number;

/** Where all chance comes from. The same seed gives the same numbers. */
export interface Random {
  /** A whole number from 0 up to and without `bound`. */
  integer(bound: number): number;
  /** A number from 0 up to and without 1. */
  number(): number;
  /** A normally distributed number, of mean 0 and variance 1. */
  normal(): number;
  /** One of a list. */
  choice<T>(list: readonly T[]): T;
  /** The list in another order; the list itself stays as it is. */
  shuffle<T>(list: readonly T[]): T[];
}

/** The files beside the module. */
export interface Files {
  /** The text of a file in the module's folder or below it, of at most 4 MB. Read what you need in `create`. */
  read(name: string): string;
}

export type ParameterValue = number | boolean | string;

/** Something about a task that an experiment may choose. */
export type Parameter<Value extends ParameterValue = ParameterValue> = {
  /** What the control in the editor is called; the parameter's name where it is left out. */
  readonly title?: string;
  readonly description?: string;
} & (
  | (number extends Value ? { readonly kind: 'integer' | 'number'; readonly default: number; readonly minimum?: number; readonly maximum?: number } : never)
  | (boolean extends Value ? { readonly kind: 'boolean'; readonly default: boolean } : never)
  | (Value extends string ? { readonly kind: 'choice'; readonly default: Value; readonly options: readonly Value[] } : never)
  | (string extends Value ? { readonly kind: 'text'; readonly default: string } : never)
);
