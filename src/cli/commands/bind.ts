import { UserError } from '../../common/errors';
import { metricTexts } from '../../engine/words/model';
import { bindingFrom, type BindingOptions } from '../bindingOption';
import { answer } from '../output';
import { withModel, type CommonOptions, type Session } from '../session';

export interface BindOptions extends CommonOptions, BindingOptions {
  readonly none?: boolean;
}

/** `circuits bind MODEL`: gives an imported model the prompts of a task, those of a file, or none. */
export async function bind(session: Session, reference: string, { task, prompts, splitSeed, none = false, ...options }: BindOptions): Promise<void> {
  const asked = bindingFrom({ ...(task !== undefined && { task }), ...(prompts !== undefined && { prompts }), ...(splitSeed !== undefined && { splitSeed }) });
  if (none === (asked !== undefined)) throw new UserError('Say what the model is bound to: one of --task, --prompts and --none.');
  const binding = asked ?? { kind: 'none' };
  await withModel(session, options, reference, async (engine, { id }) => {
    const { name, experiment, metrics } = await engine.bindings.bind(id, binding, session.interrupted);
    answer(session.output, { id, name, task: experiment.task, metrics }, () => [
      `${name} (${id}), task ${experiment.task.name}`,
      ...metricTexts(metrics).map(text => `  ${text}`),
    ].join('\n'));
  });
}
