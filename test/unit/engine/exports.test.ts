import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { int32 } from '../../../src/common/tensor';
import { writeExport, type Exported } from '../../../src/engine/exports';
import { RunnableModel } from '../../../src/model/runnable';
import type { ModelConfig } from '../../../src/protocol/config';
import { hookedStateDict } from '../../../src/store/export/hookedTransformer';
import { openTensorFile } from '../../../src/store/files/open';
import verified from '../../fixtures/exported/verified.json';
import { importedFixtures, readImported } from '../../support/imported';
import { configOf, randomParameters } from '../../support/models';
import { onnx } from '../../support/runtimes';
import { temporaryFolder } from '../store/folders';

/** Models that TransformerLens can rebuild: name, with the format that it is written in → what is special about it. */
const models: Readonly<Record<string, Partial<ModelConfig>>> = {
  'plain.pt': { attn_only: true },
  'plain.safetensors': { attn_only: true },
  'layer-norm.pt': { normalization_type: 'LN', act_fn: 'gelu_new' },
  'folded.safetensors': { normalization_type: 'LNPre', act_fn: 'gelu', eps: 1e-4 },
  'root-mean-square.pt': { normalization_type: 'RMS', act_fn: 'silu', use_attn_scale: false },
  'shortformer.pt': { attn_only: true, positional_embedding_type: 'shortformer' },
  'rotary.pt': { positional_embedding_type: 'rotary', rotary_dim: 2 },
  'bidirectional.pt': { attention_dir: 'bidirectional' },
  'no-positions.safetensors': { positional_embedding_type: 'none' },
  'saturating.pt': { act_fn: 'saturate' },
  'masked.pt': { mask: ['x....', 'xx...', 'x.x..', 'xxxx.', '....x'] },
  'masked-both-ways.pt': { attention_dir: 'bidirectional', mask: ['xx...', 'xx...', 'x.x.x', 'xxxx.', '....x'] },
};

function exported(given: Partial<ModelConfig>, name = 'a "model"\n'): Exported {
  const config = configOf(given);
  return {
    name, seed: 3, model: new RunnableModel(config, randomParameters(config, 5), onnx),
    task: {
      sample: (random, count) => ({
        tokens: int32([count, 5], Int32Array.from({ length: count * 5 }, () => random.integer(7))), labels: int32([count, 1]),
      }),
    },
  };
}

/** Where exports are kept to be verified by the Python that they come with; see test/fixtures/exported/verify.py. */
const kept = process.env['CIRCUITS_EXPORTS'];

describe.each(Object.entries(models))('%s', (file, given) => {
  test('is what TransformerLens was seen to rebuild, with the same logits', async () => {
    const folder = path.join(kept ?? (await temporaryFolder()), file);
    await mkdir(folder, { recursive: true });
    const { files, withoutPython } = await writeExport(exported(given), path.join(folder, file));
    expect(withoutPython).toBeUndefined();
    expect(files.map(each => path.basename(each)).sort()).toEqual((await readdir(folder)).sort());
    const hashes = await Promise.all(files.filter(each => !each.endsWith('.check.json')).map(async each => [
      path.basename(each), createHash('sha256').update(await readFile(each)).digest('hex'),
    ]));
    const seen = verified[file as keyof typeof verified];
    expect(seen.difference).toBeLessThan(1e-4);
    expect(Object.fromEntries(hashes)).toEqual(seen.files);
  });

  test('is read again with the same bytes in every tensor', async () => {
    const folder = await temporaryFolder();
    const model = exported(given);
    await writeExport(model, path.join(folder, file));
    const opened = await openTensorFile(path.join(folder, file));
    try {
      const wanted = hookedStateDict(model.model.config, randomParameters(model.model.config, 5));
      expect([...opened.tensors.keys()].sort()).toEqual([...wanted.keys()].sort());
      for (const [name, { dtype, shape, data }] of wanted) {
        const found = opened.tensors.get(name) ?? expect.fail(name);
        expect({ name, dtype: found.dtype, shape: found.shape }).toEqual({ name, dtype, shape });
        expect([...await opened.read(found)]).toEqual([...data]);
      }
    } finally {
      await opened.close();
    }
  });
});

test('the prompts beside it hold the logits that the model gives', async () => {
  const folder = await temporaryFolder();
  const model = exported({});
  await writeExport(model, path.join(folder, 'm.pt'));
  const check = JSON.parse(await readFile(path.join(folder, 'm.check.json'), 'utf8')) as { tokens: number[][]; positions: number[]; logits: number[][][] };
  expect(check.positions).toEqual([0, 1, 2, 3, 4]);
  const { logits } = await model.model.runWithCache(int32([3, 5], Int32Array.from(check.tokens.flat())), []);
  expect(Float32Array.from(check.logits.flat(2))).toEqual(logits.data);
});

