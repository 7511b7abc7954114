import * as v from 'valibot';
import { Emitter } from '../../src/common/event';
import { parameterSchema, type Parameter } from '../../src/protocol/parameter';
import { textField, type Control } from './toolkit';

type NumberParameter = Parameter & { readonly kind: 'integer' | 'number' };

/** A field for a number: the arrow keys step an integer, and a text that is no fitting number is named and not sent. */
export function numberControl(parameter: NumberParameter): Control<number> {
  const changes = new Emitter<number>();
  const field = textField(parameter, String(parameter.default), { width: 8 });
  const schema = parameterSchema(parameter);
  let current = parameter.default;
  const take = (text: string) => {
    const result = v.safeParse(schema, text.trim() === '' ? Number.NaN : Number(text));
    field.setProblem(result.success ? undefined : expectation(parameter));
    if (!result.success || typeof result.output !== 'number' || result.output === current) return;
    current = result.output;
    changes.fire(current);
  };
  field.onDidChange(take);
  if (parameter.kind === 'integer') {
    field.element.addEventListener('keydown', event => {
      const step = event.key === 'ArrowUp' ? 1 : event.key === 'ArrowDown' ? -1 : 0;
      if (step === 0) return;
      event.preventDefault();
      const next = Math.max(parameter.minimum ?? -Infinity, Math.min(parameter.maximum ?? Infinity, current + step));
      field.value = String(next);
      take(field.value);
    });
  }
  return {
    element: field.element,
    onDidChange: changes.event,
    get value() { return current; },
    set value(next) {
      // A text that is still being corrected stays: only another value from outside replaces it.
      if (next === current) return;
      current = next;
      field.value = String(next);
      field.setProblem(undefined);
    },
  };
}

function expectation({ kind, minimum, maximum }: NumberParameter): string {
  const what = kind === 'integer' ? 'A whole number' : 'A number';
  if (minimum !== undefined && maximum !== undefined) return `${what} from ${minimum} to ${maximum}`;
  if (minimum !== undefined) return `${what} of ${minimum} or more`;
  return maximum === undefined ? what : `${what} of ${maximum} or less`;
}
