import { Emitter } from '../../src/common/event';
import { messageOf } from '../../src/common/errors';
import { formatGraph, parseGraph, type GraphEdge } from '../../src/protocol/graphText';
import type { ModelWords } from '../../src/protocol/model';
import { element, setText } from '../elements';
import { GraphCanvas } from './graphCanvas';
import { labelledGroup } from './labelled';
import { button, textField, type Control, type Label } from './toolkit';

type Limits = NonNullable<ModelWords['graph']>;

/** A graph of the task, with the vertex that is asked for where one is. */
export interface OfferedGraph {
  readonly edges: readonly GraphEdge[];
  readonly target?: number;
}

const invitation = 'Choose two vertices to join them, or to part them.';
const empty = `No edges. ${invitation}`;
const sampled = 'A graph is sampled.';

/**
 * The edges of a graph as text, and a drawing of them in which vertices are joined and parted. A text that is no graph of
 * the task is explained and not sent. Without `limits`, of a task that reads no graphs, there is the text alone. While the
 * value is empty the sampled graph that is offered is shown, and the first change of it becomes the value.
 */
export class GraphControl implements Control<string> {
  readonly element: HTMLElement;
  private readonly changes = new Emitter<string>();
  readonly onDidChange = this.changes.event;
  private readonly text;
  private readonly canvas: GraphCanvas | undefined;
  private readonly clear;
  private readonly note = element('p', { class: 'field-note', 'aria-live': 'polite' });
  private readonly sample;
  private edges: readonly GraphEdge[] = [];
  /** The text of what was offered last, by which it is not drawn again over what the user makes of it. */
  private offered: string | undefined;
  private offeredTarget: number | undefined;

  /** `sampleAnother` has another graph sampled, of an analysis that can. */
  constructor(label: Label, private readonly limits: Limits | undefined, private current: string, private readonly sampleAnother: (() => void) | undefined) {
    this.text = textField({ title: 'Edges', description: 'The same graph as text' }, current, { width: 36, placeholder: '1-3 3-4 2-4; empty: a sampled graph' });
    this.clear = button({ title: 'Clear', label: `Clear: ${label.title}`, appearance: 'secondary' }, () => {
      this.show([]);
      this.offeredTarget = undefined;
      setText(this.note, empty);
    });
    this.sample = button({ title: 'Sample', label: `Sample: ${label.title}`, appearance: 'secondary' }, () => {
      this.show([]);
      this.forgetOffer();
      setText(this.note, sampled);
      if (this.current === '') this.sampleAnother?.();
      else this.send();
    });
    this.canvas = limits && new GraphCanvas(limits.vertices, (from, to) => this.toggle(from, to));
    this.element = labelledGroup(label, this.text.element, this.canvas?.element,
      element('div', { class: 'graph-buttons' }, this.clear.element, this.sample.element), this.note);
    setText(this.note, this.canvas ? invitation : '');
    this.note.hidden = !this.canvas;
    this.text.onDidInput(() => this.read());
    this.text.onDidChange(() => {
      if (!this.read()) return;
      setText(this.note, this.edges.length > 0 ? invitation : sampled);
      this.send();
    });
    this.read();
    this.enableSample();
  }

  get value(): string {
    return this.current;
  }

  set value(next: string) {
    // What is being drawn stays: only another value from outside replaces it.
    if (next === this.current) return;
    this.current = next;
    this.text.value = next;
    this.forgetOffer();
    setText(this.note, this.canvas ? invitation : '');
    this.read();
    this.enableSample();
  }

  /** Of the offered graph that a change starts from, while that change is told. */
  get target(): number | undefined {
    return this.offeredTarget;
  }

  /** Shows the graph that was sampled, to be changed; a graph that was given stays. */
  offer({ edges, target }: OfferedGraph): void {
    const text = formatGraph(edges);
    if (this.current !== '' || text === this.offered) return;
    this.offered = text;
    this.offeredTarget = target;
    this.show(edges);
    setText(this.note, `Sampled from the task. ${invitation}`);
  }

  /** Draws what the text says; false, with the reason under the field, where it is no graph of the task. */
  private read(): boolean {
    try {
      const edges = parseGraph(this.text.value);
      const problem = problemOf(edges, this.limits);
      this.text.setProblem(problem);
      if (problem !== undefined) return false;
      this.draw(edges);
      return true;
    } catch (error) {
      this.text.setProblem(messageOf(error));
      return false;
    }
  }

  private show(edges: readonly GraphEdge[]): void {
    this.text.value = formatGraph(edges);
    this.text.setProblem(undefined);
    this.draw(edges);
  }

  private draw(edges: readonly GraphEdge[]): void {
    this.edges = edges;
    this.canvas?.update(edges);
    this.clear.setEnabled(edges.length > 0);
  }

  /** Parts two vertices that are joined, however often; joins them otherwise. */
  private toggle(from: number, to: number): void {
    const others = this.edges.filter(edge => !(edge.includes(from) && edge.includes(to)));
    const isJoined = others.length < this.edges.length;
    const next: readonly GraphEdge[] = isJoined ? others : [...this.edges, [Math.min(from, to), Math.max(from, to)]];
    const problem = problemOf(next, this.limits);
    setText(this.note, problem ?? `${from} and ${to} are ${isJoined ? 'parted' : 'joined'}.${next.length === 0 ? ` ${empty}` : ''}`);
    if (problem !== undefined) return;
    this.show(next);
    // Without edges it would ask for a sampled graph.
    if (next.length > 0) this.send();
  }

  private send(): void {
    const next = formatGraph(this.edges);
    this.text.value = next;
    if (next === this.current) return;
    this.current = next;
    this.changes.fire(next);
    this.forgetOffer();
    this.enableSample();
  }

  private forgetOffer(): void {
    this.offered = undefined;
    this.offeredTarget = undefined;
  }

  private enableSample(): void {
    this.sample.setEnabled(this.current !== '' || this.sampleAnother !== undefined);
  }
}

/** What a task that reads graphs of this size would refuse. */
function problemOf(edges: readonly GraphEdge[], limits: Limits | undefined): string | undefined {
  if (!limits) return undefined;
  const { vertices, maximumEdges } = limits;
  const unknown = edges.flat().find(vertex => vertex < 1 || vertex > vertices);
  if (unknown !== undefined) return `There is no vertex ${unknown}: this model reads vertices 1 to ${vertices}.`;
  return edges.length > maximumEdges ? `The graph has ${edges.length} edges; this model reads at most ${maximumEdges}.` : undefined;
}
