import { describe, expect, onTestFinished, test } from 'vitest';
import { CancelledError } from '../../../src/common/errors';
import { float32 } from '../../../src/common/tensor';
import { OpenModels } from '../../../src/engine/openModels';
import { pictureOf, Pictures } from '../../../src/engine/pictures';
import { pictureColumns, pictureRows } from '../../../src/protocol/tensors';
import { Store } from '../../../src/store/store';
import { Draw } from '../../support/draw';
import { randomParameters } from '../../support/models';
import { onnx } from '../../support/runtimes';
import { temporaryFolder } from '../store/folders';
import { config as sample, modelRecord, trainingState } from '../store/samples';

const drawn = (name: string, ...shape: number[]) => float32(shape, new Draw(name).float32(shape).data);

describe('the picture of a tensor', () => {
  test('has its own numbers where they fit', () => {
    const tensor = drawn('blocks.0.mlp.W_in', 8, 10);
    const picture = pictureOf('blocks.0.mlp.W_in', { tensor });
    expect(picture).toMatchObject({ rows: 8, columns: 10, panels: 1, scale: 'diverging', legend: 'd_model down, neurons across' });
    expect([...picture.values]).toEqual([...tensor.data]);
  });

  test('is no larger than a glance, and has the mean of what it is of', () => {
    const picture = pictureOf('embed.W_E', { tensor: drawn('embed.W_E', 640, 192) });
    expect(picture).toMatchObject({ rows: pictureRows, columns: pictureColumns, legend: 'Tokens down, d_model across; neighbours are averaged' });
    // Blocks of one size: the mean of the means is the mean.
    expect(picture.values.reduce((sum, value) => sum + value, 0) / picture.values.length).toBeCloseTo(picture.mean, 5);
  });

  test('sets heads side by side, each turned the same way', () => {
    const [H, T] = [3, 5];
    const tensor = drawn('pattern', H, T, T);
    const picture = pictureOf('blocks.1.attn.hook_pattern', { tensor, prompt: '3 1 2' });
    expect(picture).toMatchObject({ rows: T, columns: H * T, panels: H, scale: 'attention', prompt: '3 1 2' });
    for (const [head, row, column] of [[0, 0, 0], [2, 4, 1], [1, 3, 4]] as const) {
      expect(picture.values[row * H * T + head * T + column]).toBe(tensor.data[(head * T + row) * T + column]);
    }
    const one = pictureOf('blocks.1.attn.hook_pattern', { tensor }, 2);
    expect([...one.values]).toEqual([...tensor.data.subarray(2 * T * T)]);
  });

  test('takes heads from the axis that they are on', () => {
    const [T, H, K] = [5, 3, 4];
    const tensor = drawn('z', T, H, K);
    const picture = pictureOf('blocks.0.attn.hook_z', { tensor }, 1);
    expect(picture).toMatchObject({ rows: T, columns: K, legend: 'Head 1: positions down, d_head across' });
    expect(picture.values[2 * K + 3]).toBe(tensor.data[(2 * H + 1) * K + 3]);
  });

  test('averages heads that are too many to stand side by side', () => {
    const [H, T] = [40, 6];
    const tensor = float32([H, T, T], Float32Array.from({ length: H * T * T }, (_, at) => Math.floor(at / (T * T))));
    const picture = pictureOf('blocks.0.attn.hook_pattern', { tensor });
    expect(picture).toMatchObject({ rows: T, columns: T, panels: 1, legend: expect.stringMatching(/^Mean of 40 heads/) });
    expect(picture.values[7]).toBeCloseTo(19.5, 5);
  });

  test('leaves forbidden scores empty, and out of its numbers', () => {
    const picture = pictureOf('blocks.0.attn.hook_attn_scores', { tensor: float32([1, 2, 2], Float32Array.of(1, -Infinity, 3, 2)) });
    expect(picture).toMatchObject({ minimum: 1, maximum: 3, mean: 2 });
    expect([...picture.values]).toEqual([1, 0, 3, 2]);
    expect([...(picture.empty ?? [])]).toEqual([0, 1, 0, 0]);
  });

  test('is a row of what is one number a position', () => {
    const picture = pictureOf('ln_final.hook_scale', { tensor: float32([4, 1], Float32Array.of(1, 2, 3, 4)) });
    expect(picture).toMatchObject({ rows: 1, columns: 4, legend: 'Positions across' });
  });
});

describe('the pictures of a stored model', () => {
  // The numbers modulo 5 and "=".
  const config = { ...sample, d_vocab: 6 };
  const record = modelRecord({ config });
  const never = new AbortController().signal;

  async function pictures(): Promise<Pictures> {
    const store = await Store.open(await temporaryFolder());
    await store.create(record);
    await store.writeCheckpoint(record.id, { ...trainingState(10), parameters: randomParameters(config, 10) });
    const models = new OpenModels(store, () => Promise.resolve({ description: 'shared', compile: (name, fn, inputs) => onnx.compile(name, fn, inputs), dispose: () => undefined }));
    onTestFinished(() => models.dispose());
    return new Pictures(store, models);
  }

  test('are of its newest weights', async () => {
    const drawing = await pictures();
    const weights = randomParameters(config, 10).get('blocks.0.attn.W_Q') ?? expect.fail();
    const picture = await drawing.draw({ model: record.id, name: 'blocks.0.attn.W_Q' }, never);
    expect(picture.maximum).toBe(Math.max(...weights.data));
    expect(picture.prompt).toBeUndefined();
  });

  test('of activations are of one example, the same each time', async () => {
    const drawing = await pictures();
    const picture = await drawing.draw({ model: record.id, name: 'blocks.0.attn.hook_pattern', head: 0 }, never);
    expect(picture.prompt?.split(' ')).toHaveLength(picture.rows);
    for (let row = 0; row < picture.rows; row++) {
      const weights = picture.values.subarray(row * picture.columns, (row + 1) * picture.columns);
      expect(weights.reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(1, 5);
    }
    expect(await drawing.draw({ model: record.id, name: 'blocks.0.attn.hook_pattern', head: 0 }, never)).toEqual(picture);
  });

  test('are refused in a sentence where there is nothing to draw', async () => {
    const drawing = await pictures();
    const draw = (name: string, head?: number) => drawing.draw({ model: record.id, name, ...(head !== undefined && { head }) }, never);
    await expect(draw('blocks.0.attn.hook_patern')).rejects.toThrow(/no hook point or parameter "blocks\.0\.attn\.hook_patern"; the nearest .*hook_pattern/);
    await expect(draw('blocks.0.attn.W_Q', 99)).rejects.toThrow(/There is no head 99/);
  });

  test('are not drawn for who has gone', async () => {
    const drawing = await pictures();
    await expect(drawing.draw({ model: record.id, name: 'hook_embed' }, AbortSignal.abort())).rejects.toThrow(CancelledError);
  });
});
