import { Emitter } from '../../src/common/event';
import { element, uniqueId } from '../elements';
import type { Choice, Control } from './toolkit';

/** A few choices beside each other, of which one holds; the arrow keys move between them, as between all radio buttons. */
export function radios<T>(title: string, choices: readonly Choice<T>[], value: T): Control<T> {
  const changes = new Emitter<T>();
  const name = uniqueId('radios');
  const inputs = choices.map(choice => {
    const input = element('input', { type: 'radio', name, class: 'visually-hidden' });
    input.addEventListener('change', () => {
      current = choice.value;
      changes.fire(current);
    });
    return input;
  });
  let current = value;
  const show = () => inputs.forEach((input, at) => { input.checked = choices[at]?.value === current; });
  show();
  return {
    element: element('div', { class: 'radios', role: 'radiogroup', 'aria-label': title },
      ...choices.map((choice, at) => element('label', { class: 'radio' }, inputs[at], choice.title))),
    onDidChange: changes.event,
    get value() { return current; },
    set value(next) {
      if (next === current) return;
      current = next;
      show();
    },
  };
}
