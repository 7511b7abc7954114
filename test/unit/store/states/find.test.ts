import { describe, expect, test } from 'vitest';
import type { FileTensor, FileValue } from '../../../../src/store/files/tensorFile';
import { readImport, recogniseFile } from '../../../../src/store/states/import';
import { configOf, randomParameters } from '../../../support/models';
import { MemoryTensors } from './memoryFile';

const config = configOf();
const weights = randomParameters(config);
const embeddings = [...(weights.get('embed.W_E')?.data ?? [])];

/** A file around the state dict of a small model. */
function fileOf(build: (state: Map<string, FileTensor>, memory: MemoryTensors) => FileValue) {
  const memory = new MemoryTensors();
  return memory.file(build(memory.state(weights), memory));
}

function scaled(factor: number) {
  return new Map([...weights].map(([name, { shape, data }]) => [name, { dtype: 'float32' as const, shape, data: data.map(value => value * factor) }]));
}

const map = (entries: Readonly<Record<string, FileValue>>): FileValue => new Map(Object.entries(entries));

describe('the state of a model is found', () => {
  test.each<readonly [string, (state: Map<string, FileTensor>, memory: MemoryTensors) => FileValue]>([
    ['alone', state => state],
    ['under "model", beside what an optimizer keeps', (state, memory) => map({ model: state, optimizer: map({ state: new Map([[0, map({ exp_avg: memory.tensor([7, 8]) })]]) }), epoch: 3 })],
    ['under "model_state_dict"', state => map({ model_state_dict: state, loss: 0.5 })],
    ['under a key of its own, where it is the only one', state => map({ transformer: state })],
    ['under a usual key, where others hold states too', state => map({ ema: state, state_dict: state })],
    ['behind what wrappers put before every name', state => map({ net: new Map([...state].map(([name, tensor]) => [`module._orig_mod.${name}`, tensor])) })],
    ['two dictionaries deep', state => map({ checkpoint: map({ model: state, step: 3 }), args: map({ lr: 0.1 }) })],
    ['two dictionaries deep, by other names', state => map({ state: map({ model_state_dict: state }) })],
    ['beside values that are no tensors', state => new Map<string, FileValue>([...state, ['_extra_state', null], ['version', 2]])],
  ])('%s', async (_, build) => {
    const file = fileOf(build);
    expect(recogniseFile(file)).toEqual({ as: 'TransformerLens, 2 layers' });
    const state = await readImport(file);
    expect([...(await state.weights()).get('embed.W_E')?.data ?? []]).toEqual(embeddings);
    expect(state.checkpoints).toEqual([]);
    expect(state).not.toHaveProperty('metrics');
  });
});

test('what lies beside a wrapped model and is no part of it is left out, and that is said', async () => {
  const file = fileOf((state, memory) => map({
    epoch: 3,
    state_dict: new Map([...[...state].map(([name, tensor]) => [`module.model.${name}`, tensor] as const), ['module.loss.weight', memory.tensor([2])], ['metric', memory.tensor([])]]),
  }));
  const state = await readImport(file);
  expect([...(await state.weights()).get('embed.W_E')?.data ?? []]).toEqual(embeddings);
  expect(state.inferred).toContainEqual({ field: 'left out', value: 2, from: 'metric, loss.weight beside the model' });
});

