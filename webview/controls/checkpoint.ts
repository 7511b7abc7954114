import { Emitter } from '../../src/common/event';
import { element, setAttributes, setText, uniqueId } from '../elements';
import { formatInteger } from '../numbers';
import { paced } from './slider';
import { button, textField } from './toolkit';

/** The step of a checkpoint; undefined for the newest weights. */
export type CheckpointStep = number | undefined;

/** Milliseconds between two places told while the slider is dragged. */
const pause = 60;

/** How far the training went, or is to go. */
export interface Training {
  /** Steps that have a checkpoint, ascending. */
  readonly checkpoints: readonly number[];
  readonly steps: number;
}

/**
 * Picks the weights to look at on a slider through training: a place for each checkpoint, evenly spaced whatever their
 * steps, of which the last is that of the newest weights. With a button that plays through them, and one that links panels.
 */
export class CheckpointControl {
  private readonly moves = new Emitter<CheckpointStep>();
  private readonly plays = new Emitter<void>();
  private readonly links = new Emitter<boolean>();
  readonly onDidMove = this.moves.event;
  /** Play was pressed, or Pause. */
  readonly onDidPlay = this.plays.event;
  readonly onDidLink = this.links.event;
  readonly element: HTMLElement;
  private training: Training = { checkpoints: [], steps: 0 };
  private current: CheckpointStep;
  private linked = false;
  private readonly id = uniqueId('checkpoint');
  private readonly input = element('input', { type: 'range', id: this.id, class: 'slider', min: 0, max: 0, step: 1 });
  // No output element: those announce whatever changes in them.
  private readonly shown = element('span', { class: 'slider-value' });
  private readonly play = button({ title: 'Play', icon: 'play', appearance: 'quiet' }, () => this.plays.fire());
  private readonly earlier = button({ title: 'Earlier checkpoint', icon: 'chevron-left', appearance: 'quiet' }, () => this.go(-1));
  private readonly later = button({ title: 'Later checkpoint', icon: 'chevron-right', appearance: 'quiet' }, () => this.go(1));
  private readonly exact = textField({ title: 'Go to step', description: 'The checkpoint nearest to a step' }, '', { width: 8 });
  private readonly link = button({ title: 'Link panels of this model', icon: 'link', appearance: 'quiet' }, () => this.links.fire(!this.linked));

  /** `announce` says where a button led; the slider in focus says it itself. */
  constructor(private readonly announce: (text: string) => void) {
    this.element = element('div', { class: 'checkpoint', role: 'group', 'aria-label': 'Time' },
      element('div', { class: 'checkpoint-buttons' }, this.play.element, this.earlier.element, this.later.element),
      element('div', { class: 'field checkpoint-slider' },
        element('div', { class: 'checkpoint-place' }, element('label', { class: 'field-label', for: this.id }, 'Checkpoint'), this.shown), this.input),
      this.exact.element, this.link.element);
    const tell = () => this.tell(this.stepAt(this.input.valueAsNumber));
    const tellNowAndThen = paced(() => this.input.isConnected && tell(), pause);
    this.input.addEventListener('input', () => {
      this.display(this.stepAt(this.input.valueAsNumber));
      tellNowAndThen();
    });
    this.input.addEventListener('change', tell);
    this.exact.onDidChange(text => this.goToNearest(text));
  }

  /** With fewer than two checkpoints there is nothing to move through, and the control is hidden. */
  update(training: Training, current: CheckpointStep, linked: boolean): void {
    const { training: { checkpoints, steps }, current: before } = this;
    this.training = training;
    this.element.hidden = training.checkpoints.length < 2;
    this.linked = linked;
    this.link.setPressed(linked);
    this.current = current;
    setAttributes(this.input, { max: Math.max(0, training.checkpoints.length - 1) });
    // What comes back while the slider is dragged is where it has been.
    if (current !== before || checkpoints.length !== training.checkpoints.length || steps !== training.steps) this.rest();
  }

  setPlaying(playing: boolean): void {
    this.play.setLook(playing ? { title: 'Pause', icon: 'debug-pause' } : { title: 'Play', icon: 'play' });
  }

  /** The step that comes after another in playing; the first again after the newest weights. */
  next(step: CheckpointStep): CheckpointStep {
    return this.stepAt(this.isLast(step) ? 0 : this.placeOf(step) + 1);
  }

  isLast(step: CheckpointStep): boolean {
    return this.placeOf(step) >= this.last;
  }

  /** Where it stands, in words. */
  get text(): string {
    return this.describe(this.current);
  }

  private get last(): number {
    return this.training.checkpoints.length - 1;
  }

  /** The place of a step on the slider; a checkpoint that is gone has that of the next one. */
  private placeOf(step: CheckpointStep): number {
    const found = step === undefined ? -1 : this.training.checkpoints.findIndex(each => each >= step);
    return found < 0 ? this.last : found;
  }

  private stepAt(place: number): CheckpointStep {
    return place >= this.last ? undefined : this.training.checkpoints[place];
  }

  private go(by: number): void {
    this.goTo(this.stepAt(Math.max(0, this.placeOf(this.current) + by)));
  }

  private goTo(step: CheckpointStep): void {
    this.tell(step);
    this.rest();
    this.announce(this.text);
  }

  private goToNearest(text: string): void {
    if (text.trim() === '') {
      this.exact.setProblem(undefined);
      return;
    }
    const wanted = Number(text.replace(/[,\s]/g, ''));
    const { checkpoints } = this.training;
    const [first = 0, last = 0] = [checkpoints[0], checkpoints.at(-1)];
    const isStep = Number.isInteger(wanted) && wanted >= 0;
    this.exact.setProblem(isStep ? undefined : `A step from ${formatInteger(first)} to ${formatInteger(last)}`);
    if (!isStep) return;
    const nearest = checkpoints.reduce((best, step) => Math.abs(step - wanted) < Math.abs(best - wanted) ? step : best, first);
    this.exact.value = '';
    this.goTo(nearest);
  }

  private tell(step: CheckpointStep): boolean {
    if (step === this.current) return false;
    this.current = step;
    this.moves.fire(step);
    return true;
  }

  /** Puts the thumb where the current step is. */
  private rest(): void {
    this.input.valueAsNumber = this.placeOf(this.current);
    this.display(this.current);
  }

  private display(step: CheckpointStep): void {
    const text = this.describe(step);
    setText(this.shown, text);
    setAttributes(this.input, { 'aria-valuetext': text });
    const place = this.input.valueAsNumber;
    this.input.style.setProperty('--share', `${(100 * place) / Math.max(1, this.last)}%`);
    this.earlier.setEnabled(place > 0);
    this.later.setEnabled(place < this.last);
  }

  private describe(step: CheckpointStep): string {
    return step === undefined ? 'Newest weights' : `Step ${formatInteger(step)} of ${formatInteger(this.training.steps)}`;
  }
}
