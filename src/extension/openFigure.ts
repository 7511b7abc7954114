import type { PanelState } from '../protocol/panel';
import { resolveParameters } from '../protocol/parameter';
import { analysisNamed } from './analysisChoices';
import type { FigureTarget } from './contributions';
import type { Engine } from './engine';
import { panelState } from './panels/panelMessages';

/**
 * Opens what measured a claim or a breakpoint: the analysis with its parameters, the others being at their defaults and not
 * as they were last, at the checkpoint where it shows models at one.
 */
export async function openFigure(
  engine: Pick<Engine, 'start'>,
  panels: { show(state: PanelState, preserveFocus: boolean): Promise<void> },
  { model, analysis, params, checkpoint }: FigureTarget,
): Promise<void> {
  const { analyses } = await engine.start();
  const info = analysisNamed(analyses, analysis);
  const all = resolveParameters(`analysis "${analysis}"`, info.params, params);
  await panels.show(panelState(model, analysis, all, info.atCheckpoint ? checkpoint : undefined), false);
}
