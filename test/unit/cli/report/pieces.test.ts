import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Markup } from '../../../../src/cli/report/markup';
import { reportPage } from '../../../../src/cli/report/page';
import { Pieces, type PieceKind } from '../../../../src/cli/report/pieces';
import { sampleReport } from './sampleReport';

/** A page of pieces of so many bytes each, with a word for each that gave way. */
function filled(sizes: readonly (readonly [PieceKind, number])[], limit: number): string {
  const pieces = new Pieces();
  return pieces.fill(sizes.map(([kind, size]) => pieces.place(kind, new Markup(kind.charAt(0).repeat(size)), new Markup('-')).text).join(' '), limit);
}

describe('the pieces of a page', () => {
  test('all stay where there is room for them', () => {
    expect(filled([['picture', 3], ['values', 2], ['download', 4]], 11)).toBe('ppp vv dddd');
  });

  test('give way by their kinds, of each kind the largest first', () => {
    const sizes = [['download', 3], ['picture', 9], ['values', 5], ['download', 4], ['picture', 6]] as const;
    expect(filled(sizes, 30)).toBe('ddd ppppppppp vvvvv - pppppp');
    expect(filled(sizes, 27)).toBe('- ppppppppp vvvvv - pppppp');
    expect(filled(sizes, 22)).toBe('- ppppppppp - - pppppp');
    expect(filled(sizes, 14)).toBe('- - - - pppppp');
  });

  test('never make a page larger than it may be', () => {
    const kind = fc.constantFrom<PieceKind>('download', 'values', 'picture');
    fc.assert(fc.property(fc.array(fc.tuple(kind, fc.nat(50)), { maxLength: 8 }), fc.integer({ min: 16, max: 300 }), (sizes, limit) => {
      expect(filled(sizes, limit).length).toBeLessThanOrEqual(limit);
    }));
  });

  test('are not confused with text that looks like a place', () => {
    const pieces = new Pieces();
    const place = pieces.place('values', new Markup('ü\u2192$&'), new Markup(''));
    expect(pieces.fill(`0 ${place.text} 0`, 100)).toBe('0 ü\u2192$& 0');
  });

  test('cannot make room for a page that is too large without them', () => {
    expect(() => filled([['picture', 9], ['picture', 9]], 2)).toThrow(/would be larger than/);
  });
});

describe('a report', () => {
  const bytes = (limit: number) => Buffer.byteLength(reportPage(sampleReport(), limit));

  test('gives up downloads, tables and pictures in turn, each with a sentence, and stays below its limit', () => {
    const whole = reportPage(sampleReport());
    expect(whole).not.toContain('left out');
    const lean = reportPage(sampleReport(), 200_000);
    expect(lean).toContain('The values to download are left out');
    expect(lean).not.toContain('This picture is left out');
    const bare = reportPage(sampleReport(), 30_000);
    expect(bare).toContain('This picture is left out');
    expect(bare).toContain('Patching, diverging');
    for (const limit of [30_000, 100_000, 200_000, 300_000]) expect(bytes(limit)).toBeLessThanOrEqual(limit);
  });

  test('of a good many large figures stays below 6 MB', () => {
    const report = sampleReport();
    const side = 300;
    const noise = Float32Array.from({ length: side * side }, (_, at) => Math.sin(at * at));
    const large = Array.from({ length: 24 }, (_, at) => ({
      kind: 'heatmap', title: `Circuit ${at}`, x: { title: 'to' }, y: { title: 'from' }, rows: side, columns: side, values: noise, scale: 'sequential', unit: '',
    }) as const);
    const [first] = report.sections;
    if (!first) expect.fail('the sample has no section');
    const page = reportPage({ ...report, sections: [...report.sections, { ...first, outcome: { figures: large, scalars: {} } }] });
    expect(Buffer.byteLength(page)).toBeLessThanOrEqual(6_000_000);
    expect(Buffer.byteLength(page)).toBeGreaterThan(5_000_000);
    expect(page).toContain('Circuit 23');
  });
});
