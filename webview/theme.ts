import { Emitter } from '../src/common/event';
import type { Disposable } from '../src/common/lifetime';

/** The colours and fonts that drawings need as values; everything else follows the theme through the style sheet. */
export interface Theme {
  readonly dark: boolean;
  readonly highContrast: boolean;
  readonly background: string;
  readonly foreground: string;
  /** For what is there but not in front: axes, hatches. */
  readonly muted: string;
  /** Fainter still: grid lines. */
  readonly faint: string;
  readonly accent: string;
  readonly tooltipBackground: string;
  readonly tooltipForeground: string;
  readonly tooltipBorder: string;
  readonly font: string;
  readonly fontSize: number;
}

/** What VS Code says of its theme in the page: classes on the body, and variables on the root element. */
export function readTheme(): Theme {
  const { classList } = document.body;
  const highContrastLight = classList.contains('vscode-high-contrast-light');
  const highContrast = highContrastLight || classList.contains('vscode-high-contrast');
  const dark = !highContrastLight && (highContrast || classList.contains('vscode-dark'));
  const styles = getComputedStyle(document.documentElement);
  const variable = (name: string, fallback: string) => styles.getPropertyValue(`--vscode-${name}`).trim() || fallback;
  const foreground = variable('editor-foreground', dark ? '#cccccc' : '#3b3b3b');
  return {
    dark,
    highContrast,
    background: variable('editor-background', dark ? '#1f1f1f' : '#ffffff'),
    foreground,
    muted: highContrast ? foreground : variable('descriptionForeground', foreground),
    faint: highContrast ? (dark ? '#6f6f6f' : '#8f8f8f') : dark ? '#3a3a3a' : '#e4e4e4',
    accent: variable('focusBorder', '#0078d4'),
    tooltipBackground: variable('editorHoverWidget-background', dark ? '#202020' : '#f8f8f8'),
    tooltipForeground: variable('editorHoverWidget-foreground', foreground),
    tooltipBorder: variable('editorHoverWidget-border', foreground),
    font: variable('font-family', 'sans-serif'),
    fontSize: Number.parseFloat(variable('font-size', '13px')) || 13,
  };
}

/** Follows the theme: `current` is always up to date, and a change is told once however many attributes it touched. */
export class ThemeWatch implements Disposable {
  private readonly changes = new Emitter<Theme>();
  readonly onDidChange = this.changes.event;
  private theme = readTheme();
  private frame: number | undefined;
  private readonly observer = new MutationObserver(() => {
    this.frame ??= requestAnimationFrame(() => {
      this.frame = undefined;
      const next = readTheme();
      if (JSON.stringify(next) === JSON.stringify(this.theme)) return;
      this.theme = next;
      this.changes.fire(next);
    });
  });

  constructor() {
    this.observer.observe(document.body, { attributes: true, attributeFilter: ['class', 'data-vscode-theme-id'] });
    this.observer.observe(document.documentElement, { attributes: true, attributeFilter: ['style'] });
  }

  get current(): Theme {
    return this.theme;
  }

  dispose(): void {
    this.observer.disconnect();
    if (this.frame !== undefined) cancelAnimationFrame(this.frame);
    this.changes.dispose();
  }
}
