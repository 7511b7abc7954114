import { expect, test } from 'vitest';
import { renamed, sampleItems } from '../../../../src/extension/experiments/experimentSamples';

function sample(name: string, more: object) {
  return { name, text: JSON.stringify({ name, ...more }, null, 2) };
}

test('samples of one task stand together, each with what it takes and the first sentence about it', () => {
  const items = sampleItems([
    sample('clock', { task: { name: 'modular-arithmetic' }, description: 'Adds modulo 0.5 e.g. numbers. Slowly.', training: { steps: 10000 }, claims: [{}, {}] }),
    sample('array', { task: 'array-update', training: { steps: 1 }, claims: [{}] }),
    sample('clocks', { task: 'modular-arithmetic', from: 'clock', training: {}, sweep: {} }),
  ]);
  expect(items.map(({ label, description, detail, task }) => [task, label, description, detail])).toEqual([
    ['modular-arithmetic', 'clock', '10,000 steps · 2 claims', 'Adds modulo 0.5 e.g. numbers.'],
    ['modular-arithmetic', 'clocks', 'sweep · fine-tunes another one', ''],
    ['array-update', 'array', '1 step · 1 claim', ''],
  ]);
});

test('a sample under another name is the same text otherwise', () => {
  const { text } = sample('clock', { seed: 1 });
  expect(renamed(text, 'my "clock"')).toBe(text.replace('"clock"', '"my \\"clock\\""'));
});
