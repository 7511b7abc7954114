import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { exportFileName, readPanelMessage, readPanelState } from '../../../../src/extension/panels/panelMessages';

describe('a message of a panel', () => {
  test('is taken when every field fits', () => {
    const messages = [
      { kind: 'ready' },
      { kind: 'change', params: { prompt: 'a b', head: '1.0', count: 3, mean: true }, checkpoint: 100 },
      { kind: 'change', params: {} },
      { kind: 'move', checkpoint: 0 },
      { kind: 'move' },
      { kind: 'link', linked: true },
      { kind: 'select', layer: 0, head: 3 },
      { kind: 'open', analysis: 'ov-circuit', params: { head: '1.0' } },
      { kind: 'claim', figure: 2 },
      { kind: 'code', figure: 0 },
      { kind: 'save', name: 'Attention', format: 'svg', content: '<svg/>' },
      { kind: 'save', name: 'Attention', format: 'png', content: Uint8Array.of(1, 2) },
      { kind: 'cancel' },
      { kind: 'compare' },
      { kind: 'stopComparing' },
      { kind: 'view', view: 'difference' },
      { kind: 'failed', message: 'x is undefined' },
    ];
    for (const message of messages) expect(readPanelMessage(message)).toEqual(message);
  });

  test('is not believed otherwise', () => {
    const wrong = [
      undefined, null, 3, 'ready', {}, [], { kind: 'reload' }, { kind: 'view', view: 'both' }, { kind: 'compare', model: 'm' }, { kind: 'ready', extra: 1 },
      { kind: 'change', params: { deep: {} } }, { kind: 'change', params: { a: Number.NaN } }, { kind: 'change', params: {}, checkpoint: 1.5 },
      { kind: 'move', checkpoint: -1 }, { kind: 'move', checkpoint: '5' }, { kind: 'move', params: {} }, { kind: 'link' }, { kind: 'link', linked: 1 },
      { kind: 'change', params: { text: 'x'.repeat(100_001) } },
      { kind: 'open', analysis: '', params: {} }, { kind: 'open', analysis: 'x' }, { kind: 'open', analysis: 'x', params: { a: null } },
      { kind: 'claim', figure: -1 }, { kind: 'claim' }, { kind: 'code', figure: 0.5 }, { kind: 'code' },
      { kind: 'select', layer: -1, head: 0 }, { kind: 'select', layer: 0 },
      { kind: 'save', name: 'x', format: 'exe', content: '' }, { kind: 'save', name: 'x', format: 'png', content: [1, 2] },
      { kind: 'save', name: '', format: 'png', content: '' },
    ];
    for (const message of wrong) expect(readPanelMessage(message), JSON.stringify(message)).toBeUndefined();
  });
});

describe('what was kept of a panel', () => {
  test('is taken back, with parameters that no longer make sense left out', () => {
    expect(readPanelState({ model: 'm', analysis: 'attention', params: { prompt: 'a' }, checkpoint: 3 })).toEqual({
      model: 'm', analysis: 'attention', params: { prompt: 'a' }, checkpoint: 3,
    });
    const linked = { model: 'm', analysis: 'attention', params: {}, linked: true };
    expect(readPanelState(linked)).toEqual(linked);
    expect(readPanelState({ model: 'm', analysis: 'attention', params: [{}] })).toEqual({ model: 'm', analysis: 'attention', params: {} });
  });

  test('is compared with what it was compared with, in the same way, where that still makes sense', () => {
    const state = { model: 'm', analysis: 'attention', params: {} };
    for (const against of [{ model: 'other' }, { model: 'm', checkpoint: 3 }]) {
      expect(readPanelState({ ...state, against, view: 'difference' })).toEqual({ ...state, against, view: 'difference' });
    }
    for (const wrong of [{ against: 'm' }, { against: {} }, { against: { model: 'm', checkpoint: 1.5 } }, { view: 'both' }]) expect(readPanelState({ ...state, ...wrong })).toEqual(state);
  });

  test('is dropped when it does not say what was shown', () => {
    for (const state of [undefined, null, 'm', {}, { model: 'm' }, { model: 1, analysis: 'a', params: {} }]) {
      expect(readPanelState(state)).toBeUndefined();
    }
  });
});

describe('the name of an exported file', () => {
  test('is that of the figure, with its ending once', () => {
    expect(exportFileName('Attention of L0H1', 'png')).toBe('Attention of L0H1.png');
    expect(exportFileName('attention.PNG', 'png')).toBe('attention.png');
    expect(exportFileName('loss: train/test', 'csv')).toBe('loss train test.csv');
  });

  test('never leads out of the folder', () => {
    expect(exportFileName('../../etc/passwd', 'json')).toBe('etc passwd.json');
    expect(exportFileName('...', 'json')).toBe('figure.json');
    fc.assert(fc.property(fc.string({ unit: 'binary' }), name => {
      const file = exportFileName(name, 'svg');
      expect(file).not.toMatch(/[\\/:*?"<>|\p{Cc}]/u);
      expect(file).toMatch(/^[^.\s].*\.svg$/su);
    }));
  });
});
