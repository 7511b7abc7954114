import { Emitter } from '../../src/common/event';
import { unknownName } from '../../src/common/nearest';
import type { ModelWords } from '../../src/protocol/model';
import { element, setText } from '../elements';
import { textField, type Control, type Label } from './toolkit';

type Words = Pick<ModelWords, 'positions' | 'vocabulary'>;

/** A field for a prompt with its words below it, each under the name of its position. A word that is none is named and not sent. */
export class PromptControl implements Control<string> {
  readonly element: HTMLElement;
  private readonly changes = new Emitter<string>();
  readonly onDidChange = this.changes.event;
  private readonly field;
  private readonly list: HTMLElement;
  private readonly note = element('p', { class: 'field-note', 'aria-live': 'polite' });
  private other: PromptControl | undefined;
  /** Of two prompts the second says how they differ. */
  private saysDifference = false;
  private current: string;
  private isTyping = false;

  constructor(private readonly label: Label, private readonly known: Words, text: string) {
    this.current = text;
    this.field = textField(label, text, { width: 36, placeholder: 'Words; empty: examples of the task' });
    this.list = element('ol', { class: 'prompt-words', 'aria-label': `Words of ${label.title}` });
    this.element = element('div', { class: 'prompt' }, this.field.element, this.list, this.note);
    this.field.onDidInput(() => {
      this.isTyping = true;
      this.read();
    });
    this.field.onDidChange(text => {
      this.isTyping = false;
      this.read();
      if (text === this.current || this.problem() !== undefined) return;
      this.current = text;
      this.changes.fire(text);
    });
    this.read();
  }

  get value(): string {
    return this.current;
  }

  set value(next: string) {
    // A text that is still being written stays: only another value from outside replaces it.
    if (next === this.current) return;
    this.current = next;
    this.field.value = next;
    this.read();
  }

  /** Marks where this prompt and another differ, and says it here. */
  compareWith(other: PromptControl): void {
    this.other = other;
    other.other = this;
    this.saysDifference = true;
    this.read();
    other.read();
  }

  private words(): readonly string[] {
    return this.field.value.split(/\s+/).filter(word => word !== '');
  }

  /** Places of the words that are none; a word that is still being typed may yet become one. */
  private unknown(): readonly number[] {
    const words = this.words();
    const unfinished = this.isTyping && !/\s$/.test(this.field.value) ? words.length - 1 : -1;
    return words.flatMap((word, at) => at === unfinished || this.known.vocabulary.includes(word) ? [] : [at]);
  }

  private read(): void {
    this.show();
    this.other?.show();
  }

  private show(): void {
    const words = this.words();
    const others = this.other?.words() ?? [];
    const { positions } = this.known;
    const unknown = new Set(this.unknown());
    this.list.hidden = words.length === 0;
    this.list.replaceChildren(...words.map((word, at) => {
      const isUnknown = unknown.has(at);
      const differs = others.length > 0 && word !== others[at];
      return element('li', { class: 'prompt-word', 'data-unknown': isUnknown, 'data-differs': differs },
        element('span', { class: 'prompt-position' }, positions[at] ?? String(at)),
        element('span', { class: 'prompt-text' }, word),
        isUnknown ? element('span', { class: 'visually-hidden' }, '(unknown)') : undefined,
        differs ? element('span', { class: 'visually-hidden' }, '(differs)') : undefined);
    }));
    this.field.setProblem(this.problem());
    const comparison = this.comparison(words, others);
    this.note.hidden = comparison === undefined;
    setText(this.note, comparison ?? '');
  }

  /** What is wrong with the text, in the words of the engine, which would refuse it. */
  private problem(): string | undefined {
    const words = this.words();
    const { positions, vocabulary } = this.known;
    const unknown = words[this.unknown()[0] ?? -1];
    if (unknown !== undefined) return unknownName('token', unknown, vocabulary).message;
    return words.length > positions.length ? `The prompt has ${words.length} tokens; this model reads at most ${positions.length}.` : undefined;
  }

  private comparison(words: readonly string[], others: readonly string[]): string | undefined {
    if (!this.other || !this.saysDifference || words.length === 0 || others.length === 0) return undefined;
    const { title } = this.other.label;
    if (words.length !== others.length) return `${words.length} words, but “${title}” has ${others.length}: the two must be of one length.`;
    const places = words.flatMap((word, at) => word === others[at] ? [] : [this.known.positions[at] ?? String(at)]);
    return places.length === 0 ? `The same as “${title}”.` : `Differs from “${title}” at ${places.join(', ')}.`;
  }
}
