import { inflateSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { pictureOf } from '../../../../src/engine/pictures';
import { float32 } from '../../../../src/common/tensor';
import { drawPicture } from '../../../../src/extension/hooks/drawPicture';
import { hoverText } from '../../../../src/extension/hooks/hover';
import { scanLine } from '../../../../src/extension/hooks/references';
import { resolve, type Found } from '../../../../src/extension/hooks/resolve';
import { pictureColumns, pictureRows, type Picture } from '../../../../src/protocol/tensors';
import { Draw } from '../../../support/draw';
import { knownOf } from './names';

const model = { id: 'm', name: 'toy', n_layers: 2 };

function found(text: string): Found {
  const [reference] = scanLine(text, '', 'python').references;
  const answer = reference && resolve(reference, knownOf());
  return answer?.kind === 'found' ? answer : expect.fail(`${text} names nothing`);
}

const pattern = pictureOf('blocks.0.attn.hook_pattern', { tensor: float32([3, 5, 5], new Draw('pattern').float32([3, 5, 5]).data), prompt: '3 `1` 2' });

/** VS Code cuts Markdown off behind this many characters. */
const longest = 100_000;

describe('the hover', () => {
  test('says shape, meaning, numbers and prompt, and shows the picture', () => {
    const text = hoverText(found('cache["pattern", 0]'), model, pattern);
    expect(text).toContain('**`blocks.0.attn.hook_pattern`**');
    expect(text.replaceAll('\\', '')).toContain('[batch, head 3, dest 5, src 5]');
    expect(text).toMatch(/!\[[^\]]*\]\(data:image\/png;base64,[\w+/=]+\|width=\d+,height=\d+\)/);
    expect(text).toContain("on `3 '1' 2`");
    expect(text).toContain('command:circuits.openAttention?');
    expect(decodeURIComponent(/circuits\.revealTensor\?([^)]*)/.exec(text)?.[1] ?? '')).toBe('[{"model":"m","name":"blocks.0.attn.hook_pattern"}]');
  });

  test('of all layers names the layer axis, and which one is drawn', () => {
    const picture = pictureOf('blocks.0.attn.W_Q', { tensor: float32([3, 8, 4]) });
    const text = hoverText(found('model.W_Q'), model, picture).replaceAll('\\', '');
    expect(text).toContain('**`blocks.*.attn.W_Q`** [layer 2, head 3, d_model 8, d_head 4]');
    expect(text).toContain('`blocks.0.attn.W_Q`: 3 heads side by side');
    expect(text).not.toContain('Open Attention');
  });

  test('is text alone where the picture is late, fails, or cannot be', () => {
    expect(hoverText(found('"hook_embed"'), model, 'late')).toContain('point here again');
    expect(hoverText(found('"hook_embed"'), model, { problem: 'It has no weights.' })).toContain('It has no weights');
    expect(hoverText(found('"blocks.0.hook_q_input"'), model, undefined)).not.toContain('![');
  });

  test('fits what VS Code shows, whatever the numbers are', () => {
    const values = new Draw('noise').float32([640, 960]);
    const text = hoverText(found('model.W_E'), model, pictureOf('embed.W_E', { tensor: float32([640, 960], values.data) }));
    expect(text.length).toBeLessThan(longest);
  });
});

describe('a drawn picture', () => {
  const pixels = ({ address, width }: ReturnType<typeof drawPicture>) => {
    const file = Buffer.from(address.slice(address.indexOf(',') + 1), 'base64');
    const at = file.indexOf('IDAT');
    const lines = inflateSync(file.subarray(at + 4, at + 4 + file.readUInt32BE(at - 4)));
    return (x: number, y: number) => [...lines.subarray(y * (1 + 4 * width) + 1 + 4 * x, y * (1 + 4 * width) + 5 + 4 * x)];
  };

  test('has square cells, heads in frames, and nothing between them', () => {
    const picture: Picture = { rows: 2, columns: 4, values: Float32Array.of(1, 0, 0, 0, 0, 0, 0, 1), panels: 2, scale: 'attention', legend: '', minimum: 0, maximum: 1, mean: 0.25 };
    const drawn = drawPicture(picture);
    expect([drawn.width, drawn.height]).toEqual([2 * (2 * 16 + 2) + 6, 2 * 16 + 2]);
    const at = pixels(drawn);
    expect(at(8, 8)[3]).toBe(255);
    expect(at(24, 8)[3]).toBe(0);
    expect(at(36, 8)).toEqual([0, 0, 0, 0]);
    expect(at(2 * 16 + 2 + 6 + 1 + 24, 24)[3]).toBe(255);
  });

  test('is not a thread where its rows are few', () => {
    const flat: Picture = { rows: 3, columns: 96, values: new Float32Array(3 * 96), panels: 1, scale: 'diverging', legend: '', minimum: 0, maximum: 0, mean: 0 };
    expect(drawPicture(flat).height).toBe(3 * 16 + 2);
    expect(drawPicture({ ...flat, rows: 1, values: new Float32Array(96) }).height).toBe(16 + 2);
  });

  test('leaves out what is no number, and is red above 0 and blue below', () => {
    const at = pixels(drawPicture({ rows: 1, columns: 3, values: Float32Array.of(1, -1, 0), empty: Uint8Array.of(0, 0, 1), panels: 1, scale: 'diverging', legend: '', minimum: -1, maximum: 1, mean: 0 }));
    const [[red = 0, , ] , [, , blue = 0], empty] = [at(8, 8), at(24, 8), at(40, 8)];
    expect(red).toBeGreaterThan(180);
    expect(blue).toBeGreaterThan(180);
    expect(empty[3]).toBe(0);
  });

  test.each([[pictureRows, pictureColumns, 24], [24, 24, 1]])('is no larger than a hover has room for beside its numbers: %i by %i', (rows, columns, panels) => {
    const { width, height } = drawPicture({ rows, columns, values: new Float32Array(rows * columns), panels, scale: 'diverging', legend: '', minimum: 0, maximum: 0, mean: 0 });
    expect(width).toBeLessThanOrEqual(400);
    expect(height).toBeLessThanOrEqual(130);
  });
});
