import * as v from 'valibot';
import { FieldError, UserError } from '../common/errors';
import { unknownName } from '../common/nearest';

/**
 * One parameter of a task or an analysis. The same description draws the panel's control, the command line's help and the
 * experiment file's completion, and checks what comes back from each of them.
 */
export type Parameter = Described & (
  | { readonly kind: 'integer'; readonly default: number; readonly minimum?: number; readonly maximum?: number }
  /** With `slider` it is dragged between its bounds. */
  | { readonly kind: 'number'; readonly default: number; readonly minimum?: number; readonly maximum?: number; readonly slider?: boolean }
  | { readonly kind: 'boolean'; readonly default: boolean }
  | { readonly kind: 'choice'; readonly default: string; readonly options: readonly string[] }
  | { readonly kind: 'text'; readonly default: string }
  /** Tokens as words separated by spaces; empty for examples drawn from the task. */
  | { readonly kind: 'prompt'; readonly default: string }
  /** A head written `layer.head`, or empty for all of them, or for what `otherwise` calls it. */
  | { readonly kind: 'head'; readonly default: string; readonly otherwise?: string }
  /** A position of the prompt, by its name or its number from 0, or empty for what the analysis takes by itself. */
  | { readonly kind: 'position'; readonly default: string }
  /** One of the task's ways to corrupt a prompt, or empty for its first. */
  | { readonly kind: 'corruption'; readonly default: string }
  /** Heads and MLPs separated by commas, as in `1.0, mlp 0`; empty for none. */
  | { readonly kind: 'components'; readonly default: string }
  /** A product of weights and circuits, as in `W_pos · QK(1.0) · OV(0.0)ᵀ · W_Eᵀ`. */
  | { readonly kind: 'path'; readonly default: string }
  /**
   * Edges of a graph between numbered vertices, as in `1-3 3-4 2-4`; empty for one drawn from the task. An integer beside it
   * that is called `sample` says which one is drawn, and one called `target` which vertex is asked for in one that is given.
   */
  | { readonly kind: 'graph'; readonly default: string }
);

interface Described {
  readonly title: string;
  readonly description: string;
}

export type ParameterKind = Parameter['kind'];
export type ParameterValue = number | boolean | string;
export type Parameters = Readonly<Record<string, Parameter>>;
export type ParameterValues = Readonly<Record<string, ParameterValue>>;

interface ValueOfKind {
  readonly integer: number;
  readonly number: number;
  readonly boolean: boolean;
  readonly choice: string;
  readonly text: string;
  readonly prompt: string;
  readonly head: string;
  readonly position: string;
  readonly corruption: string;
  readonly components: string;
  readonly path: string;
  readonly graph: string;
}

/** The values that a set of parameters describes. */
export type ValuesOf<P extends Parameters> = { readonly [K in keyof P]: ValueOfKind[P[K]['kind']] };

/** The schema of one parameter's value. */
export function parameterSchema(parameter: Parameter): v.GenericSchema<unknown, ParameterValue> {
  switch (parameter.kind) {
    case 'integer':
    case 'number':
      return v.pipe(
        v.number(),
        v.finite(),
        parameter.kind === 'integer' ? v.integer() : v.number(),
        v.minValue(parameter.minimum ?? -Infinity),
        v.maxValue(parameter.maximum ?? Infinity),
      );
    case 'boolean':
      return v.boolean();
    case 'choice':
      return v.picklist(parameter.options);
    case 'text':
    case 'prompt':
    case 'components':
    case 'path':
    case 'graph':
      return v.pipe(v.string(), v.maxLength(100_000));
    case 'position':
    case 'corruption':
      return v.pipe(v.string(), v.maxLength(1000));
    case 'head':
      return v.pipe(v.string(), v.regex(/^(L?\d+[.H]\d+)?$/, 'a head is written layer.head, as in 1.0'));
    default:
      return parameter satisfies never;
  }
}

/**
 * Fills in the defaults and checks every value. `owner` names what the parameters belong to, as in `task "max"`.
 * @throws FieldError for a parameter that does not exist (with the nearest names) or a value that does not fit.
 */
export function resolveParameters<P extends Parameters>(
  owner: string,
  parameters: P,
  given: Readonly<Record<string, unknown>>,
): ValuesOf<P> {
  const names = Object.keys(parameters);
  for (const name of Object.keys(given)) {
    if (Object.hasOwn(parameters, name)) continue;
    const { message, nearest } = unknownName(`parameter of ${owner} called`, name, names);
    throw new FieldError(name, message, nearest);
  }
  const values = Object.entries(parameters).map(([name, parameter]) => {
    const result = v.safeParse(parameterSchema(parameter), given[name] ?? parameter.default);
    if (!result.success) throw new FieldError(name, `"${name}" of ${owner}: ${result.issues[0].message}.`);
    return [name, result.output];
  });
  return Object.fromEntries(values) as ValuesOf<P>;
}

/**
 * Reads `name=value` texts, as a command line gives them, by the parameters' kinds.
 * @throws UserError for a text without `=`, or a value that is not of its parameter's kind.
 */
export function parameterValuesFromText(parameters: Parameters, texts: readonly string[]): Record<string, ParameterValue> {
  return Object.fromEntries(texts.map(text => {
    const at = text.indexOf('=');
    if (at < 1) throw new UserError(`"${text}" is not of the form name=value.`);
    const [name, value] = [text.slice(0, at), text.slice(at + 1)];
    return [name, valueFromText(parameters[name]?.kind, value)];
  }));
}

function valueFromText(kind: ParameterKind | undefined, text: string): ParameterValue {
  // What is no number stays the text that it is, for its refusal to name.
  if ((kind === 'integer' || kind === 'number') && text.trim() !== '' && !Number.isNaN(Number(text))) return Number(text);
  if (kind === 'boolean' && (text === 'true' || text === 'false')) return text === 'true';
  return text;
}
