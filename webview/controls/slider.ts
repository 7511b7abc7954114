import { Emitter } from '../../src/common/event';
import { element, setAttributes, setText, uniqueId } from '../elements';
import { formatNumber } from '../numbers';
import type { Control, Label } from './toolkit';

/** Milliseconds between two changes told while the slider is dragged: about eight a second. */
const pause = 125;

export interface Bounds {
  readonly minimum: number;
  readonly maximum: number;
}

/** A number dragged between its bounds. It tells where it is while it moves, and always where it came to rest. */
export function slider(label: Label, { minimum, maximum }: Bounds, value: number): Control<number> {
  const changes = new Emitter<number>();
  const id = uniqueId('slider');
  const input = element('input', { type: 'range', id, class: 'slider', min: minimum, max: maximum, step: 'any', title: label.description });
  const shown = element('output', { class: 'slider-value', for: id });
  // A hundredth of the range, to a power of ten: between 0 and 1 it stops at 0.01, 0.02, …
  const grain = 10 ** Math.floor(Math.log10((maximum - minimum) / 100));
  let told = value;

  const read = () => Math.min(maximum, Math.max(minimum, Number((Math.round(input.valueAsNumber / grain) * grain).toPrecision(12))));
  const display = (number: number) => {
    const text = formatNumber(number);
    setText(shown, text);
    setAttributes(input, { 'aria-valuetext': text });
    input.style.setProperty('--share', `${(100 * (number - minimum)) / (maximum - minimum || 1)}%`);
  };
  const tell = () => {
    const next = read();
    if (next === told) return false;
    told = next;
    changes.fire(next);
    return true;
  };
  const tellNowAndThen = paced(() => input.isConnected && tell(), pause);
  const set = (number: number) => {
    input.valueAsNumber = number;
    display(number);
  };
  input.addEventListener('input', () => {
    display(read());
    tellNowAndThen();
  });
  input.addEventListener('change', tell);
  set(value);
  return {
    element: element('div', { class: 'field' },
      element('label', { class: 'field-label', for: id }, label.title), element('div', { class: 'slider-row' }, input, shown)),
    onDidChange: changes.event,
    get value() { return told; },
    set value(next) {
      // What comes back while the slider is dragged is where it has been.
      if (next === told) return;
      told = next;
      set(next);
    },
  };
}

/** Tells at once, and then at most once a pause for as long as `tell` finds something new to tell. */
export function paced(tell: () => boolean, pause: number): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const call = () => {
    if (timer !== undefined || !tell()) return;
    timer = setTimeout(() => {
      timer = undefined;
      call();
    }, pause);
  };
  return call;
}
