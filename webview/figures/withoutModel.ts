import { Emitter } from '../../src/common/event';
import type { Lifetime } from '../../src/common/lifetime';
import { CellCursor } from '../cursor';
import { ThemeWatch } from '../theme';
import type { FigureContext } from './view';

/** What figures need around them that are about no part of a model; it ends with `lifetime`. */
export function contextWithoutModel(lifetime: Lifetime, announce: FigureContext['announce']): FigureContext {
  const heads = lifetime.add(new Emitter<void>());
  return {
    theme: lifetime.add(new ThemeWatch()),
    heads: { picked: undefined, onDidChange: heads.event, pick: () => undefined },
    cursor: () => new CellCursor(),
    announce,
    openings: () => [],
  };
}
