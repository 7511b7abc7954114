import { parse, type ParseError } from 'jsonc-parser';
import * as v from 'valibot';
import { devices, type Device, type DeviceStatus, type TrainRequest } from '../../protocol/engine';
import { ExperimentSchema } from '../../protocol/experiment';
import { nestingLimit, nestingOf } from '../../protocol/nesting';
import type { ChosenExperiment } from '../experiments/experimentPicker';
import { formatCount } from '../format';

/** A training as the user puts it together before it starts. What is absent stays as the experiment or the settings have it. */
export interface TrainPlan {
  readonly name: string;
  readonly experiment: TrainRequest['experiment'];
  /** What the experiment says, where it can be read. */
  readonly own: { readonly seed?: number; readonly steps?: number; readonly learningRate?: number };
  readonly seed?: number;
  readonly steps?: number;
  readonly learningRate?: number;
  readonly device?: Device;
}
export type PlannedNumber = 'seed' | 'steps' | 'learningRate';

export interface PlanItem {
  readonly label: string;
  readonly description: string;
  /** A codicon. */
  readonly icon: string;
  readonly choice: 'start' | 'device' | PlannedNumber;
}

/** Reads what the settings pick shows of an experiment; what is wrong with it the engine says. */
export function planOf({ name, experiment, text }: ChosenExperiment): TrainPlan {
  if (nestingOf(text) > nestingLimit) return { name, experiment, own: {} };
  const errors: ParseError[] = [];
  const read = v.safeParse(ExperimentSchema, parse(text, errors, { allowTrailingComma: true }));
  if (!read.success || errors.length > 0) return { name, experiment, own: {} };
  const { seed, training: { steps, learningRate } } = read.output;
  return { name, experiment, own: { seed, steps, learningRate } };
}

const names: Readonly<Record<PlannedNumber, string>> = { seed: 'Seed', steps: 'Steps', learningRate: 'Learning rate' };

/** The rows of the settings pick, the start first. */
export function planItems(plan: TrainPlan, device: Device): readonly PlanItem[] {
  const value = (setting: PlannedNumber) => {
    const [own, chosen] = [plan.own[setting], plan[setting]];
    const shown = chosen ?? own;
    if (shown === undefined) return 'as in the experiment';
    const text = setting === 'steps' ? formatCount(shown) : String(shown);
    return chosen === undefined || chosen === own ? text : `${text} (changed)`;
  };
  const number = (choice: PlannedNumber): PlanItem => ({ label: names[choice], description: value(choice), icon: 'edit', choice });
  return [
    { label: 'Train Now', description: plan.name, icon: 'play', choice: 'start' },
    number('seed'),
    number('steps'),
    number('learningRate'),
    { label: 'Device', description: plan.device ?? device, icon: 'edit', choice: 'device' },
  ];
}

/** Why a text is no value for the setting, or nothing. */
export function problemOfNumber(setting: PlannedNumber, text: string): string | undefined {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value)) return `${names[setting]} is a number.`;
  if (setting === 'learningRate') return value > 0 ? undefined : 'The learning rate is greater than 0.';
  const most = setting === 'seed' ? 0x7fffffff : 1e9;
  const fits = Number.isInteger(value) && value >= 0 && value <= most;
  return fits ? undefined : `${names[setting]}: a whole number from 0 to ${formatCount(most)}.`;
}

/** The title of a setting's input box. */
export function titleOfNumber(setting: PlannedNumber): string {
  return names[setting];
}

export interface DeviceItem {
  readonly label: string;
  readonly description: string;
  readonly device: Device;
}

/** The devices to choose from; what is not there says what would make it so. */
export function deviceItems(statuses: readonly DeviceStatus[]): readonly DeviceItem[] {
  return devices.flatMap((device): DeviceItem[] => {
    if (device === 'auto') return [{ label: 'auto', description: 'the fastest for the size of the model', device }];
    const status = statuses.find(candidate => candidate.device === device);
    if (!status) return [];
    return [{ label: device, description: status.description, device }];
  });
}

/** What the engine is asked for. */
export function requestOf({ experiment, seed, steps, learningRate, device }: TrainPlan): TrainRequest {
  return {
    experiment,
    ...(seed === undefined ? {} : { seed }),
    ...(steps === undefined ? {} : { steps }),
    ...(learningRate === undefined ? {} : { set: [`training.learningRate=${learningRate}`] }),
    ...(device === undefined ? {} : { device }),
  };
}
