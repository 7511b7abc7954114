import { toJsonSchema } from '@valibot/to-json-schema';
import { ExperimentSchema } from '../../protocol/experiment';
import { experimentDescriptions } from './experimentDescriptions';

/** As much of JSON schema as helps while writing. */
export interface WritingSchema {
  readonly description?: string;
  readonly default?: unknown;
  readonly examples?: readonly unknown[];
  readonly properties?: Readonly<Record<string, WritingSchema>>;
  readonly items?: WritingSchema;
  readonly anyOf?: readonly WritingSchema[];
}

/**
 * The JSON schema of experiment files, for completion and hover. It forbids nothing: the engine checks the files, in its
 * own words and with what no schema can say, and a mistake should be marked once.
 */
export function experimentJsonSchema(): WritingSchema & Readonly<Record<string, unknown>> {
  // What these check is left to the engine like the rest, and they have no equal in JSON schema.
  const checking: unknown = toJsonSchema(ExperimentSchema, { typeMode: 'input', ignoreActions: ['finite', 'regex', 'check'] });
  const schema = forWriting(checking, '');
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'Circuit experiment',
    allowTrailingCommas: true,
    ...schema,
    properties: { ...schema.properties, sweep: withSweptFields(schema) },
  };
}

/** The schema of a sweep, whose grids offer the paths of the fields that it may vary. Those of tasks only the engine knows. */
function withSweptFields({ properties = {} }: WritingSchema): WritingSchema {
  const { seed, task, model, training, sweep = {} } = properties;
  const fields = Object.fromEntries([
    ...Object.entries({ seed, task }).flatMap(([name, field]) => field ? [[name, described(field)] as const] : []),
    ...Object.entries({ model, training }).flatMap(([section, schema]) =>
      Object.entries(schema?.properties ?? {}).map(([name, field]) => [`${section}.${name}`, described(field)] as const)),
  ]);
  return { ...sweep, properties: fields, items: { ...sweep.anyOf?.find(branch => branch.items)?.items, properties: fields } };
}

function described({ description }: WritingSchema): WritingSchema {
  return description === undefined ? {} : { description };
}

function forWriting(schema: unknown, path: string): WritingSchema {
  const given = record(schema);
  const description = describe(path, given['default']);
  const examples = values(given);
  const branches = [given['anyOf'], given['oneOf']].filter(Array.isArray).flat();
  const properties = Object.entries(record(given['properties']));
  return {
    ...(description === undefined ? {} : { description }),
    ...('default' in given ? { default: given['default'] } : {}),
    ...(examples.length === 0 ? {} : { examples }),
    ...(properties.length === 0 ? {} : {
      properties: Object.fromEntries(properties.map(([name, inner]) => [name, forWriting(inner, path === '' ? name : `${path}.${name}`)])),
    }),
    ...('items' in given ? { items: forWriting(given['items'], `${path}[]`) } : {}),
    ...(branches.length === 0 ? {} : { anyOf: branches.map(branch => forWriting(branch, path)) }),
  };
}

/** The values that a schema names. */
function values(schema: Readonly<Record<string, unknown>>): readonly unknown[] {
  if (Array.isArray(schema['enum'])) return schema['enum'];
  if ('const' in schema) return [schema['const']];
  return schema['type'] === 'boolean' ? [true, false] : [];
}

function describe(path: string, byDefault: unknown): string | undefined {
  const text = experimentDescriptions[path];
  if (text === undefined || typeof byDefault === 'object' || byDefault === undefined) return text;
  return `${text} Default: ${JSON.stringify(byDefault)}.`;
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
}
