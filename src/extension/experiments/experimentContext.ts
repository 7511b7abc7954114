import * as vscode from 'vscode';
import { Lifetime, type Disposable } from '../../common/lifetime';
import { throttle } from '../../common/throttle';
import { setContext } from '../contributions';
import type { WorkspaceExperiment, WorkspaceExperiments } from './workspaceExperiments';

/** Milliseconds between two looks at all files. */
const lookEvery = 300;

/** Tells the conditions of menus which experiment files have claims, and which a sweep. */
export class ExperimentContext implements Disposable {
  private readonly lifetime = new Lifetime();

  constructor(experiments: WorkspaceExperiments) {
    const pathsOf = (fits: (experiment: WorkspaceExperiment) => boolean) => experiments.all.filter(fits).map(({ uri }) => uri.fsPath);
    const told = this.lifetime.add(throttle(() => {
      setContext(vscode.commands, 'circuits.claimFiles', pathsOf(({ hasClaims }) => hasClaims));
      setContext(vscode.commands, 'circuits.sweepFiles', pathsOf(({ hasSweep }) => hasSweep));
    }, lookEvery));
    this.lifetime.add(experiments.onChange(() => told.call()));
    told.call();
  }

  dispose(): void {
    this.lifetime.dispose();
  }
}
