import * as vscode from 'vscode';
import { CancelledError, messageOf, UserError } from '../../common/errors';
import { Lifetime, type Disposable } from '../../common/lifetime';
import type { ClaimOutcomes } from './claimOutcomes';
import { parseSeeds } from './claimSeeds';
import { ClaimTestItems, type ClaimedFile } from './claimTestItems';
import { ClaimVerification, type ClaimPoints } from './claimVerification';
import type { Verdict } from './claimVerdicts';
import { claimController, failedClaim, setContext, type ClaimTarget } from '../contributions';
import type { Engine } from '../engine';
import { experimentName, experimentText } from '../experiments/experimentFiles';
import { outlineOf } from '../experiments/experimentOutline';
import { untrusted } from '../experiments/experimentPicker';
import { completeStep } from '../firstSteps';
import type { ExperimentStandings } from '../experiments/experimentStandings';
import { confirmed } from '../notifications';
import { isRunning, type ModelList, type ModelListChange } from '../models/modelList';
import type { Problems } from '../problems';
import type { WorkspaceExperiments } from '../experiments/workspaceExperiments';

export interface ClaimTestsHost {
  readonly engine: Pick<Engine, 'request' | 'requestWithProgress'>;
  readonly models: Pick<ModelList, 'onChange'>;
  readonly sources: WorkspaceExperiments;
  readonly standings: Pick<ExperimentStandings, 'of' | 'want'>;
  readonly outcomes: ClaimOutcomes;
  readonly problems: Pick<Problems, 'explain' | 'guard'>;
}

/** The claims of the workspace's experiments as tests. */
export class ClaimTests implements Disposable {
  private readonly lifetime = new Lifetime();
  private readonly controller = this.lifetime.add(vscode.tests.createTestController(claimController, 'Circuits'));
  private readonly items: ClaimTestItems;
  private readonly verification: ClaimVerification;
  private readonly profile: vscode.TestRunProfile;
  /** Files whose claims are measured now. */
  private readonly measuring = new Set<string>();
  private seeds = '0-4';

  constructor(private readonly host: ClaimTestsHost) {
    const { engine, sources, problems } = host;
    const { controller } = this;
    this.items = this.lifetime.add(new ClaimTestItems(controller, sources));
    const tell = () => setContext(vscode.commands, 'circuits.hasClaims', this.items.count > 0);
    this.lifetime.add(this.items.onChange(tell));
    // Those of open files are there already.
    tell();
    this.verification = new ClaimVerification({
      engine,
      now: () => Date.now(),
      confirm: question => confirmed(question, 'It can be cancelled, and goes on from there the next time.', 'Train Anyway'),
    });
    controller.resolveHandler = () => this.readAll();
    controller.refreshHandler = async () => {
      await sources.reload();
      this.items.readAll();
    };
    // What the workspace has is in the list, and in the palette, before anybody looks at the tests.
    problems.guard(() => this.readAll());
    const { Run } = vscode.TestRunProfileKind;
    this.profile = controller.createRunProfile('Run', Run, (request, token) => this.handle(request, token), true, undefined, true);
    controller.createRunProfile('Run at All Checkpoints', Run, request => this.run(request, { kind: 'checkpoints' }));
    const severalSeeds = controller.createRunProfile('Run with Several Seeds…', Run, async request => {
      const seeds = await this.askSeeds();
      if (seeds) await this.run(request, { kind: 'seeds', seeds });
    });
    severalSeeds.configureHandler = () => problems.guard(() => this.askSeeds());
  }

  dispose(): void {
    this.lifetime.dispose();
  }

  /** Measures the claims of a file, or of those that the user picks. */
  async verify(given: vscode.Uri | undefined): Promise<void> {
    const items = given ? [(await this.claimed(given)).item] : await this.pickFiles();
    if (items) await this.run(new vscode.TestRunRequest(items, undefined, this.profile, false, false), { kind: 'end' });
  }

