import * as v from 'valibot';
import { ErrorCodes, ResponseError, type CancellationToken, type MessageConnection, type RequestType, type RequestType0 } from 'vscode-jsonrpc';
import { describeAnalysis } from '../analysis/define';
import { analyses } from '../analysis/registry';
import { CancelledError, messageOf, UserError } from '../common/errors';
import type { Disposable } from '../common/lifetime';
import { Lifetime } from '../common/lifetime';
import { deviceStatuses } from '../compile/devices';
import type { AnalysisResult } from '../protocol/analysis';
import * as protocol from '../protocol/engine';
import type { ParameterValues } from '../protocol/parameter';
import { describeTask, tasks } from '../tasks/registry';
import { TooLongError } from './duration';
import { Engine, type Installation } from './engine';
import { exportModel } from './exports';
import { checkFrame } from './frames';
import { ConfigError, importModel, proposeImport } from './imports';
import { UntrainedOriginError } from './originWeights';
import { processModel } from './processing';
import * as schemas from './requestSchemas';
import { standingOf } from './standing';
import { readCurves } from './sweepCurves';
import { tensorflowSetUp } from './tensorflow';
import { backgroundThreads } from './threads';
import { callTool } from './tools';
import { verifyRequested } from './verifyRequested';
import { versions } from './versions';

