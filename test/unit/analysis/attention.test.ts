import { describe, expect, test } from 'vitest';
import { attention } from '../../../src/analysis/attention';
import type { AnalysisContext } from '../../../src/analysis/define';
import { runAnalysis } from '../../../src/analysis/run';
import { UserError } from '../../../src/common/errors';
import { Random } from '../../../src/common/random';
import { int32, sizeOf, type HostTensor } from '../../../src/common/tensor';
import type { AttentionFigure } from '../../../src/protocol/figure';
import { positionNames } from '../../../src/tasks/words';
import { contextOf } from '../../support/analyses';
import { expectClose } from '../../support/close';
import { prepared } from '../../support/experiments';
import { listCopyContext, listCopyMask } from '../../support/listCopy';

const experiment = prepared({
  task: { name: 'array-update', length: 2, numbers: 6, modulus: undefined, trainFraction: undefined },
  model: { n_layers: 2, n_heads: 3 },
  training: { batch: 8 },
});
const T = experiment.config.n_ctx;

async function run(params: Readonly<Record<string, unknown>>, context = contextOf(experiment)) {
  const { figures, scalars } = await runAnalysis(attention, context, params);
  const [figure] = figures as readonly AttentionFigure[];
  return { figure: figure ?? expect.fail('no figure'), figures, scalars };
}

/** Patterns `[B, H, T, T]` from scores in float64. */
function softmaxRows({ data }: HostTensor, length: number): number[] {
  return Array.from({ length: data.length / length }, (_, row) => {
    const scores = [...data.subarray(row * length, (row + 1) * length)];
    const powers = scores.map(score => Math.exp(score - Math.max(...scores)));
    return powers.map(power => power / powers.reduce((sum, each) => sum + each, 0));
  }).flat();
}

/** A context, and the tokens of every set of examples that an analysis draws in it. */
function watchedContext(): { readonly context: AnalysisContext; readonly drawn: HostTensor<'int32'>[] } {
  const [context, drawn]: [AnalysisContext, HostTensor<'int32'>[]] = [contextOf(experiment), []];
  const sample: typeof context.task.sample = (random, count) => {
    const examples = context.task.sample(random, count);
    drawn.push(examples.tokens);
    return examples;
  };
  return { context: { ...context, task: { ...context.task, sample } }, drawn };
}

/** Every head's mean pattern over examples, from the scores. */
async function expectedHeads({ model }: AnalysisContext, tokens: HostTensor<'int32'>) {
  const hooks = [0, 1].map(layer => `blocks.${layer}.attn.hook_attn_scores`);
  const { cache } = await model.runWithCache(tokens, hooks);
  return hooks.flatMap(hook => {
    const scores = cache.get(hook) ?? expect.fail();
    const [B = 0, H = 0] = scores.shape;
    expect(sizeOf(scores.shape)).toBe(B * H * T * T);
    const pattern = softmaxRows(scores, T);
    return Array.from({ length: H }, (_, head) =>
      Array.from(
        { length: T * T },
        (__, at) =>
          Array.from({ length: B }, (___, example) => pattern[(example * H + head) * T * T + at] ?? 0).reduce(
            (sum, weight) => sum + weight,
            0,
          ) / B,
      ),
    );
  });
}

