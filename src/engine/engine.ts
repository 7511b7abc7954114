import path from 'node:path';
import { UserError } from '../common/errors';
import { Lifetime, type Disposable } from '../common/lifetime';
import { openRuntime } from '../compile/devices';
import type { HeadBadge } from '../protocol/analysis';
import type { Device, ModelsChanged } from '../protocol/engine';
import type { ModelDetails, ModelSummary, ModelWords } from '../protocol/model';
import { Store } from '../store/store';
import { modelWords } from '../tasks/words';
import { prepare } from '../training/experiment';
import { Analyses } from './analyses';
import { Badges } from './badges';
import { BundledExperiments } from './bundled';
import { localExecutor } from './executors/local';
import { ModelWatch } from './modelWatch';
import { OpenModels } from './openModels';
import { Runs } from './runs';
import { Sweeps } from './sweeps';

/** Where the program's own files are. */
export interface Installation {
  /** The bundle of the trainer process. */
  readonly trainer: string;
  /** The folder of the bundled experiments. */
  readonly experiments: string;
}

/** The installation whose bundles lie in `folder`. */
export function installationAt(folder: string): Installation {
  return { trainer: path.join(folder, 'trainer.js'), experiments: path.join(folder, '..', 'media', 'experiments') };
}

export interface EngineOptions {
  readonly store: string;
  readonly device: Device;
  readonly threads: number;
  /** Whether its work gives way to other processes. */
  readonly background: boolean;
  readonly installation: Installation;
  readonly log: (message: string) => void;
}

/** A store with what can be done with its models: the same behind the requests of an editor and the command line. */
export class Engine implements Disposable {
  private readonly lifetime = new Lifetime();
  private readonly heads: Badges;

  private constructor(
    readonly store: Store,
    readonly runs: Runs,
    readonly sweeps: Sweeps,
    readonly openModels: OpenModels,
    readonly analyses: Analyses,
    readonly bundled: BundledExperiments,
    private readonly log: (message: string) => void,
  ) {
    this.lifetime.add(runs);
    this.lifetime.add(sweeps);
    this.lifetime.add(openModels);
    this.heads = this.lifetime.add(new Badges(analyses, log));
  }

  /** @throws UserError when the store's folder cannot be used. */
  static async open({ store: folder, device, threads, background, installation, log }: EngineOptions): Promise<Engine> {
    const store = await Store.open(folder, log);
    const runs = new Runs(store, { trainer: installation.trainer, device, threads, background, log });
    const sweeps = new Sweeps(store, runs, {
      local: ({ parallel }) => localExecutor(runs, store, { parallel, threads }),
      slurm: () => () => Promise.reject(new UserError('There is no Slurm on this machine.')),
    }, log);
    const models = new OpenModels(store, () => openRuntime({ device: 'cpu', threads, spin: false, givesBack: true }));
    return new Engine(store, runs, sweeps, models, new Analyses(store, models), new BundledExperiments(installation.experiments), log);
  }

  /** What to show of every model, newest first. */
  async models(): Promise<readonly ModelSummary[]> {
    return (await this.store.summaries()).map(summary => this.runs.get(summary.id)?.overlay(summary) ?? summary);
  }

  async model(id: string): Promise<ModelSummary> {
    return this.runs.summary(await this.store.read(id));
  }

  async details(id: string): Promise<ModelDetails> {
    const details = await this.store.details(id);
    return { ...details, summary: this.runs.get(id)?.overlay(details.summary) ?? details.summary };
  }

  /** What the positions and tokens of the model's task are called. */
  async words(id: string): Promise<ModelWords> {
    return modelWords(prepare((await this.store.read(id)).experiment).task);
  }

  /** What the analyses say of each head of a trained model. */
  async badges(id: string): Promise<readonly HeadBadge[]> {
    return this.heads.of(await this.details(id));
  }

  /** Tells of models that change, here or in another process, until it is disposed. */
  watch(listener: (changes: ModelsChanged) => void): Disposable {
    return this.lifetime.add(new ModelWatch(this.store, this.runs, this.log, listener));
  }

  dispose(): void {
    this.lifetime.dispose();
  }
}
