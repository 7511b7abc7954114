import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { startCodeServer, type CodeServer, type CodeServerOptions } from '../support/codeServer.mjs';
import { ensureExtensionPackage } from '../support/products.mjs';
import { CodeWindow } from '../support/window';
import { Circuits } from './circuits';

/** Starting everything anew may take the building and installing of what is missing. */
export const timeToOpen = 600_000;

/** A page that loads takes the focus at any moment: questions stay until they are answered. */
const settings = { 'workbench.quickOpen.closeOnFocusLost': false };

/** The packaged extension in a window of its own. */
export interface Opened {
  /** The folder that the window shows; it goes when the window does. */
  readonly workspace: string;
  readonly server: CodeServer;
  readonly window: CodeWindow;
  readonly circuits: Circuits;
  close(): Promise<void>;
}

/** Opens a window on a new folder with these files, by their names, and more extensions than ours where they are given. */
export async function open({ files = {}, extensions = [], ...options }: CodeServerOptions & { readonly files?: Readonly<Record<string, string | Uint8Array>> } = {}): Promise<Opened> {
  const folder = await mkdtemp(path.join(tmpdir(), 'circuits-window-'));
  const workspace = path.join(folder, 'workspace');
  const started: (() => Promise<void>)[] = [() => rm(folder, { recursive: true, force: true })];
  const close = async () => {
    for (const end of started.splice(0).reverse()) await end();
  };
  try {
    await mkdir(workspace);
    for (const [name, content] of Object.entries(files)) await writeFile(path.join(workspace, name), content);
    const server = await startCodeServer({ extensions: [await ensureExtensionPackage(), ...extensions], settings, ...options });
    started.push(() => server.dispose());
    const window = await CodeWindow.open(server, { folder: workspace });
    started.push(() => window.dispose());
    return { workspace, server, window, circuits: new Circuits(window, server), close };
  } catch (error) {
    await close();
    throw error;
  }
}
