import { Command, CommanderError, Option } from 'commander';
import { versions } from '../engine/versions';
import { layoutTitles } from '../protocol/checkpointFile';
import { devices } from '../protocol/engine';
import { confirmedRuns, executors, sweepMetrics } from '../protocol/sweep';
import { gather, modelAtStep, names, wholeNumber } from './arguments';
import { cache, logits, type ActivationOptions } from './commands/activations';
import { analyze, type AnalyzeOptions } from './commands/analyze';
import { bench, type BenchOptions } from './commands/bench';
import { bind, type BindOptions } from './commands/bind';
import { exportToFile, type ExportOptions } from './commands/export';
import { importFile, type ImportOptions } from './commands/import';
import { listAnalyses, listModels, listTasks } from './commands/lists';
import { mcp, type McpOptions } from './commands/mcp';
import { processWeights, type ProcessOptions } from './commands/process';
import { report, type ReportOptions } from './commands/report';
import { show } from './commands/show';
import { sweep, tableFormats, type SweepCommandOptions } from './commands/sweep';
import { sweepTask } from './commands/sweepTask';
import { train, type TrainOptions } from './commands/train';
import { reporters, verify, type VerifyOptions } from './commands/verify';
import { complain, exitCodes, type ExitCode } from './output';
import type { CommonOptions, Session } from './session';

/** Runs one command line, without the program's own name, and returns its exit code. */
export async function runProgram(words: readonly string[], session: Omit<Session, 'output'>, streams: Pick<Session['output'], 'out' | 'err'>): Promise<ExitCode> {
  const output = { ...streams, json: asksForJson(words) };
  try {
    await programOf({ ...session, output }).parseAsync([...words], { from: 'user' });
    return exitCodes.done;
  } catch (error) {
    // Commander has said what is wrong already, and help is no mistake.
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.done : exitCodes.wrongInput;
    return complain(output, error);
  }
}

/** Known before the words are understood, since mistakes in them are told in the same way. */
function asksForJson(words: readonly string[]): boolean {
  return words.some((word, at) => word === '--json' || word === '--reporter=json' || (word === '--reporter' && words[at + 1] === 'json'));
}

const storeDescription = 'folder of the models (default: CIRCUITS_STORE, or the folder of user data)';

