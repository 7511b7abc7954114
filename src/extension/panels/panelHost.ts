import type { ExportFormat, PanelState, ToPanel } from '../../protocol/panel';
import type { Engine } from '../engine';
import type { HeadSelections } from '../models/headSelections';
import type { ModelList } from '../models/modelList';
import type { SharedCheckpoints } from './sharedCheckpoints';

/** What a panel's conversation has around it. */
export interface PanelHost {
  readonly engine: Pick<Engine, 'start' | 'request' | 'requestWithProgress'>;
  readonly models: Pick<ModelList, 'find' | 'nameOf' | 'get' | 'details' | 'onChange'>;
  readonly selections: HeadSelections;
  readonly checkpoints: SharedCheckpoints;
  send(message: ToPanel): void;
  title(title: string): void;
  save(name: string, format: ExportFormat, content: string | Uint8Array): void;
  /** Opens a panel, or changes those parameters of the one that is open, in front of the user. */
  open(state: PanelState): void;
  /** Lets the user choose what to compare the panel with. */
  compare(): void;
  /** Puts a text on the clipboard and says so. */
  copy(what: 'claim' | 'code', text: string, said: string): void;
  /** Keeps the parameters for the next time that the panel is opened. */
  remember(state: PanelState): void;
  /** Shows an error of something that was asked for beside the figures. */
  show(error: unknown): void;
  /** What to tell people of an error that is not theirs; it is logged with all there is to know. */
  explain(error: unknown): string;
  warn(message: string): void;
}
