import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { UserError } from '../../../src/common/errors';
import { BundledExperiments } from '../../../src/engine/bundled';
import { Origins } from '../../../src/engine/origins';
import { Store } from '../../../src/store/store';
import { applyOverrides, prepare, readExperiment, type NamedModels } from '../../../src/training/experiment';
import { experimentText } from '../../support/experiments';
import { temporaryFolder } from '../store/folders';

const bundledFolder = path.join(import.meta.dirname, '../../../media/experiments');
const bundled = (await readdir(bundledFolder)).filter(name => name.endsWith('.circuit.json'));

function read(text: string, named?: NamedModels) {
  const reading = readExperiment(text, named);
  return reading.ok ? reading.experiment : expect.fail(JSON.stringify(reading.problems));
}

/** The problems of an experiment as `path: message`. */
function problemsOf(text: string): readonly string[] {
  const reading = readExperiment(text);
  return reading.ok ? [] : reading.problems.map(problem => `${problem.path.join('.')}: ${problem.message}`);
}

const arrayUpdate = { name: 'array-update', modulus: undefined, trainFraction: undefined };
const shortestPaths = { name: 'shortest-paths', vertices: 3, smallest: 3, largest: 3, modulus: undefined, trainFraction: undefined };

describe('bundled experiments', () => {
  test('are there', () => {
    expect(bundled).toEqual(expect.arrayContaining(['array-update.circuit.json', 'modular-subtraction.circuit.json']));
  });

  test.each(bundled)("%s can be trained, under its file's name", async file => {
    const text = await readFile(path.join(bundledFolder, file), 'utf8');
    // What it starts from is bundled too; nothing is stored.
    const origins = new Origins(await Store.open(await temporaryFolder()), new BundledExperiments(bundledFolder));
    const experiment = read(text, await origins.lookUp({ text, folder: bundledFolder }));
    expect(experiment.resolved.name).toBe(file.replace('.circuit.json', ''));
  });
});

describe('reading', () => {
  test("writes out the defaults, and makes the vocabulary and the context the task's", () => {
    const { resolved, config, task } = read(experimentText({ training: { learningRate: undefined } }));
    expect(resolved).toMatchObject({
      name: 'modular-arithmetic',
      seed: 0,
      training: { batch: 'full', optimizer: 'adamw', learningRate: 1e-3, betas: [0.9, 0.999] },
    });
    expect(resolved.task).toEqual({
      name: 'modular-arithmetic',
      parameters: { operation: 'add', modulus: 7, trainFraction: 0.5 },
    });
    expect(config).toMatchObject({
      d_vocab: 8,
      d_vocab_out: 7,
      n_ctx: 3,
      initializer_range: 0.8 / Math.sqrt(8),
      normalization_type: null,
    });
    expect(task.answerPositions).toEqual([2]);
  });

  test('takes a task by its name, comments and trailing commas', () => {
    const text = experimentText({ task: 'modular-arithmetic' })
      .replace('{', '{ // an experiment\n')
      .replace(/}$/, ',}');
    expect(read(text).resolved.task.parameters).toEqual({ operation: 'add', modulus: 113, trainFraction: 0.3 });
  });

  test('what was resolved can be prepared again, and is the same', () => {
    const first = read(
      experimentText({
        claims: [{ claim: 'it learns', analysis: 'training-curves', scalar: 'testLoss', expect: '< 1e-3' }],
      }),
    );
    const again = prepare(JSON.parse(JSON.stringify(first.resolved)) as typeof first.resolved);
    expect(again.resolved).toEqual(first.resolved);
    expect(again.config).toEqual(first.config);
    expect(again.claims).toEqual(first.claims);
  });
});

