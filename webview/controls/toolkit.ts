/**
 * The one file that knows the control library, which is archived upstream: replacing it means rewriting this file only.
 * Controls come with a visible label; values are read and set without firing `onDidChange`.
 */
import {
  Button,
  Checkbox,
  Dropdown,
  Option,
  provideVSCodeDesignSystem,
  TextField,
  vsCodeButton,
  vsCodeCheckbox,
  vsCodeDropdown,
  vsCodeOption,
  vsCodeTextField,
} from '@vscode/webview-ui-toolkit';
import { Emitter, type Event } from '../../src/common/event';
import { element, icon, setAttributes, setText, uniqueId, type Attributes } from '../elements';

export interface Control<T> {
  readonly element: HTMLElement;
  readonly onDidChange: Event<T>;
  value: T;
}

/** What the reader reads beside a control, and on hovering it. */
export interface Label {
  readonly title: string;
  readonly description?: string;
}

export interface Choice<T> {
  readonly value: T;
  readonly title: string;
}

export interface ChoiceControl<T> extends Control<T> {
  /** Replaces the choices, keeping the value where it is still among them. */
  setChoices(choices: readonly Choice<T>[]): void;
}

export interface TextControl extends Control<string> {
  /** Told of every keystroke; a change is told when the field is left, or Enter pressed. */
  readonly onDidInput: Event<void>;
  /** Says under the field what is wrong with its text. */
  setProblem(problem: string | undefined): void;
}

export function registerControls(): void {
  provideVSCodeDesignSystem().register(
    vsCodeButton(), vsCodeCheckbox(), vsCodeDropdown(), vsCodeOption(), vsCodeTextField(),
  );
}

export interface ButtonOptions {
  readonly title: string;
  /** Shown in place of the title, which then becomes its name and tooltip. */
  readonly icon?: string;
  readonly appearance: 'primary' | 'secondary' | 'quiet';
  /** Its name where the title says too little without what stands around it; it must contain the title. */
  readonly label?: string;
}

export interface ButtonControl {
  readonly element: HTMLElement;
  /** Makes it do another thing: the title, and the icon in its place. */
  setLook(look: { readonly title: string; readonly icon: string }): void;
  setPressed(pressed: boolean): void;
  setExpanded(expanded: boolean): void;
  setEnabled(enabled: boolean): void;
}

export function button(options: ButtonOptions, activate: () => void): ButtonControl {
  const made = create(Button, 'vscode-button', {
    appearance: options.appearance === 'quiet' ? 'icon' : options.appearance,
    'aria-label': options.label ?? options.title,
    ...(options.icon === undefined ? {} : { title: options.title }),
  });
  made.append(options.icon === undefined ? options.title : icon(options.icon));
  made.addEventListener('click', () => { if (!made.disabled) activate(); });
  return {
    element: made,
    setLook(look) {
      if (made.title === look.title) return;
      made.title = look.title;
      made.ariaLabel = look.title;
      made.replaceChildren(icon(look.icon));
    },
    // Set as properties: the library passes only some attributes on to the button within.
    setPressed: pressed => { made.ariaPressed = String(pressed); },
    setExpanded: expanded => Object.assign(made, { ariaHaspopup: 'menu', ariaExpanded: String(expanded) }),
    setEnabled: enabled => { made.disabled = !enabled; },
  };
}

export function checkbox(label: Label, checked: boolean): Control<boolean> {
  const changes = new Emitter<boolean>();
  const made = create(Checkbox, 'vscode-checkbox', { title: label.description });
  made.append(label.title);
  made.checked = checked;
  let told = checked;
  // The control fires `change` for values that the program sets as well.
  made.addEventListener('change', () => {
    if (made.checked === told) return;
    told = made.checked;
    changes.fire(told);
  });
  return {
    element: made,
    onDidChange: changes.event,
    get value() { return made.checked; },
    set value(next) {
      told = next;
      made.checked = next;
    },
  };
}

export function textField(label: Label, text: string, { width = 12, placeholder = '' } = {}): TextControl {
  const changes = new Emitter<string>();
  const inputs = new Emitter<void>();
  const made = create(TextField, 'vscode-text-field', { size: width, placeholder, title: label.description });
  made.append(label.title);
  const problem = element('span', { class: 'field-problem', role: 'alert', hidden: true });
  made.value = text;
  made.addEventListener('change', () => changes.fire(made.value));
  made.addEventListener('input', () => inputs.fire());
  return {
    element: element('div', { class: 'field' }, made, problem),
    onDidChange: changes.event,
    onDidInput: inputs.event,
    get value() { return made.value; },
    set value(next) { if (made.value !== next) made.value = next; },
    setProblem(message) {
      setAttributes(made, { 'aria-invalid': message === undefined ? undefined : 'true' });
      problem.hidden = message === undefined;
      setText(problem, message ?? '');
    },
  };
}

export function dropdown<T>(label: Label, choices: readonly Choice<T>[], value: T): ChoiceControl<T> {
  const changes = new Emitter<T>();
  const labelId = uniqueId('label');
  const made = create(Dropdown, 'vscode-dropdown', { 'aria-labelledby': labelId, title: label.description });
  let current = value;
  let shown: readonly Choice<T>[] = [];
  // Options carry their place in the list, not their value: values may be of any type and hold any text.
  const select = () => {
    const index = shown.findIndex(choice => choice.value === current);
    if (index >= 0 && made.value !== String(index)) made.value = String(index);
  };
  const setChoices = (next: readonly Choice<T>[]) => {
    if (next.length === shown.length && next.every((choice, i) => choice.title === shown[i]?.title)) {
      shown = next;
      return;
    }
    const keep = next.findIndex((choice, i) => choice.title !== shown[i]?.title);
    [...made.children].slice(keep < 0 ? next.length : keep).forEach(option => option.remove());
    next.slice(keep < 0 ? next.length : keep).forEach((choice, i) => {
      const index = Math.max(keep, 0) + i;
      const option = create(Option, 'vscode-option', { value: index });
      option.append(choice.title);
      made.append(option);
    });
    shown = next;
    select();
  };
  setChoices(choices);
  made.addEventListener('change', () => {
    const chosen = shown[Number(made.value)];
    if (!chosen || chosen.value === current) return;
    current = chosen.value;
    changes.fire(current);
  });
  return {
    element: element('div', { class: 'field' }, element('span', { class: 'field-label', id: labelId }, label.title), made),
    onDidChange: changes.event,
    get value() { return current; },
    set value(next) {
      current = next;
      select();
    },
    setChoices,
  };
}

function create<T extends HTMLElement>(type: abstract new () => T, tag: string, attributes: Attributes): T {
  const made = document.createElement(tag);
  if (!(made instanceof type)) throw new Error(`<${tag}> is not registered`);
  setAttributes(made, attributes);
  return made;
}
