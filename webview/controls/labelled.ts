import { element, uniqueId, type Child } from '../elements';
import type { Label } from './toolkit';

/** A group of controls under one label, which is also its name for screen readers. */
export function labelledGroup({ title, description }: Label, ...children: readonly Child[]): HTMLElement {
  const id = uniqueId('label');
  return element('div', { class: 'field', role: 'group', 'aria-labelledby': id },
    element('span', { class: 'field-label', id, title: description }, title), ...children);
}
