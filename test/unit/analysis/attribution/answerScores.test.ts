import { describe, expect, test } from 'vitest';
import * as v from 'valibot';
import { answerScores } from '../../../../src/analysis/attribution/answerScores';
import { float32, int32 } from '../../../../src/common/tensor';
import { expectClose } from '../../../support/close';
import { readFixture } from '../../../support/fixtures';

const { document, tensors } = await readFixture('cross-entropy');
const { cases } = v.parse(v.object({ cases: v.array(v.object({ name: v.string(), rows: v.number(), classes: v.number() })) }), document);

describe('the loss of an answer', () => {
  test.each(cases.map(each => [each.name, each] as const))('keeps its digits: %s', (name, { rows, classes }) => {
    const logits = float32([1, rows, classes], tensors.float32(`${name}.logits`).data);
    const { losses } = answerScores(logits, int32([1, rows], tensors.int32(`${name}.labels`).data));
    // The fixture's are float64, rounded to float32 when read.
    expectClose(losses, tensors.float32(`${name}.loss`).data, { relative: 2e-7, absolute: 1.2e-38 });
  });
});

test('scores are means over the examples, for each answer and for all', () => {
  const logits = float32([2, 2, 3], Float32Array.of(5, 0, 0, /**/ 0, 5, 0, /**/ 0, 5, 0, /**/ 0, 0, 5));
  const { loss, losses, accuracy, accuracies } = answerScores(logits, int32([2, 2], Int32Array.of(0, 1, 0, 1)));
  const [right, wrong] = [Math.log1p(2 * Math.exp(-5)), 5 + Math.log1p(2 * Math.exp(-5))];
  expectClose(losses, [(right + wrong) / 2, (right + wrong) / 2], { absolute: 1e-6 });
  expect(loss).toBeCloseTo((right + wrong) / 2, 6);
  expect(accuracies).toEqual([0.5, 0.5]);
  expect(accuracy).toBe(0.5);
});

test('the fraction that is right is exact: 19 of 20 are 0.95', () => {
  const [logits, answers] = [float32([20, 1, 2]), int32([20, 1])];
  for (let row = 0; row < 20; row++) logits.data[row * 2 + Number(row === 7)] = 1;
  expect(answerScores(logits, answers)).toMatchObject({ accuracy: 0.95, accuracies: [0.95] });
});

test('of numbers the loss is the squared error, and a number is right that rounds to the right one', () => {
  const predicted = float32([2, 2, 1], Float32Array.of(1.25, 4, 2.5, 3.625));
  const scores = answerScores(predicted, int32([2, 2], Int32Array.of(1, 5, 2, 4)), { answersAre: 'numbers' });
  expect(scores.losses).toEqual([(0.0625 + 0.25) / 2, (1 + 0.140625) / 2]);
  expect(scores.accuracies).toEqual([0.5, 0.5]); // 2.5 is as near to 3
});
