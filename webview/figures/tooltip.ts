import { element, setText } from '../elements';

/** A label beside the pointer. It lives in `within`, which is positioned, and stays inside the window. */
export class Tooltip {
  private readonly element = element('div', { class: 'tooltip', 'aria-hidden': 'true', hidden: true });

  constructor(private readonly within: HTMLElement) {
    within.append(this.element);
  }

  /** `x` and `y` as in a mouse event. */
  show(text: string, x: number, y: number): void {
    setText(this.element, text);
    this.element.hidden = false;
    const { left, top } = this.within.getBoundingClientRect();
    const { offsetWidth, offsetHeight } = this.element;
    const gap = 14;
    const right = x + gap + offsetWidth < window.innerWidth ? x + gap : Math.max(0, x - gap - offsetWidth);
    const below = y + gap + offsetHeight < window.innerHeight ? y + gap : y - gap - offsetHeight;
    this.element.style.left = `${right - left}px`;
    this.element.style.top = `${below - top}px`;
  }

  hide(): void {
    this.element.hidden = true;
  }
}
