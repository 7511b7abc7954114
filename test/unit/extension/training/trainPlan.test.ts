import { describe, expect, test } from 'vitest';
import { deviceItems, planItems, planOf, problemOfNumber, requestOf } from '../../../../src/extension/training/trainPlan';

const text = `{
  // comments are allowed
  "seed": 3, "task": "array-update",
  "model": { "n_layers": 2, "n_heads": 3, "d_model": 8, "d_head": 4, "attn_only": true },
  "training": { "steps": 1000, "batch": 128, },
}`;
const plan = planOf({ name: 'mine', experiment: { text }, text });

describe('the settings pick', () => {
  test('starts with the training itself, then shows what the experiment says', () => {
    expect(planItems(plan, 'auto').map(({ label, description }) => `${label}: ${description}`)).toEqual([
      'Train Now: mine', 'Seed: 3', 'Steps: 1,000', 'Learning rate: 0.001', 'Device: auto',
    ]);
  });

  test('marks what the user has changed', () => {
    const changed = planItems({ ...plan, steps: 20, seed: 3, device: 'cpu' }, 'auto').map(({ description }) => description);
    expect(changed).toEqual(['mine', '3', '20 (changed)', '0.001', 'cpu']);
  });

  test.each([['half a file', '{'], ['brackets without end', '['.repeat(500_000)]])('leaves it to the engine to say what is wrong with %s', (_, text) => {
    const broken = planOf({ name: 'broken', experiment: { text }, text });
    expect(planItems(broken, 'auto')[1]?.description).toBe('as in the experiment');
    expect(requestOf(broken)).toEqual({ experiment: { text } });
  });
});

test('the engine is asked for what was changed, and nothing else', () => {
  expect(requestOf(plan)).toEqual({ experiment: { text } });
  expect(requestOf({ ...plan, seed: 0, steps: 20, learningRate: 3e-4, device: 'cpu' })).toEqual({
    experiment: { text }, seed: 0, steps: 20, set: ['training.learningRate=0.0003'], device: 'cpu',
  });
});

test('numbers are checked while they are typed', () => {
  expect(problemOfNumber('seed', '0')).toBeUndefined();
  expect(problemOfNumber('steps', '1e3')).toBeUndefined();
  expect(problemOfNumber('learningRate', '3e-4')).toBeUndefined();
  // A model may be kept as it starts: written by hand, or as it was fine-tuned from.
  expect(problemOfNumber('steps', '0')).toBeUndefined();
  expect(problemOfNumber('steps', '-1')).toBe('Steps: a whole number from 0 to 1,000,000,000.');
  expect(problemOfNumber('steps', '2.5')).toBeDefined();
  expect(problemOfNumber('seed', '-1')).toBeDefined();
  expect(problemOfNumber('learningRate', '0')).toBe('The learning rate is greater than 0.');
  for (const text of ['', ' ', 'many', 'Infinity', 'NaN']) expect(problemOfNumber('learningRate', text)).toBe('Learning rate is a number.');
});

test('a device that is not there says what would make it available', () => {
  const items = deviceItems([
    { device: 'cpu', available: true, description: 'ONNX Runtime' },
    { device: 'webgpu', available: false, description: 'WebGPU is not available: no adapter.' },
  ]);
  expect(items.map(({ label, description }) => `${label}: ${description}`)).toEqual([
    'auto: the fastest for the size of the model', 'cpu: ONNX Runtime', 'webgpu: WebGPU is not available: no adapter.',
  ]);
});
