import * as vscode from 'vscode';
import { CancelledError, messageOf, UserError } from '../common/errors';
import { runCommand } from './contributions';
import { EngineDown } from './engine';
import type { Log } from './engineSession';
import { showError } from './notifications';

/** The one place where errors become messages. */
export class Problems {
  constructor(private readonly log: Log) {}

  /** Shows what people can mend as it is, and says that anything else is a defect. A cancellation is not shown. */
  show(error: unknown): void {
    if (error instanceof CancelledError) return;
    if (error instanceof EngineDown) this.engineFailed(error.message);
    else if (error instanceof UserError) void showError(error.message);
    else this.offer(this.explain(error), 'circuits.openLog', 'Open Log');
  }

  /** Logs a defect and returns what to tell of it. */
  explain(error: unknown): string {
    this.log.error(error instanceof Error ? (error.stack ?? error.message) : String(error));
    return `Circuit Explorer made a mistake: ${messageOf(error)}`;
  }

  /** The engine is down and stays down. VS Code shows the same message only once. */
  engineFailed(problem: string): void {
    this.offer(problem, 'circuits.restartEngine', 'Start Again');
  }

  /** Runs work whose error nobody else waits for. */
  guard(work: () => unknown): void {
    void (async () => {
      try {
        await work();
      } catch (error) {
        this.show(error);
      }
    })();
  }

  private offer(message: string, command: 'circuits.openLog' | 'circuits.restartEngine', title: string): void {
    this.guard(async () => {
      if ((await showError(message, title)) === title) await runCommand(vscode.commands, command);
    });
  }
}
