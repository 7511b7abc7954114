import * as vscode from 'vscode';
import type { TaskInfo } from '../../protocol/analysis';
import type { TaskBinding } from '../../protocol/checkpointFile';
import type { Parameter, ParameterValues } from '../../protocol/parameter';
import { seedFromText, taskText, valueFromText } from './importPlan';

/** A task with its parameters, of which it is known that a model fits it. */
export interface SuggestedTask {
  readonly name: string;
  readonly parameters: ParameterValues;
}

interface BindingItem extends vscode.QuickPickItem {
  readonly choose?: () => Promise<TaskBinding | undefined>;
}

/** Lets the user say what the prompts of a model mean; nothing when they give up. */
export async function askBinding(title: string, tasks: readonly TaskInfo[], suggested: readonly SuggestedTask[] = []): Promise<TaskBinding | undefined> {
  const separator = (label: string): BindingItem => ({ label, kind: vscode.QuickPickItemKind.Separator });
  const items: readonly BindingItem[] = [
    ...(suggested.length > 0 ? [separator('fits')] : []),
    ...suggested.map(task => ({ label: taskText(task), choose: () => withSeed(title, { kind: 'task' as const, ...task }, tasks.find(({ id }) => id === task.name)) })),
    ...(suggested.length > 0 ? [separator('other')] : []),
    { label: 'Prompts File…', detail: 'A JSON file with prompts and their answers, and the words of a vocabulary.', choose: () => fromFile(title) },
    { label: 'No Task', detail: 'Prompts have no right answers; attention, weights and activations can be looked at.', choose: () => Promise.resolve({ kind: 'none' as const }) },
    separator('tasks'),
    ...tasks.map(task => ({
      label: `${task.id}…`, detail: task.description, choose: () => withParameters(title, task),
    })),
  ];
  const chosen = await vscode.window.showQuickPick(items, { title, placeHolder: 'What its prompts mean', matchOnDetail: true });
  return chosen?.choose?.();
}

/** Asks for the parameters of a task one after the other. */
async function withParameters(title: string, task: TaskInfo): Promise<TaskBinding | undefined> {
  const { id, params } = task;
  const parameters: Record<string, string | number | boolean> = {};
  for (const [name, parameter] of Object.entries(params)) {
    const value = await askParameter(`${title}: ${id}`, parameter);
    if (value === undefined) return undefined;
    parameters[name] = value;
  }
  return withSeed(title, { kind: 'task', name: id, parameters }, task);
}

/** Of a task that trains on a share of all examples, which of them a model was trained on follows from a seed, if it was trained by this program. */
async function withSeed(title: string, binding: Extract<TaskBinding, { readonly kind: 'task' }>, task: TaskInfo | undefined): Promise<TaskBinding | undefined> {
  if (!task || !Object.hasOwn(task.params, 'trainFraction')) return binding;
  const text = await vscode.window.showInputBox({
    title: `${title}: ${task.id}`, prompt: 'Seed of its training examples, where this program drew them; empty if that is not known',
    validateInput: given => ('problem' in seedFromText(given) ? 'A seed is a whole number from 0.' : undefined),
  });
  const read = text === undefined ? undefined : seedFromText(text);
  if (!read || 'problem' in read) return undefined;
  return { ...binding, ...(read.seed !== undefined && { seed: read.seed }) };
}

async function askParameter(title: string, parameter: Parameter): Promise<string | number | boolean | undefined> {
  const prompt = `${parameter.title}. ${parameter.description}`;
  if (parameter.kind === 'choice' || parameter.kind === 'boolean') {
    const options = parameter.kind === 'choice' ? parameter.options : ['true', 'false'];
    const items = options.map(label => ({ label, ...(label === String(parameter.default) && { description: 'default' }) }));
    const chosen = await vscode.window.showQuickPick(items, { title, placeHolder: prompt });
    return chosen && (parameter.kind === 'boolean' ? chosen.label === 'true' : chosen.label);
  }
  const text = await vscode.window.showInputBox({
    title, prompt, value: String(parameter.default),
    validateInput: given => {
      const read = valueFromText(parameter, given);
      return 'problem' in read ? read.problem : undefined;
    },
  });
  if (text === undefined) return undefined;
  const read = valueFromText(parameter, text);
  return 'value' in read ? read.value : undefined;
}

async function fromFile(title: string): Promise<TaskBinding | undefined> {
  const [file] = await vscode.window.showOpenDialog({ title, openLabel: 'Choose', filters: { 'Prompts (JSON)': ['json'] } }) ?? [];
  return file && { kind: 'prompts', file: file.fsPath };
}
