import { once } from 'node:events';
import { createRequire } from 'node:module';
import process from 'node:process';
import { CancelledError, messageOf, UserError } from '../../common/errors';
import { unknownName } from '../../common/nearest';
import { callTool } from '../../engine/tools';
import { versions } from '../../engine/versions';
import { toolNames, tools, type ToolCall } from '../../protocol/tools';
import type * as McpServer from '../mcpServer';
import { explain } from '../output';
import { withEngine, type CommonOptions, type Session } from '../session';

export interface McpOptions extends CommonOptions {
  readonly allowTraining?: boolean;
}

/**
 * `circuits mcp`: offers the tools to a language model by the Model Context Protocol, on standard input and output, until
 * its input ends. What it trains then is stopped, and keeps what it has.
 */
export async function mcp(session: Session, { allowTraining = false, ...options }: McpOptions): Promise<void> {
  const { installation, interrupted, output } = session;
  const { openServer } = createRequire(installation.cli)('./mcp.js') as typeof McpServer;
  const offered = toolNames.filter(name => allowTraining || !tools[name].changes);
  await withEngine(session, options, async engine => {
    // To read, no code of the folder is run either.
    engine.trusted = allowTraining;
    const ended = new AbortController();
    const end = () => ended.abort();
    for (const event of ['end', 'close', 'error'] as const) process.stdin.once(event, end);
    process.once('SIGTERM', end);
    interrupted.addEventListener('abort', end, { once: true });
    if (interrupted.aborted) end();
    const server = await openServer({
      version: versions.circuitExplorer,
      offered,
      call: async (name, input, signal) => {
        try {
          const { text } = await callTool(engine, { tool: toolCalled(name, offered), input, folder: process.cwd() }, AbortSignal.any([signal, ended.signal]));
          return { text, failed: false };
        } catch (error) {
          if (!(error instanceof UserError || error instanceof CancelledError)) explain(output, error);
          return { text: messageOf(error), failed: true };
        }
      },
      log: message => explain(output, new UserError(message)),
    });
    if (!ended.signal.aborted) await once(ended.signal, 'abort');
    await server.close();
    await engine.runs.stopAll();
  });
}

/** @throws UserError for a tool that there is not, or that is not offered */
function toolCalled(name: string, offered: readonly ToolCall['tool'][]): ToolCall['tool'] {
  const tool = toolNames.find(each => each === name);
  if (!tool) throw unknownName('tool', name, offered);
  if (!offered.includes(tool)) throw new UserError(`This server only reads; ${tool} is there where it is started with --allow-training.`);
  return tool;
}