describe('attention', () => {
  test('over examples is the mean of softmax of the scores, of every head in order', async () => {
    const { context, drawn } = watchedContext();
    const { figure } = await run({ examples: 20 }, context);
    expect(figure.heads.map(({ layer, head }) => [layer, head])).toEqual([
      [0, 0],
      [0, 1],
      [0, 2],
      [1, 0],
      [1, 1],
      [1, 2],
    ]);
    const expected = await expectedHeads(context, drawn[0] ?? expect.fail());
    figure.heads.forEach(({ pattern }, index) => expectClose(pattern, expected[index] ?? [], { absolute: 1e-6 }));
  });

  test('has rows that sum to 1, and nothing where the mask forbids it', async () => {
    const { figure } = await run({ examples: 50 });
    for (const { pattern } of figure.heads) {
      const sums = Array.from({ length: T }, (_, row) =>
        pattern.subarray(row * T, (row + 1) * T).reduce((sum, weight) => sum + weight, 0),
      );
      expectClose(
        sums,
        sums.map(() => 1),
        { absolute: 1e-6 },
      );
      pattern.forEach((weight, at) => {
        if (figure.allowed[at] === 0) expect(weight).toBe(0);
      });
    }
    expect([...figure.allowed.subarray(0, 2 * T)]).toEqual([
      1,
      ...Array.from({ length: T - 1 }, () => 0),
      1,
      1,
      ...Array.from({ length: T - 2 }, () => 0),
    ]);
  });

  test('shows the mask that a model has of its own', async () => {
    const { figure } = await run({ examples: 50 }, listCopyContext());
    expect([...figure.allowed]).toEqual([...listCopyMask.join('')].map(mark => Number(mark === 'x')));
    for (const { pattern } of figure.heads) pattern.forEach((weight, at) => expect(weight > 0).toBe(figure.allowed[at] === 1));
    // Of a shorter prompt TransformerLens reads the end of the mask, which leaves the first position nothing here.
    await expect(run({ prompt: '3 4 SEP' }, listCopyContext())).rejects.toThrow('they leave position 0 nothing to attend to; give all 5 tokens.');
  });

  test('of a prompt is labelled with its words; over examples, with what stands at each position', async () => {
    const [typed, mean] = [await run({ prompt: ' BOS 3  4 ↵ 0 5 ' }), await run({ examples: 5 })];
    expect(typed.figure.tokens).toEqual(['BOS', '3', '4', '↵', '0', '5']);
    expect(typed.figure.heads[0]?.pattern).toHaveLength(36);
    expect(mean.figure.tokens).toEqual(positionNames(experiment.task));
  });

  test('of one example is labelled with its words', async () => {
    const { figure } = await run({ examples: 1 });
    expect(figure.tokens[0]).toBe('BOS');
    expect(figure.tokens[1]).toMatch(/^\d$/);
  });

  test('is the same when it is asked for again', async () => {
    expect((await run({ examples: 10 })).figure).toEqual((await run({ examples: 10 })).figure);
  });

  test('of another sample is that of other examples', async () => {
    const { context, drawn } = watchedContext();
    for (const sample of [0, 1, 2])
      await run({ examples: 64, sample }, { ...context, random: new Random(0, 'analysis') });
    const lines = drawn.map(({ data }) =>
      Array.from({ length: 64 }, (_, row) => data.subarray(row * T, (row + 1) * T).join(' ')),
    );
    // Of 6 × 6 × 2 × 6 lines few come twice by chance.
    for (const [one, other] of [
      [0, 1],
      [1, 2],
      [0, 2],
    ] as const) {
      expect(lines[one]?.filter(line => lines[other]?.includes(line)).length).toBeLessThan(25);
    }
  });

  test('measures the entropy and the largest weight of each row of each example, of one head or of all', async () => {
    const { context, drawn } = watchedContext();
    const all = await run({ examples: 20 }, context);
    const [chosen, again] = [await run({ examples: 20, head: '1.2' }), await run({ examples: 20, head: 'L1H2' })];
    const single = await Promise.all(
      Array.from({ length: 20 }, (_, at) =>
        expectedHeads(context, int32([1, T], drawn[0]?.data.slice(at * T, (at + 1) * T))),
      ),
    ); // by example, then by head
    const measure = (patterns: readonly (readonly number[])[]) => {
      const rows = patterns.flatMap(pattern => Array.from({ length: T }, (_, row) => pattern.slice(row * T, (row + 1) * T)));
      const mean = (of: (row: readonly number[]) => number) =>
        rows.reduce((sum, row) => sum + of(row), 0) / rows.length;
      return [
        mean(row => row.reduce((sum, weight) => sum - (weight > 0 ? weight * Math.log(weight) : 0), 0)),
        mean(row => Math.max(...row)),
      ];
    };
    const scalars = ({ scalars: { entropy, largest } }: typeof all) => [entropy ?? Number.NaN, largest ?? Number.NaN];
    expectClose(scalars(all), measure(single.flat()), { relative: 1e-5 });
    expectClose(scalars(chosen), measure(single.map(heads => heads[5] ?? expect.fail())), { relative: 1e-5 });
    expect(again.scalars).toEqual(chosen.scalars);
  });
});

describe('attention refuses in one sentence', () => {
  test.each([
    ['a word that is no token', { prompt: 'BOS 3 x' }, /^There is no token "x"; there are "0", "1", .*\.$/],
    ['a number outside of the vocabulary', { prompt: 'BOS 77' }, /^There is no token "77"/],
    [
      'a prompt longer than the model reads',
      { prompt: Array.from({ length: T + 1 }, () => '1').join(' ') },
      /^The prompt has 10 tokens; this model reads at most 9\.$/,
    ],
    ['a layer that is not there', { head: '2.0' }, /^There is no head "L2H0"; the nearest are /],
    ['a head that is not there', { head: '0.3' }, /^There is no head "L0H3"; the nearest are /],
    [
      'no examples',
      { examples: 0 },
      /^"examples" of analysis "attention": Invalid value: Expected >=1 but received 0\.$/,
    ],
    [
      'a parameter that is not there',
      { heads: '0.0' },
      /^There is no parameter of analysis "attention" called "heads"; the nearest is "head"\.$/,
    ],
  ])('%s', async (_, params, message) => {
    await expect(run(params)).rejects.toThrow(UserError);
    await expect(run(params)).rejects.toThrow(message);
  });
});
