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

/** A hook point or parameter of a model, or one head of it. */
export const TensorTargetSchema = v.object({
  model: v.pipe(v.string(), v.minLength(1)),
  name: v.pipe(v.string(), v.minLength(1)),
  head: v.exactOptional(v.pipe(v.number(), v.integer(), v.minValue(0))),
});
export type TensorTarget = v.InferOutput<typeof TensorTargetSchema>;

/** What measured a claim or a breakpoint: an analysis with its parameters, at a checkpoint. */
export const FigureTargetSchema = v.object({
  model: v.pipe(v.string(), v.minLength(1)),
  analysis: v.pipe(v.string(), v.minLength(1)),
  params: v.record(v.string(), v.union([v.string(), v.number(), v.boolean()])),
  checkpoint: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0))),
});
export type FigureTarget = v.InferOutput<typeof FigureTargetSchema>;

const UriSchema = v.custom<vscode.Uri>(value => typeof value === 'object' && value !== null && 'scheme' in value && 'path' in value);
/** A file, or a row of the view of experiments, which stands for one. */
const FileSchema = v.union([UriSchema, v.pipe(v.object({ file: UriSchema }), v.transform(({ file }) => file))]);
const SweepSchema = v.object({ sweep: v.pipe(v.string(), v.minLength(1)) });
/** A claim of an experiment file, by the id of its item; what the menus of the Test Explorer hand over stands for one. */
const ClaimIdSchema = v.object({ file: v.pipe(v.string(), v.minLength(1)), claim: v.pipe(v.string(), v.minLength(1)) });
const ClaimItemSchema = v.pipe(v.object({ id: v.pipe(v.string(), v.minLength(1)), uri: UriSchema }), v.transform(({ id, uri }) => ({ file: uri.toString(), claim: id })));
const ClaimTargetSchema = v.union([ClaimIdSchema, ClaimItemSchema, v.pipe(v.object({ test: ClaimItemSchema }), v.transform(({ test }) => test))]);
export type ClaimTarget = v.InferOutput<typeof ClaimTargetSchema>;

const nothing = v.undefined();

/** Command → its argument. From the palette each comes without; an argument that does not fit counts as none. */
export const commands = {
  'circuits.train': nothing,
  'circuits.trainFile': FileSchema,
  /** The same at once, as the file has it. */
  'circuits.trainNow': FileSchema,
  /** Its argument is the model that is waited for. */
  'circuits.cancelWaiting': ModelTargetSchema,
  'circuits.newExperiment': nothing,
  'circuits.newTask': nothing,
  'circuits.fineTune': ModelTargetSchema,
  /** The same, by the name that it has on a row of the tree. */
  'circuits.fineTuneFromHere': ModelTargetSchema,
  'circuits.sweep': FileSchema,
  'circuits.verify': FileSchema,
  'circuits.runClaim': ClaimTargetSchema,
  'circuits.openClaimFigure': ClaimTargetSchema,
  'circuits.openSweep': SweepSchema,
  'circuits.cancelSweep': nothing,
  'circuits.resumeSweep': nothing,
  'circuits.forgetSweep': nothing,
  'circuits.exportSweep': nothing,
  'circuits.stop': ModelTargetSchema,
  'circuits.pause': ModelTargetSchema,
  'circuits.resume': ModelTargetSchema,
  'circuits.stepToCheckpoint': ModelTargetSchema,
  'circuits.addBreakpoint': ModelTargetSchema,
  'circuits.addBreakpointToFile': FileSchema,
  /** By what the panel in front shows. */
  'circuits.breakWhen': nothing,
  'circuits.removeBreakpoint': ModelTargetSchema,
  'circuits.retrain': ModelTargetSchema,
  /** Its argument is the file of weights. */
  'circuits.importModel': FileSchema,
  'circuits.bindModel': ModelTargetSchema,
  'circuits.processModel': ModelTargetSchema,
  'circuits.exportModel': ModelTargetSchema,
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
  'circuits.openFigure': FigureTargetSchema,
  'circuits.pinModel': ModelTargetSchema,
  'circuits.unpinModel': ModelTargetSchema,
  /** Shows in the tree what is named at the cursor, or by a hover. */
  'circuits.revealTensor': TensorTargetSchema,
  'circuits.exportFigure': nothing,
  'circuits.showRunning': nothing,
  'circuits.refresh': nothing,
  'circuits.restartEngine': nothing,
  'circuits.openLog': nothing,
  'circuits.collectDiagnostics': nothing,
  'circuits.setUpTensorFlow': nothing,
  'circuits.openWalkthrough': nothing,
  'circuits.openSampleWorkspace': nothing,
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
  'circuits.hooks.enabled': v.fallback(v.optional(v.boolean(), true), true),
} as const;
export type Setting = keyof typeof settings;
export type SettingValue<S extends Setting> = v.InferOutput<(typeof settings)[S]>;

