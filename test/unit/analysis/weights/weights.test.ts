import { expect, test } from 'vitest';
import { composition } from '../../../../src/analysis/composition';
import { ovCircuit } from '../../../../src/analysis/ovCircuit';
import { pathCircuit } from '../../../../src/analysis/pathCircuit';
import { qkCircuit } from '../../../../src/analysis/qkCircuit';
import { runAnalysis } from '../../../../src/analysis/run';
import { quickNorm, quickProduct } from '../../../../src/analysis/weights/weights';
import { UserError } from '../../../../src/common/errors';
import { expectClose } from '../../../support/close';
import { Draw } from '../../../support/draw';
import { configOf, randomParameters } from '../../../support/models';
import { multiplied, normOf, transposed, weightsContext, type Rows } from '../../../support/weights';

test.each([
  ['the OV circuit', ovCircuit, 'blocks.1.attn.W_O'],
  ['the QK circuit', qkCircuit, 'blocks.0.attn.W_K'],
  ['a path circuit', pathCircuit, 'embed.W_E'],
  ['composition', composition, 'blocks.1.attn.W_Q'],
])('%s refuses weights that are not finite', async (_, analysis, name) => {
  const parameters = randomParameters(configOf());
  parameters.get(name)?.data.fill(Number.NaN, 5, 6);
  const result = runAnalysis(analysis, weightsContext(configOf(), parameters), {});
  await expect(result).rejects.toThrow(UserError);
  await expect(result).rejects.toThrow(`The parameter ${name} holds numbers that are not finite`);
});

test('quick products and norms are those of the numbers multiplied one by one', async () => {
  const { model } = weightsContext(configOf());
  const draw = new Draw('quick');
  const drawn = (rows: number, columns: number) => draw.float32([rows, columns]);
  const rowsOf = ({ shape: [rows = 0, columns = 0], data }: ReturnType<typeof drawn>): Rows =>
    Array.from({ length: rows }, (_, row) => [...data.subarray(row * columns, (row + 1) * columns)]);
  const [a, b, c, d] = [drawn(6, 5), drawn(5, 3), drawn(3, 5), drawn(5, 4)];
  const product = multiplied(rowsOf(a), rowsOf(b), rowsOf(c), rowsOf(d));
  expectClose((await quickProduct(model, [a, b], [c, d])).data, product.flat(), { absolute: 1e-4 });
  const [e, f] = [drawn(7, 5), drawn(5, 3)];
  const square = multiplied(rowsOf(a), rowsOf(b), transposed(multiplied(rowsOf(e), rowsOf(f))));
  expectClose([await quickNorm(model, [a, b], [e, f])], [normOf(square)], { relative: 1e-5 });
});
