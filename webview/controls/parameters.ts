import { Emitter } from '../../src/common/event';
import type { ModelSummary, ModelWords } from '../../src/protocol/model';
import type { Parameter, Parameters, ParameterValue, ParameterValues } from '../../src/protocol/parameter';
import { element } from '../elements';
import { headTitle, plainHead, plainPosition } from '../subjects';
import { componentsControl } from './components';
import { GraphControl } from './graph';
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
  private readonly changes = new Emitter<{ readonly name: string; readonly value: ParameterValue }>();
  /** Told only of values that fit their parameter. */
  readonly onDidChange = this.changes.event;
  readonly elements: readonly HTMLElement[];
  private readonly controls: ReadonlyMap<string, { readonly parameter: Parameter; readonly control: Control<ParameterValue> }>;

  constructor(parameters: Parameters, known: Vocabulary) {
    const prompts: PromptControl[] = [];
    this.controls = new Map(Object.entries(parameters).map(([name, parameter]) => {
      const control = controlFor(parameter, known, prompts);
      control.onDidChange(value => this.changes.fire({ name, value }));
      return [name, { parameter, control }];
    }));
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
}

/** Prompts are added to `prompts` as well, because two of one analysis are compared. */
function controlFor(parameter: Parameter, { model, words }: Vocabulary, prompts: PromptControl[]): Control<ParameterValue> {
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
    case 'graph':
      return only(isString, new GraphControl(parameter, words.graph, parameter.default));
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
