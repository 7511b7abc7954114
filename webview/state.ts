import type { AnalysisInfo, AnalysisResult } from '../src/protocol/analysis';
import type { ModelSummary, ModelWords } from '../src/protocol/model';
import { comparedWith, type HeadSelection, type PanelState, type ToPanel } from '../src/protocol/panel';

/** Everything the page shows, made of the messages so far. */
export interface Shown {
  readonly state: PanelState | undefined;
  readonly analysis: AnalysisInfo | undefined;
  readonly model: ModelSummary | undefined;
  readonly words: ModelWords | undefined;
  /** What a cell can be opened in. */
  readonly applicable: readonly AnalysisInfo[];
  readonly checkpoints: readonly number[];
  readonly selection: HeadSelection | undefined;
  readonly working: { readonly fraction?: number; readonly message?: string } | undefined;
  readonly problem: string | undefined;
  readonly result: AnalysisResult | undefined;
}

export const nothingShown: Shown = {
  state: undefined,
  analysis: undefined,
  model: undefined,
  words: undefined,
  applicable: [],
  checkpoints: [],
  selection: undefined,
  working: undefined,
  problem: undefined,
  result: undefined,
};

/** What is shown after a message. */
export function receive(shown: Shown, message: ToPanel): Shown {
  switch (message.kind) {
    case 'show': {
      const { state, analysis, model, words, applicable, checkpoints } = message;
      const same = shown.state?.model === state.model && shown.state.analysis === state.analysis;
      const kept = same ? shown : nothingShown;
      return { ...kept, state, analysis, model, words, applicable, checkpoints, selection: message.selection ?? kept.selection };
    }
    case 'state':
      return { ...shown, state: message.state };
    case 'working': {
      const { fraction, message: text } = message;
      const working = { ...(fraction === undefined ? {} : { fraction }), ...(text === undefined ? {} : { message: text }) };
      return { ...shown, working, problem: undefined };
    }
    case 'result':
      return { ...shown, result: message.result, problem: undefined, working: message.partial ? shown.working : undefined };
    case 'problem':
      // The last figures stay: they are still true of what they were made from.
      return { ...shown, problem: message.message, working: undefined };
    case 'model':
      return { ...shown, model: message.model, checkpoints: message.checkpoints };
    case 'select':
      return message.selection.model === shown.state?.model ? { ...shown, selection: message.selection } : shown;
    case 'export':
      return shown;
    default:
      return message satisfies never;
  }
}

/** What is shown once the reader has changed a parameter. */
export function change(shown: Shown, params: PanelState['params']): Shown {
  return shown.state ? { ...shown, state: { ...shown.state, params } } : shown;
}

/** What is shown once the reader has stopped comparing: what was found of the model itself is true still. */
export function uncompared(shown: Shown): Shown {
  if (!shown.state) return shown;
  const { comparison: _, ...result } = shown.result ?? { figures: [], scalars: {} };
  return { ...shown, state: comparedWith(shown.state, undefined), result: shown.result && result };
}
