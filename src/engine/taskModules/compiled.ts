import { Script, type Context } from 'node:vm';
import { transform } from 'sucrase';
import { messageOf } from '../../common/errors';
import type { SourcePlace } from '../../protocol/experiment';
import { ModuleError, placeText } from '../../protocol/moduleError';

/** What scripts are called, so that places in them are known among others in a stack. */
const scheme = 'task-module:';

/** A file of a module made ready to run: ES modules and TypeScript as plain JavaScript. */
export class CompiledFile {
  private readonly script: Script;
  private readonly code: string;

  /** @throws ModuleError with the place of what cannot be understood. */
  constructor(readonly name: string, private readonly source: string) {
    const code = transformed(name, source);
    this.code = code;
    try {
      this.script = new Script(`(function (exports, require, module) { ${code}\n})`, { filename: `${scheme}${name}`, columnOffset: -wrapperLength });
    } catch (error) {
      const line = /^task-module:[^\n]*:(\d+)\n/.exec(error instanceof Error ? error.stack ?? '' : '')?.[1];
      throw located(`${messageOf(error)}`, line === undefined ? undefined : { file: name, line: Number(line), column: 1 });
    }
  }

  /** The function that the file is, of the context's own. */
  functionIn(context: Context): unknown {
    return this.script.runInContext(context);
  }

  /**
   * Where a place in what runs stands in the file. The lines are the same. Within one, types are gone and imports have other
   * names: what stands there is found by its word, as often from the end of the line. (Sucrase's own map of columns ends at
   * the first template that begins or ends with an expression.)
   */
  original({ file, line, column }: SourcePlace): SourcePlace {
    const [made = '', written = ''] = [this.code, this.source].map(text => text.split('\n')[line - 1]);
    if (made === written) return { file, line, column };
    const word = /^(?:[\w$]+|.)/.exec(made.slice(column - 1))?.[0] ?? '';
    const columns = columnsOf(word, written);
    const after = columnsOf(word, made).filter(other => other > column).length;
    return { file, line, column: columns.at(-1 - after) ?? columns[0] ?? written.search(/\S|$/) + 1 };
  }
}

/** The columns, from 1, at which a word stands in a line. */
function columnsOf(word: string, line: string): readonly number[] {
  if (word === '') return [];
  const pattern = /^[\w$]/.test(word) ? new RegExp(`(?<![\\w$])${word.replaceAll('$', '\\$')}(?![\\w$])`, 'g') : undefined;
  const found = pattern ? [...line.matchAll(pattern)].map(({ index }) => index) : [...line].flatMap((character, at) => (character === word ? [at] : []));
  return found.map(at => at + 1);
}

const wrapperLength = '(function (exports, require, module) { '.length;

/** The innermost place in a module's files that a stack names. */
export function placeIn(stack: string, files: ReadonlyMap<string, CompiledFile>): SourcePlace | undefined {
  for (const [, file = '', line, column] of stack.matchAll(/task-module:([^\n]+?):(\d+):(\d+)/g)) {
    const compiled = files.get(file);
    if (compiled) return compiled.original({ file, line: Number(line), column: Number(column) });
  }
  return undefined;
}

/** An error whose message ends in its place. */
export function located(message: string, place: SourcePlace | undefined): ModuleError {
  if (!place) return new ModuleError(message.endsWith('.') ? message : `${message}.`);
  return new ModuleError(`${message.replace(/\.$/, '')} (${placeText(place)}).`, place);
}

function transformed(name: string, source: string): string {
  try {
    const isTypeScript = /\.[mc]?ts$/.test(name);
    return transform(source, {
      transforms: isTypeScript ? ['typescript', 'imports'] : ['imports'],
      disableESTransforms: true,
      filePath: name,
    }).code;
  } catch (error) {
    // As in "Error transforming parity.ts: Unexpected token (3:7)".
    const [, what = '', line, column] = /^(?:Error transforming [^\n]*?: )?(.*) \((\d+):(\d+)\)$/s.exec(messageOf(error)) ?? [];
    if (line === undefined) throw new ModuleError(`${name} cannot be understood: ${messageOf(error)}.`);
    throw located(`${name} cannot be understood: ${what}`, { file: name, line: Number(line), column: Number(column) });
  }
}
