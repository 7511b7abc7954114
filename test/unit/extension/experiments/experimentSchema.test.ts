import { describe, expect, test } from 'vitest';
import { experimentDescriptions } from '../../../../src/extension/experiments/experimentDescriptions';
import { experimentJsonSchema, type WritingSchema } from '../../../../src/extension/experiments/experimentSchema';

/** Every path in the schema, `[]` for the items of a list. */
function paths(schema: WritingSchema, path = ''): readonly string[] {
  const properties = Object.entries(schema.properties ?? {}).flatMap(([name, inner]) => paths(inner, path === '' ? name : `${path}.${name}`));
  const items = schema.items ? paths(schema.items, `${path}[]`) : [];
  return [path, ...properties, ...items, ...(schema.anyOf ?? []).flatMap(branch => paths(branch, path))];
}

function at(schema: WritingSchema, ...names: readonly string[]): WritingSchema | undefined {
  const [name, ...rest] = names;
  const inner = name === undefined ? undefined : schema.properties?.[name];
  return name === undefined ? schema : inner && at(inner, ...rest);
}

describe('the schema of experiment files', () => {
  const schema = experimentJsonSchema();

  /** The fields that a sweep offers have their names from elsewhere in the file. */
  const isSwept = (path: string) => /^sweep(\[\])?\./.test(path);

  test('describes every field, and nothing that does not exist', () => {
    const existing = new Set(paths(schema).filter(path => path !== '' && !isSwept(path)));
    expect([...existing].sort()).toEqual(Object.keys(experimentDescriptions).sort());
  });

  test('offers a sweep the fields that it may vary, in one grid or several', () => {
    const offered = Object.keys(at(schema, 'sweep')?.properties ?? {});
    expect(offered).toEqual(expect.arrayContaining(['seed', 'task', 'model.d_model', 'training.learningRate']));
    expect(offered.filter(path => !(path in experimentDescriptions))).toEqual([]);
    expect(Object.keys(at(schema, 'sweep')?.items?.properties ?? {})).toEqual(offered);
    expect(at(schema, 'sweep')?.properties?.['model.d_model']?.description).toBe('Width of the residual stream.');
  });

  test('offers the values that a field may have, and its default', () => {
    expect(at(schema, 'training', 'optimizer')).toMatchObject({ examples: ['adamw', 'adam'], default: 'adamw' });
    expect(at(schema, 'model', 'attn_only')?.examples).toEqual([true, false]);
    expect(at(schema, 'training', 'learningRate')?.description).toBe('Learning rate. Default: 0.001.');
  });

  test('forbids nothing: what is wrong is marked once, by the engine', () => {
    const keywords = new Set<string>();
    JSON.stringify(schema, (keyword, value: unknown) => {
      keywords.add(keyword);
      return value;
    });
    const forbidding = ['type', 'required', 'additionalProperties', 'enum', 'const', 'minimum', 'pattern', 'oneOf'];
    expect(forbidding.filter(keyword => keywords.has(keyword))).toEqual([]);
  });
});
