import { describe, expect, test } from 'vitest';
import { logitLens } from '../../../src/analysis/logitLens';
import { runAnalysis } from '../../../src/analysis/run';
import type { AnalysisContext } from '../../../src/analysis/define';
import { UserError } from '../../../src/common/errors';
import type { LinesFigure } from '../../../src/protocol/figure';
import { expectClose } from '../../support/close';
import { modelFixtures } from '../../support/fixtures';
import { attributionFixtures, contextOfModel, openAttribution, type AttributionFixture } from './attributionFixtures';

async function run(context: AnalysisContext, params: Readonly<Record<string, unknown>> = {}) {
  const { figures, scalars } = await runAnalysis(logitLens, context, { examples: 3, ...params });
  const [logits, probabilities] = figures as readonly LinesFigure[];
  return { logits: logits ?? expect.fail(), probabilities: probabilities ?? expect.fail(), scalars };
}

/** Of TransformerLens' lens: for each stage and answer the mean over the examples of a measure of the logits `[U]`. */
function expectedLens({ tensors, answers }: AttributionFixture, measure: (logits: number[], right: number) => number) {
  const { shape, data } = tensors.float32('lens');
  const [G = 0, B = 0, A = 0, U = 0] = shape;
  return Array.from({ length: A }, (_, answer) =>
    Array.from({ length: G }, (__, stage) => {
      const values = Array.from({ length: B }, (___, row) => {
        const at = ((stage * B + row) * A + answer) * U;
        return measure([...data.subarray(at, at + U)], answers.data[row * A + answer] ?? Number.NaN);
      });
      return values.reduce((sum, value) => sum + value, 0) / B;
    }),
  );
}

const logit = (logits: number[], output: number) => logits[output] ?? Number.NaN;
const meanOf = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
const probability = (logits: number[], right: number) =>
  Math.exp(logit(logits, right)) / logits.reduce((sum, each) => sum + Math.exp(each), 0);

describe.each(attributionFixtures)('logit lens of %s', name => {
  test('is what TransformerLens reads off the residual stream with the norm computed anew', async () => {
    const fixture = await openAttribution(name);
    const { logits, probabilities, scalars } = await run(fixture.context);
    expect(logits.x.labels).toEqual(fixture.document.stages);
    expect(logits.series.map(series => series.name)).toEqual(fixture.document.answer_positions.map(at => `p${at}`));
    const expected = expectedLens(fixture, logit);
    const likely = expectedLens(fixture, probability);
    logits.series.forEach(({ y }, answer) => expectClose(y, expected[answer] ?? [], { absolute: 1e-5 }));
    probabilities.series.forEach(({ y }, answer) => expectClose(y, likely[answer] ?? [], { absolute: 1e-6 }));
    const finals = expected.map(row => row.at(-1) ?? Number.NaN);
    const before = expected.map(row => row[fixture.document.stages.indexOf('1_pre')] ?? Number.NaN);
    expectClose(
      [scalars['final'] ?? Number.NaN, scalars['lastLayerGain'] ?? Number.NaN, scalars['finalProbability'] ?? Number.NaN],
      [meanOf(finals), meanOf(finals) - meanOf(before), meanOf(likely.map(row => row.at(-1) ?? Number.NaN))],
      { absolute: 1e-5 },
    );
  });

  test('of a difference subtracts the same logit, or the mean, at every layer', async () => {
    const fixture = await openAttribution(name);
    const { word } = fixture.document;
    const withWord = await run(fixture.context, { against: 'word', word: String(word) });
    const withMean = await run(fixture.context, { against: 'mean output' });
    const differences = expectedLens(fixture, (logits, right) => logit(logits, right) - logit(logits, word));
    const centred = expectedLens(fixture, (logits, right) => logit(logits, right) - meanOf(logits));
    differences.forEach((row, answer) => expectClose(withWord.logits.series[answer]?.y ?? [], row, { absolute: 1e-5 }));
    centred.forEach((row, answer) => expectClose(withMean.logits.series[answer]?.y ?? [], row, { absolute: 1e-5 }));
  });

  test('compares with the wrong output that is largest at the end, at the end with nothing larger', async () => {
    const fixture = await openAttribution(name);
    const { logits } = await run(fixture.context, { against: 'largest wrong output' });
    const margin = expectedLens(
      fixture,
      (logits, right) => logit(logits, right) - Math.max(...logits.filter((_, output) => output !== right)),
    );
    margin.forEach((row, answer) =>
      expect(logits.series[answer]?.y.at(-1)).toBeCloseTo(row.at(-1) ?? Number.NaN, 4),
    );
  });

  test('of one answer is that answer\'s line alone', async () => {
    const fixture = await openAttribution(name);
    const [all, second] = [await run(fixture.context), await run(fixture.context, { answer: 2 })];
    expect(second.logits.series).toEqual([all.logits.series[1]]);
  });
});

test.each(modelFixtures)('logit lens of %s ends at the model\'s own logits', async name => {
  const context = await contextOfModel(name);
  const { logits } = await run(context);
  const { tokens, labels } = context.task.sample(context.random, 3);
  const { logits: own } = await context.model.runWithCache(tokens, []);
  const [, T = 0, U = 0] = own.shape;
  logits.series.forEach(({ y }, answer) => {
    const position = context.task.answerPositions[answer] ?? 0;
    const expected = [0, 1, 2].map(row => own.data[(row * T + position) * U + (labels.data[row * 2 + answer] ?? 0)] ?? Number.NaN);
    expect(y.at(-1)).toBeCloseTo(meanOf(expected), 4);
  });
});

describe('logit lens refuses in one sentence', () => {
  test.each([
    ['a word that is no output', { against: 'word', word: 'x' }, /^There is no output "x"; there are "0", /],
    ['no word to compare with', { against: 'word' }, /^"word" is empty; give the output to compare with, such as "0"/],
    ['an answer that is not there', { answer: 4 }, /^There is no answer 4; this task has 3, and 0 means all of them\.$/],
    ['a prompt that poses no task', { prompt: '1 1 1 1 1' }, /^The prompt does not pose the task/],
    ['a prompt that ends before the last answer', { prompt: '1 1' }, /^The prompt has 2 tokens; the last answer is read at position 4/],
  ])('%s', async (_, params, message) => {
    const { context } = await openAttribution('layer-norm-gelu-2-layers');
    await expect(run(context, params)).rejects.toThrow(UserError);
    await expect(run(context, params)).rejects.toThrow(message);
  });

  test('a word that is the right answer itself, of an answer that is measured', async () => {
    const { context, answers } = await openAttribution('layer-norm-gelu-2-layers');
    const params = { examples: 1, against: 'word', word: String(answers.data[1]) };
    const others = [0, 2].filter(answer => answers.data[answer] !== answers.data[1]);
    await expect(run(context, params)).rejects.toThrow(/^"\d" is the right answer \d itself, so that there is no difference to measure; /);
    for (const answer of others) await expect(run(context, { ...params, answer: answer + 1 })).resolves.toBeDefined();
    expect(others).not.toEqual([]);
  });
});
