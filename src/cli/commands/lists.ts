import { describeAnalysis } from '../../analysis/define';
import { analyses } from '../../analysis/registry';
import { BundledExperiments } from '../../engine/bundled';
import { analysesText, parametersText } from '../../engine/words/analyses';
import { modelsTable } from '../../engine/words/models';
import { describeTask, tasks } from '../../tasks/registry';
import { answer } from '../output';
import { withEngine, type CommonOptions, type Session } from '../session';

/** `circuits tasks`: the tasks with their parameters, and the experiments that come with the program. */
export async function listTasks({ output, installation }: Session): Promise<void> {
  const experiments = await new BundledExperiments(installation.experiments).names();
  const document = { tasks: tasks.map(describeTask), experiments };
  answer(output, document, () => [
    ...document.tasks.map(({ id, description, params }) => `${id}\n  ${description}\n${parametersText(params)}`),
    `Bundled experiments: ${experiments.join(', ') || 'none'}`,
  ].join('\n\n'));
}

/** `circuits analyses`: the analyses by their groups, with their parameters and scalars. */
export async function listAnalyses({ output }: Session): Promise<void> {
  const document = { analyses: analyses.map(describeAnalysis) };
  answer(output, document, () => analysesText(document.analyses));
}

/** `circuits models`: the models in the store, newest first. */
export async function listModels(session: Session, options: CommonOptions): Promise<void> {
  await withEngine(session, options, async engine => {
    const models = await engine.models();
    answer(session.output, { models }, () => (models.length === 0 ? `There are no models in ${engine.store.folder}.` : modelsTable(models)));
  });
}
