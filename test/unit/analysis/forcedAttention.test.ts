import { describe, expect, test } from 'vitest';
import { canForceAttention, copiedValues, forcedPrompts, rightWithForced, type ForcedPrompts } from '../../../src/analysis/forcedAttention';
import type { AnalysisContext } from '../../../src/analysis/define';
import { Random } from '../../../src/common/random';
import { float32 } from '../../../src/common/tensor';
import { asFloat32 } from '../../../src/model/runnable';
import { forward } from '../../../src/model/transformer';
import { listCopyContext } from '../../support/listCopy';
import { numberContext } from '../../support/numberModels';
import { modularContext, otherContext } from '../../support/waves';

function promptsFor(context: AnalysisContext, n: number): readonly ForcedPrompts[] {
  const values = copiedValues(context.task);
  return forcedPrompts(context, new Random(0, 'prompts'), values, values, n);
}

const rowsOf = ({ tokens: { shape: [R = 0, T = 0], data } }: ForcedPrompts) => Array.from({ length: R }, (_, row) => [...data.subarray(row * T, (row + 1) * T)]);

describe('attention can be fixed on the answer', () => {
  test.each([
    ['max', () => numberContext({ name: 'max' })],
    ['median', () => numberContext({ name: 'median' })],
    ['sort', () => numberContext({ name: 'sort' })],
    ['array update', otherContext],
    ['list copy whose outputs see the digits', () => listCopyContext({}, { n_layers: 1, mask: undefined })],
  ])('in one layer of %s', (_, made) => {
    expect(canForceAttention(made().details)).toBe(true);
  });

  test.each([
    ['of two layers', () => numberContext({ name: 'max' }, { n_layers: 2 })],
    ['whose answers are no inputs', () => modularContext(7)],
    ['whose mask hides the inputs from the answers', () => listCopyContext({}, { n_layers: 1 })],
    ['of one input', () => listCopyContext({ length: 1 }, { n_layers: 1, mask: undefined })],
    ['of a task that is no more', () => {
      const { details, ...rest } = numberContext({ name: 'max' });
      return { ...rest, details: { ...details, experiment: { ...details.experiment, task: { name: 'gone', parameters: {} } } } };
    }],
  ])('not in a model %s', (_, made) => {
    expect(canForceAttention(made().details)).toBe(false);
  });
});

