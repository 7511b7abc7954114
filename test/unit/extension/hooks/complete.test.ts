import { describe, expect, test } from 'vitest';
import type { Dialect } from '../../../../src/extension/hooks/lexer';
import { completionPlace } from '../../../../src/extension/hooks/complete';
import { knownOf } from './names';

const toy = knownOf();

/** What is offered at the `|`, and the line with the first of it accepted. */
function offered(marked: string, dialect: Dialect = 'python', known = toy) {
  const at = marked.indexOf('|');
  const text = marked.replace('|', '');
  const found = completionPlace(text, at, '', dialect)?.offer(known) ?? [];
  const accept = (name: string) => {
    const one = found.find(each => each.text === name) ?? expect.fail(`${name} is not among ${found.map(each => each.text).join(', ')}`);
    return text.slice(0, one.start) + one.text + text.slice(one.end);
  };
  return { texts: found.map(each => each.text), accept };
}

describe('completion', () => {
  test('goes part by part, and has whole names too', () => {
    const { texts, accept } = offered('cache["blocks.|"]');
    expect(texts.slice(0, 2)).toEqual(['blocks.0.', 'blocks.1.']);
    expect(texts).toContain('blocks.1.attn.hook_pattern');
    expect(accept('blocks.1.')).toBe('cache["blocks.1."]');
    expect(offered('cache["blocks.0.attn.|').accept('blocks.0.attn.hook_z')).toBe('cache["blocks.0.attn.hook_z');
  });

  test('has parts alone where there are very many names', () => {
    const deep = knownOf({ n_layers: 40 });
    expect(offered('f("blocks.|")', 'python', deep).texts).toHaveLength(40);
    expect(offered('f("blocks.7.|")', 'python', deep).texts).toContain('blocks.7.attn.hook_z');
  });

  test('replaces the whole string that the cursor is in', () => {
    expect(offered('x = f("blocks.0.|attn.hook_q", y)').accept('blocks.0.attn.hook_pattern')).toBe('x = f("blocks.0.attn.hook_pattern", y)');
  });

  test('offers short names where they are taken', () => {
    expect(offered('cache["pa|", 0]').accept('pattern')).toBe('cache["pattern", 0]');
    expect(offered('get_act_name("|')).toMatchObject({ texts: expect.arrayContaining(['resid_pre', 'q']) });
    expect(offered('get_act_name("|').texts).not.toContain('scale');
  });

  test('goes through the attributes of a model', () => {
    expect(offered('model.blocks[0].attn.|').texts).toEqual(expect.arrayContaining(['hook_pattern', 'W_O', 'b_Q']));
    expect(offered('model.blocks[i].|').texts).toEqual(expect.arrayContaining(['attn', 'mlp', 'hook_resid_pre']));
    expect(offered('x = model.W_|').texts).toEqual(['W_Q', 'W_K', 'W_V', 'W_O', 'W_in', 'W_out']);
    expect(offered('toyModel.blocks[0].attn.W_|x', 'javascript').accept('W_Q')).toBe('toyModel.blocks[0].attn.W_Q');
  });

  test.each(['print("hel|lo")', '# model.W_|', '"|"', 'self.W_|', 'x = other.W_|', 'x = model.blocks.|', 'x = model.blocks.0.attn.|'])('needs no names to be silent in %s', marked => {
    expect(completionPlace(marked.replace('|', ''), marked.indexOf('|'), '', 'python')).toBeUndefined();
  });
});
