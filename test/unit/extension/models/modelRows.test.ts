import { describe, expect, test } from 'vitest';
import { modelDescription, rowOf } from '../../../../src/extension/models/modelRows';
import type { ModelNode } from '../../../../src/extension/models/modelNodes';
import { modelDetails, modelSummary } from './models';

const node: ModelNode = { kind: 'model', model: 'm' };
const running = modelSummary({
  status: 'training', progress: { step: 420, steps: 1000, secondsPerStep: 0.25 }, metrics: { trainLoss: 0.01234, testLoss: 9 },
});

const imported = { kind: 'file', file: 'grokked.pt', format: 'torch', layout: 'grokking', inferred: [] } as const;

describe("a model's description", () => {
  test('tells how far a training is, with its latest loss', () => {
    expect(modelDescription(running)).toBe('step 420/1,000 · loss 0.0123');
    expect(modelDescription({ ...running, metrics: {} })).toBe('step 420/1,000');
    expect(modelDescription({ ...running, status: 'paused' })).toBe('paused · step 420/1,000 · loss 0.0123');
  });

  test('tells what came of it afterwards', () => {
    expect(modelDescription(modelSummary())).toBe('loss 0.0123 · accuracy 99.98 %');
    expect(modelDescription(modelSummary({ metrics: { testLoss: 3.21e-8 } }))).toBe('loss 3.2e-8');
    expect(modelDescription(modelSummary({ status: 'failed', progress: { step: 7, steps: 10 } }))).toBe('failed · step 7/10');
    expect(modelDescription(modelSummary({ source: { ...imported, inferred: [] }, metrics: { testLoss: 0.5 } }))).toBe('imported from grokked.pt · loss 0.5');
    expect(modelDescription(modelSummary({ source: { ...imported, inferred: [] }, metrics: {} }))).toBe('imported from grokked.pt');
    expect(modelDescription(modelSummary({ source: { kind: 'processed', id: 'm', name: 'grokked', steps: ['fold-layer-norm'] }, metrics: {} }))).toBe('grokked, processed');
    expect(modelDescription(modelSummary({ status: 'interrupted', progress: { step: 7, steps: 10 }, metrics: {} }))).toBe('interrupted · step 7/10');
  });
});

describe("a model's row", () => {
  test('of an imported model says where its weights come from, in place of the step of a training', () => {
    const row = rowOf(node, modelSummary({ source: { ...imported, inferred: [] } }));
    expect(row.context.split(' ')).toContain('imported');
    expect(row.tooltip).toContain('Weights: imported from grokked\\.pt');
    expect(row.tooltip).not.toContain('Step: ');
  });

  test('offers to resume only what can be resumed', () => {
    const context = (changes: Parameters<typeof modelSummary>[0]) => rowOf(node, modelSummary(changes)).context;
    expect(context({ status: 'training' })).toBe('model training running');
    expect(context({ status: 'finished' })).toBe('model finished ended tunable');
    expect(context({ status: 'interrupted', resumable: true })).toBe('model interrupted ended resumable');
  });

  test('is read out with its state, said once', () => {
    expect(rowOf(node, modelSummary({ status: 'failed' })).spoken).toBe('Model array-update, failed, step 1,000/1,000');
    expect(rowOf(node, running).spoken).toBe('Model array-update, training, step 420/1,000, loss 0.0123');
  });

  test('says what begins after it, and lets that be cancelled', () => {
    const row = rowOf(node, running, { next: ['tuned', 'tuned again'] });
    expect(row.description).toBe('step 420/1,000 · loss 0.0123 · then tuned, tuned again');
    expect(row.spoken).toBe('Model array-update, training, step 420/1,000, loss 0.0123, then tuned, tuned again');
    expect(row.context).toBe('model training running awaited');
  });

  test('says first that it is pinned, and offers to unpin it', () => {
    const row = rowOf(node, running, { pinned: true });
    expect(row.description).toBe('pinned · step 420/1,000 · loss 0.0123');
    expect(row.spoken).toBe('Model array-update, training, step 420/1,000, loss 0.0123, pinned');
    expect(row.context).toBe('model training running pinned');
  });

  test('says in its tooltip how long it will take, and why it failed', () => {
    expect(rowOf(node, running).tooltip).toContain('Remaining: 2 min 25 s');
    const failed = modelSummary({ status: 'failed', problem: 'The disk is full.' });
    expect(rowOf(node, failed).tooltip).toContain('Problem: The disk is full\\.');
  });

  test('shows a name as text, not as Markdown', () => {
    const tooltip = rowOf(node, modelSummary({ name: '[x](command:evil) <b> `y`' })).tooltip ?? '';
    expect(tooltip.split('\n')[0]).toBe('**\\[x\\]\\(command:evil\\) \\<b\\> \\`y\\`**');
  });
});