/** Context key → its values, for `when` clauses. */
export interface ContextKeys {
  'circuits.engine': 'stopped' | 'starting' | 'ready' | 'failed';
  'circuits.hasModels': boolean;
  /** Whether there is a model that another one can start from; and so with what else is done to models. */
  'circuits.canFineTune': boolean;
  'circuits.canStop': boolean;
  'circuits.canPause': boolean;
  'circuits.canStep': boolean;
  'circuits.canResume': boolean;
  'circuits.canRetrain': boolean;
  /** Whether there is a model that was imported, or made of one. */
  'circuits.canBind': boolean;
  /** Whether there is a model with weights at its end. */
  'circuits.canExport': boolean;
  /** Whether a training is under way or paused, or a sweep. */
  'circuits.running': boolean;
  'circuits.hasSweeps': boolean;
  'circuits.canCancelSweep': boolean;
  'circuits.canResumeSweep': boolean;
  /** Whether TensorFlow can be set up on this machine. */
  'circuits.tensorFlow': 'possible' | 'impossible';
  /** Whether the panel in front is of a model that is trained. */
  'circuits.panelTrains': boolean;
  /** Whether a training waits for the model that it starts from. */
  'circuits.waiting': boolean;
  /** Whether a model is pinned, and whether the cursor is at one of its names: written as a string, or as an attribute of code. */
  'circuits.pinned': boolean;
  'circuits.onTensor': 'string' | 'attribute' | false;
  /** Whether an experiment of the workspace has claims. */
  'circuits.hasClaims': boolean;
  /** Paths of the experiment files that have claims, and of those that have a sweep. */
  'circuits.claimFiles': readonly string[];
  'circuits.sweepFiles': readonly string[];
  /** What was done at least once, as steps of the walkthrough: a row of the tree opened, and a panel of each kind. */
  'circuits.hasBrowsed': boolean;
  'circuits.hasSeenAttention': boolean;
  'circuits.hasPatched': boolean;
  /** A claim was copied or measured. */
  'circuits.hasClaimed': boolean;
}
export const contextKeys = [
  'circuits.engine', 'circuits.hasModels', 'circuits.canFineTune', 'circuits.running', 'circuits.panelTrains', 'circuits.waiting', 'circuits.pinned', 'circuits.onTensor', 'circuits.hasClaims',
  'circuits.claimFiles', 'circuits.sweepFiles',
  'circuits.canStop', 'circuits.canPause', 'circuits.canStep', 'circuits.canResume', 'circuits.canRetrain', 'circuits.canBind', 'circuits.canExport',
  'circuits.hasSweeps', 'circuits.canCancelSweep', 'circuits.canResumeSweep', 'circuits.tensorFlow',
  'circuits.hasBrowsed', 'circuits.hasSeenAttention', 'circuits.hasPatched', 'circuits.hasClaimed',
] as const satisfies readonly (keyof ContextKeys)[];

export const views = { models: 'circuits.models', experiments: 'circuits.experiments' } as const;
/** The types of the panels, of analyses and of sweeps, by which VS Code restores them. */
export const panelType = 'circuits.analysis';
export const sweepPanelType = 'circuits.sweepPanel';
/** The editors of files of weights: what `.safetensors` open in, and what files of PyTorch open in by choice. */
export const weightsEditors = ['circuits.tensors', 'circuits.torchTensors'] as const;
/** The tests of claims, and the messages about those that failed, as menus know them. */
export const claimController = 'circuits.claims';
export const failedClaim = 'circuits.failedClaim';

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