  async runClaim({ file, claim }: ClaimTarget): Promise<void> {
    const { claims } = await this.claimed(vscode.Uri.parse(file));
    const found = claims.find(({ id }) => id === claim);
    if (!found) throw new UserError('The claim is not there any more.');
    await this.run(new vscode.TestRunRequest([found.item], undefined, this.profile, false, true), { kind: 'end' });
  }

  private async readAll(): Promise<void> {
    await this.host.sources.load();
    this.items.readAll();
  }

  private async claimed(file: vscode.Uri): Promise<ClaimedFile> {
    const claimed = await this.items.file(file);
    if (!claimed) throw new UserError(`"${experimentName(file)}" has no claims yet; write them in its field "claims".`);
    return claimed;
  }

  private async pickFiles(): Promise<readonly vscode.TestItem[] | undefined> {
    await this.readAll();
    const active = vscode.window.activeTextEditor?.document.uri.toString();
    const items = [...this.controller.items].map(([id, item]) => ({
      label: item.label, detail: claimsOf(item.children.size),
      picked: this.controller.items.size === 1 || id === active, item,
    }));
    if (items.length === 0) throw new UserError('No experiment of the workspace has claims yet; they are written in the field "claims" of an experiment file.');
    const options = { title: 'Verify Claims', placeHolder: 'Experiments', canPickMany: true as const };
    const chosen = await vscode.window.showQuickPick(items, options);
    return chosen && chosen.length > 0 ? chosen.map(({ item }) => item) : undefined;
  }

  private async askSeeds(): Promise<readonly number[] | undefined> {
    const text = await vscode.window.showInputBox({
      title: 'Run with Several Seeds', prompt: 'Seeds, such as 0-4 or 0, 3, 7. A claim holds when it does for each.', value: this.seeds,
      validateInput: given => problemOf(() => parseSeeds(given)),
    });
    if (text === undefined) return undefined;
    this.seeds = text;
    return parseSeeds(text);
  }

  private handle(request: vscode.TestRunRequest, token: vscode.CancellationToken): Promise<void> {
    return request.continuous ? this.follow(request, token) : this.run(request, { kind: 'end' });
  }

  /** Measures claims again whenever a model of their experiments is trained, until it is cancelled. */
  private follow(request: vscode.TestRunRequest, token: vscode.CancellationToken): Promise<void> {
    for (const { id } of this.chosen(request).keys()) this.host.standings.want(id);
    return new Promise(resolve => {
      const listening = this.lifetime.add(this.host.models.onChange(change => {
        const finished = finishedIn(change);
        if (finished.length > 0) this.host.problems.guard(() => this.runAgain(request, finished));
      }));
      token.onCancellationRequested(() => {
        this.lifetime.release(listening);
        resolve();
      });
    });
  }

  private async runAgain(request: vscode.TestRunRequest, finished: readonly string[]): Promise<void> {
    // What is measured now has been trained for it.
    const about = [...this.chosen(request)].filter(([{ id }]) => !this.measuring.has(id) && this.isAbout(id, finished));
    if (about.length === 0) return;
    const items = about.flatMap(([, claims]) => claims);
    await this.run(new vscode.TestRunRequest(items, undefined, this.profile, false, true), { kind: 'end', untrained: true });
  }

  private isAbout(file: string, models: readonly string[]): boolean {
    const known = this.host.standings.of(file);
    const trains = known?.standing.trains?.id;
    const measured = known?.claims.flatMap(({ outcome }) => outcome?.model ?? []) ?? [];
    return models.some(model => model === trains || measured.includes(model));
  }

  /** The claims that a request is about, under their files. */
  private chosen({ include, exclude = [] }: vscode.TestRunRequest): ReadonlyMap<vscode.TestItem, readonly vscode.TestItem[]> {
    const chosen = new Map<vscode.TestItem, vscode.TestItem[]>();
    // Of a request that is followed, items may have gone and come again since.
    const now = (items: readonly vscode.TestItem[]) => items.flatMap(item => this.items.current(item) ?? []);
    const excluded = now(exclude);
    for (const item of include ? now(include) : [...this.controller.items].map(([, file]) => file)) {
      const file = item.parent ?? item;
      const claims = item.parent ? [item] : [...item.children].map(([, claim]) => claim);
      const wanted = claims.filter(claim => !excluded.includes(claim) && !excluded.includes(file));
      if (wanted.length > 0) chosen.set(file, [...new Set([...chosen.get(file) ?? [], ...wanted])]);
    }
    return chosen;
  }

