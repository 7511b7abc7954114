import { describe, expect, test } from 'vitest';
import type { AnalysisContext } from '../../../src/analysis/define';
import { attentionKinds, expectedAttention } from '../../../src/analysis/attentionScores';
import { headScores } from '../../../src/analysis/headScores';
import { runAnalysis } from '../../../src/analysis/run';
import { float32, int32, type HostTensor } from '../../../src/common/tensor';
import type { HeatmapFigure, TableFigure } from '../../../src/protocol/figure';
import { contextOf } from '../../support/analyses';
import { expectClose } from '../../support/close';
import { prepared } from '../../support/experiments';
import { listCopyContext } from '../../support/listCopy';
import { configOf } from '../../support/models';
import { weightsContext } from '../../support/weights';
import { contextOfModel } from './attributionFixtures';

const name = 'layer-norm-gelu-2-layers';
const range = (length: number) => Array.from({ length }, (_, index) => index);
const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

async function run(context: AnalysisContext, params: Readonly<Record<string, unknown>> = {}) {
  const result = await runAnalysis(headScores, context, { examples: 3, ...params });
  const heatmap = result.figures[0] as HeatmapFigure;
  const table = result.figures.at(-1) as TableFigure;
  const column = (title: string) => {
    const at = table.columns.findIndex(candidate => candidate.title === title);
    return table.rows.map(row => Number(row[at]));
  };
  return { ...result, heatmap, table, column };
}

/** `pattern[example][destination][source]` of every head in order. */
async function patternsOf({ model, details: { config } }: AnalysisContext, tokens: HostTensor<'int32'>): Promise<number[][][][]> {
  const [B = 0, T = 0] = tokens.shape;
  const hooks = range(config.n_layers).map(layer => `blocks.${layer}.attn.hook_pattern`);
  const { cache } = await model.runWithCache(tokens, hooks);
  return hooks.flatMap(hook => range(config.n_heads).map(head => range(B).map(row => range(T).map(destination =>
    range(T).map(source => cache.get(hook)?.data[((row * config.n_heads + head) * T + destination) * T + source] ?? Number.NaN)))));
}

/** TransformerLens' detection patterns for one prompt: 1 where a head of the kind attends. */
function detectionPatterns(tokens: readonly number[]): Readonly<Record<'previous' | 'duplicate' | 'induction in examples', number[][]>> {
  const T = tokens.length;
  const duplicate = range(T).map(row => range(T).map(column => Number(tokens[row] === tokens[column] && column < row)));
  return {
    previous: range(T).map(row => range(T).map(column => Number(column === row - 1))),
    duplicate,
    // The duplicates, rolled one to the right; none in the first column, nor above the diagonal.
    'induction in examples': range(T).map(row => range(T).map(column => (column === 0 || column > row ? 0 : duplicate[row]?.[column - 1] ?? 0))),
  };
}

