import * as vscode from 'vscode';
import { figureOfClaim, UntrainedClaimError } from './claimFigure';
import type { ClaimOutcomes } from './claimOutcomes';
import { runCommand, type ClaimTarget, type FigureTarget } from '../contributions';
import type { Engine } from '../engine';
import { experimentText, readExperiment } from '../experiments/experimentFiles';
import type { ModelList } from '../models/modelList';
import { showInformation } from '../notifications';

/** Opens what measures a claim; where its model is not trained yet, it offers to run the claim. */
export async function openClaimFigure(
  { engine, models, outcomes }: { readonly engine: Engine; readonly models: ModelList; readonly outcomes: ClaimOutcomes }, target: ClaimTarget,
): Promise<void> {
  const uri = vscode.Uri.parse(target.file);
  const experiment = experimentText(uri, await readExperiment(uri));
  const exists = async (model: string) => (await models.load()).some(({ id }) => id === model);
  let figure: FigureTarget;
  try {
    figure = await figureOfClaim({ engine, outcomes, exists }, { ...target, experiment });
  } catch (error) {
    if (!(error instanceof UntrainedClaimError)) throw error;
    const run = 'Run Claim';
    if ((await showInformation(error.message, run)) === run) await runCommand(vscode.commands, 'circuits.runClaim', target);
    return;
  }
  await runCommand(vscode.commands, 'circuits.openFigure', figure);
}
