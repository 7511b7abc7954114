import { chooseComparison, type ComparisonHost } from './chooseComparison';
import { comparisonPoint } from './comparisonChoices';
import type { ModelTarget } from '../contributions';
import type { OpenAnalysis } from '../openAnalysis';
import type { Panels } from './panels';

/**
 * Compares the panel in sight: with the row that the command came from, or with what the user chooses. Without a panel the
 * user chooses an analysis first.
 */
export async function compareWith({ panels, ...host }: ComparisonHost & { readonly panels: Panels }, analyses: OpenAnalysis, target: ModelTarget | undefined): Promise<void> {
  const session = panels.inSight;
  if (!session) {
    const opened = await analyses.choose(target);
    const made = opened && panels.of(opened);
    if (made) await chooseComparison(host, made);
    return;
  }
  const { analyses: known } = await host.engine.start();
  const analysis = known.find(({ id }) => id === session.state.analysis);
  const point = analysis && target && comparisonPoint(session.state, analysis, target);
  if (!point) {
    await chooseComparison(host, session);
    return;
  }
  session.compareWith(point);
  panels.reveal(session.state, true);
}