describe('head scores', () => {
  test('are TransformerLens\' detection patterns times the attention, over the destinations that a pattern has', async () => {
    const context = await contextOfModel(name);
    const { column } = await run(context);
    const { tokens } = context.task.sample(context.random, 3);
    const T = tokens.shape[1] ?? 0;
    const patterns = await patternsOf(context, tokens);
    for (const kind of ['previous', 'duplicate', 'induction in examples'] as const) {
      const detection = range(3).map(row => detectionPatterns([...tokens.data.subarray(row * T, (row + 1) * T)])[kind]);
      const counted = detection.flatMap((pattern, row) => range(T).filter(at => at > 0 && pattern[at]?.includes(1)).map(at => [row, at] as const));
      expect(counted.length).toBeGreaterThan(0);
      const expected = patterns.map(head => mean(counted.map(([row, at]) =>
        range(T).reduce((sum, source) => sum + (head[row]?.[at]?.[source] ?? Number.NaN) * (detection[row]?.[at]?.[source] ?? Number.NaN), 0))));
      expectClose(column(kind), expected, { absolute: 1e-6 }, kind);
    }
    const at = (source: (destination: number) => number) => patterns.map(head => mean(head.flatMap(pattern => range(T - 1).map(index => pattern[index + 1]?.[source(index + 1)] ?? Number.NaN))));
    expectClose(column('current'), at(destination => destination), { absolute: 1e-6 });
    expectClose(column('first'), at(() => 0), { absolute: 1e-6 });
  });

  test('measure how much of the answer\'s token the head that answers sees, where there is any', async () => {
    const context = await contextOfModel(name);
    const { tokens, labels } = context.task.sample(context.random, 3);
    const T = tokens.shape[1] ?? 0;
    const expected = (await patternsOf(context, tokens)).map(head => mean(range(3).flatMap(row => context.task.answerPositions.flatMap((position, answer) => {
      const sources = range(position + 1).filter(source => tokens.data[row * T + source] === labels.data[row * 2 + answer]);
      return sources.length === 0 ? [] : [sources.reduce((sum, source) => sum + (head[row]?.[position]?.[source] ?? Number.NaN), 0)];
    }))));
    expectClose((await run(context)).column('answer'), expected, { absolute: 1e-6 });
  });

  test('measure induction on random tokens written twice, one place before the diagonal of the repetition', async () => {
    const context = await contextOfModel(name);
    const read: HostTensor<'int32'>[] = [];
    const { model } = context;
    const watched = Object.assign(Object.create(model) as typeof model, {
      compute: (...[key, fn, inputs]: Parameters<typeof model.compute>) => {
        read.push(...inputs.filter((input): input is HostTensor<'int32'> => input.dtype === 'int32'));
        return model.compute(key, fn, inputs);
      },
    });
    const { column } = await run({ ...context, model: watched });
    const repeated = read[1] ?? expect.fail('no second run');
    expect(read).toHaveLength(2);
    const [B = 0, T = 0] = repeated.shape;
    expect(T).toBe(6); // of a context of 7
    const half = T / 2;
    repeated.data.forEach((token, at) => at % T >= half && expect(token).toBe(repeated.data[at - half]));
    expect(new Set(repeated.data).size).toBe(context.details.config.d_vocab);
    const patterns = await patternsOf(context, repeated);
    const expected = patterns.map(head => mean(range(B).flatMap(row => range(half).map(at => head[row]?.[half + at]?.[at + 1] ?? Number.NaN))));
    expectClose(column('induction'), expected, { absolute: 1e-6 });
  });

  test('count as copied the tokens whose own logit is the largest that W_E W_V W_O W_U gives them', async () => {
    const context = await contextOfModel(name);
    const { n_heads: H, d_model: D, d_head: K, d_vocab_out: U, n_layers } = context.details.config;
    const of = (parameter: string) => context.model.parameter(parameter).data;
    const times = (row: readonly number[], matrix: Float32Array, columns: number, offset = 0) =>
      range(columns).map(column => row.reduce((sum, value, at) => sum + value * (matrix[offset + at * columns + column] ?? Number.NaN), 0));
    const expected = range(n_layers).flatMap(layer => range(H).map(head => mean(range(U).map(token => {
      const embedded = [...of('embed.W_E').subarray(token * D, (token + 1) * D)];
      const value = times(embedded, of(`blocks.${layer}.attn.W_V`), K, head * D * K);
      const logits = times(times(value, of(`blocks.${layer}.attn.W_O`), D, head * K * D), of('unembed.W_U'), U);
      return Number(logits.indexOf(Math.max(...logits)) === token);
    }))));
    expect(Math.max(...expected)).toBeGreaterThan(0);
    expectClose((await run(context)).column('copying'), expected, { absolute: 1e-12 });
  });

  test('of a chosen head, or the largest of any head', async () => {
    const context = await contextOfModel(name);
    const [all, one] = [await run(context), await run(context, { head: '1.1' })];
    expect(all.scalars['previous']).toBe(Math.max(...all.column('previous')));
    expect(one.scalars['previous']).toBe(one.column('previous')[4]);
    expect(one.table.subjects?.[4]).toEqual({ layer: 1, head: 1 });
  });

  test('show where each head looks from the answers; rows sum to 1', async () => {
    const context = await contextOfModel(name);
    const { figures } = await run(context);
    const { tokens } = context.task.sample(context.random, 3);
    const patterns = await patternsOf(context, tokens);
    const expected = patterns.flatMap(head => range(tokens.shape[1] ?? 0).map(source =>
      mean(head.flatMap(pattern => context.task.answerPositions.map(position => pattern[position]?.[source] ?? Number.NaN)))));
    const heatmap = figures[1] as HeatmapFigure;
    expectClose(heatmap.values, expected, { absolute: 1e-6 });
    expect(heatmap.y.subjects).toHaveLength(heatmap.rows);
  });

  test('give badges to at most two scores of a head, from 0.4 on, the largest first', async () => {
    const context = await contextOfModel(name);
    const { badges = [], table, column } = await run(context);
    const titles = table.columns.map(({ title }) => title).filter(title => title !== 'Head' && title !== 'induction in examples');
    const expected = table.rows.flatMap((_, at) => titles
      .map(title => ({ title, score: column(title)[at] ?? 0 }))
      .filter(({ score }) => score >= 0.4)
      .sort((a, b) => b.score - a.score)
      .slice(0, 2)
      .map(({ title, score }) => ({ layer: Math.floor(at / 3), head: at % 3, text: `${title} ${score.toFixed(2)}` })));
    expect(badges).toEqual(expected);
    expect(badges.length).toBeGreaterThan(0);
  });
});

