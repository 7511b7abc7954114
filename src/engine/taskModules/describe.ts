import { Random } from '../../common/random';
import type { ParameterValues } from '../../protocol/parameter';
import { mostTokens, pooledExamples, type ExampleList, type TaskSnapshot } from '../../protocol/taskModule';
import { checkTask, ExampleChecks, type CheckedExample, type CheckedTask } from './checkedTask';
import { loadModule, moduleParameters, type ModuleDefinition } from './definition';
import { ModuleError } from '../../protocol/moduleError';
import type { FilesOnDisk, ModuleFiles } from './moduleFiles';
import type { Sandbox, SandboxHost } from './sandbox';

/** Examples that are drawn twice, to see that the same random numbers give the same ones. */
const drawnTwice = 64;

/** A module loaded, and its task made. */
export interface OpenedModule {
  readonly sandbox: Sandbox;
  readonly definition: ModuleDefinition;
  /** With the defaults of those that were left out. */
  readonly parameters: ParameterValues;
  readonly task: CheckedTask;
  readonly checks: ExampleChecks;
}

/** Loads a module and makes its task. @throws ModuleError, or FieldError for a parameter that does not fit. */
export function openModule(files: ModuleFiles, given: Readonly<Record<string, unknown>>, host: SandboxHost): OpenedModule {
  const { sandbox, definition } = loadModule(files, host);
  const parameters = moduleParameters(files.entry, definition, given);
  const task = checkTask(files.entry, sandbox.create(parameters));
  return { sandbox, definition, parameters, task, checks: new ExampleChecks(files.entry, task) };
}

/** What a module that is open makes, with examples of it. @throws ModuleError for what it gives that does not fit. */
export function describeModule({ sandbox, definition, parameters, task, checks }: OpenedModule, files: Pick<FilesOnDisk, 'sources' | 'folder'>): TaskSnapshot {
  const { vocabulary, outputs, positions, answerPositions, trainFraction, corruptions, examplesBy } = task;
  const drawn = examplesBy === 'examples' ? everyExample(sandbox, checks, task) : pool(sandbox, checks, task);
  checkRoom(drawn, task);
  const corrupted = drawn.slice(0, pooledExamples).map(({ prompt }) => prompt);
  return {
    format: 1, ...definition, parameters,
    vocabulary, outputs, positions, answerPositions,
    ...(examplesBy === 'examples' && { trainFraction }),
    examples: listOf(drawn),
    corruptions: Object.fromEntries(corruptions.map(name => [name, listOf(corruptedBy(name, corrupted, sandbox, checks, task))])),
    sources: files.sources(), folder: files.folder,
  };
}

/** All the examples there are, in an order of their own: a list that is sorted would say little by its beginning. */
function everyExample(sandbox: Sandbox, checks: ExampleChecks, { vocabulary }: CheckedTask): readonly CheckedExample[] {
  const all = checks.examples(sandbox.examples(), 'examples()');
  if (all.length < 2) throw checks.wrong(`examples() gave ${all.length === 1 ? 'one example' : 'no examples'}; one is needed to train on, and one to test.`);
  // What is trained on would be tested on too.
  const seen = new Set<string>();
  for (const { prompt } of all) {
    if (seen.size === seen.add(prompt.join()).size) throw checks.wrong(`examples() gave the prompt "${prompt.map(token => vocabulary[token] ?? '').join(' ')}" twice; it gives each once, as some are trained on and the others test.`);
  }
  return [...new Random(0, 'order of a module\'s examples').permutation(all.length)].flatMap(at => all[at] ?? []);
}

function pool(sandbox: Sandbox, checks: ExampleChecks, { positions }: CheckedTask): readonly CheckedExample[] {
  const stream = () => new Random(0, 'examples of a module');
  const count = Math.max(1, Math.min(pooledExamples, Math.floor(mostTokens / positions.length)));
  const drawn = checks.examples(sandbox.draw(stream(), count), 'example()');
  const again = checks.examples(sandbox.draw(stream(), Math.min(count, drawnTwice)), 'example()');
  if (JSON.stringify(again) !== JSON.stringify(drawn.slice(0, again.length))) {
    throw checks.wrong('example() gave other examples for the same random numbers; keep nothing between its calls.');
  }
  return drawn;
}

function corruptedBy(
  name: string, prompts: readonly (readonly number[])[], sandbox: Sandbox, checks: ExampleChecks, { vocabulary }: CheckedTask,
): readonly CheckedExample[] {
  const inWords = (prompt: readonly number[]) => prompt.map(token => vocabulary[token] ?? '');
  const what = `corruption "${name}"`;
  const changed = listed(sandbox.corrupt(name, prompts.map(inWords), new Random(0, `corruption ${name}`))).map(prompt => checks.prompt(prompt, what));
  const answers = listed(sandbox.answers(changed.map(inWords)));
  return changed.map((prompt, at) => {
    const right = answers[at];
    if (right === null) throw checks.wrong(`answers() gave nothing for the prompt "${inWords(prompt).join(' ')}", which ${what} made; what it makes has to pose the task.`);
    return { prompt, answers: checks.answers(right, 'answers()') };
  });
}

function checkRoom(examples: readonly unknown[], { positions, answerPositions }: CheckedTask): void {
  const each = Math.max(positions.length, answerPositions.length);
  if (examples.length * each <= mostTokens) return;
  throw new ModuleError(`${examples.length.toLocaleString('en')} examples of ${each} positions are more than ${mostTokens.toLocaleString('en')} tokens; give example(random) in place of examples(), or fewer examples.`);
}

function listOf(examples: readonly CheckedExample[]): ExampleList {
  return { tokens: examples.flatMap(({ prompt }) => prompt), answers: examples.flatMap(({ answers }) => answers) };
}

function listed(given: unknown): readonly unknown[] {
  if (!Array.isArray(given)) throw new TypeError('the sandbox gives a list for a list');
  return given;
}
