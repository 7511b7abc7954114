import { describe, expect, test } from 'vitest';
import { circuitOf, patchedEdge, runEdges } from '../../../../src/analysis/edges/edgeRuns';
import { edgeScores } from '../../../../src/analysis/edges/edgeScores';
import { edgeGraph } from '../../../../src/analysis/edges/edges';
import type { PromptPair } from '../../../../src/analysis/pairs';
import { CancelledError, UserError } from '../../../../src/common/errors';
import { RunnableModel } from '../../../../src/model/runnable';
import type { ModelConfig } from '../../../../src/protocol/config';
import { expectClose, expectCloseToScale } from '../../../support/close';
import { configOf, randomParameters } from '../../../support/models';
import { togetherOf } from '../../../support/patching';
import { onnx } from '../../../support/runtimes';
import { EdgeLoops } from './edgeLoops';

const pair: PromptPair = { clean: [1, 2, 3, 4, 5], corrupted: [1, 6, 3, 0, 5], position: 4, correct: 2, wrong: 3 };
const work = { signal: new AbortController().signal, progress: () => undefined };

const kinds: Readonly<Record<string, Partial<ModelConfig>>> = {
  'LN, MLPs, positions in the stream': { normalization_type: 'LN', act_fn: 'gelu', n_heads: 2 },
  'no norm, attention only, positions beside the stream': { attn_only: true, positional_embedding_type: 'shortformer', biases: false, n_heads: 2 },
  'RMS, rotary, both directions': { normalization_type: 'RMS', act_fn: 'silu', positional_embedding_type: 'rotary', attention_dir: 'bidirectional', n_heads: 2 },
  'LNPre, attention only, three layers, a mask': { normalization_type: 'LNPre', attn_only: true, n_layers: 3, n_heads: 1, positional_embedding_type: 'none', mask: ['x..xx', 'xx..x', '.xx..', 'xxxx.', 'xx.xx'] },
};

function modelOf(config: ModelConfig, change: (name: string, data: Float32Array) => void = () => undefined) {
  const parameters = randomParameters(config);
  for (const [name, { data }] of parameters) change(name, data);
  const model = new RunnableModel(config, parameters, onnx);
  const graph = edgeGraph(config);
  return { model, graph, loops: new EdgeLoops(model, pair, graph) };
}

const everyEdge = <T>({ graph: { edges } }: ReturnType<typeof modelOf>, of: (edge: number) => Promise<T>): Promise<T[]> => Promise.all(edges.map((_, edge) => of(edge)));

/** The scores of the edges in their order, of the matrix `[S, R]` that they come in. */
async function scoresOf({ model, graph: { edges, readers } }: ReturnType<typeof modelOf>, pairs: readonly PromptPair[], steps: number) {
  const matrix = await edgeScores(model, pairs, steps, work);
  return edges.map(({ sender, reader }) => matrix[sender * readers.length + reader] ?? expect.fail());
}

describe.each(Object.entries(kinds))('with %s', (_, changes) => {
  const subject = modelOf(configOf(changes));
  const { model, graph, loops } = subject;

  test('a reader reads the sum of its senders and of biases', async () => {
    for (const reader of graph.readers.keys()) {
      const { input, sum } = await loops.inputAndSum(reader);
      expectClose(sum, input, { absolute: 1e-5 }, graph.readers[reader]?.node);
    }
  });

  test('patching every edge in batches is patching one at a time', async () => {
    const batched = await runEdges(model, [pair], graph.edges.map((_, edge) => patchedEdge(edge)), work);
    expectClose(batched, await everyEdge(subject, edge => loops.patched(edge)), { absolute: 1e-4 });
    expect(Math.max(...batched.map(Math.abs))).toBeGreaterThan(0.05);
  });

  test('a circuit gives what its edges carry when its layers are settled one after another', async () => {
    const circuits = [(edge: number) => edge % 2 === 0, (edge: number) => edge % 3 !== 1, (edge: number) => edge > 4];
    const batched = await runEdges(model, [pair], circuits.map(circuitOf), work);
    const settled = await Promise.all(circuits.map(isKept => loops.circuit(isKept)));
    expectClose(batched, settled, { absolute: 1e-4 });
  });

  test('all edges give the clean answer, and none the corrupted one', async () => {
    expectClose(await runEdges(model, [pair], [circuitOf(() => true), circuitOf(() => false)], work), [1, 0], { absolute: 1e-4 });
  });

  test('a score is the slope of patching an edge, by finite differences', async () => {
    const [size, shares] = [0.01, [0.25, 0.75]];
    const slope = async (edge: number, share: number) => (await loops.patched(edge, size, share) - await loops.patched(edge, -size, share)) / (2 * size);
    // Half of them, of every layer, say enough.
    const some = [...graph.edges.keys()].filter(edge => edge % 2 === 0);
    const slopes = await Promise.all(some.map(async edge => ({
      corrupted: await slope(edge, 0),
      between: (await Promise.all(shares.map(share => slope(edge, share)))).reduce((sum, value) => sum + value / shares.length, 0),
    })));
    const ofSome = (scores: readonly number[]) => some.map(edge => scores[edge] ?? Number.NaN);
    expectCloseToScale(ofSome(await scoresOf(subject, [pair], 0)), slopes.map(({ corrupted }) => corrupted), 3e-3);
    expectCloseToScale(ofSome(await scoresOf(subject, [pair], shares.length)), slopes.map(({ between }) => between), 3e-3);
  });

  test('the edges of the embedding account for the whole difference, with steps enough', async () => {
    const accounted = async (steps: number) => (await scoresOf(subject, [pair], steps)).reduce((sum, score, edge) => sum + (graph.edges[edge]?.sender === 0 ? score : 0), 0);
    expectClose([await accounted(64)], [1], { absolute: 1e-3 });
  });
});

