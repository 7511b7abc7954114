import * as tf from '@tensorflow/tfjs-core';
import type { Tensor } from '@tensorflow/tfjs-core';
import { describe, expect, test } from 'vitest';
import { sizeOf, type HostTensor } from '../../../../src/common/tensor';
import { compiledKernelNames } from '../../../../src/compile/kernels/register';
import { expectClose, expectCloseToScale } from '../../../support/close';
import { Draw } from '../../../support/draw';
import { eager, onnx, runOnce } from '../../../support/runtimes';
import { gradientCases, type GradientCase } from './gradientCases';

/**
 * tfjs' gradient of Prod asks for the methods of chained ops, which are not loaded; it differentiates FloorDiv as if it
 * did not round.
 */
const withoutGradient = ['Prod', 'FloorDiv'];

test('every compiled kernel that tfjs can differentiate has a case', () => {
  const differentiable = compiledKernelNames.filter(
    name => tf.getGradient(name) !== undefined && !withoutGradient.includes(name),
  );
  expect(Object.keys(gradientCases).sort()).toEqual([...differentiable].sort());
});

/** Random numbers of mean 0 by which a case's outputs are weighted: the sum is the loss that is differentiated. */
function weightsFor(size: number): Float32Array {
  return new Draw('weights of a loss').float32([size]).data;
}

function lossAndGradients({ fn }: GradientCase): (...inputs: Tensor[]) => Tensor[] {
  return (...inputs) => {
    const loss = (...given: Tensor[]) => {
      const output = fn(...given);
      return tf.sum(tf.mul(output, tf.tensor(weightsFor(output.size), output.shape))) as tf.Scalar;
    };
    const { value, grads } = tf.valueAndGrads(loss)(inputs);
    return [value, ...grads];
  };
}

/** Central differences of the loss in every number of every input. */
async function differences(each: GradientCase): Promise<readonly number[][]> {
  const { fn, inputs, reference } = each;
  const weighted = (outputs: ArrayLike<number>) => {
    const weights = weightsFor(outputs.length);
    return Array.from(outputs).reduce((sum, output, at) => sum + output * (weights[at] ?? 0), 0);
  };
  const moved = (input: number, at: number, by: number) =>
    inputs.map(({ data }, index) =>
      Array.from(data, (value, place) => (index === input && place === at ? value + by : value)),
    );
  const step = reference ? 1e-6 : 0.5;
  const places = inputs.flatMap(({ shape }, input) =>
    Array.from({ length: sizeOf(shape) }, (_, at) => ({ input, at })),
  );
  const outputsAt = reference
    ? (by: number) => Promise.resolve(places.map(({ input, at }) => weighted(reference(...moved(input, at, by)))))
    : async (by: number) => {
        // Every moved point is an output of one function, which is then called once.
        const specs = places.map(({ input, at }) => moved(input, at, by));
        const outputs = await runOnce(
          eager,
          () =>
            specs.map(values =>
              fn(...values.map((value, index) => tf.tensor(value, [...(inputs[index]?.shape ?? [])]))),
            ),
          [],
        );
        return outputs.map(({ data }) => weighted(data));
      };
  const [above, below] = [await outputsAt(step), await outputsAt(-step)];
  const slopes = above.map((value, index) => (value - (below[index] ?? Number.NaN)) / (2 * step));
  return inputs.map((_, input) => slopes.filter((__, index) => places[index]?.input === input));
}

const data = (tensors: readonly HostTensor[]) => tensors.map(tensor => tensor.data);

describe('gradients of the compiled function', () => {
  test.each(Object.entries(gradientCases))('%s', async (_, cases) => {
    for (const each of cases) {
      const fn = lossAndGradients(each);
      const [compiled, expected] = [
        data(await runOnce(onnx, fn, each.inputs)),
        data(await runOnce(eager, fn, each.inputs)),
      ];
      expected.forEach((values, index) =>
        expectClose(
          compiled[index] ?? [],
          values,
          { relative: 3e-6, absolute: 5e-6 },
          `${each.what}: against the eager gradient`,
        ),
      );
      const slopes = await differences(each);
      slopes.forEach((values, index) =>
        expectCloseToScale(compiled[index + 1] ?? [], values, 2e-5, `${each.what}: against differences`),
      );
    }
  });
});
