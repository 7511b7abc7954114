import type { GraphEdge } from '../../src/protocol/graphText';
import { onCircle } from '../../src/protocol/network/circle';
import { layOutNetwork } from '../../src/protocol/network/layout';
import { element, setAttributes, svgElement } from '../elements';
import { textWidth } from '../figures/text';
import { roveOver } from './roving';

const width = 240;

/** The vertices of a graph on a circle, as buttons; choosing one and then another tells `joined` of the two. */
export class GraphCanvas {
  readonly element: HTMLElement;
  private readonly lines = svgElement('g');
  private readonly aim = svgElement('line', { class: 'graph-aim', visibility: 'hidden' });
  private readonly vertices: readonly HTMLButtonElement[];
  private edges: readonly GraphEdge[] = [];
  private chosen: number | undefined;

  constructor(private readonly count: number, private readonly joined: (from: number, to: number) => void) {
    const { nodes, height } = this.layout();
    this.vertices = nodes.map(({ x, y }, at) => {
      const made = element('button', { type: 'button', class: 'graph-vertex' }, String(at + 1));
      made.style.left = `${x}px`;
      made.style.top = `${y}px`;
      made.addEventListener('click', () => this.choose(at + 1));
      for (const event of ['pointerenter', 'focus']) made.addEventListener(event, () => this.aimAt(at + 1));
      return made;
    });
    this.element = element('div', { class: 'graph-canvas', role: 'toolbar', 'aria-label': 'Vertices: choose two to join or to part them' },
      svgElement('svg', { width, height, viewBox: `0 0 ${width} ${height}`, 'aria-hidden': 'true' }, this.lines, this.aim), ...this.vertices);
    this.element.style.width = `${width}px`;
    this.element.style.height = `${height}px`;
    roveOver(this.element);
    this.element.addEventListener('pointerleave', () => this.aimAt(undefined));
    this.element.addEventListener('keydown', event => {
      if (event.key !== 'Escape' || this.chosen === undefined) return;
      event.preventDefault();
      this.take(undefined);
    });
    this.update([]);
  }

  update(edges: readonly GraphEdge[]): void {
    this.edges = edges;
    const drawn = this.layout().links.map(({ path }) => svgElement('path', { class: 'graph-line', d: path }));
    this.lines.replaceChildren(...drawn);
    this.describe();
  }

  private layout() {
    const vertices = Array.from({ length: this.count }, (_, at) => ({ id: String(at + 1), label: String(at + 1), ...onCircle(at, this.count) }));
    const links = this.edges.map(([from, to]) => ({ from: String(from), to: String(to) }));
    return layOutNetwork({ nodes: vertices, links, arrows: [] }, width, (text, size) => textWidth(text, `${size}px sans-serif`));
  }

  private choose(vertex: number): void {
    const first = this.chosen;
    this.take(first === undefined ? vertex : undefined);
    if (first !== undefined && first !== vertex) this.joined(first, vertex);
  }

  private take(chosen: number | undefined): void {
    this.chosen = chosen;
    this.aimAt(undefined);
    this.describe();
  }

  /** Shows what would be joined: a line from the chosen vertex. */
  private aimAt(vertex: number | undefined): void {
    const [from, to] = [this.vertices[(this.chosen ?? 0) - 1], this.vertices[(vertex ?? 0) - 1]];
    setAttributes(this.aim, from && to
      ? { visibility: undefined, x1: from.offsetLeft, y1: from.offsetTop, x2: to.offsetLeft, y2: to.offsetTop }
      : { visibility: 'hidden' });
  }

  private describe(): void {
    for (const [at, button] of this.vertices.entries()) {
      const vertex = at + 1;
      const neighbours = [...new Set(this.edges.filter(edge => edge.includes(vertex)).map(([one, other]) => one === vertex ? other : one))].sort((a, b) => a - b);
      setAttributes(button, {
        'aria-pressed': String(this.chosen === vertex), 'data-joined': neighbours.length > 0,
        'aria-label': `vertex ${vertex}, joined to ${neighbours.length === 0 ? 'nothing' : inWords(neighbours)}`,
      });
    }
  }
}

/** As in `1, 3 and 4`. */
function inWords(numbers: readonly number[]): string {
  return numbers.length < 2 ? numbers.join('') : `${numbers.slice(0, -1).join(', ')} and ${numbers.at(-1)}`;
}
