import type { FromPanel, PanelState, ToPanel } from '../src/protocol/panel';
import type { FromSweepPanel, SweepPanelState, ToSweepPanel } from '../src/protocol/sweepPanel';
import type { CheckpointPageState, FromCheckpointPage, ToCheckpointPage } from '../src/protocol/checkpointPage';
import { toDisposable, type Disposable } from '../src/common/lifetime';

/** What VS Code gives every webview, once. */
interface WebviewApi {
  postMessage(message: unknown): void;
  getState(): unknown;
  setState(state: unknown): void;
}
declare function acquireVsCodeApi(): WebviewApi;

/** The way to the extension and back. */
interface PageBridge<From, To, State> {
  send(message: From): void;
  /** Keeps what is shown, so that VS Code can bring the panel back after a reload. */
  keep(state: State): void;
  /** What was kept; a page of another version may have done that. */
  kept(): unknown;
  listen(listener: (message: To) => void): Disposable;
}
/** That of an analysis. */
export type Bridge = PageBridge<FromPanel, ToPanel, PanelState>;
export type SweepBridge = PageBridge<FromSweepPanel, ToSweepPanel, SweepPanelState>;
export type CheckpointBridge = PageBridge<FromCheckpointPage, ToCheckpointPage, CheckpointPageState>;

/** The page of a kind of panel has the bridge of that kind: its messages are typed at the other end. */
export function connect<From, To, State>(): PageBridge<From, To, State> {
  const api = acquireVsCodeApi();
  return {
    send: message => api.postMessage(message),
    keep: state => api.setState(state),
    kept: () => api.getState(),
    listen(listener) {
      // The extension is the only one who can post to this page.
      const receive = (event: MessageEvent<To>) => listener(event.data);
      window.addEventListener('message', receive);
      return toDisposable(() => window.removeEventListener('message', receive));
    },
  };
}
