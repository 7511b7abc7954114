import { messageOf } from '../src/common/errors';
import type { Disposable } from '../src/common/lifetime';
import { connect } from './bridge';
import { CheckpointPage } from './checkpoint/page';
import { registerControls } from './controls/toolkit';
import { Panel } from './panel';
import { SweepPage } from './sweep/page';
import './panel.css';

interface Page extends Disposable {
  readonly element: HTMLElement;
  fail(message: string): void;
}

registerControls();
// The extension has said in the page's template which panel this is.
const page = pageOf(document.body.dataset['panel']);
document.body.append(page.element);

// A defect in the page is shown and reported, not left in a console that nobody reads.
window.addEventListener('error', event => page.fail(`The panel failed: ${event.message}`));
window.addEventListener('unhandledrejection', event => page.fail(`The panel failed: ${messageOf(event.reason)}`));
window.addEventListener('pagehide', () => page.dispose());

function pageOf(panel: string | undefined): Page {
  switch (panel) {
    case 'sweep': return new SweepPage(connect());
    case 'checkpoint': return new CheckpointPage(connect());
    default: return new Panel(connect());
  }
}
