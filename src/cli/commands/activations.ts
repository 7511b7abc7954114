import type { OpenModel } from '../../engine/openModels';
import { formatShape, nested, type HostTensor } from '../../common/tensor';
import { tokensFromText } from '../arguments';
import { answer } from '../output';
import { withModel, type CommonOptions, type Session } from '../session';

export interface ActivationOptions extends CommonOptions {
  readonly tokens: string;
  readonly checkpoint?: number;
}

/** `circuits logits MODEL --tokens …`: the logits at every position. */
export async function logits(session: Session, reference: string, options: ActivationOptions): Promise<void> {
  await withOpenModel(session, reference, options, async ({ model, details }) => {
    const run = await model.runWithCache(tokensFromText(options.tokens, details.config), []);
    const document = { shape: run.logits.shape, logits: nested(run.logits) };
    answer(session.output, document, () => tensorText('logits', run.logits));
  });
}

/** `circuits cache MODEL --tokens … --hooks a,b`: the activations at hook points. */
export async function cache(session: Session, reference: string, options: ActivationOptions & { readonly hooks: readonly string[] }): Promise<void> {
  await withOpenModel(session, reference, options, async ({ model, details }) => {
    const run = await model.runWithCache(tokensFromText(options.tokens, details.config), options.hooks);
    const document = Object.fromEntries([...run.cache].map(([hook, value]) => [hook, { shape: value.shape, data: nested(value) }]));
    answer(session.output, document, () => [...run.cache].map(([hook, value]) => tensorText(hook, value)).join('\n'));
  });
}

function withOpenModel(session: Session, reference: string, options: ActivationOptions, work: (opened: OpenModel) => Promise<void>): Promise<void> {
  return withModel(session, options, reference, (engine, { id }) => engine.openModels.use(id, options.checkpoint, work));
}

/** A tensor in words: its shape and, a line each, its innermost rows as far as a screen is long. */
function tensorText(name: string, { shape, data }: HostTensor<'float32'>): string {
  const width = shape.at(-1) ?? 1;
  const rows = Math.min(40, data.length / width);
  const lines = Array.from({ length: rows }, (_, row) => {
    const values = [...data.subarray(row * width, Math.min(row * width + 8, (row + 1) * width))].map(value => value.toPrecision(5).padStart(11));
    return `  ${values.join(' ')}${width > 8 ? ' …' : ''}`;
  });
  return [`${name} ${formatShape(shape)}`, ...lines, ...(rows < data.length / width ? ['  …'] : [])].join('\n');
}
