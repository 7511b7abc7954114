import * as vscode from 'vscode';
import { setContext } from './contributions';

/** Steps of the walkthrough that are done by doing something → the context key that completes each. */
const keys = {
  browse: 'circuits.hasBrowsed',
  attention: 'circuits.hasSeenAttention',
  'activation-patching': 'circuits.hasPatched',
  claim: 'circuits.hasClaimed',
} as const;
type FirstStep = keyof typeof keys;

export function isFirstStep(name: string): name is FirstStep {
  return Object.hasOwn(keys, name);
}

/** Completes a step of the walkthrough, which VS Code keeps from then on. */
export function completeStep(step: FirstStep): void {
  setContext(vscode.commands, keys[step], true);
}