describe('bad input gets one clear sentence at its place', () => {
  test.each([
    ['an unknown field', { clams: [] }, 'clams: There is no field "clams"; the nearest is "claims".'],
    [
      'an unknown field of the model',
      { model: { n_layer: 1 } },
      'model.n_layer: There is no field of "model" called "n_layer"; the nearest is "n_layers".',
    ],
    [
      'an unknown field of the training',
      { training: { learning_rate: 1 } },
      'training.learning_rate: There is no field of "training" called "learning_rate"; the nearest is "learningRate".',
    ],
    [
      'an unknown field in a list',
      { training: { weightDecayGroups: [{ match: '*', weightDecay: 1, decay: 1 }] } },
      'training.weightDecayGroups.0.decay: There is no field of "training.weightDecayGroups.0" called "decay"; the nearest is "weightDecay".',
    ],
    [
      'an unknown task',
      { task: 'modular-arithmetik' },
      'task: There is no task "modular-arithmetik"; the nearest is "modular-arithmetic".',
    ],
    [
      'an unknown parameter of the task',
      { task: { moduls: 5 } },
      'task.moduls: There is no parameter of task "modular-arithmetic" called "moduls"; the nearest is "modulus".',
    ],
    [
      'a task that is none',
      { task: { name: undefined } },
      'task: "task": a task is its name, or an object with its name and parameters.',
    ],
    [
      'a wrong type',
      { model: { n_layers: 'two' } },
      'model.n_layers: "model.n_layers": Invalid type: Expected number but received "two".',
    ],
    ['half a step', { training: { steps: 1.5 } }, 'training.steps: "training.steps": Invalid integer: Received 1.5.'],
    [
      'a word that is not a choice',
      { model: { act_fn: 'tanh' } },
      'model.act_fn: "model.act_fn": Invalid type: Expected ("relu" | "gelu" | "gelu_new" | "silu" | "saturate") but received "tanh".',
    ],
    [
      'a schedule that is none',
      { training: { schedule: { kind: 'cosine' } } },
      'training.schedule.kind: "training.schedule.kind": Invalid type: Expected ("constant" | "warm-up" | "steps") but received "cosine".',
    ],
    ['one beta', { training: { betas: [0.9] } }, 'training.betas.1: "training.betas.1" is missing.'],
    [
      'a beta of 1',
      { training: { betas: [0.9, 1] } },
      'training.betas.1: "training.betas.1": Invalid value: Expected <1 but received 1.',
    ],
    [
      'a modulus of 1',
      { task: { modulus: 1 } },
      'task.modulus: "modulus" of task "modular-arithmetic": Invalid value: Expected >=2 but received 1.',
    ],
    [
      'a train fraction that leaves nothing',
      { task: { modulus: 2, trainFraction: 0.1 } },
      'task: A train fraction of 0.1 leaves none of the 4 pairs to train on.',
    ],
    [
      'a d_head that does not fit',
      { model: { d_head: 16 } },
      'model.d_head: d_head 16 does not fit a d_model of 8: a head reads at most the whole residual stream.',
    ],
    [
      'too many heads',
      { model: { n_heads: 200 } },
      'model.n_heads: 200 heads of d_head 4 do not fit a d_model of 8; together they are usually as wide as it.',
    ],
    [
      'a missing d_mlp',
      { model: { d_mlp: undefined } },
      'model: d_mlp is missing; give it, or set attn_only to true for a model without MLPs.',
    ],
    [
      'a d_mlp without MLPs',
      { model: { attn_only: true } },
      'model.d_mlp: d_mlp has no use when attn_only is true; leave one of them out.',
    ],
    [
      'an odd rotary_dim',
      { model: { positional_embedding_type: 'rotary', rotary_dim: 3 } },
      'model.rotary_dim: rotary_dim 3 must be even and at most d_head 4.',
    ],
    [
      'a rotary_dim without rotation',
      { model: { rotary_dim: 2 } },
      'model.rotary_dim: rotary_dim has a meaning only with rotary positional embeddings.',
    ],
    [
      'a rotary_base without rotation',
      { model: { rotary_base: 500 } },
      'model.rotary_base: rotary_base has a meaning only with rotary positional embeddings.',
    ],
    [
      'a scale that is not used',
      { model: { attn_scale: 2, use_attn_scale: false } },
      'model.attn_scale: attn_scale has no use when use_attn_scale is false; leave one of them out.',
    ],
    [
      'a pattern that matches nothing',
      { model: { frozen: ['blocks.7.*'] } },
      'model.frozen: No parameter of this model matches "blocks.7.*".',
    ],
    [
      'a mask of another size',
      { model: { mask: ['x'] } },
      'model.mask: The mask must have 3 rows of 3 characters, one for each position of the task.',
    ],
    [
      'a mask of other characters',
      { model: { mask: ['x-x', 'xxx', 'xxx'] } },
      'model.mask.0: "model.mask.0": a mask row is made of x and .',
    ],
    [
      'a mask where prompts are padded',
      { task: shortestPaths, model: { mask: ['x...', 'xx..', 'xxx.', 'xxxx'] }, training: { batch: 8 } },
      'model.mask: Prompts of this task are padded, and a row of a mask may allow nothing but padding; leave the mask out.',
    ],
    [
      'causal attention where prompts are padded',
      { task: shortestPaths, training: { batch: 8 } },
      'model.attention_dir: Prompts of this task are padded, and with causal attention a position may see nothing but padding; set attention_dir to "bidirectional".',
    ],
    [
      'the position of a normalization that is what its absence means',
      { model: { normalization_type: 'LN', normalization_position: 'before' } },
      'model.normalization_position: "model.normalization_position": Invalid type: Expected "after" but received "before".',
    ],
    [
      'more checkpoints than there is room for',
      { model: { d_model: 1024, d_head: 64, d_mlp: 4096 }, training: { steps: 1e6, checkpointEvery: 1 } },
      'training.checkpointEvery: 1,000,001 checkpoints of this model would take 33296 GB; write fewer with a larger checkpointEvery.',
    ],
    [
      'a model larger than memory',
      { model: { n_layers: 128, d_model: 16_384, d_head: 64, d_mlp: 65_536 } },
      'training: A model of 1028.0 GB does not fit in memory while it is trained.',
    ],
    [
      'the full batch of a task without a fixed set',
      { task: arrayUpdate },
      'training.batch: This task has no fixed training set, so batch must be a number of examples.',
    ],
    [
      'a stop rule with two bounds',
      { training: { stopWhen: { metric: 'testLoss', below: 1, above: 2 } } },
      'training.stopWhen: stopWhen takes one bound: either below or above.',
    ],
    [
      'a stop rule without a bound',
      { training: { stopWhen: { metric: 'testLoss' } } },
      'training.stopWhen: stopWhen takes one bound: either below or above.',
    ],
    [
      'a warm-up longer than the run',
      { training: { schedule: { kind: 'warm-up', steps: 100 } } },
      'training.schedule: The warm-up of 100 steps is longer than the run of 12.',
    ],
    [
      'a claim without a bound',
      { claims: [{ claim: 'x', analysis: 'attention', scalar: 'entropy', expect: 'large' }] },
      'claims.0.expect: "claims.0.expect": a bound is written like ">= 0.99".',
    ],
    ['a negative seed', { seed: -1 }, 'seed: "seed": Invalid value: Expected >=0 but received -1.'],
  ] satisfies [string, Parameters<typeof experimentText>[0], string][])('%s', (_, changes, message) => {
    const text = experimentText(changes);
    const problems = problemsOf(text);
    expect(problems).toEqual([message]);
    for (const problem of problems) expect(problem).toMatch(/^[^\n]+\.$/);
  });

  test('every field that is missing is named', () => {
    expect(problemsOf('{ "task": "array-update", "training": {} }')).toEqual([
      'model: "model" is missing.',
      'training.steps: "training.steps" is missing.',
    ]);
    expect(problemsOf(experimentText({ model: { n_layers: undefined, d_head: undefined } }))).toEqual([
      'model.n_layers: "model.n_layers" is missing.',
      'model.d_head: "model.d_head" is missing.',
    ]);
  });

  test('three betas are one too many', () => {
    expect(problemsOf(experimentText({ training: { betas: [0.9, 0.98, 0.5] } }))).toHaveLength(1);
  });

  test.each([
    ['text that ends early', '{ "task": ', ': Line 1 is not valid JSON: value expected.'],
    ['a missing colon', '{\n "task": "x",\n "model" {}\n}', ': Line 3 is not valid JSON: colon expected.'],
    ['nothing', '', ': Line 1 is not valid JSON: value expected.'],
    ['null', 'null', ': The experiment: Invalid type: Expected Object but received null.'],
    ['a megabyte', `"${'x'.repeat(1 << 20)}"`, ': The file is larger than 1 MB; an experiment is a few kilobytes.'],
  ])('%s', (_, text, message) => {
    expect(problemsOf(text)).toEqual([message]);
  });

  test.each([
    ['brackets without end', '['.repeat(500_000)],
    ['braces without end', '{"a":'.repeat(100_000)],
    ['a field of brackets', experimentText().replace('"steps":12', `"steps":${'['.repeat(6000)}${']'.repeat(6000)}`)],
  ])('%s', (_, text) => {
    expect(problemsOf(text)).toEqual([
      expect.stringMatching(/^: The file is nested \d+ levels deep; an experiment needs fewer than 100\.$/),
    ]);
    expect(applyOverrides(text, { seed: 1 })).toBe(text);
  });

  test('brackets in texts and comments are not nesting', () => {
    const text = experimentText({ description: '['.repeat(500) }).replace('{', `{ // ${'['.repeat(500)}\n`);
    expect(problemsOf(text)).toEqual([]);
  });

  test('a field that a parser would hide as a prototype', () => {
    expect(problemsOf(experimentText().replace('"steps":12', '"__proto__":{"steps":3}'))).toEqual([
      'training.__proto__: There is no field "__proto__".',
    ]);
    expect(problemsOf(experimentText().replace('{', '{"__proto__":{"seed":3},'))).toEqual([
      '__proto__: There is no field "__proto__".',
    ]);
  });
});

