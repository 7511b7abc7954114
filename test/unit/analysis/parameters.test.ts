import { describe, expect, test } from 'vitest';
import { parameters } from '../../../src/analysis/parameters';
import { runAnalysis } from '../../../src/analysis/run';
import type { AnalysisContext } from '../../../src/analysis/define';
import type { TableFigure } from '../../../src/protocol/figure';
import { contextOf } from '../../support/analyses';
import { expectClose } from '../../support/close';
import { prepared } from '../../support/experiments';
import { listCopyContext } from '../../support/listCopy';
import { modularContext } from '../../support/waves';

async function run(context: AnalysisContext) {
  const { figures, scalars } = await runAnalysis(parameters, context, {});
  const [table] = figures as readonly TableFigure[];
  return { table: table ?? expect.fail('no table'), scalars };
}

describe('parameters', () => {
  test('of the list copy of the study: 2,621 numbers, of which 2,040 are trained', async () => {
    const { table, scalars } = await run(listCopyContext());
    expect(scalars).toEqual({ total: 2621, trainable: 2040 });
    expect(table.caption).toMatch(/^2,621 numbers, of which 2,040 are trained\./);
    expect(table.rows.filter(row => row[3] === 'yes').map(row => row.slice(0, 3))).toEqual([
      ['embed.W_E', '[101, 8]', 808], ['pos_embed.W_pos', '[5, 8]', 40],
      ...[0, 1, 2].flatMap(layer => ['Q', 'K'].map(part => [`blocks.${layer}.attn.W_${part}`, '[1, 8, 8]', 64])),
      ['unembed.W_U', '[8, 101]', 808],
    ]);
    expect(table.rows.find(([name]) => name === 'blocks.1.attn.W_V')?.slice(1, 4)).toEqual(['[1, 8, 8]', 64, 'no']);
  });

  test('have one row each in the order of the state dict, whose numbers add up, and lead to their layer', async () => {
    const context = contextOf(prepared({ model: { n_layers: 2, normalization_type: 'LN' } }));
    const { table, scalars } = await run(context);
    expect(table.rows.map(([name]) => name)).toEqual(context.details.parameters.map(({ name }) => name));
    expect(table.rows.reduce((sum, row) => sum + Number(row[2]), 0)).toBe(scalars['total']);
    expect(scalars['trainable']).toBe(scalars['total']);
    const layerOf = (name: string) => table.subjects?.[table.rows.findIndex(row => row[0] === name)]?.layer;
    expect(['embed.W_E', 'blocks.0.ln1.w', 'blocks.1.mlp.W_in', 'ln_final.b'].map(layerOf)).toEqual([undefined, 0, 1, undefined]);
  });

  test('have their norm and their root mean square', async () => {
    const context = modularContext(7);
    const { table } = await run(context);
    for (const [name, , numbers, , norm, rootMeanSquare] of table.rows) {
      const squares = Array.from(context.model.parameter(String(name)).data, value => value ** 2).reduce((sum, square) => sum + square, 0);
      expectClose([Number(norm), Number(rootMeanSquare)], [Math.sqrt(squares), Math.sqrt(squares / Number(numbers))], { relative: 1e-12 }, String(name));
    }
  });
});
