import * as v from 'valibot';
import { FieldError } from '../../common/errors';
import { parameterSchema, resolveParameters, type Parameter, type Parameters, type ParameterValues } from '../../protocol/parameter';
import type { ModuleFiles } from './moduleFiles';
import { ModuleError } from '../../protocol/moduleError';
import { Sandbox, type SandboxHost } from './sandbox';

/** What a module says of the task that it makes. */
export interface ModuleDefinition {
  readonly title: string;
  readonly description: string;
  readonly params: Parameters;
}

const text = (most: number) => v.pipe(v.string(), v.maxLength(most));
const described = { title: v.exactOptional(text(100)), description: v.exactOptional(text(1000)) };
const bounds = { minimum: v.exactOptional(v.number()), maximum: v.exactOptional(v.number()) };

/** The kinds of parameters that a module's task can have. */
const ParameterSchema = v.variant('kind', [
  v.strictObject({ ...described, kind: v.picklist(['integer', 'number']), default: v.number(), ...bounds }),
  v.strictObject({ ...described, kind: v.literal('boolean'), default: v.boolean() }),
  v.strictObject({ ...described, kind: v.literal('choice'), default: text(100), options: v.pipe(v.array(v.pipe(text(100), v.minLength(1))), v.minLength(1), v.maxLength(200)) }),
  v.strictObject({ ...described, kind: v.literal('text'), default: text(10_000) }),
], 'a parameter is an object whose kind is "integer", "number", "boolean", "choice" or "text"');

/** Names that an experiment can write beside the task's own. */
const parameterName = /^(?!(name|module)$)[A-Za-z][A-Za-z0-9_]{0,49}$/;

const DefinitionSchema = v.object({
  title: v.pipe(text(100), v.minLength(1)),
  description: v.nullish(text(1000), ''),
  params: v.pipe(v.record(v.string(), ParameterSchema), v.check(params => Object.keys(params).length <= 50, 'a task has at most 50 parameters')),
  creates: v.literal(true, 'create() is missing: the default export has a function create that makes the task'),
});

/** Loads a module and checks what it exports. @throws ModuleError one sentence that says what is wrong, and where. */
export function loadModule(files: ModuleFiles, host: SandboxHost): { readonly sandbox: Sandbox; readonly definition: ModuleDefinition } {
  const sandbox = new Sandbox(files, host);
  const exported = sandbox.load();
  if (typeof exported !== 'object' || exported === null || 'type' in exported) {
    throw new ModuleError(`${files.entry}: the default export is no task; it is an object with a title and a function create.`);
  }
  const parsed = v.safeParse(DefinitionSchema, exported);
  if (!parsed.success) {
    const [issue] = parsed.issues;
    const at = v.getDotPath(issue);
    const what = issue.received === 'undefined' || issue.received === 'null' ? 'is missing' : `is wrong: ${issue.message.replace(/\.$/, '')}`;
    throw new ModuleError(issue.message.startsWith('create()') ? `${files.entry}: ${issue.message}.` : `${files.entry}: "${at ?? 'params'}" ${what}.`);
  }
  const { title, description, params } = parsed.output;
  return { sandbox, definition: { title, description: description ?? '', params: parametersOf(files.entry, params) } };
}

/** The values of a module's parameters, where some may have been left out. @throws FieldError for one that does not fit. */
export function moduleParameters(entry: string, { params }: Pick<ModuleDefinition, 'params'>, given: Readonly<Record<string, unknown>>): ParameterValues {
  return resolveParameters(`task "${entry}"`, params, given);
}

function parametersOf(entry: string, params: Readonly<Record<string, v.InferOutput<typeof ParameterSchema>>>): Parameters {
  return Object.fromEntries(Object.entries(params).map(([name, parameter]) => {
    if (!parameterName.test(name)) throw new ModuleError(`${entry}: a parameter cannot be called "${name.slice(0, 60)}"; a name has letters, digits and underscores, and is neither "name" nor "module".`);
    const { title = name, description = '', ...rest } = parameter;
    const whole = { ...rest, title, description } as Parameter;
    try {
      resolveParameters(entry, { [name]: whole }, {});
    } catch (error) {
      if (error instanceof FieldError) throw new ModuleError(`${entry}: the default of "${name}" does not fit it: ${v.safeParse(parameterSchema(whole), whole.default).issues?.[0].message ?? error.message}.`);
      throw error;
    }
    return [name, whole];
  }));
}
