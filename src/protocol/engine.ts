import { NotificationType, ProgressType, RequestType, RequestType0 } from 'vscode-jsonrpc';
import type { AnalysisInfo, AnalysisRequest, AnalysisResult, HeadBadge, TaskInfo } from './analysis';
import type { ClaimOutcome } from './claim';
import type { CheckpointFile, ImportOrder, ImportProposal, InferredField, ProcessingStep, SliceRequest, TaskBinding, TensorSlice, TensorStatistics } from './checkpointFile';
import type { Breakpoint, ExperimentProblem } from './experiment';
import type { Metrics, ModelDetails, ModelSummary, ModelWords, Progress } from './model';
import type { RunCurve, SweepChange, SweepDetails, SweepOptions, SweepPlan, SweepSummary } from './sweep';
import type { SweepMetric } from './sweepPanel';
import type { ModelTensors, Picture, PictureRequest } from './tensors';
import type { ToolAnswer, ToolCall } from './tools';

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
/** The code of an error for people about a config: a field of it that nothing tells, or that is told wrongly, can be given. */
export const configCode = 4;

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
  /** Whether code of the workspace, such as a task module, may run; {@link trustGranted} says when it may later. */
  readonly trusted: boolean;
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

/** `step` lets a paused run go on to its next checkpoint, where it pauses again. */
export type ModelControl = 'stop' | 'pause' | 'resume' | 'step' | 'retrain' | 'delete';

/** Which claims of an experiment are to be measured, and on what. */
export interface VerifyRequest extends Pick<TrainRequest, 'experiment' | 'seed' | 'force'> {
  /** By their index in the experiment; absent: all of them. */
  readonly claims?: readonly number[];
  /** The step of the checkpoint that they are measured at; absent: at the end of the training. */
  readonly checkpoint?: number;
  /** Whether what is not trained to its end is trained first; otherwise that is the problem of the claims about it. */
  readonly train: boolean;
}

/** A claim of an experiment, with its place in it. */
export interface IndexedOutcome extends ClaimOutcome {
  readonly index: number;
}

/** The claims of one model: of the experiment's, or of one run of its sweep. */
export interface Verification {
  readonly name: string;
  readonly id: string;
  readonly seed: number;
  readonly claims: readonly IndexedOutcome[];
  /** Why there is no trained model to measure on. */
  readonly problem?: string;
}

/** What a verification does meanwhile: it trains, runs an analysis (by its title), or knows of a claim. Trainings are told of ten times a second at most. */
export type VerifyNews =
  | { readonly kind: 'training'; readonly model: string; readonly name: string; readonly progress: Progress; readonly metrics: Metrics }
  | { readonly kind: 'running'; readonly name: string; readonly analysis: string }
  | { readonly kind: 'outcome'; readonly model: string; readonly outcome: IndexedOutcome };

/** What an experiment's text would train, and what there is of it. */
export interface ExperimentStanding {
  readonly problems: readonly ExperimentProblem[];
  /** Absent where it cannot be trained as it is. */
  readonly trains?: { readonly id: string; readonly name: string; readonly seed: number; readonly steps: number };
  /** The model of exactly this experiment. */
  readonly model?: ModelSummary;
  /** Where there is none: the newest of the name that the experiment gives, which another content of it has made. */
  readonly before?: ModelSummary;
  /** What it starts from. */
  readonly origin?: { readonly id: string; readonly name: string; readonly trained: boolean };
  /** How many runs its sweep has, how many of them are trained, and the sweep where it was started; of a large one only the first. */
  readonly sweep?: { readonly runs: number; readonly finished?: number; readonly id?: string };
}

/** A run has come to a breakpoint, at a checkpoint. */
export interface BreakpointHit {
  readonly model: string;
  readonly name: string;
  readonly step: number;
  readonly breakpoint: Breakpoint;
  readonly measured: number;
  /** What it was at the checkpoint before. */
  readonly before?: number;
  /** Whether the run waits because of it. */
  readonly paused: boolean;
  /** The copy that was made of it. */
  readonly copy?: { readonly id: string; readonly name: string };
  /** Why no copy could be made. */
  readonly problem?: string;
}

/** A breakpoint of a run that could not be looked at, which is told once: the run goes on, and passes it by. */
export interface UnmeasuredBreakpoint extends Pick<BreakpointHit, 'model' | 'name' | 'step' | 'breakpoint'> {
  readonly problem: string;
}

/** An experiment with a sweep, and how its runs are trained. */
export interface SweepRequest extends Pick<TrainRequest, 'experiment' | 'seed' | 'steps' | 'set'> {
  readonly options: SweepOptions;
  /** Whether its number of runs was seen and meant; a large sweep does not start without. */
  readonly confirmed?: boolean;
}

export interface ImportAnswer {
  readonly model: ModelSummary;
  /** Whether the same weights had been imported before and were only opened. */
  readonly cached: boolean;
  readonly inferred: readonly InferredField[];
}

