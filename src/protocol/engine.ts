import { NotificationType, ProgressType, RequestType, RequestType0 } from 'vscode-jsonrpc';
import type { AnalysisInfo, AnalysisRequest, AnalysisResult, HeadBadge, TaskInfo } from './analysis';
import type { ExperimentProblem } from './experiment';
import type { ModelDetails, ModelSummary, ModelWords } from './model';
import type { RunCurve, SweepChange, SweepDetails, SweepOptions, SweepPlan, SweepSummary } from './sweep';
import type { SweepMetric } from './sweepPanel';

/**
 * The engine's requests. An error for people comes back as a ResponseError with the code `userErrorCode`; every other
 * error is a defect and is logged with its stack.
 */
export const userErrorCode = 1;
/**
 * The code of an error for people whose data is an {@link UntrainedOrigin}: what should be trained starts from a model
 * that is not trained to its end yet.
 */
export const untrainedOriginCode = 2;
/** The code of an error for people: the training would take days on this machine's CPU, and starts only with `force`. */
export const tooLongCode = 3;

/** The model that has to be trained first. */
export interface UntrainedOrigin {
  readonly id: string;
  readonly name: string;
  /**
   * What trains it: sent as it is, it opens or starts the model, and what was stopped can be resumed. Absent for a stored
   * model whose experiment is not at hand, which can only be resumed.
   */
  readonly request?: Pick<TrainRequest, 'experiment' | 'seed'>;
}

export interface EngineSettings {
  /** Folder of the store; made when it is not there. */
  readonly store: string;
  readonly device: Device;
  /** Threads that a training run may use; 0 to leave one core free. */
  readonly threads: number;
}

export const devices = ['auto', 'cpu', 'webgpu', 'tensorflow'] as const;
export type Device = (typeof devices)[number];

export interface EngineInfo {
  readonly version: string;
  readonly processId: number;
  readonly analyses: readonly AnalysisInfo[];
  readonly tasks: readonly TaskInfo[];
  /** Names of the bundled experiments. */
  readonly experiments: readonly string[];
}

export interface DeviceStatus {
  readonly device: Exclude<Device, 'auto'>;
  readonly available: boolean;
  /** What it is, or what would make it available. */
  readonly description: string;
}

/** The text of an experiment file; paths in it are seen from the folder that it is in (absolute), and need one. */
export interface ExperimentText {
  readonly text: string;
  readonly folder?: string;
}

export interface TrainRequest {
  /** The text of an experiment file, with the folder that it is in where it has one, or the name of a bundled one. */
  readonly experiment: ExperimentText | { readonly bundled: string };
  readonly seed?: number;
  readonly steps?: number;
  /** `path=value`, as in `task.operation=add`. */
  readonly set?: readonly string[];
  readonly retrain?: boolean;
  /** Where this one is trained; absent: as the settings say. */
  readonly device?: Device;
  /** Whether it is trained even where that takes days. */
  readonly force?: boolean;
}

export interface TrainAnswer {
  readonly model: ModelSummary;
  /** Whether it had been trained before and was only opened. */
  readonly cached: boolean;
}

export type ModelControl = 'stop' | 'pause' | 'resume' | 'retrain' | 'delete';

/** An experiment with a sweep, and how its runs are trained. */
export interface SweepRequest extends Pick<TrainRequest, 'experiment' | 'seed' | 'steps' | 'set'> {
  readonly options: SweepOptions;
  /** Whether its number of runs was seen and meant; a large sweep does not start without. */
  readonly confirmed?: boolean;
}

/** Runs of a sweep by their indexes, at most `curvesLimit`, and what of them. */
export interface CurvesRequest {
  readonly sweep: string;
  readonly metric: SweepMetric;
  readonly runs: readonly number[];
}

/** `cancel` keeps what the runs have learned; `resume` goes on with all that have not finished; `forget` removes the sweep, not its models. */
export const sweepControls = ['cancel', 'resume', 'forget'] as const;
export type SweepControl = (typeof sweepControls)[number];

/** Both sides must agree before anything else is asked. */
export const initialize = new RequestType<EngineSettings, EngineInfo, void>('initialize');
/** Tries every device out, which takes a moment. */
export const listDevices = new RequestType0<readonly DeviceStatus[], void>('devices/list');
export const listModels = new RequestType0<readonly ModelSummary[], void>('models/list');
export const getModel = new RequestType<{ readonly model: string }, ModelDetails, void>('models/get');
export const getWords = new RequestType<{ readonly model: string }, ModelWords, void>('models/words');
/** What the analyses have to say of each head of a trained model. */
export const getBadges = new RequestType<{ readonly model: string }, readonly HeadBadge[], void>('models/badges');
/** Answered with an error of one of the codes above where another model comes first, or where it would take days. */
export const train = new RequestType<TrainRequest, TrainAnswer, void>('models/train');
export const controlModel = new RequestType<{ readonly model: string; readonly action: ModelControl }, null, void>('models/control');
export const renameModel = new RequestType<{ readonly model: string; readonly name: string }, ModelSummary, void>('models/rename');
/** Checks an experiment's text; an empty list when it can be trained. */
export const checkExperiment = new RequestType<ExperimentText, readonly ExperimentProblem[], void>('experiments/check');
/** Which analyses fit a model. */
export const applicableAnalyses = new RequestType<{ readonly model: string }, readonly AnalysisInfo[], void>('analyses/applicable');
/** Runs an analysis. With `progress`, an id, progress and sharper figures come as `analysisProgress` under it. */
export const analyze = new RequestType<AnalysisRequest & { readonly progress?: string }, AnalysisResult, void>('analyses/run');
export const analysisProgress = new ProgressType<{ readonly fraction: number; readonly message?: string; readonly partial?: AnalysisResult }>();

export const planSweep = new RequestType<SweepRequest, SweepPlan, void>('sweeps/plan');
/** Starts a sweep, or goes on with one of the same runs. */
export const startSweep = new RequestType<SweepRequest, SweepDetails, void>('sweeps/start');
/** Every sweep of the store, newest first. */
export const listSweeps = new RequestType0<readonly SweepSummary[], void>('sweeps/list');
export const getSweep = new RequestType<{ readonly sweep: string }, SweepDetails, void>('sweeps/get');
/** Measurements of runs through their training; a run without any has an empty curve. */
export const getSweepCurves = new RequestType<CurvesRequest, readonly RunCurve[], void>('sweeps/curves');
export const controlSweep = new RequestType<{ readonly sweep: string; readonly action: SweepControl }, null, void>('sweeps/control');
/** What has changed in a sweep, at most ten times a second. */
export const sweepChanged = new NotificationType<SweepChange>('sweeps/changed');

/** Models that were added or changed, at most ten times a second, and the ids of those that are gone. */
export interface ModelsChanged {
  readonly changed: readonly ModelSummary[];
  readonly removed: readonly string[];
}
export const modelsChanged = new NotificationType<ModelsChanged>('models/changed');
export interface LogLine {
  readonly level: 'trace' | 'info' | 'warn' | 'error';
  readonly message: string;
}
export const log = new NotificationType<LogLine>('log');
