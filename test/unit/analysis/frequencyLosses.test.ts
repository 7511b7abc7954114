import { describe, expect, test } from 'vitest';
import { excludedLoss } from '../../../src/analysis/excludedLoss';
import { restrictedLoss } from '../../../src/analysis/restrictedLoss';
import { runAnalysis } from '../../../src/analysis/run';
import type { BarsFigure, TableFigure } from '../../../src/protocol/figure';
import { expectClose } from '../../support/close';
import { lookupModel, randomModel } from '../../support/modularModels';
import { modularContext, otherContext, withWaves } from '../../support/waves';
import { defined } from '../../support/wholePairs';

const models = [
  ['add modulo 13', () => lookupModel('add', 13, 5)],
  ['subtract modulo 14', () => lookupModel('subtract', 14, 5)],
  ['add modulo 14, whose loss is tiny', () => lookupModel('add', 14, 18.5)],
  ['subtract modulo 13, 2 layers', () => randomModel('subtract', 13, { n_layers: 2 })],
  ['add modulo 14, norms', () => lookupModel('add', 14, 5, { normalization_type: 'LNPre' })],
] as const;

describe.each(models)('%s', (_, model) => {
  test('restricted loss is that of the definition, with each frequency alone and with all', async () => {
    const context = model();
    const whole = await defined(context, [2, 3, 6]);
    const each = await Promise.all([2, 3, 6].map(k => defined(context, [k])));
    const { figures, scalars } = await runAnalysis(restrictedLoss, context, { frequencies: '2 3 6' });
    const [bars, table] = figures as unknown as readonly [BarsFigure, TableFigure];
    expect(bars.x.labels).toEqual(['2', '3', '6', 'all of these', 'test loss']);
    expectClose(bars.series[0]?.values ?? [], [...each.map(({ restricted }) => restricted), whole.restricted, whole.testLoss], { relative: 1e-5 });
    expectClose([scalars['restrictedLoss'] ?? NaN, scalars['testLoss'] ?? NaN, scalars['ratio'] ?? NaN], [whole.restricted, whole.testLoss, whole.restricted / whole.testLoss], { relative: 2e-5 });
    expect(table.rows.map(([, loss]) => loss)).toEqual([scalars['testLoss'], scalars['restrictedLoss']]);
  });

  test('excluded loss is that of the definition, without each frequency and without all', async () => {
    const context = model();
    const whole = await defined(context, [2, 3, 6]);
    const each = await Promise.all([2, 3, 6].map(k => defined(context, [k])));
    const { figures, scalars } = await runAnalysis(excludedLoss, context, { frequencies: '2 3 6' });
    const [bars, table] = figures as unknown as readonly [BarsFigure, TableFigure];
    expect(bars.x.labels).toEqual(['2', '3', '6', 'all of these', 'training loss']);
    expectClose(bars.series[0]?.values ?? [], [...each.map(({ excluded }) => excluded), whole.excluded, whole.trainLoss], { relative: 1e-5 });
    expectClose([scalars['excludedLoss'] ?? NaN, scalars['trainLoss'] ?? NaN], [whole.excluded, whole.trainLoss], { relative: 1e-5 });
    expect(table.rows.map(([, loss]) => loss)).toEqual([scalars['trainLoss'], scalars['excludedLoss']]);
  });
});

describe.each([restrictedLoss, excludedLoss])('$title', analysis => {
  test('finds the key frequencies in the embedding', async () => {
    const { figures: [bars] } = await runAnalysis(analysis, withWaves(modularContext(13, { d_model: 32, d_head: 16 }), { 2: 1, 5: 1 }), {});
    expect((bars as BarsFigure).x.labels.slice(0, 2)).toEqual(['2', '5']);
  });

  test('says why it cannot be where no frequency stands out', async () => {
    await expect(runAnalysis(analysis, modularContext(13), {})).rejects.toThrow('No frequency stands out in the embedding yet, so there are no key frequencies to keep or to leave out; name some, or look at a later checkpoint.');
  });

  test('says where frequencies are kept or removed', async () => {
    const caption = async (model: object) => (await runAnalysis(analysis, modularContext(13, model), { frequencies: '1' })).figures[0]?.caption;
    expect(await caption({})).toMatch(/in the activations of the last layer's neurons/);
    expect(await caption({ normalization_type: 'RMSPre' })).toMatch(/in the logits/);
    expect(await caption({ attn_only: true, d_mlp: undefined })).toMatch(/in the logits/);
  });

  test('needs a modular task and frequencies that there are', async () => {
    await expect(runAnalysis(analysis, otherContext(), {})).rejects.toThrow(/needs a task of addition or subtraction modulo a number/);
    await expect(runAnalysis(analysis, modularContext(13), { frequencies: '7' })).rejects.toThrow('There is no frequency "7" modulo 13');
  });
});
