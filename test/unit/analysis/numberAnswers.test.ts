import { expect, test } from 'vitest';
import { answersTo, scoresOn } from '../../../src/analysis/numberAnswers';
import { Random } from '../../../src/common/random';
import { contextOf } from '../../support/analyses';
import { expectClose } from '../../support/close';
import { prepared } from '../../support/experiments';
import { pathContext } from '../../support/numberAnswers';

test('answers are the logits where answers are read, of numbers and of words', async () => {
  for (const context of [pathContext(), contextOf(prepared())]) {
    const { model, task, details: { config } } = context;
    const { tokens } = task.sample(new Random(3, 'test'), 20);
    const [T, U] = [task.positions.length, config.d_vocab_out];
    const { logits } = await model.runWithCache(tokens, []);
    const expected = Array.from({ length: 20 }, (_, row) => task.answerPositions.flatMap(at => [...logits.data.subarray((row * T + at) * U, (row * T + at + 1) * U)])).flat();
    expectClose((await answersTo(context, tokens)).data, expected, { absolute: 1e-5 });
  }
});

test('a number is right that rounds to the right one, and its loss is the squared error', async () => {
  const context = pathContext();
  const examples = context.task.sample(new Random(3, 'test'), 50);
  const predictions = [...(await answersTo(context, examples.tokens)).data];
  const right = [...examples.labels.data];
  const { loss, accuracy } = await scoresOn(context, examples);
  expect(loss).toBeCloseTo(predictions.reduce((sum, predicted, at) => sum + (predicted - (right[at] ?? NaN)) ** 2, 0) / 50, 5);
  expect(accuracy).toBe(predictions.filter((predicted, at) => Math.round(predicted) === right[at]).length / 50);
});
