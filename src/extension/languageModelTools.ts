import * as vscode from 'vscode';
import { messageOf, UserError } from '../common/errors';
import { Lifetime, type Disposable } from '../common/lifetime';
import { callTool } from '../protocol/engine';
import { toolNames, type ToolName } from '../protocol/tools';
import type { Engine } from './engine';
import type { Problems } from './problems';
import { toolWords } from './toolWords';

/** The tools as language models in the editor call them: the engine answers. */
export class LanguageModelTools implements Disposable {
  private readonly lifetime = new Lifetime();

  constructor(engine: Engine, problems: Problems) {
    for (const tool of toolNames) this.lifetime.add(vscode.lm.registerTool(`circuits_${tool}`, new EngineTool(tool, engine, problems)));
  }

  dispose(): void {
    this.lifetime.dispose();
  }
}

class EngineTool implements vscode.LanguageModelTool<object> {
  constructor(private readonly tool: ToolName, private readonly engine: Engine, private readonly problems: Problems) {}

  prepareInvocation({ input }: vscode.LanguageModelToolInvocationPrepareOptions<object>): vscode.PreparedToolInvocation {
    const { doing, question } = toolWords(this.tool, input);
    return { invocationMessage: doing, ...(question && { confirmationMessages: question }) };
  }

  async invoke({ input }: vscode.LanguageModelToolInvocationOptions<object>, token: vscode.CancellationToken): Promise<vscode.LanguageModelToolResult> {
    if (this.tool === 'start_training' && !vscode.workspace.isTrusted) {
      throw new Error('A language model starts no training while the workspace is not trusted. People can train the bundled experiments without.');
    }
    const cancelled = new AbortController();
    const listening = token.onCancellationRequested(() => cancelled.abort());
    try {
      const { text } = await this.engine.request(callTool, { tool: this.tool, input, ...folderInSight() }, cancelled.signal);
      return new vscode.LanguageModelToolResult([new vscode.LanguageModelTextPart(text)]);
    } catch (error) {
      if (token.isCancellationRequested) throw new vscode.CancellationError();
      // The language model reads the message, and can mend what it asked for.
      throw new Error(error instanceof UserError ? messageOf(error) : this.problems.explain(error), { cause: error });
    } finally {
      listening.dispose();
    }
  }
}

/** The first folder of the workspace, if its experiments may be trained. */
function folderInSight(): { readonly folder?: string } {
  const folder = vscode.workspace.isTrusted ? vscode.workspace.workspaceFolders?.find(({ uri }) => uri.scheme === 'file') : undefined;
  return folder ? { folder: folder.uri.fsPath } : {};
}
