import path from 'node:path';
import { Lifetime, type Disposable } from '../common/lifetime';
import { openRuntime } from '../compile/devices';
import type { HeadBadge } from '../protocol/analysis';
import type { Device, ModelsChanged } from '../protocol/engine';
import type { ModelDetails, ModelSummary, ModelWords } from '../protocol/model';
import type { SweepOptions } from '../protocol/sweep';
import { openTensorFile } from '../store/files/open';
import { recogniseFile } from '../store/states/import';
import { Store } from '../store/store';
import { modelWords } from '../tasks/words';
import { Analyses } from './analyses';
import { Badges } from './badges';
import { Bindings } from './binding';
import { Breakpoints } from './breakpoints';
import { BundledExperiments } from './bundled';
import { CheckpointFiles } from './checkpointFiles';
import { localExecutor } from './executors/local';
import { slurmExecutor } from './executors/slurm';
import { checkSlurmOptions, slurmScript, type SlurmSetup } from './executors/slurmScript';
import { taskOfModel } from './modelTasks';
import { ModelWatch } from './modelWatch';
import { OpenModels } from './openModels';
import { Origins } from './origins';
import { Pictures } from './pictures';
import { Runs } from './runs';
import { Sweeps, type SweepOrder } from './sweeps';
import { TaskModules } from './taskModules/taskModules';
import { allThreads } from './threads';

/** Where the program's own files are. */
export interface Installation {
  /** The bundle of the trainer process. */
  readonly trainer: string;
  /** The bundle of the command line, which a cluster's jobs run. */
  readonly cli: string;
  /** The folder of the bundled experiments. */
  readonly experiments: string;
}

/** The installation whose bundles lie in `folder`. */
export function installationAt(folder: string): Installation {
  return { trainer: path.join(folder, 'trainer.js'), cli: path.join(folder, 'cli.js'), experiments: path.join(folder, '..', 'media', 'experiments') };
}

export interface EngineOptions {
  readonly store: string;
  readonly device: Device;
  readonly threads: number;
  /** Whether its work gives way to other processes. */
  readonly background: boolean;
  /** Whether code of the workspace, such as a task module, may run. */
  readonly trusted: boolean;
  readonly installation: Installation;
  readonly log: (message: string) => void;
}

/** A store with what can be done with its models: the same behind the requests of an editor and the command line. */
export class Engine implements Disposable {
  private readonly lifetime = new Lifetime();
  private readonly heads: Badges;
  /** What is shown of a model's parts beside code. */
  readonly pictures: Pictures;
  readonly breakpoints: Breakpoints;
  /** Files of weights that others have written. */
  readonly checkpointFiles: CheckpointFiles;
  /** What the models that were imported are bound to. */
  readonly bindings: Bindings;

  private constructor(
    readonly store: Store,
    readonly runs: Runs,
    readonly sweeps: Sweeps,
    readonly openModels: OpenModels,
    readonly analyses: Analyses,
    readonly bundled: BundledExperiments,
    private readonly installation: Installation,
    private readonly modules: TaskModules,
    private readonly log: (message: string) => void,
  ) {
    this.lifetime.add(runs);
    this.lifetime.add(sweeps);
    this.lifetime.add(openModels);
    this.breakpoints = this.lifetime.add(new Breakpoints({ store, runs, analyses, log }));
    runs.watchCheckpoints(this.breakpoints);
    this.heads = this.lifetime.add(new Badges(analyses, log));
    this.pictures = new Pictures(store, openModels);
    this.checkpointFiles = this.lifetime.add(new CheckpointFiles({ open: openTensorFile, recognise: recogniseFile }));
    this.bindings = new Bindings(store, openModels);
  }

  /** @throws UserError when the store's folder cannot be used. */
  static async open({ store: folder, device, threads, background, trusted, installation, log }: EngineOptions): Promise<Engine> {
    const store = await Store.open(folder, log);
    const bundled = new BundledExperiments(installation.experiments);
    const modules = new TaskModules(store.folder, path.join(path.dirname(installation.trainer), 'taskModule.js'), trusted, log);
    const runs = new Runs(store, { trainer: installation.trainer, device, threads, background, log }, new Origins(store, bundled, modules));
    const sweeps = new Sweeps(store, runs, {
      local: ({ parallel, force = false }) => localExecutor(runs, store, { parallel, force, threads, cores: allThreads() }),
      slurm: options => {
        const setup = slurmSetup(options, installation);
        checkSlurmOptions(setup.options);
        return slurmExecutor({ ...setup, store, device });
      },
    }, log);
    const models = new OpenModels(store, () => openRuntime({ device: 'cpu', threads, spin: false, givesBack: true }));
    return new Engine(store, runs, sweeps, models, new Analyses(store, models), bundled, installation, modules, log);
  }

  /** Whether code of the workspace may run. */
  get trusted(): boolean {
    return this.modules.trusted;
  }

  set trusted(trusted: boolean) {
    this.modules.trusted = trusted;
  }

  /** What to show of every model, newest first. */
  async models(): Promise<readonly ModelSummary[]> {
    return this.runs.summaries();
  }

  async model(id: string): Promise<ModelSummary> {
    return this.runs.summary(await this.store.read(id));
  }

  async details(id: string): Promise<ModelDetails> {
    const details = await this.store.details(id);
    return { ...details, summary: this.runs.overlaid(details.summary) };
  }

  /** What the positions and tokens of the model's task are called. */
  async words(id: string): Promise<ModelWords> {
    return modelWords(await taskOfModel(this.store, await this.store.read(id)));
  }

  /** What the analyses say of each head of a trained model. */
  async badges(id: string): Promise<readonly HeadBadge[]> {
    return this.heads.of(await this.details(id));
  }

  /** Tells of models that change, here or in another process, until it is disposed. */
  watch(listener: (changes: ModelsChanged) => void): Disposable {
    return this.lifetime.add(new ModelWatch(this.store, this.runs, this.log, listener));
  }

  /** The script that a cluster would be given for what a sweep has left to do. @throws UserError when either is wrong. */
  async sweepScript(order: SweepOrder): Promise<string> {
    const { jobs, folder } = await this.sweeps.draft(order);
    return slurmScript(slurmSetup(order.options, this.installation), { runs: jobs.map(({ index }) => index), offset: 0 }, folder);
  }

  dispose(): void {
    this.lifetime.dispose();
  }
}

/** Each job takes as many threads as the cluster gives it, and runs this very program. */
function slurmSetup({ parallel, slurm = {} }: SweepOptions, { cli }: Installation): SlurmSetup {
  // The editor's own program is Node.js when it is told to be.
  const node = process.versions['electron'] === undefined ? [] : ['env', 'ELECTRON_RUN_AS_NODE=1'];
  return { options: slurm, parallel, threads: 0, command: [...node, process.execPath, cli] };
}
