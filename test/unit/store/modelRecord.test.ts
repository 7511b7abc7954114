import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { UserError } from '../../../src/common/errors';
import type { ResolvedExperiment } from '../../../src/protocol/model';
import { changeRecord, formatRecord, idOf, parseRecord } from '../../../src/store/modelRecord';
import { config, experiment, modelRecord } from './samples';

describe('the id of an experiment', () => {
  test('is the beginning of the SHA-256 of its JSON with sorted keys', () => {
    const part = {
      task: { name: 'modular-arithmetic', parameters: { operation: 'add', modulus: 113 } },
      model: { n_layers: 1, d_model: 128, act_fn: 'relu', normalization_type: null },
      training: { steps: 25000, betas: [0.9, 0.98], schedule: { kind: 'constant' }, learningRate: 0.001 },
      seed: 0,
    };
    // Python: sha256(json.dumps(part, sort_keys=True, separators=(',', ':')).encode()).hexdigest()[:16]
    expect(idOf(part as unknown as ResolvedExperiment)).toBe('d344280afa8d52e3');
  });

  test('does not depend on the order of keys, nor on name, description and claims', () => {
    const { task, model, training, ...rest } = experiment();
    const reversed = (value: object): never => Object.fromEntries(Object.entries(value).reverse()) as never;
    const same = { training: reversed(training), model: reversed(model), task: reversed(task), ...rest };
    const claims = [{ claim: 'It groks', analysis: 'training-curves', params: {}, scalar: 'testLoss', expect: '< 0.1' }];
    expect(idOf({ ...same, name: 'another', description: 'Something', claims })).toBe(idOf(experiment()));
  });

  test.each([
    ['the task', { task: { name: 'array-update', parameters: {} } }],
    ['a parameter of the task', { task: { name: 'modular-arithmetic', parameters: { modulus: 7, operation: 'add' } } }],
    ['the model', { model: { ...experiment().model, n_layers: 2 } }],
    ['the training', { training: { ...experiment().training, learningRate: 1e-4 } }],
    ['the seed', { seed: 1 }],
    ['what it starts from', { from: { id: '0123456789abcdef', name: 'base' } }],
    ['what is perturbed before', { perturb: { matrices: 1, scale: 1 } }],
  ])('depends on %s', (_, changes) => {
    expect(idOf(experiment(changes))).not.toBe(idOf(experiment()));
  });
});

test('what a model starts from decides its id by id and checkpoint, whatever it was called', () => {
  const idFrom = (from: ResolvedExperiment['from']) => idOf(experiment(from && { from }));
  const base = { id: '0123456789abcdef', name: 'base' };
  expect(idFrom({ ...base, name: 'other' })).toBe(idFrom(base));
  expect(idFrom({ ...base, checkpoint: 10 })).not.toBe(idFrom(base));
  const record = modelRecord({ experiment: experiment({ from: { ...base, checkpoint: 10 }, perturb: { matrices: 2, scale: 0.5 } }) });
  expect(parseRecord('model.json', formatRecord(record))).toEqual(record);
});

describe('model.json', () => {
  test('comes back as it was written', () => {
    const record = modelRecord({
      status: 'failed', problem: 'The loss is not finite.', progress: { step: 3, steps: 500, secondsPerStep: 0.1 },
      metrics: { trainLoss: 0.5, testExactMatch: 1 },
      experiment: experiment({
        description: 'A clock', claims: [{ claim: 'c', analysis: 'a', params: { head: '0.1' }, scalar: 's', expect: '> 1' }],
        training: { ...experiment().training, stopWhen: { metric: 'testLoss', below: 1e-6, evaluations: 3 } },
      }),
    });
    expect(parseRecord('model.json', formatRecord(record))).toEqual(record);
  });

  test('measurements that are not finite are left out, so that it can be read again', () => {
    const record = modelRecord({ metrics: { trainLoss: NaN, testLoss: Infinity, testAccuracy: 0 } });
    expect(parseRecord('model.json', formatRecord(record)).metrics).toEqual({ testAccuracy: 0 });
  });

  test('what could not be read again is not written', () => {
    expect(() => formatRecord(modelRecord({ progress: { step: -1, steps: 10 } }))).toThrow('progress.step');
  });

  test.each([
    ['', 'model.json is not JSON.'],
    ['{"format": 1', 'model.json is not JSON.'],
    ['null', 'model.json is not a model\'s record: Invalid type: Expected Object but received null.'],
    ['{"format": 2, "id": []}', 'model.json was written by a newer version of Circuit Explorer.'],
    [formatRecord(modelRecord()).replace('"finished"', '"done"'), 'model.json is not a model\'s record ("status")'],
    [formatRecord(modelRecord()).replace('"n_heads": 2', '"n_heads": 1e9'), 'model.json is not a model\'s record ("experiment.model.n_heads")'],
    [formatRecord(modelRecord()).replace('"progress"', '"progres"'), 'model.json is not a model\'s record ("progress")'],
  ])('%#: a broken one is refused with its reason', (text, message) => {
    expect(() => parseRecord('model.json', text)).toThrow(UserError);
    expect(() => parseRecord('model.json', text)).toThrow(message);
  });

  const pairs = { ...config, tokens_per_position: 2 } as const;
  const search = { ...config, init_mode: 'bfs' } as const;

  test.each([
    ['a table of more pairs than fit', { ...pairs, d_vocab: 257 }, 'model.json is not a model\'s record ("config"): a model of pairs has a d_vocab of at most 256.'],
    ['sets of more vertices than it has tokens for', { ...search, n_ctx: 60 }, 'model.json is not a model\'s record ("config"): with init_mode "bfs", d_vocab is 2^(n_ctx - 1) + 1.'],
  ])('a config that asks for %s is refused before anything is made of it', (_, hostile, message) => {
    const text = formatRecord(modelRecord()).replace(/"config": \{[^}]*\}/, `"config": ${JSON.stringify(hostile)}`);
    expect(() => parseRecord('model.json', text)).toThrow(new UserError(message));
  });

  test('pairs and searches of usual sizes are read', () => {
    for (const usual of [{ ...pairs, d_vocab: 17 }, { ...search, n_ctx: 3, d_vocab: 5 }]) expect(parseRecord('model.json', formatRecord(modelRecord({ config: usual }))).config).toEqual(usual);
  });

  test('any JSON is read or refused', () => {
    fc.assert(fc.property(fc.json(), text => {
      try {
        parseRecord('model.json', text);
      } catch (error) {
        expect(error).toBeInstanceOf(UserError);
      }
    }));
  });
});

test('a change keeps what it does not name, and takes a problem away when told to', () => {
  const record = modelRecord({ problem: 'Out of memory.' });
  expect(changeRecord(record, { name: 'new' })).toEqual({ ...record, name: 'new' });
  expect(changeRecord(record, { problem: undefined })).not.toHaveProperty('problem');
});