/** Answers the engine's requests on a connection; the first one, `initialize`, opens the store. */
export function serveRequests(connection: MessageConnection, installation: Installation): Disposable {
  const lifetime = new Lifetime();
  let opened: Promise<Engine> | undefined;

  const log = (level: protocol.LogLine['level'], message: string) => void connection.sendNotification(protocol.log, { level, message }).catch(() => undefined);

  /** Answers one kind of request; what is thrown becomes an error for people, or is a defect and goes to the log. */
  async function respond<R>(method: string, token: CancellationToken, work: (signal: AbortSignal) => Promise<R>): Promise<R | ResponseError<protocol.UntrainedOrigin | void>> {
    const controller = new AbortController();
    const listening = token.onCancellationRequested(() => controller.abort());
    // A request that was cancelled before it was looked at has a token that tells nobody.
    if (token.isCancellationRequested) controller.abort();
    try {
      return await work(controller.signal);
    } catch (error) {
      if (error instanceof CancelledError) return new ResponseError(cancelled, error.message);
      if (error instanceof UntrainedOriginError) return new ResponseError(protocol.untrainedOriginCode, error.message, error.untrained);
      if (error instanceof UserError) return new ResponseError(codeOf(error), error.message);
      log('error', `${method}: ${error instanceof Error ? error.stack ?? error.message : String(error)}`);
      return new ResponseError(ErrorCodes.InternalError, messageOf(error));
    } finally {
      listening.dispose();
    }
  }

  /** `work` gets whatever came as parameters. */
  function handle(method: string, work: (params: unknown, signal: AbortSignal) => Promise<unknown>): void {
    lifetime.add(connection.onRequest(method, (...given: unknown[]) => {
      const token = given.pop() as CancellationToken;
      return respond(method, token, signal => work(given[0], signal));
    }));
  }

  function on<P, R>(type: RequestType<P, R, void>, schema: v.GenericSchema<unknown, P>, answer: (engine: Engine, params: P, signal: AbortSignal) => Promise<R>): void {
    handle(type.method, async (params, signal) => answer(await engine(), checked(type.method, schema, params), signal));
  }

  function on0<R>(type: RequestType0<R, void>, answer: (engine: Engine) => Promise<R>): void {
    handle(type.method, async () => answer(await engine()));
  }

  async function engine(): Promise<Engine> {
    if (!opened) throw new Error('The engine was asked something before it was told its settings');
    return opened;
  }

  handle(protocol.initialize.method, async params => {
    if (opened) throw new Error('The engine has its settings already');
    const { threads, ...settings } = checked('initialize', schemas.settings, params);
    opened = Engine.open({ ...settings, threads: backgroundThreads(threads), background: true, installation, log: message => log('info', message) });
    // A store that cannot be opened now may be later.
    opened.catch(() => (opened = undefined));
    const engine = lifetime.add(await opened);
    engine.runs.onEnd(({ name, end: { status, problem } }) => {
      log(status === 'finished' || status === 'stopped' ? 'info' : 'warn', `${name}: ${status}${problem === undefined ? '' : `: ${problem}`}`);
    });
    engine.watch(changes => void connection.sendNotification(protocol.modelsChanged, changes).catch(() => undefined));
    engine.breakpoints.onHit(hit => void connection.sendNotification(protocol.breakpointReached, hit).catch(() => undefined));
    engine.breakpoints.onUnmeasured(unmeasured => void connection.sendNotification(protocol.breakpointUnmeasured, unmeasured).catch(() => undefined));
    engine.sweeps.onChange(change => void connection.sendNotification(protocol.sweepChanged, change).catch(() => undefined));
    void engine.sweeps.reattach();
    return {
      version: versions.circuitExplorer,
      processId: process.pid,
      analyses: analyses.map(describeAnalysis),
      tasks: tasks.map(describeTask),
      experiments: await engine.bundled.names(),
    } satisfies protocol.EngineInfo;
  });
  on0(protocol.trustGranted, async engine => {
    engine.trusted = true;
    return null;
  });
  on0(protocol.listDevices, shared(() => deviceStatuses(tensorflowSetUp().tensorflowFolder)));
  on0(protocol.listModels, shared(engine => engine.models()));
  on(protocol.getModel, schemas.modelReference, (engine, { model }) => engine.details(model));
  on(protocol.getWords, schemas.modelReference, (engine, { model }) => engine.words(model));
  on(protocol.getTensors, schemas.modelReference, (engine, { model }) => engine.pictures.tensors(model));
  on(protocol.getPicture, schemas.pictureRequest, (engine, request, signal) => engine.pictures.draw(request, signal));
  on(protocol.getBadges, schemas.modelReference, (engine, { model }) => engine.badges(model));
  on(protocol.train, schemas.trainRequest, async (engine, request) => {
    const { id, cached } = await engine.runs.train(await orderOf(engine, request));
    return { model: await engine.model(id), cached };
  });
  on(protocol.controlModel, schemas.controlRequest, async (engine, { model, action }) => {
    await engine.runs.control(model, action);
    return null;
  });
  on(protocol.getBreakpoints, schemas.modelReference, (engine, { model }) => engine.breakpoints.get(model));
  on(protocol.setBreakpoints, schemas.setBreakpointsRequest, async (engine, { model, breakpoints }) => {
    await engine.breakpoints.set(model, breakpoints);
    return null;
  });
  on(protocol.renameModel, schemas.renameRequest, async (engine, { model, name }) => engine.runs.summary(await engine.store.rename(model, name)));
  on(protocol.bindModel, schemas.bindRequest, async (engine, { model, binding }, signal) => engine.runs.summary(await engine.bindings.bind(model, binding, signal)));
  on(protocol.experimentStanding, schemas.standingRequest, (engine, source) => standingOf(engine, source));
  on(protocol.planSweep, schemas.sweepRequest, async (engine, request) => engine.sweeps.plan(await orderOf(engine, request)));
  on(protocol.startSweep, schemas.sweepRequest, async (engine, request) => engine.sweeps.start(await orderOf(engine, request)));
  on0(protocol.listSweeps, shared(engine => engine.sweeps.list()));
  on(protocol.getSweep, schemas.sweepReference, (engine, { sweep }) => engine.sweeps.get(sweep));
  on(protocol.getSweepCurves, schemas.curvesRequest, async ({ sweeps, store }, { sweep, ...asked }, signal) => readCurves(store, await sweeps.get(sweep), asked, signal));
  on(protocol.controlSweep, schemas.sweepControlRequest, async (engine, { sweep, action }) => {
    await engine.sweeps.control(sweep, action);
    return null;
  });
  on(protocol.exportModel, schemas.exportRequest, ({ openModels }, request) => exportModel(openModels, request));
  on(protocol.applicableAnalyses, schemas.modelReference, (engine, { model }) => engine.analyses.applicable(model));
  on(protocol.analyze, schemas.analysisRequest, async (engine, { progress: token, ...request }, signal) => {
    let toldAt = -Infinity;
    const progress = (fraction: number, partial?: () => AnalysisResult) => {
      const now = performance.now();
      if (token === undefined || signal.aborted || now - toldAt < progressInterval) return;
      toldAt = now;
      void connection.sendProgress(protocol.analysisProgress, token, { fraction, ...(partial && { partial: checkFrame(partial()) }) }).catch(() => undefined);
    };
    return checkFrame(await engine.analyses.run({ ...request, params: request.params as ParameterValues }, { signal, progress }));
  });
  on(protocol.getCode, schemas.codeRequest, async (engine, { params, ...request }, signal) => ({
    code: await engine.analyses.code({ ...request, params: params as ParameterValues }, signal),
  }));
  on(protocol.proposeImport, schemas.importOrder, (_, order) => proposeImport(order));
  on(protocol.importModel, schemas.importOrder, (engine, order, signal) => importModel(engine, order, signal));
  on(protocol.processModel, schemas.processRequest, (engine, request, signal) => processModel(engine, request, signal));
  on(protocol.verifyClaims, schemas.verifyRequest, async (engine, { experiment, seed, force, progress: token, ...asked }, signal) => {
    const order = await orderOf(engine, { experiment, ...(seed !== undefined && { seed }), ...(force && { force }) });
    return verifyRequested(engine, order, asked, {
      signal,
      tell: news => void (token === undefined || signal.aborted || connection.sendProgress(protocol.verifyProgress, token, news).catch(() => undefined)),
      log: message => log('info', message),
    });
  });
  on(protocol.openCheckpointFile, schemas.fileReference, (engine, { file }) => engine.checkpointFiles.describe(file));
  on(protocol.getTensorStatistics, schemas.tensorReference, (engine, { file, tensor }, signal) => engine.checkpointFiles.statistics(file, tensor, signal));
  on(protocol.getTensorSlice, schemas.sliceRequest, (engine, request) => engine.checkpointFiles.slice(request));
  on(protocol.callTool, schemas.toolCall, callTool);
  return lifetime;
}

