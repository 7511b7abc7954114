import { messageOf } from '../src/common/errors';
import type { Disposable } from '../src/common/lifetime';
import { connect } from './bridge';
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
const page: Page = document.body.dataset['panel'] === 'sweep' ? new SweepPage(connect()) : new Panel(connect());
document.body.append(page.element);

// A defect in the page is shown and reported, not left in a console that nobody reads.
window.addEventListener('error', event => page.fail(`The panel failed: ${event.message}`));
window.addEventListener('unhandledrejection', event => page.fail(`The panel failed: ${messageOf(event.reason)}`));
window.addEventListener('pagehide', () => page.dispose());
