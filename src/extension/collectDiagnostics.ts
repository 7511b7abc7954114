import os from 'node:os';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import * as vscode from 'vscode';
import { listDevices } from '../protocol/engine';
import { readSetting, settings, type Setting } from './contributions';
import { diagnosticsReport } from './diagnosticsReport';
import type { Engine } from './engine';
import type { ModelList } from './models/modelList';
import { withProgress } from './notifications';

/** Milliseconds for which the event loop is watched. */
const watchFor = 5000;

/** Opens a page with what a report of a problem needs; the user reads it before it goes anywhere. */
export async function collectDiagnostics(
  engine: Engine,
  models: ModelList,
  extension: { readonly version: string; readonly activationMilliseconds: number },
): Promise<void> {
  const loopDelay = await withProgress('Collecting diagnostics', watchEventLoop, 'notification');
  const [cpu] = os.cpus();
  const content = diagnosticsReport({
    ...extension,
    editor: `${vscode.env.appName} ${vscode.version}, ${vscode.env.remoteName ?? 'local'}`,
    system: `${os.platform()} ${os.release()} ${os.arch()}, ${os.availableParallelism()} × ${cpu?.model.trim() ?? 'unknown processor'}, ${Math.round(os.totalmem() / 2 ** 30)} GB`,
    loopDelay,
    settings: Object.fromEntries((Object.keys(settings) as Setting[]).map(name => [name, readable(name)])),
    trusted: vscode.workspace.isTrusted,
    engine: engine.state,
    // A report is asked for when things do not work: an engine that does not start is no reason to have none.
    devices: engine.state.kind === 'ready' ? await engine.request(listDevices) : [],
    models: models.models,
  });
  const document = await vscode.workspace.openTextDocument({ language: 'markdown', content });
  await vscode.window.showTextDocument(document);
}

/** A folder's name may tell who works here. */
function readable(name: Setting): unknown {
  const value = readSetting(vscode.workspace, name);
  return name === 'circuits.modelsFolder' && value !== '' ? '(set)' : value;
}

async function watchEventLoop(): Promise<{ readonly median: number; readonly percentile99: number; readonly longest: number }> {
  const resolution = 1;
  const delays = monitorEventLoopDelay({ resolution });
  delays.enable();
  await new Promise(resolve => setTimeout(resolve, watchFor));
  delays.disable();
  // The timer's own interval is in every sample, and times are in nanoseconds.
  const lag = (nanoseconds: number) => Math.max(0, nanoseconds / 1e6 - resolution);
  return { median: lag(delays.percentile(50)), percentile99: lag(delays.percentile(99)), longest: lag(delays.max) };
}
