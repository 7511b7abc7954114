import { describe, expect, test } from 'vitest';
import type { Dialect } from '../../../../src/extension/hooks/lexer';
import { scanLine } from '../../../../src/extension/hooks/references';

/** What a line names, each as `name (what is marked)`. */
function named(text: string, dialect: Dialect = 'python'): readonly string[] {
  return scanLine(text, '', dialect).references.map(({ name, start, end }) => `${name} (${text.slice(start, end)})`);
}

describe('a line of Python names', () => {
  test.each([
    ['cache["blocks.0.attn.hook_pattern"]', 'blocks.0.attn.hook_pattern (blocks.0.attn.hook_pattern)'],
    ["x = cache['hook_embed'].shape", 'hook_embed (hook_embed)'],
    ['name = f"blocks.{layer}.attn.hook_z"', 'blocks.*.attn.hook_z (blocks.{layer}.attn.hook_z)'],
    ['name = f"blocks.{d["x"]}.hook_resid_pre"', 'blocks.*.hook_resid_pre (blocks.{d["x"]}.hook_resid_pre)'],
    ['name = "blocks.{}.hook_resid_pre".format(i)', 'blocks.*.hook_resid_pre (blocks.{}.hook_resid_pre)'],
    ['name = "blocks.%d.hook_resid_pre" % i', 'blocks.*.hook_resid_pre (blocks.%d.hook_resid_pre)'],
    ['cache["pattern", 0]', 'blocks.0.attn.hook_pattern (pattern)'],
    ['self.clean_cache["pattern", 0, "attn"][:, 3]', 'blocks.0.attn.hook_pattern (pattern)'],
    ['cache["resid_post", -1]', 'blocks.-1.hook_resid_post (resid_post)'],
    ['cache["q", layer]', 'blocks.*.attn.hook_q (q)'],
    ['cache["scale", 1, "ln2"]', 'blocks.1.ln2.hook_scale (scale)'],
    ['cache["embed"]', 'hook_embed (embed)'],
    ['utils.get_act_name("pattern", 0)', 'blocks.0.attn.hook_pattern (pattern)'],
    ['get_act_name("scale4ln1")', 'blocks.4.ln1.hook_scale (scale4ln1)'],
    ['get_act_name(name="mlp_pre", layer=2)', 'blocks.2.mlp.hook_pre (mlp_pre)'],
    ['model.run_with_hooks(x, fwd_hooks=[("blocks.0.hook_resid_pre", fn)])', 'blocks.0.hook_resid_pre (blocks.0.hook_resid_pre)'],
    ['model.run_with_cache(x, names_filter="blocks.1.hook_mlp_out")', 'blocks.1.hook_mlp_out (blocks.1.hook_mlp_out)'],
    ['names_filter=lambda name: name.endswith("hook_pattern")', 'hook_pattern (hook_pattern)'],
    ['state["blocks.0.attn.W_Q"]', 'blocks.0.attn.W_Q (blocks.0.attn.W_Q)'],
    ['state["embed.W_E"]', 'embed.W_E (embed.W_E)'],
    ['state["ln_final.w"]', 'ln_final.w (ln_final.w)'],
    ['model.W_Q', 'W_Q (W_Q)'],
    ['toy_model.W_E[3]', 'W_E (W_E)'],
    ['model.blocks[1].attn.W_O[2]', 'blocks.1.attn.W_O (blocks[1].attn.W_O)'],
    ['model.blocks[layer].attn.W_O', 'blocks.*.attn.W_O (blocks[layer].attn.W_O)'],
    ['self.model.embed.W_E', 'embed.W_E (embed.W_E)'],
    ['model.blocks[0].attn.hook_pattern', 'blocks.0.attn.hook_pattern (blocks[0].attn.hook_pattern)'],
    ['model.blocks[0].ln1.w', 'blocks.0.ln1.w (blocks[0].ln1.w)'],
  ])('%s', (text, expected) => expect(named(text)).toEqual([expected]));

  test('two at once, in their order', () => {
    expect(named('model.W_V[0] @ cache["v", 0]  # and "blocks.9.hook_z"')).toEqual(['W_V (W_V)', 'blocks.0.attn.hook_v (v)']);
  });
});