describe('prompts to fix attention in', () => {
  test.each(['max', 'median', 'sort'])('hold each value beside different others, at two inputs: %s', name => {
    const context = numberContext({ name });
    const prompts = promptsFor(context, 5);
    expect(prompts.map(({ position }) => position)).toEqual(context.task.answerPositions);
    for (const each of prompts) {
      const rows = rowsOf(each);
      expect(rows).toHaveLength(8 * 5);
      const others = rows.map((prompt, row) => {
        const [place = -1, otherPlace = -1] = [each.places.data[row], each.otherPlaces.data[row]];
        expect([place, otherPlace].every(at => at >= 0 && at < 3) && place !== otherPlace).toBe(true);
        expect(prompt[place]).toBe(Math.floor(row / 5));
        expect(each.outputs[row]).toBe(Math.floor(row / 5));
        expect(prompt[otherPlace]).not.toBe(prompt[place]);
        return prompt[otherPlace];
      });
      for (let value = 0; value < 8; value++) expect(new Set(others.slice(value * 5, value * 5 + 5)).size).toBe(5);
      // Every place is used for either.
      expect(new Set(each.places.data)).toEqual(new Set([0, 1, 2]));
      expect(new Set(each.otherPlaces.data)).toEqual(new Set([0, 1, 2]));
    }
  });

  test('have read what the value follows: when sorting, nothing larger stands before it', () => {
    const [, ...written] = promptsFor(numberContext({ name: 'sort' }), 7);
    expect(written).toHaveLength(2);
    for (const each of written) {
      for (const [row, prompt] of rowsOf(each).entries()) expect(prompt[each.position]).toBeLessThanOrEqual(each.outputs[row] ?? -1);
    }
  });

  test('have read what is nearest to a value that is too rare, and nothing larger than it where anything smaller is drawn', () => {
    const context = numberContext({ name: 'sort', count: 5, numbers: 60 });
    const values = copiedValues(context.task);
    const { tokens: { data, shape: [B = 0, T = 0] }, labels } = context.task.sample(new Random(0, 'prompts'), 4096);
    const prompts = forcedPrompts(context, new Random(0, 'prompts'), values, values, 2);
    let rare = 0;
    for (const [answer, each] of prompts.entries()) {
      const drawn = [...new Set(Array.from({ length: B }, (_, row) => labels.data[row * 5 + answer] ?? -1))];
      for (const [row, prompt] of rowsOf(each).entries()) {
        const value = each.outputs[row] ?? -1;
        const below = drawn.filter(other => other <= value);
        const nearest = (answer > 0 && below.length > 0 ? below : drawn).toSorted((a, b) => Math.abs(a - value) - Math.abs(b - value))[0] ?? -1;
        rare += Number(nearest !== value);
        const isOf = (from: number) => prompt.every((token, at) => at === each.places.data[row] || at === each.otherPlaces.data[row] || token === data[from * T + at]);
        const sources = Array.from({ length: B }, (_, from) => from).filter(isOf).map(from => Math.abs((labels.data[from * 5 + answer] ?? -1) - value));
        expect(sources).toContain(Math.abs(nearest - value));
        if (answer > 0 && below.length > 0) expect(prompt[each.position]).toBeLessThanOrEqual(value);
      }
    }
    expect(rare).toBeGreaterThan(20);
  });

  test('leave out inputs that the mask hides from an answer', () => {
    // d1 is hidden from the outputs, which leaves one of two digits, or two of three.
    const two = listCopyContext({}, { n_layers: 1, mask: ['x....', 'xx...', 'xxx..', '.xxx.', '.xxxx'] });
    expect(canForceAttention(two.details)).toBe(false);
    const three = ['x......', 'xx.....', 'xxx....', 'xxxx...', '.xxxx..', '.xxxxx.', '.xxxxxx'];
    const context = listCopyContext({ length: 3, digits: 6 }, { n_layers: 1, mask: three });
    for (const { places, otherPlaces } of promptsFor(context, 5)) expect(new Set([...places.data, ...otherPlaces.data])).toEqual(new Set([1, 2]));
  });
});

/** The same as the plain forward pass has it, every row of every pattern written out. */
async function expectedRight({ model }: AnalysisContext, { n, position, tokens, places, otherPlaces, outputs }: ForcedPrompts, shares: readonly number[]): Promise<number[]> {
  const [R = 0, T = 0] = tokens.shape;
  const H = shares.length;
  const pattern = float32([R, H, T, T]);
  for (let row = 0; row < R; row++) {
    shares.forEach((share, head) => {
      const at = ((row * H + head) * T + position) * T;
      pattern.data[at + (places.data[row] ?? NaN)] = 1 - share;
      pattern.data[at + (otherPlaces.data[row] ?? NaN)] = share;
    });
  }
  const [output] = await model.compute('plain', (weights, prompts, given) => [forward(model.config, weights, prompts ?? expect.fail(), {
    hook: (name, value) => (name === 'blocks.0.attn.hook_pattern' ? given ?? expect.fail() : value),
  })], [tokens, pattern]);
  const { shape: [, , U = 0], data } = asFloat32(output);
  const right = new Array<number>(R / n).fill(0);
  outputs.forEach((answer, row) => {
    const logits = data.subarray((row * T + position) * U, (row * T + position + 1) * U);
    right[Math.floor(row / n)] = (right[Math.floor(row / n)] ?? 0) + Number(logits.indexOf(Math.max(...logits)) === answer);
  });
  return right;
}

test.each([
  ['max', {}], ['sort', {}], ['sort', { normalization_type: 'LN', positional_embedding_type: 'shortformer' }], ['median', { attn_only: true, d_mlp: undefined }],
])('forced attention is the plain forward pass with those patterns: %s, %o', async (name, model) => {
  const context = numberContext({ name }, { d_model: 16, d_head: 8, ...model });
  let all = 0;
  for (const prompts of promptsFor(context, 7)) {
    for (const shares of [[0, 0], [0.25, 0.25], [0, 0.6], [1, 1]]) {
      const right = [...await rightWithForced(context, prompts, shares)];
      expect(right).toEqual(await expectedRight(context, prompts, shares));
      all += right.reduce((sum, count) => sum + count, 0);
    }
  }
  expect(all).toBeGreaterThan(0);
});
