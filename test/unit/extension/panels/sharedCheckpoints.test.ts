import { describe, expect, test } from 'vitest';
import { SharedCheckpoints } from '../../../../src/extension/panels/sharedCheckpoints';
import type { PanelState } from '../../../../src/protocol/panel';

/** A panel that notes where it is led: a step, or `newest`, or `own` where it goes its own way. */
function panel(checkpoints: SharedCheckpoints, state: Partial<PanelState> = {}) {
  const places: (number | 'newest' | 'own')[] = [];
  const joined = checkpoints.join({ model: 'm', analysis: 'attention', params: {}, ...state }, place => {
    places.push(place ? place.checkpoint ?? 'newest' : 'own');
  });
  return { places, close: () => joined.dispose() };
}

describe('panels of a model', () => {
  test('go their own ways until they are linked, and again when they no longer are', () => {
    const checkpoints = new SharedCheckpoints();
    const [one, two, other] = [panel(checkpoints), panel(checkpoints), panel(checkpoints, { model: 'other' })];
    checkpoints.move('m', 100);
    checkpoints.link('m', true, 200);
    checkpoints.move('m', 300);
    checkpoints.move('m', 300);
    checkpoints.move('m', undefined);
    checkpoints.link('m', false, undefined);
    checkpoints.move('m', 400);
    expect([one.places, two.places, other.places]).toEqual([['own', 200, 300, 'newest', 'own'], ['own', 200, 300, 'newest', 'own'], ['own']]);
  });

  test('join the others where those are', () => {
    const checkpoints = new SharedCheckpoints();
    panel(checkpoints);
    checkpoints.link('m', true, 200);
    expect(panel(checkpoints, { checkpoint: 700 }).places).toEqual([200]);
    expect(checkpoints.of('m')).toEqual({ checkpoint: 200 });
  });

  test('are linked again after a reload, and not by one that was kept from before they were unlinked', () => {
    const checkpoints = new SharedCheckpoints();
    expect(panel(checkpoints, { linked: true, checkpoint: 200 }).places).toEqual([200]);
    checkpoints.link('m', false, 200);
    expect(panel(checkpoints, { linked: true, checkpoint: 700 }).places).toEqual(['own']);
  });

  test('leave nothing behind once all are closed', () => {
    const checkpoints = new SharedCheckpoints();
    const [one, two] = [panel(checkpoints), panel(checkpoints)];
    checkpoints.link('m', true, 200);
    one.close();
    checkpoints.move('m', 300);
    expect([one.places.length, checkpoints.of('m')]).toEqual([2, { checkpoint: 300 }]);
    two.close();
    expect(checkpoints.of('m')).toBeUndefined();
    expect(panel(checkpoints).places).toEqual(['own']);
  });
});