describe('checkpoints are found', () => {
  const three = (memory: MemoryTensors) => [1, 2, 3].map(factor => memory.state(scaled(factor)));

  test.each<readonly [string, readonly number[], string, (states: Map<string, FileTensor>[], memory: MemoryTensors) => FileValue]>([
    ['in a list alone', [0, 1, 2], 'their order: nothing beside them gives their steps', states => states],
    ['in a list with epochs', [5, 10, 20], 'epochs', states => map({ state_dicts: states, epochs: [5, 10, 20] })],
    ['in a list with epochs in a tensor', [5, 10, 20], 'epochs', (states, memory) => map({ state_dicts: states, epochs: memory.tensor([3], [5, 10, 20], 'int64') })],
    ['in a list with epochs in another order', [5, 10, 20], 'epochs', ([first, second, third]) => map({ state_dicts: [third ?? null, first ?? null, second ?? null], epochs: [20, 5, 10] })],
    ['in a list of dictionaries in another order', [0, 50, 100], 'their "epoch"', ([first, second, third]) => [map({ epoch: 100, model: third ?? null }), map({ epoch: 0, model: first ?? null }), map({ epoch: 50, model: second ?? null })]],
    ['in a dictionary from names of steps', [0, 10, 100], 'the keys of the file', ([first, second, third]) => map({ 'step-00100': third ?? null, step_0: first ?? null, epoch10: second ?? null })],
    ['under a usual key, with their epochs', [5, 10, 20], 'epochs', states => map({ checkpoint: map({ states, epochs: [5, 10, 20] }) })],
    ['under a usual key, with their epochs in a tensor', [5, 10, 20], 'epochs', (states, memory) => map({ checkpoint: map({ states, epochs: memory.tensor([3], [5, 10, 20], 'int32') }) })],
    ['in a list with epochs of Python without a bound', [5, 10, 20], 'checkpoint_epochs', states => map({ checkpoints: states, checkpoint_epochs: [5n, 10n, 20n] })],
    ['in a list of dictionaries that know their steps', [3, 6, 9], 'their "step"', states => states.map((model, index) => map({ model, step: 3 * (index + 1) }))],
    ['in a dictionary from steps', [9, 100, 1000], 'the keys of the file', ([first, second, third]) => new Map<number, FileValue>([[1000, third ?? null], [9, first ?? null], [100, second ?? null]])],
    ['in a dictionary from steps that are texts', [9, 100, 1000], 'the keys of history', ([first, second, third]) => map({ history: map({ 9: first ?? null, 100: second ?? null, 1000: third ?? null }) })],
  ])('%s', async (_, steps, from, build) => {
    const memory = new MemoryTensors();
    const state = await readImport(memory.file(build(three(memory), memory)));
    expect(state.checkpoints.map(({ step }) => step)).toEqual(steps);
    expect(state.inferred).toContainEqual({ field: 'checkpoints', value: 3, from });
    for (const [index, checkpoint] of state.checkpoints.entries()) {
      expect((await checkpoint.weights()).get('embed.W_E')?.data).toEqual(scaled(index + 1).get('embed.W_E')?.data);
    }
    // The model is what it was at last.
    expect((await state.weights()).get('embed.W_E')?.data).toEqual(scaled(3).get('embed.W_E')?.data);
  });

  test('and the model itself behind them, where it was trained on', async () => {
    const memory = new MemoryTensors();
    const losses = Array.from({ length: 30 }, (_, epoch) => 1 / (epoch + 1));
    const file = memory.file(map({ model: memory.state(scaled(4)), checkpoints: three(memory), checkpoint_epochs: [5, 10, 20], train_losses: losses, test_losses: [1, 2] }));
    const state = await readImport(file);
    expect(state.checkpoints.map(({ step }) => step)).toEqual([5, 10, 20, 29]);
    expect((await state.checkpoints.at(-1)?.weights())?.get('embed.W_E')?.data).toEqual(scaled(4).get('embed.W_E')?.data);
    expect(state.inferred).toContainEqual({ field: 'checkpoints', value: 4, from: 'checkpoint_epochs, and the model after them' });
    // Two test losses fit neither the epochs nor the checkpoints.
    expect(state.metrics).toHaveLength(30);
    expect(state.metrics?.[4]).toEqual({ step: 4, seconds: 0, trainLoss: 0.2 });
  });

  test('with a loss for each of them, of which those that are not finite are left out', async () => {
    const memory = new MemoryTensors();
    const file = memory.file(map({ checkpoints: three(memory), epochs: [5, 10, 20], test_losses: memory.tensor([3], [3, NaN, 1]) }));
    expect((await readImport(file)).metrics).toEqual([{ step: 5, seconds: 0, testLoss: 3 }, { step: 20, seconds: 0, testLoss: 1 }]);
  });
});

