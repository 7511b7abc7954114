import * as v from 'valibot';
import type { AnalysisContext } from '../../../src/analysis/define';
import type { HostTensor } from '../../../src/common/tensor';
import { Draw } from '../../support/draw';
import { fixedContext } from '../../support/fixtureContext';
import { configFromFixture, readFixture, type FixtureTensors } from '../../support/fixtures';

// What test/fixtures/README.md describes under `attribution/`.

export const attributionFixtures = ['layer-norm-gelu-2-layers', 'shortformer-attention-only-2-layers'] as const;

const documentSchema = v.object({
  answer_positions: v.array(v.number()),
  stages: v.array(v.string()),
  word: v.number(),
  components: v.array(v.string()),
  paths: v.record(v.string(), v.array(v.string())),
});

export interface AttributionFixture {
  readonly context: AnalysisContext;
  readonly tensors: FixtureTensors;
  readonly document: v.InferOutput<typeof documentSchema>;
  /** `[B, A]` */
  readonly answers: HostTensor<'int32'>;
}

export async function openAttribution(name: string): Promise<AttributionFixture> {
  const [model, { document, tensors }] = [
    await readFixture(`models/${name}`),
    await readFixture(`attribution/${name}`),
  ];
  const parsed = v.parse(documentSchema, document);
  const [tokens, answers] = [tensors.int32('tokens'), tensors.int32('answers')];
  const context = fixedContext(configFromFixture(model.document), model.tensors.group('state'), {
    tokens,
    answers,
    answerPositions: parsed.answer_positions,
  });
  return { context, tensors, document: parsed, answers };
}

/** A context for any of the model fixtures, with answers drawn at random at its last two positions. */
export async function contextOfModel(name: string): Promise<AnalysisContext> {
  const { document, tensors } = await readFixture(`models/${name}`);
  const config = configFromFixture(document);
  const tokens = tensors.int32('tokens');
  const [B = 0, T = 0] = tokens.shape;
  const answers = new Draw(name).int32([B, 2], 0, config.d_vocab_out);
  return fixedContext(config, tensors.group('state'), { tokens, answers, answerPositions: [T - 2, T - 1] });
}

/** Means over the first axis but one: `[…, B, A]` → rows of `A`. */
export function meansOverBatch({ shape, data }: HostTensor<'float32'>): number[][] {
  const [B = 0, A = 0] = shape.slice(-2);
  return Array.from({ length: data.length / (B * A) }, (_, row) =>
    Array.from({ length: A }, (__, answer) => {
      const values = Array.from({ length: B }, (___, example) => data[(row * B + example) * A + answer] ?? Number.NaN);
      return values.reduce((sum, value) => sum + value, 0) / B;
    }),
  );
}