function programOf(session: Session): Command {
  const { out, err } = session.output;
  const program = new Command('circuits')
    .description('Train small transformers and look into their circuits.')
    .version(versions.circuitExplorer)
    .exitOverride()
    .configureOutput({ writeOut: text => void out.write(text), writeErr: text => void err.write(text) });

  const add = (usage: string, description: string) => program.command(usage)
    .description(description)
    .option('--store <folder>', storeDescription)
    .option('--json', 'print one JSON document and nothing else')
    .allowExcessArguments(false);
  const checkpoint = () => new Option('--checkpoint <step>', 'take the weights of this step').argParser(wholeNumber(0));
  const splitSeed = () => new Option('--split-seed <number>', 'the seed of the experiment that the model was exported from, which says what of the task it was trained on').argParser(wholeNumber(0, 0x7fffffff));

  /** A command that trains experiments: what it changes in them, and where. */
  const addTraining = (usage: string, description: string) => add(usage, description)
    .option('--seed <number>', 'another seed', wholeNumber(0, 0x7fffffff))
    .option('--steps <number>', 'another number of steps', wholeNumber(0, 1e9))
    .option('--set <path=value>', 'another value in the experiment, as in task.operation=add', gather, [])
    .addOption(new Option('--device <device>', 'where to train').choices(devices))
    .option('--force', 'train even where it takes days');

  add('tasks', 'the tasks, with their parameters, and the bundled experiments').action(() => listTasks(session));
  add('analyses', 'the analyses, with their parameters and scalars').action(() => listAnalyses(session));
  addTraining('train <experiment>', 'train an experiment: a file, or a bundled one by its name')
    .addOption(new Option('--retrain', 'train again what was trained before').conflicts('resume'))
    .option('--resume', 'go on with what was stopped')
    .option('--ignore-breakpoints', 'train through the breakpoints of the experiment')
    .action((experiment: string, options: TrainOptions) => train(session, experiment, options));
  addTraining('sweep <experiment>', 'train every run of an experiment\'s sweep, and compare them')
    .addOption(new Option('--executor <name>', 'what runs them').choices(executors).default('local'))
    .option('--parallel <number>', 'runs at the same time, here never more than cores; 0 for as many as there are cores, or as the cluster allows', wholeNumber(0, 10_000), 0)
    .option('--partition <name>', 'of a Slurm cluster')
    .option('--time <limit>', 'of each job of a Slurm cluster, as in 2:00:00')
    .option('--memory <size>', 'of each job of a Slurm cluster, as in 4G')
    .option('--gres <resources>', 'of each job of a Slurm cluster, as in gpu:1')
    .option('--dry-run', 'say what would be done, for a cluster its script, and do nothing')
    .option('--yes', `start more than ${confirmedRuns} runs`)
    .addOption(new Option('--metric <name>', 'what the best run is best by').choices(sweepMetrics).default('testLoss'))
    .addOption(new Option('--format <format>', 'of the table').choices(tableFormats).default('table').conflicts('json'))
    .action((experiment: string, options: SweepCommandOptions) => sweep(session, experiment, options));
  addTraining('verify <experiments...>', 'train what is not trained to its end, and check every claim of the experiments')
    .addOption(new Option('--reporter <format>', 'how to tell what became of the claims; junit for a program that collects the results of tests').choices(reporters))
    .action((experiments: readonly string[], options: VerifyOptions) => verify(session, experiments, options));
  add('models', 'the models that were trained').action((options: CommonOptions) => listModels(session, options));
  add('show <model>', 'what a model, or an experiment, is made of')
    .action((model: string, options: CommonOptions) => show(session, model, options));
  add('logits <model>', 'the logits of prompts')
    .requiredOption('--tokens <json>', 'prompts as nested arrays of token ids; of pairs, one part after the other')
    .addOption(checkpoint())
    .action((model: string, options: ActivationOptions) => logits(session, model, options));
  add('cache <model>', 'the activations of prompts at hook points')
    .requiredOption('--tokens <json>', 'prompts as nested arrays of token ids; of pairs, one part after the other')
    .requiredOption('--hooks <names>', 'hook points, separated by commas', names)
    .addOption(checkpoint())
    .action((model: string, options: ActivationOptions & { readonly hooks: readonly string[] }) => cache(session, model, options));
  add('analyze <model> <analysis>', 'run an analysis')
    .option('--param <name=value>', 'a parameter of the analysis', gather, [])
    .addOption(checkpoint())
    .addOption(new Option('--against <model[@step]>', 'compare with another model or checkpoint').argParser(modelAtStep))
    .action((model: string, analysis: string, options: AnalyzeOptions) => analyze(session, model, analysis, options));
  add('report <model>', 'write one page with every figure that applies')
    .requiredOption('-o, --output <file>', 'the page, an HTML file')
    .action((model: string, options: ReportOptions) => report(session, model, options));
  add('import <file>', `make a model of a file of weights, as one of these has them: ${Object.values(layoutTitles).join(', ')}`)
    .option('--config <file>', 'what tells of the model beside its weights (default: the config.json beside the file)')
    .option('--name <name>', 'what to call the model (default: as the file is called)')
    .option('--set <field=value>', 'a field of the config, which counts before all else, as in act_fn=gelu', gather, [])
    .option('--task <name[:k=v,...]>', 'the task that the model was trained on, as in modular-arithmetic:modulus=113')
    .option('--prompts <file>', 'a file of prompts with their answers, in place of a task')
    .addOption(splitSeed())
    .action((file: string, options: ImportOptions) => importFile(session, file, options));
  add('process <model>', 'make a model of a model, with weights that are easier to read and compute the same')
    .option('--fold-layer-norm', 'fold the scales and shifts of LayerNorm into the weights that read what it gives')
    .option('--center-writing-weights', 'take the mean from what is written to the residual stream')
    .option('--center-unembedding', 'take the mean from the logits')
    .option('--fold-value-biases', 'fold the biases of the values into those of what attention writes')
    .option('--name <name>', 'what to call the new model (default: as the model is called, and "folded")')
    .addOption(checkpoint())
    .action((model: string, options: ProcessOptions) => processWeights(session, model, options));
  add('bind <model>', 'give an imported model the prompts of a task, those of a file, or none, and measure it on them')
    .option('--task <name[:k=v,...]>', 'a task, as in modular-arithmetic:modulus=113')
    .option('--prompts <file>', 'a file of prompts with their answers')
    .addOption(splitSeed())
    .option('--none', 'no task: any tokens')
    .action((model: string, options: BindOptions) => bind(session, model, options));
  add('export <model>', 'write a model to a file, with Python beside it that rebuilds it with TransformerLens and checks its logits')
    .requiredOption('-o, --output <file>', 'the file, which ends in .safetensors or .pt')
    .addOption(checkpoint())
    .action((model: string, options: ExportOptions) => exportToFile(session, model, options));
  add('bench [names...]', 'time training steps of experiments; without a name, of all bundled ones that can be trained here')
    .addOption(new Option('--device <device>', 'where to run').choices(devices))
    .action((references: readonly string[], options: BenchOptions) => bench(session, references, options));
  program.command('mcp')
    .description('offer models and analyses to a language model, as an MCP server on standard input and output')
    .option('--store <folder>', storeDescription)
    .option('--allow-training', 'let it start and stop trainings; without, it only reads')
    .allowExcessArguments(false)
    .action((options: McpOptions) => mcp(session, options));
  program.command('sweep-task <file>', { hidden: true }).allowExcessArguments(false).action((file: string) => sweepTask(session, file));
  return program;
}
