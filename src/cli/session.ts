import os from 'node:os';
import path from 'node:path';
import { printable } from '../common/printable';
import { Engine, type Installation } from '../engine/engine';
import { readExperimentFile } from '../engine/experimentFile';
import { allThreads } from '../engine/threads';
import type { Device, ExperimentText } from '../protocol/engine';
import type { ModelRecord } from '../store/modelRecord';
import { Store } from '../store/store';
import type { Output } from './output';
import { defaultStoreFolder } from './storeFolder';

/** What every command takes. */
export interface CommonOptions {
  readonly store?: string;
  readonly json?: boolean;
}

/** One run of the command line: where its answer goes, what interrupts it, and the engine it opens. */
export interface Session {
  readonly output: Output;
  /** Aborted by Ctrl-C. */
  readonly interrupted: AbortSignal;
  readonly installation: Installation;
}

/** Opens the engine over the chosen store, runs `work`, and closes it. */
export async function withEngine<T>(
  session: Session,
  options: CommonOptions,
  work: (engine: Engine) => Promise<T>,
  { device = 'auto', threads = allThreads(), reference }: { readonly device?: Device; readonly threads?: number; readonly reference?: string } = {},
): Promise<T> {
  const log = (message: string) => void session.output.err.write(`${printable(message)}\n`);
  const chosen = options.store ?? defaultStoreFolder(process.platform, process.env, os.homedir());
  const folder = reference === undefined ? chosen : (await Store.openFor(reference, chosen, log)).folder;
  const engine = await Engine.open({ store: folder, device, threads, background: false, trusted: true, installation: session.installation, log });
  try {
    return await work(engine);
  } finally {
    engine.dispose();
  }
}

/** As {@link withEngine}, for the model that `reference` means: an id, the beginning of one, a name, or a folder. */
export function withModel<T>(session: Session, options: CommonOptions, reference: string, work: (engine: Engine, model: ModelRecord) => Promise<T>): Promise<T> {
  return withEngine(session, options, async engine => work(engine, await engine.store.find(reference)), { reference });
}

/** An experiment's text with its folder: of a file, or of the bundled one of that name. */
export async function experimentText(engine: Engine, reference: string): Promise<ExperimentText> {
  if (!looksLikeFile(reference) || (await engine.bundled.names()).includes(reference)) return engine.bundled.source(reference);
  const { text } = await readExperimentFile(reference);
  return { text, folder: path.dirname(path.resolve(reference)) };
}

/** Bundled experiments are named by one word. */
function looksLikeFile(reference: string): boolean {
  return /[\\/.]/.test(reference);
}
