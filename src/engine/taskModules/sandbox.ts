import { createContext, runInContext, type Context } from 'node:vm';
import * as v from 'valibot';
import { messageOf } from '../../common/errors';
import type { Random } from '../../common/random';
import type { ParameterValues } from '../../protocol/parameter';
import { CompiledFile, located, placeIn } from './compiled';
import { ModuleError } from '../../protocol/moduleError';
import { nameFrom, type ModuleFiles } from './moduleFiles';
import { prelude } from './prelude';

/** What the functions of a module may be called. */
type Call = 'load' | 'create' | 'examples' | 'example' | 'answers' | 'corrupt' | 'rejected';

export interface SandboxHost {
  log(line: string): void;
  /** Something of the work has been done: what does not come to an end does not say so. */
  advance(): void;
}

/** What a call into the context answers. */
const AnswerSchema = v.object({ value: v.optional(v.unknown()), error: v.optional(v.object({ message: v.string(), stack: v.string() })) });

/** Lines that a module may write to the log. */
const mostLines = 1000;
/** Endings that an import may leave out. */
const endings = ['', '.ts', '.mts', '.cts', '.js', '.mjs', '.cjs', '/index.ts', '/index.js'];

/**
 * A module loaded in a context of its own, which has the language's own globals and nothing of Node.js. It keeps a module
 * from reaching anything by mistake, and keeps its examples the same each time; it is no wall against code that means harm,
 * which is why modules run only where the workspace is trusted. What it gives is plain data that nobody has checked yet.
 */
export class Sandbox {
  private readonly compiled = new Map<string, CompiledFile>();
  private readonly enter: (call: Call, ...given: readonly unknown[]) => string;
  private random: Random | undefined;
  private lines = 0;

  constructor(private readonly files: ModuleFiles, private readonly host: SandboxHost) {
    // An object of this program behind the context's globals would lend its constructor, and with it all of Node.js.
    const context = createContext(Object.create(null) as Context, { codeGeneration: { strings: false, wasm: false } });
    const start = runInContext(prelude, context) as (host: object) => Sandbox['enter'];
    this.enter = start({
      integer: (bound: unknown) => attempt(() => this.drawing().integer(Number(bound))),
      number: () => attempt(() => this.drawing().uniform()),
      normal: () => attempt(() => this.drawing().normal()),
      advance: () => attempt(() => host.advance()),
      log: (line: unknown) => attempt(() => this.log(String(line))),
      read: (name: string) => attempt(() => files.read(nameFrom('.', name))),
      resolve: (from: string, name: string) => attempt(() => this.resolve(from, name)),
      compile: (name: string) => attempt(() => this.compile(name, context)),
    });
  }

  /** What the module exports, without its functions. */
  load(): unknown {
    return this.call('load', 'being loaded', this.files.entry);
  }

  /** The task that it makes, without its functions. */
  create(parameters: ParameterValues): unknown {
    return this.call('create', 'create()', JSON.stringify(parameters));
  }

  /** All its examples. */
  examples(): unknown {
    return this.call('examples', 'examples()');
  }

  /** Examples drawn by `random`. */
  draw(random: Random, count: number): unknown {
    return this.drawingBy(random, () => this.call('example', 'example()', count));
  }

  /** The right answers of prompts of words. */
  answers(prompts: readonly (readonly string[])[]): unknown {
    return this.call('answers', 'answers()', JSON.stringify(prompts));
  }

  /** Prompts of words corrupted in the way of that name. */
  corrupt(name: string, prompts: readonly (readonly string[])[], random: Random): unknown {
    return this.drawingBy(random, () => this.call('corrupt', `corruption "${name}"`, name, JSON.stringify(prompts)));
  }

  /** What a promise of the module was rejected with that it has left to itself, with its place. */
  rejection(reason: unknown): unknown {
    try {
      return this.call('rejected', 'a promise', reason);
    } catch (error) {
      return error;
    }
  }

  /** @throws ModuleError for what the module throws, with its place. */
  private call(name: Call, what: string, ...given: readonly unknown[]): unknown {
    this.refusal = undefined;
    const answer = answerOf(this.enter(name, ...given));
    if (!answer) throw new ModuleError(`${this.files.entry} has changed the language's own objects so that nothing that it makes can be read; leave Object.prototype as it is.`);
    if (!answer.error) return answer.value;
    const { message, stack } = answer.error;
    throw this.refusal ?? located(`${this.files.entry} failed in ${what}: ${message}`.replace('failed in being loaded', 'could not be loaded'), placeIn(stack, this.compiled));
  }

  /** A file that could not be compiled says by itself where. */
  private refusal: ModuleError | undefined;

  private drawing(): Random {
    if (!this.random) throw new Error('a module draws only while it is given a random');
    return this.random;
  }

  private drawingBy<T>(random: Random, work: () => T): T {
    this.random = random;
    try {
      return work();
    } finally {
      this.random = undefined;
    }
  }

  private compile(name: string, context: Context): unknown {
    try {
      const file = new CompiledFile(name, this.files.read(name));
      this.compiled.set(name, file);
      return file.functionIn(context);
    } catch (error) {
      if (error instanceof ModuleError && error.place) this.refusal = error;
      throw error;
    }
  }

  private resolve(from: string, name: string): string {
    if (!/^\.{1,2}\//.test(name)) throw new ModuleError(`A task module may import only files beside it; "${name}" is not there.`);
    const plain = nameFrom(from, name);
    // TypeScript imports a neighbour by the name that it has once it is compiled.
    const candidates = [...endings.map(ending => `${plain}${ending}`), plain.replace(/\.([mc]?)js$/, '.$1ts')];
    const found = candidates.find(candidate => this.files.has(candidate));
    if (found === undefined) throw new ModuleError(`There is no file "${plain}" beside ${this.files.entry} to import.`);
    return found;
  }

  private log(line: string): void {
    if (this.lines++ < mostLines) this.host.log(line.slice(0, 2000));
  }
}

/** What the context answered, where a module has left it able to. */
function answerOf(json: unknown): v.InferOutput<typeof AnswerSchema> | undefined {
  // Stringified, what gives no JSON is undefined.
  const parsed = v.safeParse(AnswerSchema, typeof json === 'string' ? JSON.parse(json) : undefined);
  return parsed.success ? parsed.output : undefined;
}

/** What came of work that a module asked for, so that nothing of this program is thrown into it. */
function attempt<T>(work: () => T): { readonly value: T } | { readonly problem: string } {
  try {
    return { value: work() };
  } catch (error) {
    return { problem: messageOf(error) };
  }
}
