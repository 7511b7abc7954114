import { readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import * as v from 'valibot';
import type { HostTensor } from '../../src/common/tensor';
import { ModelConfigSchema, type ModelConfig } from '../../src/protocol/config';
import { readSafetensors } from '../../src/store/safetensors';

// What test/fixtures/README.md describes.

const folder = path.join(import.meta.dirname, '../fixtures');

/** Tensors of a fixture by name, in groups by what stands before the first dot where the README says so. */
export class FixtureTensors {
  constructor(private readonly tensors: ReadonlyMap<string, HostTensor>) {}

  float32(name: string): HostTensor<'float32'> {
    const tensor = this.tensors.get(name);
    if (tensor?.dtype !== 'float32') throw new Error(`the fixture has no float32 tensor ${name}`);
    return tensor as HostTensor<'float32'>;
  }

  int32(name: string): HostTensor<'int32'> {
    const tensor = this.tensors.get(name);
    if (tensor?.dtype !== 'int32') throw new Error(`the fixture has no int32 tensor ${name}`);
    return tensor as HostTensor<'int32'>;
  }

  has(name: string): boolean {
    return this.tensors.has(name);
  }

  /** Those called `<group>.<name>`, by name. */
  group(group: string): ReadonlyMap<string, HostTensor<'float32'>> {
    const prefix = `${group}.`;
    return new Map(
      [...this.tensors.keys()]
        .filter(name => name.startsWith(prefix))
        .map(name => [name.slice(prefix.length), this.float32(name)]),
    );
  }
}

export async function readFixture(
  name: string,
): Promise<{ readonly document: unknown; readonly tensors: FixtureTensors }> {
  const [text, { tensors }] = await Promise.all([
    readFile(path.join(folder, `${name}.json`), 'utf8'),
    readSafetensors(path.join(folder, `${name}.safetensors`)),
  ]);
  return { document: JSON.parse(text) as unknown, tensors: new FixtureTensors(tensors) };
}

/**
 * Fields in which TransformerLens says what our configuration says in another way, or what does not shape the model.
 */
const otherFields = v.object({
  attn_scale: v.optional(v.number()),
  rotary_base: v.optional(v.literal(10_000)),
  rotary_adjacent_pairs: v.optional(v.literal(false)),
  seed: v.optional(v.number()),
});

/** TransformerLens' configuration as ours: it writes null for what is not there, and knows no models without biases. */
export function configFromFixture(document: unknown): ModelConfig {
  const given = v.parse(v.record(v.string(), v.unknown()), document);
  v.parse(otherFields, given);
  const known = Object.entries(given).filter(
    ([name, value]) => !Object.hasOwn(otherFields.entries, name) && (value !== null || name === 'normalization_type'),
  );
  const config = v.parse(ModelConfigSchema, Object.fromEntries(known));
  if (given['attn_scale'] !== Math.sqrt(config.d_head)) throw new Error('the fixture scales its scores otherwise');
  return config;
}

export const modelFixtures: readonly string[] = readdirSync(path.join(folder, 'models'))
  .filter(name => name.endsWith('.json'))
  .map(name => name.replace('.json', ''));
