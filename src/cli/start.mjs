// The first minutes with Circuit Explorer:  npm start [-- --headless]
// Installs and builds what is missing, trains array-update, writes a report, and opens VS Code with the extension.
// Runs on plain Node 20 with nothing installed.
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { CommandError, runForOutput, runLogged } from '../../test/support/commands.mjs';
import { ensureNpmPackages } from '../../test/support/npmPackages.mjs';
import { ensureBundles } from '../../test/support/products.mjs';
import { repository } from '../../test/support/repository.mjs';
import { runToExitCode, step } from '../../test/support/steps.mjs';
import { openWindow } from './window.mjs';

const experiment = 'array-update';

await runToExitCode(async () => {
  const headless = isHeadless(process.argv.slice(2));
  await ensureNpmPackages();
  const commandLine = await ensureBundles();
  const model = await train(commandLine);
  await report(commandLine, model.id);
  if (!headless) await openWindow({ modelsFolder: path.dirname(model.path) });
  return 0;
});

/** Whether to stop after the report: nobody can look at a window where there is no terminal. @param {string[]} words */
function isHeadless(words) {
  const unknown = words.find(word => word !== '--headless');
  if (unknown !== undefined) throw new CommandError(`npm start knows no "${unknown}"; there is only -- --headless.`, 2);
  return words.length > 0 || !process.stdout.isTTY;
}

/**
 * Trains the experiment, or opens what was trained before.
 * @param {string} commandLine
 * @returns {Promise<{ id: string, path: string, cached: boolean, metrics: { testAccuracy?: number } }>}
 */
function train(commandLine) {
  return step(
    `Train ${experiment}`,
    async () => {
      if (process.stdout.isTTY) process.stdout.write('\n');
      const output = await runForOutput([process.execPath, commandLine, 'train', experiment, '--resume', '--json'], {
        what: 'The training',
      });
      return JSON.parse(output);
    },
    ({ metrics: { testAccuracy } }) => (testAccuracy === undefined ? '' : `: ${(100 * testAccuracy).toFixed(2)} % right`),
  );
}

/**
 * @param {string} commandLine
 * @param {string} model
 */
async function report(commandLine, model) {
  const page = path.join(repository, 'reports', `${experiment}.html`);
  await mkdir(path.dirname(page), { recursive: true });
  await step(
    'Write the report',
    () =>
      runLogged([process.execPath, commandLine, 'report', model, '-o', page], {
        what: 'The report',
        logFile: path.join(repository, 'logs', 'report.log'),
      }),
    () => `: ${page}`,
  );
}
