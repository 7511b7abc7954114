import { describe, expect, test } from 'vitest';
import { unmetNeed } from '../../../src/analysis/define';
import { analyses } from '../../../src/analysis/registry';
import { runAnalysis } from '../../../src/analysis/run';
import { UserError } from '../../../src/common/errors';
import { modelTask } from '../../../src/tasks/fitted';
import type { PreparedExperiment } from '../../../src/training/experiment';
import { contextOf } from '../../support/analyses';
import { prepared } from '../../support/experiments';

/** A model that was imported: its own sizes count, and its task is fitted to them. */
function imported(sizes: object, task: PreparedExperiment['resolved']['task']): PreparedExperiment {
  const { resolved, config: made } = prepared({ model: { n_layers: 2, d_model: 8, d_head: 4, d_mlp: 16, normalization_type: 'LN' }, training: { steps: 0 } });
  const config = { ...made, ...sizes };
  return { resolved: { ...resolved, task }, config, task: modelTask(task, config), claims: [] };
}

const noTask = { name: 'tokens', parameters: {} };
const addition = { name: 'modular-arithmetic', parameters: { operation: 'add', modulus: 13, trainFraction: 0.3 } };
const models = {
  'bound to no task': imported({ d_vocab: 20, d_vocab_out: 20, n_ctx: 24 }, noTask),
  'bound to modular addition, with more words and a longer context': imported({ d_vocab: 16, d_vocab_out: 15, n_ctx: 5 }, addition),
  'of a large vocabulary': imported({ d_vocab: 50_257, d_vocab_out: 50_257, n_ctx: 1024 }, noTask),
};

/** Numbers and words of the figures that a panel still draws, and bytes that an analysis may take. */
const [mostEntries, mostBytes] = [2 ** 20, 2 ** 30];

function entriesOf(value: unknown): number {
  if (ArrayBuffer.isView(value)) return value.byteLength / 4;
  if (typeof value !== 'object' || value === null) return 1;
  return Object.values(value).reduce((sum: number, inner) => sum + entriesOf(inner), 0);
}

describe.each(Object.entries(models))('of a model %s', (_, experiment) => {
  const metrics = [1, 2, 3].map(step => ({ step, seconds: step, testLoss: 5 / step, testAccuracy: 0.2 * step }));
  const context = () => contextOf(experiment, { metrics, checkpoints: [1, 2, 3] });

  test.each(analyses.map(analysis => [analysis.id, analysis] as const))('%s gives finite figures, or says in a sentence why not', async (_, analysis) => {
    const before = process.memoryUsage().rss;
    const outcome = await runAnalysis(analysis, context(), {}).catch((error: unknown) => error);
    if (outcome instanceof Error) {
      expect(outcome).toBeInstanceOf(UserError);
      expect(outcome.message).toMatch(/^[A-Z"].*\.$/);
    } else {
      expect(unmetNeed(analysis, context().details)).toBeUndefined();
      expect(entriesOf(outcome)).toBeLessThan(mostEntries);
    }
    expect(process.memoryUsage().rss - before).toBeLessThan(mostBytes);
  }, 60_000);
});

test('what needs right answers does not apply to a model without a task, and says that it can be bound to one', async () => {
  const context = contextOf(models['bound to no task']);
  const needing = analyses.filter(({ needsAnswers }) => needsAnswers);
  expect(needing.map(({ id }) => id)).toEqual(expect.arrayContaining(['logit-lens', 'activation-patching', 'ablation', 'dataset']));
  for (const analysis of needing) {
    await expect(runAnalysis(analysis, context, {}), analysis.id).rejects.toThrow('needs right answers, and this model is bound to no task; bind it to one.');
  }
  expect(needing.filter(analysis => unmetNeed(analysis, contextOf(models['bound to modular addition, with more words and a longer context']).details)).map(({ id }) => id)).toEqual([]);
});

test('prompts that people type can be as long as a model without a task reads', async () => {
  const attention = analyses.find(({ id }) => id === 'attention') ?? expect.fail();
  const run = (tokens: number) => runAnalysis(attention, contextOf(models['bound to no task']), { prompt: Array(tokens).fill('7').join(' ') });
  const [figure] = (await run(24)).figures;
  expect(figure).toMatchObject({ kind: 'attention', tokens: Array(24).fill('7') });
  await expect(run(25)).rejects.toThrow('The prompt has 25 tokens; this model reads at most 24.');
});
