import * as v from 'valibot';
import { tools, type ToolName } from '../protocol/tools';

/** What the editor says while a language model uses a tool, and what it asks before one that changes something. */
export interface ToolWords {
  readonly doing: string;
  readonly question?: { readonly title: string; readonly message: string };
}

/** The most of a value from a language model that is shown. */
const longest = 200;

/** The words for a use of a tool. What its input says beyond the tool's schema is not shown, as the engine will refuse it. */
export function toolWords(tool: ToolName, input: unknown): ToolWords {
  const { title, changes, input: schema } = tools[tool];
  const read = v.safeParse(schema, input);
  const given = read.success ? Object.entries(read.output).map(([name, value]) => `${name} ${shown(value)}`) : [];
  const asked = given.join(', ');
  const doing = asked === '' ? title : `${title}: ${asked}`;
  if (!changes) return { doing };
  const message = asked === '' ? consequences[tool] : `${consequences[tool]} It was asked for with ${asked}.`;
  return { doing, question: { title: `${title}?`, message: message ?? title } };
}

/** What a tool that changes something does. */
const consequences: Readonly<Record<ChangingTool, string>> & Partial<Record<ToolName, string>> = {
  start_training: 'A model is trained on this machine, in the background, and kept on disk.',
  stop_training: 'The training is stopped. What the model has learned is kept, and it can be resumed.',
};
type ChangingTool = { readonly [N in ToolName]: (typeof tools)[N]['changes'] extends true ? N : never }[ToolName];

function shown(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length <= longest ? text : `${text.slice(0, longest)}…`;
}