/** A request's order to train, or to sweep, with the experiment's text in it. */
async function orderOf<R extends Pick<protocol.TrainRequest, 'experiment'>>({ bundled }: Engine, { experiment, ...order }: R) {
  return { ...order, ...('text' in experiment ? experiment : await bundled.source(experiment.bundled)) };
}

/** The code of an error for people. */
function codeOf(error: UserError): number {
  if (error instanceof TooLongError) return protocol.tooLongCode;
  return error instanceof ConfigError ? protocol.configCode : protocol.userErrorCode;
}

/** Milliseconds between two messages about the progress of an analysis. */
const progressInterval = 100;

/** The protocol's code for a request that was cancelled. */
const cancelled = -32800;

function checked<P>(method: string, schema: v.GenericSchema<unknown, P>, params: unknown): P {
  const result = v.safeParse(schema, params);
  if (result.success) return result.output;
  const [issue] = result.issues;
  throw new UserError(`The request ${method} is wrong${issue.path ? ` at "${v.getDotPath(issue)}"` : ''}: ${issue.message}.`);
}

/** Answers all who ask while an answer is being worked out with that one, so that a flood of questions is one piece of work. */
function shared<R>(answer: (engine: Engine) => Promise<R>): (engine: Engine) => Promise<R> {
  let current: Promise<R> | undefined;
  return engine => current ??= answer(engine).finally(() => (current = undefined));
}
