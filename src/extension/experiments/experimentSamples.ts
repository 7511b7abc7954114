import { modify, applyEdits } from 'jsonc-parser';
import { countText } from '../format';
import { outlineOf } from './experimentOutline';

/** A bundled experiment to begin from. */
export interface Sample {
  readonly name: string;
  readonly text: string;
}

export interface SampleItem {
  readonly label: string;
  readonly description: string;
  readonly detail: string;
  readonly task: string;
  readonly sample: Sample;
}

/** The samples for a quick pick, those of one task together, in the order in which the tasks first come. */
export function sampleItems(samples: readonly Sample[]): readonly SampleItem[] {
  const items = samples.map(sample => {
    const { fields, claims } = outlineOf(sample.text);
    const value = (field: string) => fields.get(field)?.value;
    const steps = fieldIn(value('training'), 'steps');
    const facts = [
      ...(typeof steps === 'number' ? [countText(steps, 'step')] : []),
      ...(claims.length > 0 ? [countText(claims.length, 'claim')] : []),
      ...(fields.has('sweep') ? ['sweep'] : []),
      ...(fields.has('from') ? ['fine-tunes another one'] : []),
    ];
    const task = value('task');
    const description = value('description');
    return {
      label: sample.name,
      description: facts.join(' · '),
      detail: typeof description === 'string' ? firstSentence(description) : '',
      task: String(typeof task === 'string' ? task : fieldIn(task, 'name') ?? ''),
      sample,
    };
  });
  return [...new Set(items.map(({ task }) => task))].flatMap(task => items.filter(item => item.task === task));
}

/** A sample's text under another name. */
export function renamed(text: string, name: string): string {
  return applyEdits(text, modify(text, ['name'], name, { formattingOptions: { tabSize: 2, insertSpaces: true, eol: '\n' } }));
}

/** Up to the first full stop that ends a sentence, which one in a number or a name does not. */
function firstSentence(text: string): string {
  return /^.*?[.!?](?=\s+\p{Lu}|\s*$)/su.exec(text)?.[0] ?? text;
}

function fieldIn(value: unknown, field: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>)[field] : undefined;
}