describe('a model that was fine-tuned', () => {
  const tune = modelSummary({ id: 't', name: 'tune', from: { id: 'm', name: 'base_then', checkpoint: 2000 } });
  const base = modelSummary({ name: 'base_now' });

  test('says in its tooltip what it comes from, by the name that this has now', () => {
    expect(rowOf({ kind: 'model', model: 't' }, tune, { base }).tooltip).toContain('Fine-tuned from: base\\_now, step 2,000  \n');
    expect(rowOf(node, base).tooltip).not.toContain('Fine-tuned');
  });

  test('says at once what it comes from where its base is gone, and by the name that this had', () => {
    const row = rowOf({ kind: 'model', model: 't' }, tune);
    expect(row).toMatchObject({ description: 'loss 0.0123 · accuracy 99.98 % · from base_then', spoken: 'Model tune, finished, loss 0.0123, accuracy 99.98 %, from base_then' });
    expect(row.tooltip).toContain('Fine-tuned from: base\\_then, step 2,000 \\(deleted\\)');
    expect(rowOf({ kind: 'model', model: 't' }, tune, { base }).description).toBe('loss 0.0123 · accuracy 99.98 %');
  });

  test('is counted in the last row below its base', () => {
    const row = (tuned: number) => rowOf({ kind: 'tuned', model: 'm' }, base, { tuned });
    expect(row(1)).toMatchObject({ label: 'Fine-tuned', description: '1', context: 'tuned', opens: true, spoken: 'Fine-tuned from base_now: 1 model' });
    expect(row(1200).spoken).toBe('Fine-tuned from base_now: 1,200 models');
  });
});

describe('a model that waits at a breakpoint', () => {
  test('says why in its row, its tooltip and aloud, before how far it is', () => {
    const paused = modelSummary({ name: 'addition', status: 'paused', progress: { step: 300, steps: 1000 }, metrics: { trainLoss: 0.1 } });
    const row = rowOf({ kind: 'model', model: 'm' }, paused, { pausedBy: 'excluded loss 1.2 > 1' });
    expect(row).toMatchObject({
      description: 'paused at a breakpoint · excluded loss 1.2 > 1 · step 300/1,000',
      spoken: 'Model addition, paused at a breakpoint, excluded loss 1.2 > 1, step 300/1,000',
      context: 'model paused running',
    });
    expect(row.tooltip).toContain('Breakpoint: excluded loss 1\\.2 \\> 1');
    expect(rowOf({ kind: 'model', model: 'm' }, paused).description).toBe('paused · step 300/1,000 · loss 0.1');
  });
});

describe('the rows of its parts', () => {
  const details = modelDetails({ layers: 2, heads: 3, attentionOnly: true, checkpoints: [1000, 2000] });
  const { summary } = details;

  test('a head is called as in papers, and read out in words', () => {
    const row = rowOf({ kind: 'head', model: 'm', layer: 1, head: 2 }, summary, { details });
    expect(row).toMatchObject({ label: 'L1H2', opens: false, spoken: 'Head 2 of layer 1' });
  });

  test('a head has what analyses say of it beside its name, in its tooltip and read out', () => {
    const row = rowOf({ kind: 'head', model: 'm', layer: 0, head: 1 }, summary, { details, badges: ['previous 0.98', '*copies* 1'] });
    expect(row).toMatchObject({ description: 'previous 0.98 · *copies* 1', spoken: 'Head 1 of layer 0, previous 0.98, *copies* 1' });
    expect(row.tooltip).toMatch(/^Head 1 of layer 0: previous 0\\?\.98 · \\\*copies\\\* 1\n/);
  });

  test('heads and MLPs have words of their own for the menus', () => {
    const context = (node: ModelNode) => rowOf(node, summary, { details }).context;
    expect(context({ kind: 'head', model: 'm', layer: 0, head: 1 })).toBe('head');
    expect(context({ kind: 'group', model: 'm', group: 'mlp', layer: 0 })).toBe('mlp');
    expect(context({ kind: 'group', model: 'm', group: 'embedding' })).toBe('embedding');
  });

  test('a checkpoint is called by its step', () => {
    const row = rowOf({ kind: 'checkpoint', model: 'm', checkpoint: 2000 }, summary, { details });
    expect(row).toMatchObject({ label: 'Step 2,000', spoken: 'Checkpoint at step 2000' });
  });

  test('a parameter shows its shape, and that it is fixed', () => {
    expect(rowOf({ kind: 'parameter', model: 'm', name: 'embed.W_E' }, summary, { details })).toMatchObject({
      label: 'W_E', description: '[4, 8] · fixed', spoken: 'Parameter embed.W_E, shape 4 by 8, fixed',
    });
  });

  test('a layer says what is in it', () => {
    expect(rowOf({ kind: 'layer', model: 'm', layer: 0 }, summary, { details }).description).toBe('3 heads');
    expect(rowOf({ kind: 'layer', model: 'm', layer: 0 }, { ...summary, attn_only: false, n_heads: 1 }, { details }).description).toBe('1 head, MLP');
  });
});
