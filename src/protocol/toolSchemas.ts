import { toJsonSchema } from '@valibot/to-json-schema';
import { tools, type ToolName } from './tools';

/** The JSON schema of a tool's input, as clients and the manifest have it. */
export function toolInputSchema(tool: ToolName): Readonly<Record<string, unknown>> {
  const { $schema: _, ...schema } = toJsonSchema(tools[tool].input, { typeMode: 'input' });
  return schema;
}
