import * as vscode from 'vscode';
import { messageOf, UserError } from '../../common/errors';
import { Lifetime, type Disposable } from '../../common/lifetime';
import { getTensors } from '../../protocol/engine';
import { commandLink, readSetting, setContext, type TensorTarget } from '../contributions';
import type { Engine } from '../engine';
import { withoutIcons } from '../format';
import type { ModelList } from '../models/modelList';
import type { ModelsView } from '../models/modelsView';
import type { PinnedModel } from '../models/pinnedModel';
import type { Problems } from '../problems';
import { HookCursor } from './cursor';
import { HookDiagnostics } from './diagnostics';
import { HookDocuments, hookDocuments } from './documents';
import { HookPictures } from './pictures';
import { HookCompletions, HookFixes, HookHovers, type HookSource } from './providers';
import { ModelNames } from './modelNames';
import { KnownTensors, resolve } from './resolve';
import { nodeOfTensor } from './tensorNode';

/** Milliseconds that a hover waits for its picture. */
const patience = 800;

export interface HookHost {
  readonly engine: Engine;
  readonly models: ModelList;
  readonly pinned: PinnedModel;
  readonly view: ModelsView;
  readonly problems: Problems;
  readonly log: vscode.LogOutputChannel;
}

/** Names of the pinned model in code: nothing of it is there while no model is pinned, or the setting turns it off. */
export class HookEditing implements Disposable {
  private readonly lifetime = new Lifetime();
  private readonly pictures: HookPictures;
  private current: Current | undefined;
  private readonly names: ModelNames;

  constructor(private readonly host: HookHost) {
    const { engine, pinned, problems, log } = host;
    this.pictures = new HookPictures(engine, patience, error => problems.explain(error));
    this.names = new ModelNames({
      ask: async ({ id, name }) => new KnownTensors(name, await engine.request(getTensors, { model: id })),
      loaded: () => this.current?.cursor.schedule(),
      failed: async ({ name }, error) => {
        log.warn(`The names of ${name} are not known: ${messageOf(error)}`);
        // It may be gone since the window was last open.
        await pinned.check().catch(() => undefined);
      },
      now: () => performance.now(),
    });
    this.lifetime.add(pinned.onChange(() => this.apply()));
    this.lifetime.add(vscode.workspace.onDidChangeConfiguration(event => event.affectsConfiguration('circuits.hooks.enabled') && this.apply()));
    this.lifetime.add(engine.onStateChange(({ kind }) => {
      // What could not be checked while it was down is checked now.
      if (kind !== 'ready') return;
      this.names.retry();
      this.current?.diagnostics.checkAll();
    }));
    this.apply();
  }

  dispose(): void {
    this.lifetime.dispose();
  }

  /** Shows the tensor in the tree: the one given, or the one at the cursor. */
  async reveal(target: TensorTarget | undefined): Promise<void> {
    const { models, view } = this.host;
    const wanted = target ?? await this.atCursor();
    if (!wanted) throw new UserError('Put the cursor on a hook or parameter that the pinned model has.');
    const { n_heads, attn_only } = await models.get(wanted.model);
    const { parameters } = await models.details(wanted.model);
    const isParameter = parameters.some(({ name }) => name === wanted.name);
    view.show(nodeOfTensor(wanted, { n_heads, attn_only, isParameter }), true);
  }

  private async atCursor(): Promise<TensorTarget | undefined> {
    const model = this.host.pinned.current?.id;
    const reference = this.current?.cursor.reference;
    const known = reference && await this.known();
    const found = known && resolve(reference, known);
    if (model === undefined || found?.kind !== 'found') return undefined;
    return { model, name: found.tensors[0].name, ...(found.head !== undefined && { head: found.head }) };
  }

  private apply(): void {
    const { pinned, log } = this.host;
    const model = pinned.current;
    setContext(vscode.commands, 'circuits.pinned', model !== undefined);
    if (!model || !readSetting(vscode.workspace, 'circuits.hooks.enabled')) {
      if (this.current) this.lifetime.release(this.current.lifetime);
      this.current = undefined;
      this.pictures.clear();
      return;
    }
    if (this.current) {
      this.current.diagnostics.checkAll();
      this.current.cursor.schedule();
    } else this.current = start(this.source(), () => this.loaded, log, this.lifetime.add(new Lifetime()));
    const { status } = this.current;
    status.text = `hooks: ${withoutIcons(model.name)}`;
    status.accessibilityInformation = { label: `Hooks and parameters in code are those of ${model.name}` };
  }

  private source(): Omit<HookSource, 'documents'> {
    const { pinned, models } = this.host;
    return {
      known: waiting => this.known(waiting),
      model: () => pinned.current,
      picture: (name, head, signal) => {
        const model = pinned.current?.id ?? '';
        const summary = models.find(model);
        const weights = `${summary?.createdAt ?? ''} ${summary?.status ?? ''} ${summary?.progress.step ?? ''}`;
        return this.pictures.get({ model, name, ...(head !== undefined && { head }) }, weights, signal);
      },
    };
  }

  private async known(waiting?: number): Promise<KnownTensors | undefined> {
    const { current } = this.host.pinned;
    return current && this.names.of(current, waiting);
  }

  private get loaded(): KnownTensors | undefined {
    const { current } = this.host.pinned;
    return current && this.names.loadedOf(current);
  }
}

/** What is there while a model is pinned. */
interface Current {
  readonly lifetime: Lifetime;
  readonly diagnostics: HookDiagnostics;
  readonly cursor: HookCursor;
  readonly status: vscode.LanguageStatusItem;
}

function start(source: Omit<HookSource, 'documents'>, loaded: () => KnownTensors | undefined, log: vscode.LogOutputChannel, lifetime: Lifetime): Current {
  const { languages } = vscode;
  const documents = lifetime.add(new HookDocuments(log));
  const whole = { ...source, documents };
  lifetime.add(languages.registerHoverProvider(hookDocuments, new HookHovers(whole)));
  lifetime.add(languages.registerCompletionItemProvider(hookDocuments, new HookCompletions(whole), '.', '"', "'", '`'));
  lifetime.add(languages.registerCodeActionsProvider(hookDocuments, new HookFixes(whole), { providedCodeActionKinds: HookFixes.kinds }));
  const status = lifetime.add(languages.createLanguageStatusItem('circuits.hooks', hookDocuments));
  status.name = 'Circuits: Pinned Model';
  status.command = commandLink('circuits.pinModel', 'Change');
  return { lifetime, diagnostics: lifetime.add(new HookDiagnostics(documents, () => source.known())), cursor: lifetime.add(new HookCursor(documents, loaded)), status };
}