  private async run(request: vscode.TestRunRequest, points: ClaimPoints): Promise<void> {
    if (request.include === undefined) await this.readAll();
    const run = this.controller.createTestRun(request);
    const abort = new AbortController();
    const listening = run.token.onCancellationRequested(() => abort.abort());
    const ending = this.lifetime.add({ dispose: () => abort.abort() });
    try {
      const chosen = this.chosen(request);
      for (const claims of chosen.values()) claims.forEach(claim => run.enqueued(claim));
      for (const [file, claims] of chosen) if (!abort.signal.aborted) await this.runFile(run, file, claims, points, abort.signal);
    } finally {
      listening.dispose();
      this.lifetime.release(ending);
      run.end();
    }
  }

  private async runFile(
    run: vscode.TestRun, { id, uri }: vscode.TestItem, asked: readonly vscode.TestItem[], points: ClaimPoints, signal: AbortSignal,
  ): Promise<void> {
    const open = new Set(asked);
    const fail = (message: string) => open.forEach(item => run.errored(item, new vscode.TestMessage(message)));
    this.measuring.add(id);
    try {
      if (!vscode.workspace.isTrusted) throw new UserError(untrusted);
      const file = uri && await this.items.file(uri);
      const claims = file?.claims.filter(({ item }) => open.has(item)) ?? [];
      // Since the run was begun they have been deleted.
      for (const item of asked) if (!claims.some(claim => claim.item === item)) run.skipped(item);
      if (!file || claims.length === 0) return;
      claims.forEach(({ item }) => run.started(item));
      const began = performance.now();
      const { fields } = outlineOf(file.text);
      const seed = fields.get('seed')?.value;
      await this.verification.verify({
        experiment: experimentText(file.uri, file.text), claims, isSweep: fields.has('sweep'), seed: typeof seed === 'number' ? seed : 0,
      }, points, {
        say: line => run.appendOutput(`${line.replace(/\r?\n/g, '\r\n')}\r\n`),
        settled: (index, verdict) => {
          const claim = claims.find(each => each.index === index);
          if (!claim) return;
          open.delete(claim.item);
          show(run, claim, file.uri, verdict, performance.now() - began);
        },
        measured: outcomes => {
          if (outcomes.size > 0) completeStep('claim');
          this.host.outcomes.keep(id, file.text, outcomes);
        },
      }, signal);
    } catch (error) {
      if (!(error instanceof CancelledError)) fail(error instanceof UserError ? error.message : this.host.problems.explain(error));
    } finally {
      this.measuring.delete(id);
    }
  }
}

/** Shows what became of a claim. */
function show(run: vscode.TestRun, { item, boundRange }: ClaimedFile['claims'][number], uri: vscode.Uri, verdict: Verdict, milliseconds: number): void {
  if (verdict.kind === 'passed') {
    run.passed(item, milliseconds);
    return;
  }
  const message = new vscode.TestMessage(verdict.message);
  message.location = new vscode.Location(uri, boundRange);
  if (verdict.kind === 'errored') {
    run.errored(item, message, milliseconds);
    return;
  }
  message.expectedOutput = verdict.expected;
  message.actualOutput = verdict.actual;
  message.contextValue = failedClaim;
  run.failed(item, message, milliseconds);
}

/** The models whose training came to its end just now. */
function finishedIn({ changed, before }: ModelListChange): readonly string[] {
  return changed.filter(model => {
    const old = before.get(model.id);
    return model.status === 'finished' && old !== undefined && isRunning(old);
  }).map(({ id }) => id);
}

function claimsOf(count: number): string {
  return `${count} ${count === 1 ? 'claim' : 'claims'}`;
}

function problemOf(work: () => unknown): string | undefined {
  try {
    work();
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}