export interface ProcessRequest {
  readonly model: string;
  readonly checkpoint?: number;
  /** At least one; done in TransformerLens' order, whatever theirs. */
  readonly steps: readonly ProcessingStep[];
  readonly name?: string;
}

export interface ExportRequest {
  readonly model: string;
  readonly checkpoint?: number;
  /** Absolute; what is there is replaced. */
  readonly file: string;
}

export interface ExportAnswer {
  /** Absolute paths of the files that were written, the weights first. */
  readonly files: readonly string[];
  /** Why there is no Python among them, in a sentence. */
  readonly withoutPython?: string;
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
/** The hook points and parameters that a model has, and those that it has not where others have. */
export const getTensors = new RequestType<{ readonly model: string }, ModelTensors, void>('models/tensors');
/** A small picture of a parameter, or of an activation of one example. */
export const getPicture = new RequestType<PictureRequest, Picture, void>('models/picture');
/** What the analyses have to say of each head of a trained model. */
export const getBadges = new RequestType<{ readonly model: string }, readonly HeadBadge[], void>('models/badges');
/** Answered with an error of one of the codes above where another model comes first, or where it would take days. */
export const train = new RequestType<TrainRequest, TrainAnswer, void>('models/train');
export const controlModel = new RequestType<{ readonly model: string; readonly action: ModelControl }, null, void>('models/control');
export const renameModel = new RequestType<{ readonly model: string; readonly name: string }, ModelSummary, void>('models/rename');
/** What an experiment's text would train, what is wrong with it, and what there is of it. */
export const experimentStanding = new RequestType<ExperimentText, ExperimentStanding, void>('experiments/standing');
/** Measures claims. With `progress`, an id, what happens meanwhile comes as `verifyProgress` under it. Cancelled, it stops a training that it has started. */
export const verifyClaims = new RequestType<VerifyRequest & { readonly progress?: string }, readonly Verification[], void>('claims/verify');
export const verifyProgress = new ProgressType<VerifyNews>();
/** The breakpoints of a model that is being trained, or can be resumed: those of its experiment until others are set. */
export const getBreakpoints = new RequestType<{ readonly model: string }, readonly Breakpoint[], void>('breakpoints/get');
/** Sets all breakpoints of a model anew; checked as those of an experiment are. */
export const setBreakpoints = new RequestType<{ readonly model: string; readonly breakpoints: readonly Breakpoint[] }, null, void>('breakpoints/set');
export const breakpointReached = new NotificationType<BreakpointHit>('breakpoints/reached');
export const breakpointUnmeasured = new NotificationType<UnmeasuredBreakpoint>('breakpoints/unmeasured');
/** From now on code of the workspace may run. */
export const trustGranted = new RequestType0<null, void>('workspace/trusted');
/** Which analyses fit a model. */
export const applicableAnalyses = new RequestType<{ readonly model: string }, readonly AnalysisInfo[], void>('analyses/applicable');
/** Runs an analysis. With `progress`, an id, progress and sharper figures come as `analysisProgress` under it. */
export const analyze = new RequestType<AnalysisRequest & { readonly progress?: string }, AnalysisResult, void>('analyses/run');
export const analysisProgress = new ProgressType<{ readonly fraction: number; readonly message?: string; readonly partial?: AnalysisResult }>();
/** Calls a tool as a language model does. A mistake in the call is an error for people. */
export const callTool = new RequestType<ToolCall, ToolAnswer, void>('tools/call');

/** The lines of Python that compute one figure of an analysis with TransformerLens: `figure` counts from 0 in the order of the result. */
export const getCode = new RequestType<AnalysisRequest & { readonly figure: number }, { readonly code: string }, void>('analyses/code');

/** What a file of weights holds. Only its directory is read. */
export const openCheckpointFile = new RequestType<{ readonly file: string }, CheckpointFile, void>('files/open');
export const getTensorStatistics = new RequestType<{ readonly file: string; readonly tensor: string }, TensorStatistics, void>('files/statistics');
export const getTensorSlice = new RequestType<SliceRequest, TensorSlice, void>('files/slice');
/** What a file would become as a model. */
export const proposeImport = new RequestType<ImportOrder, ImportProposal, void>('models/propose');
export const importModel = new RequestType<ImportOrder, ImportAnswer, void>('models/import');
/** Gives a model that was imported another task, or none; it is evaluated on it. */
export const bindModel = new RequestType<{ readonly model: string; readonly binding: TaskBinding }, ModelSummary, void>('models/bind');
/** Makes a model of a model, with processed weights. */
export const processModel = new RequestType<ProcessRequest, ModelSummary, void>('models/process');
/** Writes a model to a file, `.safetensors` or `.pt`, with what rebuilds it in Python beside it. */
export const exportModel = new RequestType<ExportRequest, ExportAnswer, void>('models/export');

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
