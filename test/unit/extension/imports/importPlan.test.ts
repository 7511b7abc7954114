import { describe, expect, test } from 'vitest';
import { bindingText, fieldFromText, importItems, optionItems, seedFromText, valueFromText } from '../../../../src/extension/imports/importPlan';
import type { ImportProposal } from '../../../../src/protocol/checkpointFile';
import { configOf } from '../../../support/models';

const proposal: ImportProposal = {
  name: 'grokked', format: 'torch', layout: 'transformer-lens', config: configOf({ n_layers: 1 }), parameters: 226_816, checkpoints: [0, 100], tokenizer: false, tasks: [],
  inferred: [
    { field: 'n_layers', value: 1, from: 'blocks.0.attn.W_Q [3, 8, 4]' },
    { field: 'act_fn', value: 'relu', from: 'default' },
    { field: 'normalization_type', value: null, from: 'grokked.config.json' },
    { field: 'attention_dir', value: 'causal', from: 'blocks.0.attn.mask [5, 5]' },
    { field: 'use_attn_scale', value: false, from: 'you' },
  ],
};

describe('what is shown before an import', () => {
  const items = importItems({ file: '/models/grokked.pt' }, proposal);

  test('is the import itself with what the file was found to be', () => {
    expect(items[0]).toMatchObject({
      label: 'Import', description: 'grokked', choice: 'import',
      detail: 'TransformerLens · 1 layer of 3 heads · d_model 8 · 226,816 parameters · 2 checkpoints',
    });
  });

  test('then what nothing told, and at the end what a config or the user did; what tensors tell is not asked', () => {
    expect(items.map(({ label, description, detail }) => [label, description, detail ?? ''])).toEqual([
      ['Import', 'grokked', expect.anything()],
      ['Activation function', 'relu', 'The file does not say. Change it if this is wrong.'],
      ['Name', 'grokked', ''],
      ['Task', 'none: it is not known what is right', ''],
      ['Normalization', 'none', 'from grokked.config.json'],
      ['Scores divided by √d_head', 'no', 'as you said'],
      ['Config File…', 'the one beside it, where there is one', ''],
      ['Another Field…', 'of the config, as field=value', ''],
    ]);
  });

  test('asks for no activation function of a model without MLPs', () => {
    const attentionOnly = importItems({ file: '/a.pt' }, { ...proposal, config: configOf({ attn_only: true }) });
    expect(attentionOnly.map(({ choice }) => choice)).not.toContain('act_fn');
  });

  test('draws no icons that a file names', () => {
    const [first] = importItems({ file: '/a.pt' }, { ...proposal, name: '$(alert) now' });
    expect(first?.description).toBe('$ (alert) now');
  });
});

test('the values of a field are those of the config, with the one that it has now', () => {
  expect(optionItems('normalization_type', null).map(({ label, description }) => [label, description])).toEqual([
    ['none', 'as it is'], ['LN', undefined], ['LNPre', undefined], ['RMS', undefined], ['RMSPre', undefined],
  ]);
});

test('a binding is said in words', () => {
  expect(bindingText({ kind: 'prompts', file: 'C:\\data\\prompts.json' })).toBe('the prompts of prompts.json');
  expect(bindingText({ kind: 'task', name: 'max', parameters: { numbers: 64, order: 'any' } })).toBe('max, numbers 64, order any');
  expect(bindingText({ kind: 'task', name: 'list-copy', parameters: {}, seed: 3 })).toBe('list-copy, seed 3');
});

test.each([
  ['n_ctx=10', { field: 'n_ctx', value: 10 }],
  [' act_fn = gelu ', { field: 'act_fn', value: 'gelu' }],
  ['normalization_type=null', { field: 'normalization_type', value: null }],
  ['n_ctx', undefined],
  ['=3', undefined],
  ['__proto__=1', undefined],
])('the field %s', (text, field) => {
  expect(fieldFromText(text)).toEqual(field);
});

test.each([['', { seed: undefined }], [' 7 ', { seed: 7 }], ['-1', { problem: true }], ['1.5', { problem: true }], ['x', { problem: true }]])('the seed %j', (text, read) => {
  expect(seedFromText(text)).toEqual(read);
});

describe('a parameter as it is typed', () => {
  const modulus = { kind: 'integer', title: 'Modulus', description: '', default: 113, minimum: 2, maximum: 200 } as const;

  test('is a number within its bounds', () => {
    expect(valueFromText(modulus, '59')).toEqual({ value: 59 });
    expect(valueFromText(modulus, '1')).toHaveProperty('problem');
    expect(valueFromText(modulus, '')).toEqual({ problem: 'Modulus: a number.' });
    expect(valueFromText(modulus, 'many')).toEqual({ problem: 'Modulus: a number.' });
    expect(valueFromText(modulus, '2.5')).toHaveProperty('problem');
  });

  test('or a text', () => {
    expect(valueFromText({ kind: 'text', title: 'Words', description: '', default: '' }, 'a b')).toEqual({ value: 'a b' });
  });
});
