import { FilesKept } from '../../../../src/engine/taskModules/moduleFiles';
import { describeModule, openModule, type OpenedModule } from '../../../../src/engine/taskModules/describe';
import type { TaskSnapshot } from '../../../../src/protocol/taskModule';

/** The source of a module whose task copies one of two letters; `changes` replace fields of what create() gives, as source. */
export function moduleSource(changes: Readonly<Record<string, string>> = {}): string {
  const fields = {
    vocabulary: '["a", "b"]',
    positions: '["first", "second"]',
    answerPositions: '[1]',
    example: 'random => { const letter = random.integer(2); return { prompt: [letter, "a"], answers: [letter] }; }',
    ...changes,
  };
  const task = Object.entries(fields).map(([name, source]) => `${name}: ${source}`).join(',\n      ');
  return `export default {
  title: 'Copy a letter',
  create() {
    return {
      ${task},
    };
  },
};
`;
}

export interface Opened extends OpenedModule {
  readonly lines: readonly string[];
  describe(): TaskSnapshot;
}

/** A module of these files opened in this process; the first is its entry. */
export function opened(files: Readonly<Record<string, string>>, parameters: Readonly<Record<string, unknown>> = {}): Opened {
  const sources = { entry: Object.keys(files)[0] ?? '', files };
  const lines: string[] = [];
  const module = openModule(new FilesKept(sources), parameters, { log: line => lines.push(line), advance: () => undefined });
  return { ...module, lines, describe: () => describeModule(module, { folder: '/tasks', sources: () => sources }) };
}

/** What is said of a module, with its place where it has one. */
export function refusalOf(files: Readonly<Record<string, string>> | string, parameters?: Readonly<Record<string, unknown>>): unknown {
  try {
    return opened(typeof files === 'string' ? { 'task.mjs': files } : files, parameters).describe();
  } catch (error) {
    return error;
  }
}
