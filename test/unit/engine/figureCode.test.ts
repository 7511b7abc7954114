import { beforeEach, describe, expect, test } from 'vitest';
import { Analyses } from '../../../src/engine/analyses';
import { OpenModels } from '../../../src/engine/openModels';
import { Store } from '../../../src/store/store';
import { randomParameters } from '../../support/models';
import { onnx } from '../../support/runtimes';
import { temporaryFolder } from '../store/folders';
import { prepared } from '../../support/experiments';
import { modelRecord, trainingState } from '../store/samples';

const { config, resolved } = prepared();
const record = modelRecord({ config, experiment: resolved });
const { signal } = new AbortController();

let store: Store;
let analyses: Analyses;

beforeEach(async () => {
  store = await Store.open(await temporaryFolder());
  await store.create(record);
  await store.writeCheckpoint(record.id, { ...trainingState(10), parameters: randomParameters(config, 10) });
  analyses = new Analyses(store, new OpenModels(store, () => Promise.resolve({ ...onnx, description: 'shared', compile: onnx.compile.bind(onnx), dispose: () => undefined })));
});

describe('the code of a figure', () => {
  const request = { model: record.id, analysis: 'attention', params: { examples: 2 }, figure: 0 };

  test('is of the checkpoint that is shown, and the same whenever it is asked for', async () => {
    const code = await analyses.code({ ...request, checkpoint: 10 }, signal);
    expect(code).toContain(`# of ${record.name}, step 10; examples = 2`);
    expect(await analyses.code({ ...request, checkpoint: 10 }, signal)).toBe(code);
  });

  test('is of the model alone where it is compared with another', async () => {
    expect(await analyses.code({ ...request, against: { model: 'gone' } }, signal)).toBe(await analyses.code(request, signal));
  });

  test('is refused with the reason for a figure that has none, and for a model that TransformerLens has not', async () => {
    await expect(analyses.code({ ...request, analysis: 'training-curves', params: {} }, signal)).rejects.toThrow(/"Loss" has no TransformerLens code: it was measured while/);
    const { config: normed, resolved: experiment } = prepared({ model: { normalization_type: 'LN', normalization_position: 'after' } });
    const other = { ...modelRecord({ config: normed, experiment }), id: 'normed' };
    await store.create(other);
    await store.writeCheckpoint(other.id, { ...trainingState(10), parameters: randomParameters(normed, 10) });
    await expect(analyses.code({ ...request, model: other.id }, signal)).rejects.toThrow(/^There is no TransformerLens code of .*, because its norms come after its sublayers\.$/);
  });
});
