import * as vscode from 'vscode';
import { UserError } from '../../common/errors';
import { analyze, applicableAnalyses, getBreakpoints, setBreakpoints } from '../../protocol/engine';
import type { AnalysisInfo } from '../../protocol/analysis';
import type { Breakpoint } from '../../protocol/experiment';
import type { ModelSummary } from '../../protocol/model';
import type { ParameterValues } from '../../protocol/parameter';
import { analysisNamed } from '../analysisChoices';
import { askBreakpoint } from './askBreakpoint';
import type { Values } from './breakpointDraft';
import { conditionOf } from './breakpointText';
import { chosenParams, scalarOfFigure } from '../claims/claimOfFigure';
import type { Engine } from '../engine';
import { withoutIcons } from '../format';
import type { ModelList } from '../models/modelList';
import type { PanelSession } from '../panels/panelSession';
import type { Panels } from '../panels/panels';
import { pickAnalysis } from '../pickAnalysis';
import { showInStatusBar, showInformation } from '../notifications';

interface Host {
  readonly engine: Engine;
  readonly models: ModelList;
  readonly panels: Panels;
}

/** What the commands do to the breakpoints of a training. */
export class BreakpointCommands {
  constructor(private readonly host: Host) {}

  /** Asks what to look at, and when to stop. */
  async add(model: ModelSummary): Promise<void> {
    const { engine, panels } = this.host;
    await this.checkCheckpoints(model);
    const applicable = engine.request(applicableAnalyses, { model: model.id });
    const measuring = applicable.then(all => all.filter(({ scalars }) => Object.keys(scalars).length > 0));
    const analysis = await pickAnalysis(`Add Breakpoint: ${model.name}`, measuring);
    if (!analysis) return;
    await this.ask(model, analysis, panels.of({ model: model.id, analysis: analysis.id }));
  }

  /** Asks when to stop, by what the panel shows. */
  async breakWhen(model: ModelSummary, panel: PanelSession): Promise<void> {
    await this.checkCheckpoints(model);
    const { analyses } = await this.host.engine.start();
    await this.ask(model, analysisNamed(analyses, panel.state.analysis), panel);
  }

  async remove(model: ModelSummary): Promise<void> {
    const { engine } = this.host;
    const all = await engine.request(getBreakpoints, { model: model.id });
    if (all.length === 0) {
      void showInformation(`"${model.name}" has no breakpoints.`);
      return;
    }
    const items = all.map(breakpoint => ({ label: withoutIcons(breakpoint.breakpoint ?? conditionOf(breakpoint)), description: describe(breakpoint), breakpoint }));
    const options = { title: `Remove Breakpoint: ${model.name}`, placeHolder: 'Breakpoints to remove', canPickMany: true } as const;
    const chosen = await vscode.window.showQuickPick(items, options);
    if (!chosen || chosen.length === 0) return;
    const removed = new Set(chosen.map(({ breakpoint }) => breakpoint));
    await engine.request(setBreakpoints, { model: model.id, breakpoints: all.filter(breakpoint => !removed.has(breakpoint)) });
  }

  private async ask(model: ModelSummary, analysis: AnalysisInfo, panel: PanelSession | undefined): Promise<void> {
    const { engine } = this.host;
    const params = panel ? chosenParams(analysis, panel.state.params) : {};
    const scalar = panel?.found && scalarOfFigure(panel.found, 0);
    const breakpoint = await askBreakpoint({
      title: ['Break When', analysis.title, ...Object.entries(params).map(([name, value]) => `${name} ${value}`)].join(' · '),
      analysis, params, ...(scalar !== undefined && { scalar }),
      measure: signal => this.measure(model, analysis, params, panel, signal),
    });
    if (!breakpoint) return;
    const others = await engine.request(getBreakpoints, { model: model.id });
    await engine.request(setBreakpoints, { model: model.id, breakpoints: [...others, breakpoint] });
    showInStatusBar('debug-breakpoint-conditional', `"${model.name}" ${done[breakpoint.action]} when ${conditionOf(breakpoint)}`);
  }

  /** What is measured now: as an open panel of the newest weights has it, or else anew. */
  private async measure(
    { id }: ModelSummary, analysis: AnalysisInfo, params: ParameterValues, panel: PanelSession | undefined, signal: AbortSignal,
  ): Promise<Values> {
    if (panel?.found && panel.state.checkpoint === undefined) return panel.found.scalars;
    return (await this.host.engine.request(analyze, { model: id, analysis: analysis.id, params }, signal)).scalars;
  }

  private async checkCheckpoints({ id, name }: ModelSummary): Promise<void> {
    const { experiment: { training } } = await this.host.models.details(id);
    if (training.checkpointEvery > 0) return;
    throw new UserError(`Breakpoints are looked at when a checkpoint is written, and "${name}" writes none before its end; give its experiment a "checkpointEvery".`);
  }
}

const done: Readonly<Record<Breakpoint['action'], string>> = { pause: 'pauses', snapshot: 'is kept', fork: 'is forked' };

function describe({ analysis, params, action }: Breakpoint): string {
  return [analysis, ...Object.entries(params).map(([name, value]) => `${name} ${value}`), action].join(' · ');
}
