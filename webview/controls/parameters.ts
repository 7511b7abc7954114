import { Emitter } from '../../src/common/event';
import type { Figure } from '../../src/protocol/figure';
import type { GraphEdge } from '../../src/protocol/graphText';
import type { ModelSummary, ModelWords } from '../../src/protocol/model';
import type { Parameter, Parameters, ParameterValue, ParameterValues } from '../../src/protocol/parameter';
import { element } from '../elements';
import { headTitle, plainHead, plainPosition } from '../subjects';
import { componentsControl } from './components';
import { GraphControl, type OfferedGraph } from './graph';
import { numberControl } from './number';
import { PathControl } from './path';
import { PromptControl } from './prompt';
import { slider } from './slider';
import { checkbox, dropdown, textField, type Choice, type Control } from './toolkit';

/** What parameters can name: the parts of the model, and the words of its task. */
export interface Vocabulary {
  readonly model: Pick<ModelSummary, 'n_layers' | 'n_heads' | 'attn_only'>;
  readonly words: ModelWords;
}

/** The controls of an analysis, drawn from its parameters alone. */
export class ParameterControls {
  private readonly changes = new Emitter<ParameterValues>();
  /** Told only of values that fit their parameter; of several at once where one changes others. */
  readonly onDidChange = this.changes.event;
  readonly elements: readonly HTMLElement[];
  private readonly controls: ReadonlyMap<string, { readonly parameter: Parameter; readonly control: Control<ParameterValue> }>;
  private readonly graph: GraphControl | undefined;

  constructor(parameters: Parameters, known: Vocabulary) {
    const prompts: PromptControl[] = [];
    const graphs: GraphControl[] = [];
    const { sample, target } = parameters;
    const sampleAnother = sample?.kind === 'integer' ? () => this.changes.fire({ sample: this.numberAfter('sample', sample) }) : undefined;
    this.controls = new Map(Object.entries(parameters).map(([name, parameter]) => {
      const control = controlFor(parameter, known, { prompts, graphs, sampleAnother });
      control.onDidChange(value => {
        // The same is asked of a changed graph as of the one that it was.
        const asked = parameter.kind === 'graph' && target?.kind === 'integer' ? this.graph?.target : undefined;
        this.changes.fire({ [name]: value, ...(asked === undefined ? {} : { target: asked }) });
      });
      return [name, { parameter, control }];
    }));
    [this.graph] = graphs;
    const [clean, corrupted] = prompts;
    if (clean && corrupted && prompts.length === 2) corrupted.compareWith(clean);
    this.elements = [...this.controls].map(([name, { control, parameter }]) => {
      const slot = element('div', { class: `parameter parameter-${parameter.kind}` }, control.element);
      slot.dataset['parameter'] = name;
      return slot;
    });
  }

  setValues(values: Readonly<Partial<ParameterValues>>): void {
    for (const [name, { parameter, control }] of this.controls) control.value = values[name] ?? parameter.default;
  }

  /** Lets controls that were left empty begin with what the analysis took in their place. */
  offer(figures: readonly Figure[]): void {
    const shown = graphIn(figures);
    if (shown) this.graph?.offer(shown);
  }

  /** The next number, from the smallest again after the largest. */
  private numberAfter(name: string, { minimum = 0, maximum = Infinity }: Parameter & { readonly kind: 'integer' }): number {
    const next = Number(this.controls.get(name)?.control.value ?? minimum) + 1;
    return next > maximum ? minimum : next;
  }
}

/** The graph between numbered vertices in the first figure that is one. */
function graphIn(figures: readonly Figure[]): OfferedGraph | undefined {
  const network = figures.find(figure => figure.kind === 'network');
  if (!network) return undefined;
  const edges = network.links.map(({ from, to }): GraphEdge => [Number(from), Number(to)]);
  if (!edges.flat().every(Number.isInteger)) return undefined;
  // A path from a vertex to itself is marked as its start.
  const end = network.nodes.find(({ mark }) => mark === 'end') ?? network.nodes.find(({ mark }) => mark === 'start');
  return { edges, ...(end && { target: Number(end.id) }) };
}

