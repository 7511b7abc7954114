import type { FromPanel, PanelState, ToPanel } from '../src/protocol/panel';
import { toDisposable, type Disposable } from '../src/common/lifetime';

/** What VS Code gives every webview, once. */
interface WebviewApi {
  postMessage(message: FromPanel): void;
  setState(state: PanelState): void;
}
declare function acquireVsCodeApi(): WebviewApi;

/** The way to the extension and back. */
export interface Bridge {
  send(message: FromPanel): void;
  /** Keeps what is shown, so that VS Code can bring the panel back after a reload. */
  keep(state: PanelState): void;
  listen(listener: (message: ToPanel) => void): Disposable;
}

export function connect(): Bridge {
  const api = acquireVsCodeApi();
  return {
    send: message => api.postMessage(message),
    keep: state => api.setState(state),
    listen(listener) {
      // The extension is the only one who can post to this page; its messages are typed at the other end.
      const receive = (event: MessageEvent<ToPanel>) => listener(event.data);
      window.addEventListener('message', receive);
      return toDisposable(() => window.removeEventListener('message', receive));
    },
  };
}
