import * as v from 'valibot';

/**
 * A tool that a language model may call: over `circuits mcp`, and in the editor. The engine answers it in words
 * (`callTool` of the engine's requests), wherever it is called from.
 */
export interface Tool {
  readonly title: string;
  /** For the language model: what it does, and when it is the right one. */
  readonly description: string;
  readonly input: v.GenericSchema<unknown, object>;
  /** Whether it changes anything; one that does is offered only where people have allowed it. None takes anything away. */
  readonly changes: boolean;
}

const name = v.pipe(v.string(), v.minLength(1), v.maxLength(1000));
const step = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(1e9));

const model = v.pipe(name, v.description('The model: its id, the beginning of its id, or its name (the newest model of that name). list_models lists them.'));
const experiment = v.pipe(name, v.description('The experiment: the name of a bundled one, or the path of a *.circuit.json file. list_experiments lists them.'));
const seed = v.exactOptional(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(0x7fffffff), v.description('Another seed than the experiment\'s own.')));
const checkpoint = v.exactOptional(v.pipe(step, v.description('The step of a checkpoint, one of those that show_model lists; without it, the newest weights.')));

export const tools = {
  list_models: {
    title: 'List Models',
    description: 'Lists the transformers that were trained or imported, newest first: id, name, task, size, status and last metrics.',
    input: v.strictObject({}),
    changes: false,
  },
  show_model: {
    title: 'Show Model',
    description: 'Shows one model: its task, configuration, parameters with their shapes, metrics, checkpoints, and the words of its vocabulary and positions, in which prompts of analyses are written.',
    input: v.strictObject({ model }),
    changes: false,
  },
  list_analyses: {
    title: 'List Analyses',
    description: 'Lists the analyses of circuits (attention, OV and QK, patching, attribution, Fourier structure, progress measures) with their parameters, and the scalars that they measure.',
    input: v.strictObject({
      model: v.exactOptional(v.pipe(name, v.description('A model, by its id or name: only the analyses that fit it are listed.'))),
    }),
    changes: false,
  },
  list_experiments: {
    title: 'List Experiments',
    description: 'Lists the experiments that can be trained and verified, the bundled ones and the *.circuit.json files at hand, with what they are about and how many claims each makes.',
    input: v.strictObject({}),
    changes: false,
  },
  run_analysis: {
    title: 'Run Analysis',
    description: 'Runs an analysis on a trained model, and answers with its scalars, its finding and its figures as text. Large figures are cut, and what was cut is said.',
    input: v.strictObject({
      model,
      analysis: v.pipe(name, v.description('The id of the analysis. list_analyses lists them.')),
      params: v.exactOptional(v.pipe(
        v.record(v.pipe(v.string(), v.maxLength(200)), v.union([v.string(), v.number(), v.boolean()])),
        v.description('Parameters of the analysis that differ from their defaults, by name; a head is written "1.0".'),
      )),
      checkpoint,
    }),
    changes: false,
  },
  verify_claims: {
    title: 'Verify Claims',
    description: 'Measures the claims of an experiment on its trained model, and answers for each whether it holds, with what was measured and what was expected. Trains nothing: what is not trained yet is said.',
    input: v.strictObject({
      experiment,
      seed,
      claims: v.exactOptional(v.pipe(
        v.array(v.pipe(v.number(), v.integer(), v.minValue(0))),
        v.minLength(1), v.maxLength(1000),
        v.description('Which claims, by their places in the experiment, counted from 0; without it, all of them.'),
      )),
      checkpoint,
    }),
    changes: false,
  },
  start_training: {
    title: 'Start Training',
    description: 'Starts to train an experiment, or goes on with what was stopped, and answers at once with the id of the model; the training goes on by itself. show_model tells how far it is. What is trained already is only named.',
    input: v.strictObject({
      experiment,
      seed,
      steps: v.exactOptional(v.pipe(step, v.description('Another number of steps than the experiment\'s own.'))),
      set: v.exactOptional(v.pipe(
        v.array(v.pipe(v.string(), v.maxLength(1000))),
        v.maxLength(100),
        v.description('Other values in the experiment, each written path=value, as in "task.operation=add" or "training.learningRate=0.001".'),
      )),
    }),
    changes: true,
  },
  stop_training: {
    title: 'Stop Training',
    description: 'Stops the training of a model, which keeps what it has learned; start_training with the same experiment goes on from there.',
    input: v.strictObject({ model }),
    changes: true,
  },
} as const satisfies Readonly<Record<string, Tool>>;

export type ToolName = keyof typeof tools;
export type ToolInput<N extends ToolName> = v.InferOutput<(typeof tools)[N]['input']>;

export const toolNames = Object.keys(tools) as readonly ToolName[];

export interface ToolCall {
  readonly tool: ToolName;
  /** As {@link tools} says; the engine checks it. */
  readonly input: unknown;
  /** The folder (absolute) in whose sight paths and experiment files are; absent: only bundled experiments are known. */
  readonly folder?: string;
}

export interface ToolAnswer {
  /** Plain text. */
  readonly text: string;
}