/** What controls of one analysis have to do with each other. */
interface Together {
  /** Filled with the prompts' controls, because two of them are compared. */
  readonly prompts: PromptControl[];
  /** Filled with that of a graph, which begins with the one that is shown. */
  readonly graphs: GraphControl[];
  readonly sampleAnother: (() => void) | undefined;
}

function controlFor(parameter: Parameter, { model, words }: Vocabulary, { prompts, graphs, sampleAnother }: Together): Control<ParameterValue> {
  switch (parameter.kind) {
    case 'boolean':
      return only(isBoolean, checkbox(parameter, parameter.default));
    case 'choice':
      return only(isString, dropdown(parameter, parameter.options.map(option => ({ value: option, title: option })), parameter.default));
    case 'head':
      return headControl(parameter, model);
    case 'integer':
      return only(isNumber, numberControl(parameter));
    case 'number':
      return only(isNumber, numberOrSlider(parameter));
    case 'text':
      return only(isString, textField(parameter, parameter.default, { width: 24 }));
    case 'prompt': {
      const control = new PromptControl(parameter, words, parameter.default);
      prompts.push(control);
      return only(isString, control);
    }
    case 'position':
      return positionControl(parameter, words.positions);
    case 'corruption':
      return corruptionControl(parameter, words.corruptions);
    case 'components':
      return only(isString, componentsControl(parameter, model, parameter.default));
    case 'path':
      return only(isString, new PathControl(parameter, model, parameter.default));
    case 'graph': {
      const control = new GraphControl(parameter, words.graph, parameter.default, sampleAnother);
      graphs.push(control);
      return only(isString, control);
    }
    default:
      return parameter satisfies never;
  }
}

function numberOrSlider(parameter: Parameter & { kind: 'number' }): Control<number> {
  const { minimum, maximum } = parameter;
  return parameter.slider === true && minimum !== undefined && maximum !== undefined
    ? slider(parameter, { minimum, maximum }, parameter.default)
    : numberControl(parameter);
}

function headControl(parameter: Parameter & { kind: 'head' }, { n_layers, n_heads }: Vocabulary['model']): Control<ParameterValue> {
  const choices: Choice<string>[] = [{ value: '', title: parameter.otherwise ?? 'All heads' }];
  for (let layer = 0; layer < n_layers; layer++) {
    for (let head = 0; head < n_heads; head++) choices.push({ value: `${layer}.${head}`, title: headTitle({ layer, head }) });
  }
  return namedControl(parameter, choices, plainHead);
}

function positionControl(parameter: Parameter & { kind: 'position' }, positions: readonly string[]): Control<ParameterValue> {
  const choices = [{ value: '', title: 'Chosen by the analysis' }, ...positions.map(name => ({ value: name, title: name }))];
  // A position has a name and a number: `Open in…` gives the number.
  return namedControl(parameter, choices, text => plainPosition(text, positions));
}

function corruptionControl(parameter: Parameter & { kind: 'corruption' }, corruptions: readonly string[]): Control<ParameterValue> {
  const [first = 'None', ...others] = corruptions;
  const choices = [{ value: '', title: first }, ...others.map(name => ({ value: name, title: name }))];
  return namedControl(parameter, choices, text => others.includes(text) ? text : '');
}

/** A list of names, where `plain` gives each way of writing a value the one that is among the choices. */
function namedControl(
  parameter: Parameter & { readonly default: string }, choices: readonly Choice<string>[], plain: (text: string) => string,
): Control<ParameterValue> {
  const control = dropdown(parameter, choices, plain(parameter.default));
  return {
    element: control.element,
    onDidChange: control.onDidChange,
    get value() { return control.value; },
    set value(next) { control.value = plain(String(next)); },
  };
}

const isNumber = (value: ParameterValue): value is number => typeof value === 'number';
const isBoolean = (value: ParameterValue): value is boolean => typeof value === 'boolean';
const isString = (value: ParameterValue): value is string => typeof value === 'string';

/** A control of one type as a control of any parameter's value; values of another type are left alone. */
function only<T extends ParameterValue>(fits: (value: ParameterValue) => value is T, control: Control<T>): Control<ParameterValue> {
  return {
    element: control.element,
    onDidChange: listener => control.onDidChange(listener),
    get value() { return control.value; },
    set value(next) { if (fits(next)) control.value = next; },
  };
}
