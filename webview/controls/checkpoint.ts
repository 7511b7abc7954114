import { Emitter } from '../../src/common/event';
import { element } from '../elements';
import { formatInteger } from '../numbers';
import { button, dropdown, type Choice } from './toolkit';

/** The step of a checkpoint; undefined for the newest weights. */
export type CheckpointStep = number | undefined;

const newest: Choice<CheckpointStep> = { value: undefined, title: 'Newest weights' };

/** Picks the weights to look at: the newest, or a checkpoint, with a step to either side. */
export class CheckpointControl {
  private readonly changes = new Emitter<CheckpointStep>();
  readonly onDidChange = this.changes.event;
  readonly element: HTMLElement;
  /** In the order of training: the newest weights come last. */
  private order: readonly CheckpointStep[] = [];
  private readonly list = dropdown({ title: 'Checkpoint', description: 'The weights to look at' }, [newest], newest.value);
  private readonly earlier = button({ title: 'Earlier checkpoint', icon: 'chevron-left', appearance: 'quiet' }, () => this.go(-1));
  private readonly later = button({ title: 'Later checkpoint', icon: 'chevron-right', appearance: 'quiet' }, () => this.go(1));

  constructor() {
    this.element = element('div', { class: 'checkpoint' }, this.list.element, this.earlier.element, this.later.element);
    this.list.onDidChange(step => {
      this.enable();
      this.changes.fire(step);
    });
  }

  /** `checkpoints` ascend; without any the control is hidden. */
  update(checkpoints: readonly number[], current: CheckpointStep): void {
    this.order = [...checkpoints, newest.value];
    // Listed first, so that a checkpoint that training adds leaves every other choice where it is.
    this.list.setChoices([newest, ...checkpoints.map(step => ({ value: step, title: `Step ${formatInteger(step)}` }))]);
    this.list.value = current;
    this.element.hidden = checkpoints.length === 0;
    this.enable();
  }

  private go(by: number): void {
    const index = this.order.indexOf(this.list.value) + by;
    if (index < 0 || index >= this.order.length) return;
    this.list.value = this.order[index];
    this.enable();
    this.changes.fire(this.list.value);
  }

  private enable(): void {
    const index = this.order.indexOf(this.list.value);
    this.earlier.setEnabled(index > 0);
    this.later.setEnabled(index < this.order.length - 1);
  }
}
