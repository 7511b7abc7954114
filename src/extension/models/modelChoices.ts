import type { ModelSummary } from '../../protocol/model';
import { canFineTune, isRunning } from './modelList';
import { modelDescription, originOf } from './modelRows';

/** What the user can ask of a model by a command. */
export type ModelAction = 'stop' | 'pause' | 'resume' | 'step' | 'addBreakpoint' | 'removeBreakpoint' | 'retrain' | 'rename' | 'delete' | 'reveal' | 'open' | 'pin' | 'fineTune' | 'bind' | 'process' | 'export';

interface Choice {
  readonly title: string;
  /** What there is none of, when no model fits. */
  readonly none: string;
  fits(model: ModelSummary): boolean;
}

const any = () => true;
export const choices: Readonly<Record<ModelAction, Choice>> = {
  stop: { title: 'Stop Training', none: 'No training is running.', fits: isRunning },
  pause: { title: 'Pause Training', none: 'No training is running.', fits: ({ status }) => status === 'training' },
  resume: {
    title: 'Resume Training',
    none: 'There is no training that could go on.',
    fits: model => model.status === 'paused' || (model.resumable && !isRunning(model)),
  },
  step: { title: 'Step to Next Checkpoint', none: 'No training is paused.', fits: ({ status }) => status === 'paused' },
  addBreakpoint: { title: 'Add Breakpoint', none: 'No training is running.', fits: isRunning },
  removeBreakpoint: { title: 'Remove Breakpoint', none: 'No training is running.', fits: isRunning },
  retrain: { title: 'Train Again', none: 'There is no model to train again.', fits: model => !isRunning(model) && !model.source },
  rename: { title: 'Rename Model', none: 'There are no models yet.', fits: any },
  delete: { title: 'Delete Model', none: 'There are no models yet.', fits: any },
  reveal: { title: 'Reveal Model in Folder', none: 'There are no models yet.', fits: any },
  open: { title: 'Choose a Model', none: 'There are no models yet.', fits: any },
  pin: { title: 'Pin Model', none: 'There are no models yet.', fits: any },
  fineTune: { title: 'Fine-Tune', none: 'There is no trained model to go on from.', fits: canFineTune },
  bind: { title: 'Bind to Task', none: 'No model was imported yet.', fits: ({ source }) => source !== undefined },
  process: { title: 'Process Weights', none: 'There is no model with weights yet.', fits: model => !isRunning(model) },
  export: { title: 'Export Model', none: 'There is no model with weights yet.', fits: model => !isRunning(model) },
};

export interface ModelItem {
  readonly label: string;
  readonly description: string;
  readonly detail: string;
  readonly model: string;
}

/** Those of all models that an action fits, for a quick pick. */
export function modelItems(action: ModelAction, models: readonly ModelSummary[]): readonly ModelItem[] {
  const known = new Map(models.map(model => [model.id, model]));
  return models.filter(model => choices[action].fits(model)).map(model => ({
    label: model.name,
    description: modelDescription(model),
    detail: [model.task, ...(model.from ? [`from ${originOf(model.from, known.get(model.from.id))}`] : []), model.id].join(' · '),
    model: model.id,
  }));
}

/** Why a model may not have this name, or nothing. */
export function problemOfName(name: string): string | undefined {
  if (name.trim() === '') return 'A model needs a name.';
  return name.length > 100 ? 'A name has at most 100 characters.' : undefined;
}
