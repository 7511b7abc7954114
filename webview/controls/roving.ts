const steps: Readonly<Record<string, number>> = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1, Home: -Infinity, End: Infinity };

/**
 * Makes the buttons of a group one stop of the Tab key, and lets the arrow keys walk among them, as the ARIA Authoring
 * Practices describe it for toolbars. The function it returns is called after the buttons have changed.
 */
export function roveOver(group: HTMLElement): () => void {
  const shown = () => [...group.querySelectorAll('button')].filter(button => button.checkVisibility());
  const stopAt = (stop: Element | undefined) => {
    for (const button of group.querySelectorAll('button')) button.tabIndex = button === stop ? 0 : -1;
  };
  const refresh = () => {
    const buttons = [...group.querySelectorAll('button')];
    stopAt(buttons.find(button => button === document.activeElement) ?? buttons.find(button => button.tabIndex === 0) ?? buttons[0]);
  };
  group.addEventListener('focusin', event => { if (event.target instanceof HTMLButtonElement) stopAt(event.target); });
  group.addEventListener('keydown', event => {
    const step = steps[event.key];
    const buttons = shown();
    const at = buttons.findIndex(button => button === document.activeElement);
    if (step === undefined || at < 0) return;
    event.preventDefault();
    buttons[Math.min(buttons.length - 1, Math.max(0, at + step))]?.focus();
  });
  refresh();
  return refresh;
}
