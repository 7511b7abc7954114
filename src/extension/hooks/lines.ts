import type { Dialect, LineState } from './lexer';
import { scanLine, type ScannedLine } from './references';

/** A text by its lines. */
export interface Lines {
  readonly lineCount: number;
  lineAt(line: number): string;
}

/**
 * The references of a text, line by line. A change costs no more than forgetting the lines that it touched; they are scanned
 * when they are next asked for, and those behind them only as far as a string or comment of several lines has moved.
 */
export class ReferenceLines {
  private lines: (ScannedLine | undefined)[];
  /** Lines before this one are right. */
  private right = 0;
  /** Behind this line each goes on as the one before it ends; this one and those from `right` on may not. */
  private lastDoubtful: number;
  /** How many lines have been scanned in all. */
  scanned = 0;

  constructor(private readonly text: Lines, private readonly dialect: Dialect) {
    this.lines = new Array<undefined>(text.lineCount).fill(undefined);
    this.lastDoubtful = text.lineCount - 1;
  }

  /** Lines `[from, to]` of the text before were replaced by `count` others. Several changes at once come last one first. */
  replace(from: number, to: number, count: number): void {
    const wasDoubtful = this.right < this.lines.length;
    const more = count - (to - from + 1);
    if (more === 0) this.lines.fill(undefined, from, to + 1);
    else this.lines = [...this.lines.slice(0, from), ...new Array<undefined>(count).fill(undefined), ...this.lines.slice(to + 1)];
    this.right = Math.min(this.right, from);
    this.lastDoubtful = wasDoubtful && this.lastDoubtful > to ? this.lastDoubtful + more : from + count - 1;
  }

  get length(): number {
    return this.lines.length;
  }

  /** The line, with all before it scanned as far as they must be. */
  at(line: number): ScannedLine | undefined {
    this.settle(line);
    return this.lines[line];
  }

  /** Every line. */
  all(): readonly (ScannedLine | undefined)[] {
    this.settle(this.lines.length - 1);
    return this.lines;
  }

  private settle(until: number): void {
    while (this.right <= until && this.right < this.lines.length) {
      const at = this.right;
      const begin: LineState = at === 0 ? '' : this.lines[at - 1]?.end ?? '';
      const known = this.lines[at];
      if (known?.begin === begin) {
        if (at > this.lastDoubtful) {
          this.right = this.lines.length;
          return;
        }
      } else {
        this.lines[at] = scanLine(this.text.lineAt(at), begin, this.dialect);
        this.scanned++;
        this.lastDoubtful = Math.max(this.lastDoubtful, at);
      }
      this.right = at + 1;
    }
  }
}
