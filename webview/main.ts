import { messageOf } from '../src/common/errors';
import { connect } from './bridge';
import { registerControls } from './controls/toolkit';
import { Panel } from './panel';
import './panel.css';

registerControls();
const panel = new Panel(connect());
document.body.append(panel.element);

// A defect in the page is shown and reported, not left in a console that nobody reads.
window.addEventListener('error', event => panel.fail(`The panel failed: ${event.message}`));
window.addEventListener('unhandledrejection', event => panel.fail(`The panel failed: ${messageOf(event.reason)}`));
window.addEventListener('pagehide', () => panel.dispose());
