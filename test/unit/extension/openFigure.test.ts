import { expect, test } from 'vitest';
import { openFigure } from '../../../src/extension/openFigure';
import type { AnalysisInfo } from '../../../src/protocol/analysis';
import type { PanelState } from '../../../src/protocol/panel';

const attention: AnalysisInfo = {
  id: 'attention', title: 'Attention', description: '', group: 'Attention', scalars: {}, badges: false, live: false, atCheckpoint: true,
  params: {
    head: { kind: 'head', title: 'Head', description: '', default: '' },
    examples: { kind: 'integer', title: 'Examples', description: '', default: 3 },
  },
};
const engine = { start: async () => ({ analyses: [attention, { ...attention, id: 'training-curves', params: {}, atCheckpoint: false }] }) } as never;

test('what measured something is opened with its parameters, and the others at their defaults, not as they were last', async () => {
  const shown: PanelState[] = [];
  const panels = { show: async (state: PanelState) => void shown.push(state) };
  await openFigure(engine, panels, { model: 'm', analysis: 'attention', params: { head: '1.0' }, checkpoint: 300 });
  await openFigure(engine, panels, { model: 'm', analysis: 'training-curves', params: {}, checkpoint: 300 });
  expect(shown).toEqual([
    { model: 'm', analysis: 'attention', params: { head: '1.0', examples: 3 }, checkpoint: 300 },
    { model: 'm', analysis: 'training-curves', params: {} },
  ]);
  await expect(openFigure(engine, panels, { model: 'm', analysis: 'atention', params: {} })).rejects.toThrow('"attention"');
});
