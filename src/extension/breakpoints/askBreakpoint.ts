import * as vscode from 'vscode';
import { Lifetime } from '../../common/lifetime';
import type { AnalysisInfo } from '../../protocol/analysis';
import type { Breakpoint } from '../../protocol/experiment';
import type { ParameterValues } from '../../protocol/parameter';
import {
  breakpointOf, changesFromText, problemOfChange, problemOfChanges, remarkOnBound, scalarItems, suggestedBound, type Condition, type Reaction,
  type ScalarItem, type Values,
} from './breakpointDraft';

/** What a breakpoint is to look at. */
export interface BreakpointSubject {
  readonly title: string;
  readonly analysis: AnalysisInfo;
  /** Those that are not at their defaults. */
  readonly params: ParameterValues;
  /** The likeliest scalar. */
  readonly scalar?: string;
  /** What the scalars are now, if that can be known. */
  measure?(signal: AbortSignal): Promise<Values>;
}

/** Asks for what is missing of a breakpoint; nothing when the user gives up. */
export async function askBreakpoint(subject: BreakpointSubject): Promise<Breakpoint | undefined> {
  const { title, analysis, params } = subject;
  const chosen = await pickScalar(subject);
  if (!chosen) return undefined;
  const condition = await askCondition(title, analysis, chosen.scalar, chosen.value);
  const reaction = condition && (await askReaction(title));
  return condition && reaction && breakpointOf({ analysis: analysis.id, params, scalar: chosen.scalar }, condition, reaction);
}

interface ChosenScalar {
  readonly scalar: string;
  readonly value: number | undefined;
}

/** Lists the scalars at once, and beside each what it is now as soon as that is known. */
function pickScalar({ title, analysis, scalar, measure }: BreakpointSubject): Promise<ChosenScalar | undefined> {
  return new Promise(resolve => {
    const lifetime = new Lifetime();
    const pick = lifetime.add(vscode.window.createQuickPick<ScalarItem>());
    const controller = new AbortController();
    lifetime.add({ dispose: () => controller.abort() });
    let values: Values = {};
    const list = (likeliest: string | undefined): void => {
      pick.items = scalarItems(analysis, values);
      pick.activeItems = pick.items.filter(({ label }) => label === likeliest);
    };
    pick.title = title;
    pick.placeholder = 'What to look at';
    pick.matchOnDetail = true;
    pick.busy = measure !== undefined;
    list(scalar);
    // Without what it is now, which the analysis may not be able to say, it can be looked at all the same.
    void measure?.(controller.signal).then(now => (values = now), () => undefined).then(() => {
      if (lifetime.isEnded) return;
      pick.busy = false;
      list(pick.activeItems[0]?.label);
    });
    lifetime.add(pick.onDidAccept(() => {
      const [item] = pick.selectedItems;
      resolve(item && { scalar: item.label, value: values[item.label] });
      pick.hide();
    }));
    lifetime.add(pick.onDidHide(() => {
      resolve(undefined);
      lifetime.dispose();
    }));
    pick.show();
  });
}

async function askCondition(title: string, analysis: AnalysisInfo, scalar: string, value: number | undefined): Promise<Condition | undefined> {
  const bound = { label: 'Crosses a Bound…', detail: 'It is within the bound at a checkpoint, and was not at the one before.' };
  const change = { label: 'Changes by…', detail: 'It moves so far, up or down, from one checkpoint to the next.' };
  const kind = await vscode.window.showQuickPick([bound, change], { title, placeHolder: `When ${scalar}` });
  if (!kind) return undefined;
  if (kind === change) {
    const text = await vscode.window.showInputBox({ title, prompt: `${scalar} changes by`, placeHolder: '0.5', validateInput: problemOfChange });
    return text === undefined ? undefined : { changesBy: Number(text) };
  }
  const start = value === undefined ? '' : suggestedBound(analysis, scalar, value);
  const text = await vscode.window.showInputBox({
    title, prompt: scalar, value: start, valueSelection: [start.indexOf(' ') + 1, start.length], placeHolder: '> 0.8',
    validateInput: given => {
      const remark = remarkOnBound(given, value);
      const { Error, Info } = vscode.InputBoxValidationSeverity;
      return remark && { message: remark.message, severity: remark.isProblem ? Error : Info };
    },
  });
  return text === undefined ? undefined : { when: text.trim() };
}

async function askReaction(title: string): Promise<Reaction | undefined> {
  const pause = { label: 'Pause', detail: 'The training waits until you let it go on.' };
  const snapshot = { label: 'Keep a Snapshot', detail: 'The model as it is then is kept as a model of its own; the training goes on.' };
  const fork = { label: 'Fork…', detail: 'A copy of the model is trained on beside it, with changes if you like.' };
  const chosen = await vscode.window.showQuickPick([pause, snapshot, fork], { title, placeHolder: 'What happens then' });
  if (chosen === undefined) return undefined;
  if (chosen !== fork) return { action: chosen === pause ? 'pause' : 'snapshot' };
  const text = await vscode.window.showInputBox({
    title, prompt: 'What is changed in the copy, separated by semicolons; empty for nothing', placeHolder: 'training.learningRate=1e-4; seed=1',
    validateInput: problemOfChanges,
  });
  if (text === undefined) return undefined;
  const set = [...changesFromText(text)];
  return { action: 'fork', ...(set.length > 0 && { set }) };
}
