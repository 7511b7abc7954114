import { element } from '../elements';
import { button } from './toolkit';

export interface MenuItem {
  readonly title: string;
  activate(): void;
}

/** A button that opens a menu, as the ARIA Authoring Practices describe it (Menu Button). `items` is asked each time. */
export function menuButton(title: string, label: string, items: () => readonly MenuItem[]): HTMLElement {
  const opener = button({ title, label, appearance: 'quiet' }, () => toggle(!isOpen));
  let isOpen = false;
  opener.setExpanded(false);
  let entries: readonly HTMLElement[] = [];
  const entryOf = (item: MenuItem) => {
    const entry = element('button', { type: 'button', role: 'menuitem', tabindex: -1 }, item.title);
    entry.addEventListener('click', () => {
      toggle(false);
      opener.element.focus();
      item.activate();
    });
    return entry;
  };
  const menu = element('div', { class: 'menu-items', role: 'menu', 'aria-label': label, hidden: true });
  const whole = element('div', { class: 'menu' }, opener.element, menu);

  function toggle(open: boolean): void {
    isOpen = open;
    menu.hidden = !open;
    opener.setExpanded(open);
    if (!open) return;
    entries = items().map(entryOf);
    menu.replaceChildren(...entries);
    // A menu near the right edge opens towards the left.
    menu.style.translate = '';
    menu.style.translate = `${Math.min(0, window.innerWidth - 8 - menu.getBoundingClientRect().right)}px`;
    entries[0]?.focus();
  }
  whole.addEventListener('keydown', event => {
    const at = entries.findIndex(entry => entry === document.activeElement);
    const focusEntry = (index: number) => entries[(index + entries.length) % entries.length]?.focus();
    if (event.key === 'Escape' && isOpen) {
      toggle(false);
      opener.element.focus();
    } else if (event.key === 'ArrowDown') {
      if (!isOpen) toggle(true);
      else focusEntry(at + 1);
    } else if (event.key === 'ArrowUp' && isOpen) focusEntry(at - 1);
    else if (event.key === 'Home' && isOpen) focusEntry(0);
    else if (event.key === 'End' && isOpen) focusEntry(-1);
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  whole.addEventListener('focusout', event => {
    if (!(event.relatedTarget instanceof Node && whole.contains(event.relatedTarget))) toggle(false);
  });
  return whole;
}
