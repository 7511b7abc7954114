import { toJsonSchema, type JsonSchema } from '@valibot/to-json-schema';
import { PromptsFileSchema } from '../../protocol/promptsFile';

/**
 * The JSON schema of files of prompts, for completion, hover and checking. What is left to the engine is whether the words
 * are those of the model and the lengths agree: that is known when a model is bound to them.
 */
export function promptsJsonSchema(): JsonSchema {
  return { title: 'Prompts with their answers', ...toJsonSchema(PromptsFileSchema, { typeMode: 'output', overrideSchema: ({ jsonSchema }) => answeredOnce(jsonSchema) }) };
}

/** A prompt has one of `answer` and `answers`. */
function answeredOnce(schema: JsonSchema): JsonSchema | undefined {
  if (!schema.properties?.['answers']) return undefined;
  return { ...schema, oneOf: [{ required: ['answer'] }, { required: ['answers'] }] };
}
