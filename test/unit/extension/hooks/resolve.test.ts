import { describe, expect, test } from 'vitest';
import type { Dialect } from '../../../../src/extension/hooks/lexer';
import { scanLine } from '../../../../src/extension/hooks/references';
import { onTensor, resolve, type KnownTensors } from '../../../../src/extension/hooks/resolve';
import { knownOf } from './names';

// Two layers of three heads with MLPs, without norms.
const toy = knownOf();
const attentionOnly = knownOf({ attn_only: true, n_layers: 1 });

function resolved(text: string, known: KnownTensors = toy, dialect: Dialect = 'python') {
  const [reference] = scanLine(text, '', dialect).references;
  return reference && resolve(reference, known);
}

function namesIn(text: string, known?: KnownTensors): readonly string[] {
  const found = resolved(text, known);
  return found?.kind === 'found' ? found.tensors.map(({ name }) => name) : expect.fail(`${text}: ${JSON.stringify(found)}`);
}

function wrongIn(text: string, known?: KnownTensors) {
  const wrong = resolved(text, known);
  if (wrong?.kind !== 'wrong') expect.fail(`${text}: ${JSON.stringify(wrong)}`);
  const { start, end, message, nearest } = wrong;
  return { marked: text.slice(start, end), message, nearest };
}

describe('a name that the model has', () => {
  test.each([
    ['cache["blocks.1.attn.hook_pattern"]', ['blocks.1.attn.hook_pattern']],
    ['cache["resid_post", -1]', ['blocks.1.hook_resid_post']],
    ['cache[f"blocks.{i}.attn.hook_q"]', ['blocks.0.attn.hook_q', 'blocks.1.attn.hook_q']],
    ['name.endswith("hook_pattern")', ['blocks.0.attn.hook_pattern', 'blocks.1.attn.hook_pattern']],
    ['model.W_Q', ['blocks.0.attn.W_Q', 'blocks.1.attn.W_Q']],
    ['model.W_Q[1]', ['blocks.1.attn.W_Q']],
    ['model.W_E', ['embed.W_E']],
    ['model.blocks[-1].mlp.W_in', ['blocks.1.mlp.W_in']],
  ])('%s', (text, names) => expect(namesIn(text)).toEqual(names));

  test('of one head is of that head', () => {
    expect(resolved('model.blocks[0].attn.W_O[2]')).toMatchObject({ kind: 'found', head: 2, stacked: false });
    expect(resolved('model.W_O[1, -1]')).toMatchObject({ kind: 'found', head: 2, stacked: false });
    expect(resolved('model.W_O')).toMatchObject({ kind: 'found', stacked: true });
    expect(resolved('model.blocks[0].mlp.W_in[2]')).not.toHaveProperty('head');
  });
});

describe('a name that the model does not have', () => {
  test('is marked with the nearest', () => {
    expect(wrongIn('cache["blocks.1.attn.hook_patern"]')).toEqual({
      marked: 'blocks.1.attn.hook_patern',
      message: expect.stringMatching(/^toy has no "blocks\.1\.attn\.hook_patern"; the nearest .*"blocks\.1\.attn\.hook_pattern"/),
      nearest: expect.arrayContaining(['blocks.1.attn.hook_pattern']),
    });
  });

  test('keeps what is computed in what it is changed to', () => {
    expect(wrongIn('cache[f"blocks.{i}.attn.hook_patern"]').nearest[0]).toBe('blocks.{i}.attn.hook_pattern');
  });

  test('is a short one, near to short ones', () => {
    expect(wrongIn('cache["patern", 0]')).toMatchObject({ marked: 'patern', nearest: expect.arrayContaining(['pattern']) });
    expect(wrongIn('get_act_name("resid_prae", -1)').nearest[0]).toBe('resid_pre');
  });

  test('is the last part of an attribute', () => {
    expect(wrongIn('model.blocks[0].attn.W_X')).toMatchObject({ marked: 'W_X', nearest: expect.arrayContaining(['W_Q']) });
  });

  test.each([
    ['cache["blocks.2.attn.hook_pattern"]', '2', '1'],
    ['cache["pattern", 7]', '7', '1'],
    ['cache["pattern", -3]', '-3', '-2'],
    ['model.blocks[2].attn.W_Q', '2', '1'],
  ])('%s is out of range at its layer', (text, marked, nearest) => {
    expect(wrongIn(text)).toMatchObject({ marked, nearest: [nearest], message: expect.stringMatching(/^toy has no layer -?\d: it has 2 layers, 0 to 1\.$/) });
  });

  test('is a head out of range', () => {
    expect(wrongIn('model.blocks[0].attn.W_O[3]')).toEqual({ marked: '3', nearest: ['2'], message: 'There is no head 3 of blocks.0.attn.W_O in toy: it has 0 to 2.' });
    expect(wrongIn('model.W_Q[0, 5]').marked).toBe('5');
    expect(wrongIn('model.W_Q[2]').message).toContain('no layer 2');
  });

  test('says why, where other models have it', () => {
    expect(wrongIn('cache["mlp_out", 0]', attentionOnly)).toMatchObject({ marked: 'mlp_out', message: 'toy has no "mlp_out" in layer 0: it has no MLPs.' });
    expect(wrongIn('cache["blocks.0.ln1.hook_scale"]').message).toBe('toy has no "blocks.0.ln1.hook_scale": it does not normalize.');
    expect(wrongIn('f"blocks.{i}.mlp.hook_post"', attentionOnly).message).toContain('it has no MLPs');
  });

  test.each(['x = cache["user"]', 'register("hook_factory")', 'state["blocks.0.attn.qkv.weight"]', 'model.W_gate_proj', '"blocks.0.hook_resid" + "_pre"'])(
    'may be something else altogether: %s', text => expect(resolved(text)).toBeUndefined());

  test('is not one that TransformerLens has on demand', () => {
    expect(resolved('"blocks.0.hook_q_input"')).toMatchObject({ kind: 'found', tensors: [{ drawn: false }] });
  });
});

describe('what the cursor is at', () => {
  test.each([
    ['cache["blocks.1.attn.hook_pattern"]', 'string'],
    ['cache["pattern", 0]', 'string'],
    ['x = model.blocks[1].attn.W_O', 'attribute'],
    ['x = model.b_custom', false],
    ['params["W_gate"]', false],
    ['cache["blocks.1.attn.hook_patern"]', false],
    ['cache["blocks.9.attn.hook_pattern"]', false],
  ])('is a name only where the model has it: %s', (text, at) => {
    expect(onTensor(scanLine(text, '', 'python').references[0], toy)).toBe(at);
  });

  test('is none while no names are known', () => {
    expect(onTensor(scanLine('cache["pattern", 0]', '', 'python').references[0], undefined)).toBe(false);
  });
});