describe('what is no model is said', () => {
  const problem = (build: (state: Map<string, FileTensor>, memory: MemoryTensors) => FileValue) => {
    const file = fileOf(build);
    const recognised = recogniseFile(file);
    const message = 'problem' in recognised ? recognised.problem : expect.fail('it is recognised');
    return expect(readImport(file)).rejects.toThrow(message).then(() => message);
  };
  const end = 'It can still be looked at: open the file itself.';

  test('where there are other tensors', async () => {
    expect(await problem((_, memory) => map({ 'layer1.weight': memory.tensor([3, 3]), 'fc.bias': memory.tensor([3]) }))).toBe(
      `model.pt holds no state dict of a transformer that is known here (TransformerLens, the grokking code from before TransformerLens, Hugging Face's GPT-2): it has 2 tensors, and "layer1.weight", "fc.bias". ${end}`,
    );
  });

  test('where there are many other tensors', async () => {
    const names = Array.from({ length: 9 }, (_, layer) => `layer${layer}`);
    expect(await problem((_, memory) => map(Object.fromEntries(names.map(name => [name, memory.tensor([1])]))))).toContain(
      `it has 9 tensors, and ${names.slice(0, 6).map(name => `"${name}"`).join(', ')} and 3 more. ${end}`,
    );
  });

  test.each<readonly [string, FileValue]>([['nothing', new Map<string, FileValue>()], ['a number', 4], ['a text', 'weights'], ['an empty list', []]])('where there is %s', async (_, root) => {
    expect(await problem(() => root)).toBe(`model.pt holds no state dict of a transformer that is known here (TransformerLens, the grokking code from before TransformerLens, Hugging Face's GPT-2): it has no tensors at all. ${end}`);
  });

  test('where there are several models, of which none is the model', async () => {
    expect(await problem(state => map({ teacher: state, student: state }))).toBe(
      `model.pt holds 2 models, at "teacher", "student"; save the state dict of one of them in a file of its own, or under "model". ${end}`,
    );
    expect(await problem(state => map({ model: state, net: state }))).toContain('holds 2 models, at "model", "net"');
  });

  test('where there are several models one dictionary deeper', async () => {
    expect(await problem(state => map({ checkpoint: map({ model: state }), state: map({ model: state }) }))).toContain('holds 2 models, at "checkpoint", "state"');
  });

  test.each<readonly [string, FileValue, string]>([
    ['that are not different', [5, 5], 'epochs, which has 5, 5,'],
    ['that are too few', [5], 'epochs, which has 1 values,'],
    ['that are no whole numbers', [0.5, '\u001b[2J'], 'epochs, which has 0.5, "\\u001b[2J",'],
  ])('where checkpoints have steps %s', async (_, epochs, found) => {
    expect(await problem(state => map({ checkpoints: [state, state], epochs }))).toBe(
      `The steps of the 2 checkpoints in checkpoints are to be read from ${found} where as many different whole numbers were expected. ${end}`,
    );
  });

  test('where what lies beside a wrapped model may be a part of it', async () => {
    expect(await problem((state, memory) => map({ state_dict: new Map([...[...state].map(([name, tensor]) => [`model.${name}`, tensor] as const), ['encoder.embed.W_E', memory.tensor([2])]]) }))).toMatch(
      /^The state dict has "encoder\.embed\.W_E" \[2\]/,
    );
  });

  test('where a checkpoint is missing, or of another model', async () => {
    expect(await problem(state => map({ checkpoints: [state, null] }))).toBe(`Number 1 of the 2 checkpoints in checkpoints holds no state dict. ${end}`);
    expect(await problem((state, memory) => [new Map([...state, ['embed.W_E', memory.tensor([7, 4])]]), state])).toBe(
      `The checkpoint of step 0 is not of the same model: embed.W_E is [7, 4], where [7, 8] was expected: d_model is 8 in embed.W_E [7, 8]. ${end}`,
    );
  });

  test('with names of files shown as they may be shown', async () => {
    expect(await problem((_, memory) => map({ ['\u001b[2J'.repeat(40)]: memory.tensor([1]) }))).not.toContain('\u001b');
  });
});
