import * as v from 'valibot';
import { Emitter } from '../../src/common/event';
import type { ModelSummary, ModelWords } from '../../src/protocol/model';
import { parameterSchema, type Parameter, type Parameters, type ParameterValue, type ParameterValues } from '../../src/protocol/parameter';
import { element } from '../elements';
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
    this.controls = new Map(Object.entries(parameters).map(([name, parameter]) => {
      const control = controlFor(parameter, known);
      control.onDidChange(value => this.changes.fire({ name, value }));
      return [name, { parameter, control }];
    }));
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

function controlFor(parameter: Parameter, known: Vocabulary): Control<ParameterValue> {
  switch (parameter.kind) {
    case 'boolean':
      return only(isBoolean, checkbox(parameter, parameter.default));
    case 'choice':
      return only(isString, dropdown(parameter, parameter.options.map(option => ({ value: option, title: option })), parameter.default));
    case 'head':
      return headControl(parameter, known.model);
    case 'integer':
    case 'number':
      return numberControl(parameter);
    case 'text':
      return only(isString, textField(parameter, parameter.default, { width: 24 }));
    case 'prompt':
      return only(isString, textField(parameter, parameter.default, { width: 36, placeholder: 'Words; empty: examples of the task' }));
    case 'position':
      return named(parameter, 'Chosen by the analysis', known.words.positions);
    case 'corruption':
      return named(parameter, 'Chosen by the analysis', known.words.corruptions);
    case 'components':
    case 'path':
      return only(isString, textField(parameter, parameter.default, { width: 36 }));
    default:
      return parameter satisfies never;
  }
}

/** One of some names, or none of them. */
function named(parameter: Parameter & { default: string }, none: string, names: readonly string[]): Control<ParameterValue> {
  return only(isString, dropdown(parameter, [{ value: '', title: none }, ...names.map(name => ({ value: name, title: name }))], parameter.default));
}

function headControl(parameter: Parameter & { kind: 'head' }, { n_layers, n_heads }: Vocabulary['model']): Control<ParameterValue> {
  const choices: Choice<string>[] = [{ value: '', title: 'All heads' }];
  for (let layer = 0; layer < n_layers; layer++) {
    for (let head = 0; head < n_heads; head++) choices.push({ value: `${layer}.${head}`, title: `L${layer}H${head}` });
  }
  const control = dropdown(parameter, choices, plainHead(parameter.default));
  return {
    element: control.element,
    onDidChange: control.onDidChange,
    get value() { return control.value; },
    set value(next) { control.value = plainHead(String(next)); },
  };
}

/** `L1H0` and `1.0` are the same head. */
function plainHead(head: string): string {
  const [layer, index] = head.match(/\d+/g) ?? [];
  return layer === undefined || index === undefined ? '' : `${Number(layer)}.${Number(index)}`;
}

/** A field for a number: the arrow keys step an integer, and a text that is no fitting number is named and not sent. */
function numberControl(parameter: Parameter & { kind: 'integer' | 'number' }): Control<ParameterValue> {
  const changes = new Emitter<ParameterValue>();
  const field = textField(parameter, String(parameter.default), { width: 8 });
  const schema = parameterSchema(parameter);
  let current = parameter.default;
  const take = (text: string) => {
    const result = v.safeParse(schema, text.trim() === '' ? Number.NaN : Number(text));
    field.setProblem(result.success ? undefined : expectation(parameter));
    if (!result.success || typeof result.output !== 'number' || result.output === current) return;
    current = result.output;
    changes.fire(current);
  };
  field.onDidChange(take);
  if (parameter.kind === 'integer') {
    field.element.addEventListener('keydown', event => {
      const step = event.key === 'ArrowUp' ? 1 : event.key === 'ArrowDown' ? -1 : 0;
      if (step === 0) return;
      event.preventDefault();
      const next = Math.max(parameter.minimum ?? -Infinity, Math.min(parameter.maximum ?? Infinity, current + step));
      field.value = String(next);
      take(field.value);
    });
  }
  return {
    element: field.element,
    onDidChange: changes.event,
    get value() { return current; },
    set value(next) {
      // A text that is still being corrected stays: only another value from outside replaces it.
      if (typeof next !== 'number' || next === current) return;
      current = next;
      field.value = String(next);
      field.setProblem(undefined);
    },
  };
}

function expectation({ kind, minimum, maximum }: Parameter & { kind: 'integer' | 'number' }): string {
  const what = kind === 'integer' ? 'A whole number' : 'A number';
  if (minimum !== undefined && maximum !== undefined) return `${what} from ${minimum} to ${maximum}`;
  if (minimum !== undefined) return `${what} of ${minimum} or more`;
  return maximum === undefined ? what : `${what} of ${maximum} or less`;
}

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