describe('overrides', () => {
  test('set the seed, the steps and any field, as JSON or as words', () => {
    const text = applyOverrides(experimentText(), {
      seed: 7,
      steps: 99,
      set: ['task.operation=subtract', 'task.modulus=5', 'model.frozen=["embed.*"]', 'training.schedule.kind=constant'],
    });
    const { resolved } = read(text);
    expect(resolved).toMatchObject({
      seed: 7,
      training: { steps: 99, schedule: { kind: 'constant' } },
      model: { frozen: ['embed.*'] },
    });
    expect(resolved.task.parameters).toEqual({ operation: 'subtract', modulus: 5, trainFraction: 0.5 });
  });

  test('give a task that was named alone its parameters', () => {
    const text = applyOverrides(experimentText({ task: 'modular-arithmetic' }), { set: ['task.modulus=5'] });
    expect(read(text).resolved.task.parameters['modulus']).toBe(5);
  });

  test('without any, an experiment stays what it is', () => {
    expect(read(applyOverrides(experimentText(), {})).resolved).toEqual(read(experimentText()).resolved);
  });

  test('of fields that do not exist are found when the experiment is read', () => {
    expect(problemsOf(applyOverrides(experimentText(), { set: ['training.stepz=5'] }))).toEqual([
      'training.stepz: There is no field of "training" called "stepz"; the nearest is "steps".',
    ]);
    expect(
      problemsOf(applyOverrides(experimentText(), { set: ['training.constructor.prototype.polluted=1'] }))[0],
    ).toMatch(/^training\.constructor: There is no field of "training" called "constructor"/);
  });

  test.each([
    ['words', '"steps" is not of the form path=value, as in task.operation=add.', 'steps'],
    ['no name', '"=3" is not of the form path=value, as in task.operation=add.', '=3'],
    ['a field of a number', '"training.steps.x" cannot be set: "steps" holds a single value.', 'training.steps.x=1'],
    ['a prototype', '"__proto__.polluted" cannot be set: there is no field "__proto__".', '__proto__.polluted=1'],
    [
      'a prototype further down',
      '"training.__proto__" cannot be set: there is no field "__proto__".',
      'training.__proto__={"steps":5}',
    ],
  ])('%s are refused', (_, message, pair) => {
    expect(() => applyOverrides(experimentText(), { set: [pair] })).toThrow(new UserError(message));
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  test('of text that is not JSON leave it as it is, for the reader to say so', () => {
    expect(applyOverrides('{ "task": ', { seed: 3 })).toBe('{ "task": ');
  });
});