describe('a line of Python names nothing in', () => {
  test.each([
    '# cache["blocks.0.attn.hook_pattern"]',
    '"""The pattern is in blocks.0.attn.hook_pattern."""',
    '"""blocks.0.attn.hook_pattern"""',
    'print("the hook_pattern of the blocks.0.attn")',
    'self.W_Q = other.W_K',
    'head.W_Q',
    'x = layer_model_2.W',
    'registry["blocks.0"]',
    'state["layers.0.attn.qkv.weight"]',
    'name = "blocks." + str(i)',
    'name = "hook_"',
    'model.blocks[0].attn.forward(x)',
    'model.hook_dict_of(x)',
    'path = "C:\\\\blocks.0.attn"',
    'model.blocks[0].attn.qkv',
  ])('%s', text => expect(named(text)).toEqual([]));
});

describe('a name is only sure to be wrong where it can be nothing else', () => {
  test.each([
    ['state["blocks.0.attn.hook_patern"]', 'always'],
    ['get_act_name("patern", 0)', 'always'],
    ['cache["patern", 0]', 'always'],
    ['cache["patern", layer]', 'near'],
    ['cache["patern"]', 'never'],
    ['register("hook_factory")', 'near'],
    ['"blocks.0.hook_resid_" + "pre"', 'never'],
    ['"blocks.0.hook_resid" + "_pre"', 'never'],
    ['state["blocks.0.attn.qkv.weight"]', 'near'],
    ['model.blocks[0].attn.W_Z', 'always'],
    ['model.W_gate_proj', 'never'],
  ])('%s: %s', (text, wrong) => expect(scanLine(text, '', 'python').references[0]?.wrong).toBe(wrong));
});

describe('other languages', () => {
  test.each([
    ['javascript', 'cache.get(`blocks.${layer}.attn.hook_z`)', 'blocks.*.attn.hook_z (blocks.${layer}.attn.hook_z)'],
    ['javascript', "const name = 'blocks.0.hook_resid_pre'; // 'hook_embed'", 'blocks.0.hook_resid_pre (blocks.0.hook_resid_pre)'],
    ['javascript', 'const q = toyModel.blocks[0].attn.W_Q[1][2];', 'blocks.0.attn.W_Q (blocks[0].attn.W_Q)'],
    ['javascript', 'x.replace(/["\']/g, "hook_embed")', 'hook_embed (hook_embed)'],
    ['json', '{ "hook": "blocks.0.attn.hook_z" } // "hook_embed"', 'blocks.0.attn.hook_z (blocks.0.attn.hook_z)'],
    ['json', '"frozen": ["blocks.*.attn.W_*"]', 'blocks.*.attn.W_* (blocks.*.attn.W_*)'],
  ] as const)('%s: %s', (dialect, text, expected) => expect(named(text, dialect)).toEqual([expected]));

  test('have no short names', () => {
    expect(named('cache["pattern", 0]', 'javascript')).toEqual([]);
  });
});

describe('the parts of a reference', () => {
  const textOf = (text: string, span: { readonly start: number; readonly end: number } | undefined) => span && text.slice(span.start, span.end);

  test.each([
    ['state["blocks.12.attn.W_Q"]', '12'],
    ['cache["pattern", 12]', '12'],
    ['cache["pattern", -1]', '-1'],
    ['get_act_name("k12")', '12'],
    ['model.blocks[ 12 ].attn.W_Q', '12'],
  ])('%s has layer %s', (text, layer) => {
    const [reference] = scanLine(text, '', 'python').references;
    expect(textOf(text, reference?.layer)).toBe(layer);
    expect(reference?.layer?.value).toBe(Number(layer));
  });

  test('are the numbers in brackets, as far as each is of the next axis', () => {
    const indices = (text: string) => scanLine(text, '', 'python').references[0]?.indices.map(index => index?.value);
    expect(indices('model.W_Q[1, 3]')).toEqual([1, 3]);
    expect(indices('model.W_Q[1][-3]')).toEqual([1, -3]);
    expect(indices('model.W_Q[:, 3][7]')).toEqual([undefined, 3]);
    expect(indices('model.W_Q[layer]')).toEqual([undefined]);
    expect(indices('model.W_Q.T')).toEqual([]);
  });
});