describe('scores', () => {
  test('are what patching brings back, in a model that is linear', async () => {
    // Without queries every position attends alike, and nothing else in this model bends.
    const subject = modelOf(configOf({ attn_only: true }), (name, data) => /W_Q|b_Q|W_K|b_K/.test(name) && data.fill(0));
    const patched = await runEdges(subject.model, [pair], subject.graph.edges.map((_, edge) => patchedEdge(edge)), work);
    expectClose(await scoresOf(subject, [pair], 0), patched, { absolute: 1e-4 });
    expectClose(await scoresOf(subject, [pair], 4), patched, { absolute: 1e-4 });
    subject.graph.edges.forEach(({ reader }, edge) => /[qk]/.test(subject.graph.readers[reader]?.part ?? '') && expect(Math.abs(patched[edge] ?? 1)).toBeLessThan(1e-6));
  });

  test('come nearer to what patching brings back as the corruption gets smaller', async () => {
    const config = configOf({ normalization_type: 'LN', n_heads: 2 });
    const errors = await Promise.all([1, 0.1, 0.03].map(async size => {
      const subject = modelOf(config, (name, data) => {
        // The corrupted tokens are the clean ones, moved a little.
        if (name === 'embed.W_E') for (const [clean, corrupted] of [[2, 6], [4, 0]] as const) {
          const D = config.d_model;
          for (let at = 0; at < D; at++) data[corrupted * D + at] = (data[clean * D + at] ?? 0) + size * (data[corrupted * D + at] ?? 0);
        }
      });
      const patched = await runEdges(subject.model, [pair], subject.graph.edges.map((_, edge) => patchedEdge(edge)), work);
      const scores = await scoresOf(subject, [pair], 0);
      return Math.max(...scores.map((score, edge) => Math.abs(score - (patched[edge] ?? 0)))) / Math.max(...patched.map(Math.abs));
    }));
    expect(errors[0]).toBeGreaterThan(0.02);
    expect(errors[1]).toBeLessThan((errors[0] ?? 0) / 3);
    expect(errors[2]).toBeLessThan((errors[1] ?? 0) / 2);
  });

  test('and runs of several pairs count each by what lies between its runs', async () => {
    const subject = modelOf(configOf({ n_heads: 2 }));
    const pairs = [pair, { ...pair, corrupted: [0, 2, 3, 4, 5], correct: 1 }];
    const together = async (each: (pairs: readonly PromptPair[]) => Promise<ArrayLike<number>>) =>
      togetherOf(subject.model, pairs, await Promise.all(pairs.map(one => each([one]))));
    const scores = (of: readonly PromptPair[]) => scoresOf(subject, of, 2);
    expectClose(await scores(pairs), await together(scores), { absolute: 1e-5, relative: 1e-4 });
    const runs = [...subject.graph.edges.map((_, edge) => patchedEdge(edge)), circuitOf(edge => edge % 2 === 0)];
    const patched = (of: readonly PromptPair[]) => runEdges(subject.model, of, runs, work);
    expectClose(await patched(pairs), await together(patched), { absolute: 1e-5, relative: 1e-4 });
  });

  test('need a difference to measure by', async () => {
    const { model } = modelOf(configOf(), (name, data) => name === 'unembed.W_U' && data.fill(0));
    for (const measured of [edgeScores(model, [pair], 0, work), runEdges(model, [pair], [patchedEdge(0)], work)]) {
      await expect(measured).rejects.toThrow(UserError);
      await expect(measured).rejects.toThrow(/^The model answers clean and corrupted prompts alike: .* Choose prompts, or a corruption, that it tells apart\.$/);
    }
  });

  test('stop when they are cancelled', async () => {
    const { model } = modelOf(configOf());
    const controller = new AbortController();
    const progress: number[] = [];
    const measured = edgeScores(model, [pair], 100, { signal: controller.signal, progress: fraction => {
      progress.push(fraction);
      if (progress.length === 3) controller.abort();
    } });
    await expect(measured).rejects.toThrow(CancelledError);
    expectClose(progress, [0.01, 0.02, 0.03], { absolute: 1e-9 });
  });
});

test('a prompt that the model cannot read is refused', async () => {
  const { model } = modelOf(configOf());
  await expect(runEdges(model, [{ ...pair, corrupted: [1, 99, 3, 0, 5] }], [patchedEdge(0)], work)).rejects.toThrow(/^Token 99 at position 1/);
});