describe('head scores leave out', () => {
  test('induction of a context too short to repeat anything, and duplicates where there are none', async () => {
    const experiment = prepared(); // modular arithmetic: a, b, =
    const context = contextOf(experiment);
    const { table, scalars, figures } = await run(context, { prompt: '1 2 =' });
    expect(table.columns.map(({ title }) => title)).toEqual(['Head', 'previous', 'current', 'first', 'copying']);
    expect(Object.keys(scalars).sort()).toEqual(['copying', 'current', 'first', 'previous']);
    expect(figures).toHaveLength(3);
  });

  test('copying where no token is an output', async () => {
    const context = contextOf(prepared());
    const { table } = await run({ ...context, task: { ...context.task, outputs: context.task.outputs.map(word => `answer ${word}`) } });
    expect(table.columns.map(({ title }) => title)).not.toContain('copying');
  });

  test('the answers of a prompt that ends before them', async () => {
    const { figures } = await run(contextOf(prepared()), { prompt: '1 2' });
    expect(figures.map(({ kind }) => kind)).toEqual(['heatmap', 'table']);
  });
});

describe('expected attention', () => {
  const config = configOf({ n_layers: 1, n_heads: 1 });
  /** One head that looks where it is told from each destination. */
  const looking = (sources: readonly number[]): HostTensor<'float32'> => {
    const T = sources.length;
    return float32([1, 1, T, T], Float32Array.from({ length: T * T }, (_, at) => Number(sources[Math.floor(at / T)] === at % T)));
  };
  const tokens = int32([1, 5], Int32Array.of(3, 1, 3, 3, 1));

  test.each([
    ['previous', [0, 0, 1, 2, 3]],
    ['current', [0, 1, 2, 3, 4]],
    ['first', [0, 0, 0, 0, 0]],
    ['duplicate', [0, 0, 0, 2, 1]],
    ['afterDuplicate', [0, 0, 1, 1, 2]],
  ] as const)('is 1 for a head of the kind "%s"', (kind, sources) => {
    expect(expectedAttention(config, tokens, [looking(sources)], attentionKinds[kind])).toEqual([1]);
  });

  test('does not count a destination that has no choice', () => {
    // The first row can look at itself only: a causal mask makes every head look so.
    expect(expectedAttention(config, tokens, [looking([0, 0, 0, 0, 0])], attentionKinds.current)).toEqual([0]);
    const free = configOf({ n_layers: 1, n_heads: 1, attention_dir: 'bidirectional' });
    expect(expectedAttention(free, tokens, [looking([0, 0, 0, 0, 0])], attentionKinds.current)).toEqual([0.2]);
  });

  test('does not count sources that the mask forbids', () => {
    const masked = configOf({ n_layers: 1, n_heads: 1, mask: ['x....', 'xx...', 'x.x..', 'xx.x.', 'xxxxx'] });
    // Rows 2 and 3 may not look at the token before them.
    expect(expectedAttention(masked, tokens, [looking([0, 0, 0, 0, 3])], attentionKinds.previous)).toEqual([1]);
    expect(expectedAttention(configOf({ n_layers: 1, n_heads: 1, mask: Array.from({ length: 5 }, () => 'x....') }), tokens, [looking([0, 0, 0, 0, 0])], attentionKinds.first)).toBeUndefined();
  });
});

test('copying that is left out for the size of the vocabulary is named in the caption', async () => {
  const of = (n_heads: number) =>
    run(weightsContext(configOf({ d_model: 4, d_head: 1, attn_only: true, n_heads, d_vocab: 1025, d_vocab_out: 1025 })));
  const [large, smaller] = [await of(256), await of(1)]; // 1025² · 512 is just more than 2^29
  expect(large.heatmap.caption).toMatch(/ is known by\. Copying is left out: with 1025 tokens and 512 heads it would take minutes\.$/);
  expect(large.heatmap.x.labels).not.toContain('copying');
  expect(smaller.heatmap.caption).toMatch(/; copying is a fraction of tokens\.$/);
  expect(smaller.heatmap.x.labels).toContain('copying');
});

test('induction is left out where no prompt of a token less can be read under the mask', async () => {
  const { scalars } = await run(listCopyContext());
  expect(Object.keys(scalars)).toContain('previous');
  expect(Object.keys(scalars)).not.toContain('induction');
});
