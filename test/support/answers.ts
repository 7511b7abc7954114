import * as tf from '@tensorflow/tfjs-core';
import type { Tensor } from '@tensorflow/tfjs-core';
import type { HostTensor } from '../../src/common/tensor';
import { parameterSpecs } from '../../src/model/parameters';
import { answerLogits, type AnswerShape } from '../../src/model/pruned';
import { forward } from '../../src/model/transformer';
import type { ModelConfig } from '../../src/protocol/config';
import { expectClose, expectCloseToScale } from './close';
import { Draw } from './draw';
import { randomParameters, weightsOf } from './models';
import { onnx, runOnce } from './runtimes';

/** Logits, and the gradients in every parameter of these weighted at random. */
function logitsAndGradients(logitsOf: (parameters: readonly Tensor[]) => Tensor, parameters: Tensor[]): Tensor[] {
  const loss = (...tensors: Tensor[]) => {
    const logits = logitsOf(tensors);
    const weights = new Draw('weights of the loss').float32(logits.shape);
    return tf.sum(tf.mul(logits, tf.tensor(weights.data, logits.shape))) as tf.Scalar;
  };
  const { grads } = tf.valueAndGrads(loss)(parameters);
  return [logitsOf(parameters), ...grads];
}

/** Checks `answerLogits` and its gradients, on a model drawn at random, against the plain forward pass. */
export async function expectPlainAnswers(config: ModelConfig, tokens: HostTensor<'int32'>, shape: AnswerShape, what: string): Promise<void> {
  const values = randomParameters(config);
  const names = parameterSpecs(config).filter(spec => spec.trainable).map(({ name }) => name);
  const results = await runOnce(
    onnx,
    (...inputs) => {
      const [given, ...parameters] = inputs as [Tensor, ...Tensor[]];
      const positions = tf.tensor1d([...shape.positions], 'int32');
      const plain = (tensors: readonly Tensor[]) => tf.gather(forward(config, weightsOf(names, tensors), given), positions, 1);
      const pruned = (tensors: readonly Tensor[]) => answerLogits(config, weightsOf(names, tensors), given, shape);
      return [...logitsAndGradients(plain, parameters), ...logitsAndGradients(pruned, parameters)];
    },
    [tokens, ...names.flatMap(name => values.get(name) ?? [])],
  );
  const [expected, actual] = [results.slice(0, names.length + 1), results.slice(names.length + 1)];
  expectCloseToScale(actual[0]?.data ?? [], expected[0]?.data ?? [], 1e-5, `${what}: logits`);
  // A key bias changes no pattern, so its gradient is rounding alone: measured against the others'.
  const largest = expected.slice(1).reduce((most, { data }) => Math.max(most, ...Array.from(data, Math.abs)), 0);
  names.forEach((name, at) =>
    expectClose(
      actual[at + 1]?.data ?? [],
      expected[at + 1]?.data ?? [],
      { absolute: 2e-6 * largest, relative: 3e-5 },
      `${what}: gradient of ${name}`,
    ),
  );
}

/** Tokens of which each stands at a position that its alphabet allows. */
export function tokensOf(alphabet: AnswerShape['alphabet'], B: number): HostTensor<'int32'> {
  const draw = new Draw('tokens');
  const columns = alphabet.map(tokens => draw.int32([B], 0, tokens.length).data.map(index => tokens[index] ?? 0));
  const data = Int32Array.from({ length: B * columns.length }, (_, at) => columns[at % columns.length]?.[Math.floor(at / columns.length)] ?? 0);
  return { dtype: 'int32', shape: [B, columns.length], data };
}
