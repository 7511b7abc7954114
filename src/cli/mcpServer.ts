import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import { CallToolRequestSchema, ListToolsRequestSchema, type CallToolResult, type Tool } from '@modelcontextprotocol/sdk/types.js';
import { toolInputSchema } from '../protocol/toolSchemas';
import { tools, type ToolName } from '../protocol/tools';

export interface ServerOptions {
  readonly version: string;
  /** The tools that are offered. */
  readonly offered: readonly ToolName[];
  /** Answers a call of any name with any input, mistakes too; `failed` says that it could not be answered. */
  readonly call: (name: string, input: unknown, signal: AbortSignal) => Promise<{ readonly text: string; readonly failed: boolean }>;
  readonly log: (message: string) => void;
}

/**
 * A server of the tools on standard input and output, as the Model Context Protocol has it. It is a bundle of its own, so
 * that no other command reads it, and therefore shares no class with what it calls.
 */
export async function openServer({ version, offered, call, log }: ServerOptions): Promise<{ close(): Promise<void> }> {
  const server = new McpServer({ name: 'circuits', title: 'Circuit Explorer', version }, {
    capabilities: { tools: {} },
    instructions: 'Trains small transformers on algorithmic tasks and measures the circuits inside them. Start with list_models and list_experiments.',
  });
  // The tools have their schemas already, and the wrapper that makes them takes no others than its own.
  const { server: requests } = server;
  requests.onerror = error => log(error.message);
  requests.setRequestHandler(ListToolsRequestSchema, () => ({ tools: offered.map(listed) }));
  requests.setRequestHandler(CallToolRequestSchema, async ({ params: { name, arguments: input } }, { signal }): Promise<CallToolResult> => {
    const { text, failed } = await call(name, input, signal);
    return { content: [{ type: 'text', text }], ...(failed && { isError: true }) };
  });
  await server.connect(new StdioServerTransport());
  return server;
}

function listed(name: ToolName): Tool {
  const { title, description, changes } = tools[name];
  return {
    name,
    title,
    description,
    inputSchema: { ...toolInputSchema(name), type: 'object' },
    // What one of them changes is added, or can go on later.
    annotations: { title, readOnlyHint: !changes, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  };
}
