import { expect, test } from 'vitest';
import { toolInputSchema } from '../../../src/protocol/toolSchemas';
import { toolNames, tools } from '../../../src/protocol/tools';

interface Schema {
  readonly type?: string;
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: unknown;
}

test.each(toolNames)('%s says what it takes, as a JSON schema', name => {
  const schema: Schema = toolInputSchema(name);
  expect(schema).toMatchObject({ type: 'object', additionalProperties: false });
  expect(schema).not.toHaveProperty('$schema');
  for (const [field, { description = '' }] of Object.entries(schema.properties ?? {})) expect(description, field).toMatch(/^[A-Z].*\.$/);
});

test('a tool that reads asks for nothing that changes anything', () => {
  expect(toolNames.filter(name => tools[name].changes)).toEqual(['start_training', 'stop_training']);
});

test('a description names only tools that there are', () => {
  const texts = toolNames.flatMap(name => [tools[name].description, JSON.stringify(toolInputSchema(name))]);
  const named = new Set(texts.flatMap(text => text.match(/\b[a-z]+_[a-z]+\b/g) ?? []));
  expect([...named].filter(name => !toolNames.some(tool => tool === name))).toEqual([]);
});

test('what may be left out, and what not', () => {
  const required = (name: (typeof toolNames)[number]) => (toolInputSchema(name) as Schema).required;
  expect(required('run_analysis')).toEqual(['model', 'analysis']);
  expect(required('verify_claims')).toEqual(['experiment']);
  expect(required('list_analyses')).toEqual([]);
});