test('of a large vocabulary the prompts hold the logits of the last position alone', async () => {
  const folder = await temporaryFolder();
  const model = exported({ d_vocab: 7, d_vocab_out: 40_000, attn_only: true });
  await writeExport(model, path.join(folder, 'm.pt'));
  const check = JSON.parse(await readFile(path.join(folder, 'm.check.json'), 'utf8')) as { tokens: number[][]; positions: number[]; logits: number[][][] };
  expect(check.positions).toEqual([4]);
  const { logits } = await model.model.runWithCache(int32([3, 5], Int32Array.from(check.tokens.flat())), []);
  expect(Float32Array.from(check.logits[1]?.[0] ?? [])).toEqual(logits.data.slice(9 * 40_000, 10 * 40_000));
});

test.each([
  ['its norms come after its sublayers', { normalization_type: 'LN', normalization_position: 'after' }],
  ['each of its positions holds a pair of tokens', { tokens_per_position: 2 }],
  ['its positions can be empty', { padding_token: 0 }],
] satisfies readonly (readonly [string, Partial<ModelConfig>])[])('a model that TransformerLens has not is written without Python: %s', async (why, given) => {
  const folder = await temporaryFolder();
  const { files, withoutPython } = await writeExport(exported(given), path.join(folder, 'm.safetensors'));
  expect(withoutPython).toContain(why);
  expect(files.map(file => path.basename(file))).toEqual(['m.safetensors', 'm.config.json', 'm.check.json']);
  expect(JSON.parse(await readFile(path.join(folder, 'm.config.json'), 'utf8'))).toMatchObject(given);
});

describe('what TransformerLens saved, imported and exported', () => {
  // Others hold weights of another type or in another layout, which an export does not go back to.
  const saved = importedFixtures.filter(name => !['float16', 'bfloat16', 'grokking', 'gpt2'].includes(name));

  test.each(saved)('has the same bytes in every tensor: %s', async name => {
    const { config, weights } = await readImported(name);
    const file = path.join(await temporaryFolder(), 'again.pt');
    await writeExport({ ...exported({}), model: new RunnableModel(config, weights, onnx), task: { sample: (_, count) => ({ tokens: int32([count, config.n_ctx]), labels: int32([count, 1]) }) } }, file);
    const [before, after] = await Promise.all([openTensorFile(path.join(import.meta.dirname, `../../fixtures/imported/${name}.pt`)), openTensorFile(file)]);
    try {
      // Tables of rotations are computed by whoever reads the file.
      const names = [...before.tensors.keys()].filter(tensor => !tensor.includes('.rotary_'));
      expect([...after.tensors.keys()].sort()).toEqual(names.sort());
      for (const tensor of names) {
        const [one, other] = [before.tensors.get(tensor) ?? expect.fail(tensor), after.tensors.get(tensor) ?? expect.fail(tensor)];
        expect({ tensor, dtype: other.dtype, shape: other.shape }).toEqual({ tensor, dtype: one.dtype, shape: one.shape });
        expect(await after.read(other), tensor).toEqual(await before.read(one));
      }
    } finally {
      await Promise.all([before.close(), after.close()]);
    }
  });
});

describe('what lies beside an export', () => {
  test('is replaced where it is that of an earlier one', async () => {
    const folder = await temporaryFolder();
    await writeExport(exported({}, 'first'), path.join(folder, 'm.pt'));
    await writeExport(exported({}, 'second'), path.join(folder, 'm.pt'));
    expect(await readFile(path.join(folder, 'm.py'), 'utf8')).toContain('"second"');
  });

  test.each(['m.py', 'm.config.json', 'm.check.json'])('is left as it is where it is not: %s', async name => {
    const folder = await temporaryFolder();
    await writeFile(path.join(folder, name), 'mine');
    await expect(writeExport(exported({}), path.join(folder, 'm.pt'))).rejects.toThrow(`${name} is there already and would be replaced; export under another name.`);
    expect(await readdir(folder)).toEqual([name]);
  });

  test('is left where a script has taken the place of that of an earlier one', async () => {
    const folder = await temporaryFolder();
    await writeExport(exported({}), path.join(folder, 'm.pt'));
    await writeFile(path.join(folder, 'm.py'), 'import training');
    await expect(writeExport(exported({}), path.join(folder, 'm.pt'))).rejects.toThrow('m.py is there already');
    expect(await readFile(path.join(folder, 'm.py'), 'utf8')).toBe('import training');
  });
});

test.each([
  ['model', /^model does not say what to write; end its name in \.safetensors or \.pt\.$/],
  ['model.h5', /does not say what to write/],
  ['nowhere/model.pt', /There is no folder .*nowhere to write model\.pt in/],
])('%s is refused in a sentence, and nothing is written', async (file, sentence) => {
  const folder = await temporaryFolder();
  await expect(writeExport(exported({}), path.join(folder, file))).rejects.toThrow(sentence);
  expect(await readdir(folder)).toEqual([]);
});
