import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { median } from '../../../../src/common/median';
import { ReferenceLines } from '../../../../src/extension/hooks/lines';
import { scanLine, type ScannedLine } from '../../../../src/extension/hooks/references';

/** A text that is edited as an editor does. */
class Edited {
  readonly index: ReferenceLines;

  constructor(readonly lines: string[]) {
    const { lines: own } = this;
    this.index = new ReferenceLines({ get lineCount() { return own.length; }, lineAt: line => own[line] ?? '' }, 'python');
  }

  replace(from: number, to: number, by: readonly string[]): void {
    this.lines.splice(from, to - from + 1, ...by);
    this.index.replace(from, to, by.length);
  }
}

/** Every line scanned from the first one on. */
function scannedWhole(lines: readonly string[]): readonly ScannedLine[] {
  let state: ScannedLine['end'] = '';
  return lines.map(line => {
    const scanned = scanLine(line, state, 'python');
    state = scanned.end;
    return scanned;
  });
}

const line = fc.constantFrom('"""', "'''", 'x = 1', '# """', 'cache["pattern", 0]', 'state["blocks.0.attn.W_Q"]', '""" and "hook_embed"', '', 'model.W_Q  # \'\'\'');
const edits = fc.array(fc.record({ from: fc.nat(30), length: fc.integer({ min: 1, max: 4 }), by: fc.array(line, { minLength: 1, maxLength: 4 }), look: fc.option(fc.nat(30)) }), { maxLength: 12 });

describe('the references of a text', () => {
  test('are after any changes, and whatever was asked between them, those of the text scanned anew', () => {
    fc.assert(fc.property(fc.array(line, { minLength: 1, maxLength: 25 }), edits, (lines, changes) => {
      const text = new Edited([...lines]);
      for (const { from, length, by, look } of changes) {
        const first = Math.min(from, text.lines.length - 1);
        text.replace(first, Math.min(first + length, text.lines.length) - 1, by);
        if (look !== null) expect(text.index.at(look)).toEqual(scannedWhole(text.lines)[look]);
      }
      expect(text.index.all()).toEqual(scannedWhole(text.lines));
    }), { numRuns: 500 });
  });

  test('cost the changed line alone', () => {
    const text = new Edited(Array.from({ length: 1000 }, (_, at) => `x${at} = cache["pattern", 0]`));
    text.index.all();
    const before = text.index.scanned;
    text.replace(500, 500, ['y = cache["q", 0]']);
    text.replace(700, 700, ['', '']);
    text.index.all();
    expect(text.index.scanned - before).toBe(3);
  });

  test('of lines far below a docstring that is opened are left until they are asked for', () => {
    const text = new Edited(Array.from({ length: 1000 }, () => 'cache["pattern", 0]'));
    text.index.all();
    const before = text.index.scanned;
    text.replace(10, 10, ['"""']);
    text.index.at(12);
    expect(text.index.scanned - before).toBe(3);
    expect(text.index.at(999)?.references).toEqual([]);
  });

  test('take less than 5 ms a keystroke in 5,000 lines', () => {
    const code = ['def f(model, cache):', '    """Prose about hook_pattern."""', '    x = cache["pattern", 0] @ model.blocks[0].attn.W_O[1]', '    y = run("blocks.0.hook_resid_pre", f"blocks.{i}.attn.hook_z")', ''];
    const text = new Edited(Array.from({ length: 5000 }, (_, at) => code[at % code.length] ?? ''));
    const began = performance.now();
    text.index.all();
    const whole = performance.now() - began;
    const typed = Array.from('cache["pattern", 0] + """ + model.W_Q[0]');
    const times: number[] = [];
    let written = '';
    for (const at of [0, 2500, 4990]) {
      for (const character of [...typed, '\n']) {
        const start = performance.now();
        if (character === '\n') text.replace(at, at, [written, '']);
        else text.replace(at, at, [(written += character)]);
        text.index.at(at);
        times.push(performance.now() - start);
      }
      written = '';
    }
    console.info(`5,000 lines scanned in ${whole.toFixed(1)} ms; a keystroke takes ${median(times).toFixed(3)} ms, ${Math.max(...times).toFixed(3)} ms at most`);
    expect(median(times)).toBeLessThan(5);
  });
});
