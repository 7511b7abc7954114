import type * as vscode from 'vscode';
import * as v from 'valibot';
import type { Disposable } from '../common/lifetime';
import { devices } from '../protocol/engine';

/**
 * Everything that package.json contributes by name, once; a test holds the two together. The wrappers take the part of
 * the `vscode` API that they use, so that this file loads without it.
 */

/** A model, or a part of it: what the rows of the tree hand to the commands. */
export const ModelTargetSchema = v.object({
  model: v.pipe(v.string(), v.minLength(1)),
  layer: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0))),
  head: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0))),
  /** The step of a checkpoint. */
  checkpoint: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0))),
});
export type ModelTarget = v.InferOutput<typeof ModelTargetSchema>;

const FileSchema = v.custom<vscode.Uri>(value => typeof value === 'object' && value !== null && 'scheme' in value && 'path' in value);
const nothing = v.undefined();

/** Command → its argument. From the palette each comes without; an argument that does not fit counts as none. */
export const commands = {
  'circuits.train': nothing,
  'circuits.trainFile': FileSchema,
  /** Its argument is the model that is waited for. */
  'circuits.cancelWaiting': ModelTargetSchema,
  'circuits.newExperiment': nothing,
  'circuits.fineTune': ModelTargetSchema,
  /** The same, by the name that it has on a row of the tree. */
  'circuits.fineTuneFromHere': ModelTargetSchema,
  'circuits.sweep': FileSchema,
  'circuits.openSweep': nothing,
  'circuits.cancelSweep': nothing,
  'circuits.resumeSweep': nothing,
  'circuits.forgetSweep': nothing,
  'circuits.exportSweep': nothing,
  'circuits.stop': ModelTargetSchema,
  'circuits.pause': ModelTargetSchema,
  'circuits.resume': ModelTargetSchema,
  'circuits.retrain': ModelTargetSchema,
  'circuits.rename': ModelTargetSchema,
  'circuits.delete': ModelTargetSchema,
  'circuits.revealInFolder': ModelTargetSchema,
  'circuits.openAttention': ModelTargetSchema,
  'circuits.openTrainingCurves': ModelTargetSchema,
  'circuits.openHeadScores': ModelTargetSchema,
  'circuits.openDirectLogitAttribution': ModelTargetSchema,
  'circuits.openEdgeAttribution': ModelTargetSchema,
  'circuits.openOvCircuit': ModelTargetSchema,
  'circuits.openActivationPatching': ModelTargetSchema,
  'circuits.openAnalysis': ModelTargetSchema,
  'circuits.compareWith': ModelTargetSchema,
  /** What a click on a row of the models tree does. */
  'circuits.openRow': nothing,
  'circuits.exportFigure': nothing,
  'circuits.showRunning': nothing,
  'circuits.refresh': nothing,
  'circuits.restartEngine': nothing,
  'circuits.openLog': nothing,
  'circuits.collectDiagnostics': nothing,
  'circuits.setUpTensorFlow': nothing,
} as const;
export type Command = keyof typeof commands;
export type CommandArgument<C extends Command> = v.InferOutput<(typeof commands)[C]> | undefined;

/** What the cluster takes is checked by the engine, which writes it. */
const clusterText = v.fallback(v.string(), '');

/** Setting → its schema, with what counts where the user's value does not fit. */
export const settings = {
  'circuits.modelsFolder': v.fallback(v.string(), ''),
  'circuits.device': v.fallback(v.picklist(devices), 'auto'),
  'circuits.threads': v.fallback(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(256)), 0),
  'circuits.sweepParallel': v.fallback(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(10_000)), 0),
  'circuits.slurm.partition': clusterText,
  'circuits.slurm.time': clusterText,
  'circuits.slurm.memory': clusterText,
  'circuits.slurm.gres': clusterText,
} as const;
export type Setting = keyof typeof settings;
export type SettingValue<S extends Setting> = v.InferOutput<(typeof settings)[S]>;

/** Context key → its values, for `when` clauses. */
export interface ContextKeys {
  'circuits.engine': 'stopped' | 'starting' | 'ready' | 'failed';
  'circuits.hasModels': boolean;
  /** Whether there is a model that another one can start from. */
  'circuits.canFineTune': boolean;
  /** Whether a training is under way or paused. */
  'circuits.running': boolean;
  /** Whether a training waits for the model that it starts from. */
  'circuits.waiting': boolean;
}
export const contextKeys = [
  'circuits.engine', 'circuits.hasModels', 'circuits.canFineTune', 'circuits.running', 'circuits.waiting',
] as const satisfies readonly (keyof ContextKeys)[];

export const views = { models: 'circuits.models', experiments: 'circuits.experiments' } as const;
/** The types of the panels, of analyses and of sweeps, by which VS Code restores them. */
export const panelType = 'circuits.analysis';
export const sweepPanelType = 'circuits.sweepPanel';

export function registerCommand<C extends Command>(
  api: Pick<typeof vscode.commands, 'registerCommand'>,
  command: C,
  run: (argument: CommandArgument<C>) => unknown,
): Disposable {
  return api.registerCommand(command, (argument: unknown) => run(commandArgument(command, argument)));
}

/** The argument if it fits the command. */
export function commandArgument<C extends Command>(command: C, argument: unknown): CommandArgument<C> {
  const schema: v.GenericSchema<unknown, v.InferOutput<(typeof commands)[C]>> = commands[command];
  const result = v.safeParse(schema, argument);
  return result.success ? result.output : undefined;
}

/** A command with its argument, as rows, lenses and status-bar items carry it. */
export function commandLink<C extends Command>(command: C, title: string, argument?: CommandArgument<C>): vscode.Command {
  return { command, title, ...(argument === undefined ? {} : { arguments: [argument] }) };
}

export async function runCommand<C extends Command>(
  api: Pick<typeof vscode.commands, 'executeCommand'>,
  command: C,
  argument?: CommandArgument<C>,
): Promise<void> {
  await api.executeCommand(command, argument);
}

export function readSetting<S extends Setting>(
  api: Pick<typeof vscode.workspace, 'getConfiguration'>,
  setting: S,
): SettingValue<S> {
  const schema: v.GenericSchema<unknown, SettingValue<S>> = settings[setting];
  return v.parse(schema, api.getConfiguration().get(setting));
}

export function setContext<K extends keyof ContextKeys>(
  api: Pick<typeof vscode.commands, 'executeCommand'>,
  key: K,
  value: ContextKeys[K],
): void {
  void api.executeCommand('setContext', key, value);
}
