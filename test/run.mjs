// Runs the tests, quick ones first:  npm test [-- SUITE…]
// Installs and builds what is missing. Runs on plain Node 20 with nothing installed.
import { existsSync } from 'node:fs';
import { mkdir, readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { CommandError, InterruptedError, runLogged, runShown } from './support/commands.mjs';
import { ensureCodeServer } from './support/installCodeServer.mjs';
import { ensureNpmPackages, toolsNode } from './support/npmPackages.mjs';
import { ensureExtensionPackage } from './support/products.mjs';
import { repository } from './support/repository.mjs';
import { formatTime, runToExitCode, step } from './support/steps.mjs';
import { ensureSystemPackages } from './support/systemPackages.mjs';

/** @typedef {{ passed: number, failed: number, skipped: number, failures: readonly string[] }} Counts */

/** @type {Counts} */
const nothing = { passed: 0, failed: 0, skipped: 0, failures: [] };

/** Suite → how it is run; in this order, so that what is quick fails first. @type {Record<string, () => Promise<Counts>>} */
const suites = {
  types: () => check('Check the types', ['node_modules/typescript/bin/tsc']),
  lint: () => check('Lint', ['node_modules/eslint/bin/eslint.js', '.']),
  unit: () => vitest('unit'),
  webview: () => vitest('webview'),
  vscode: async () => {
    await ensureExtensionPackage();
    await ensureCodeServer();
    return vitest('vscode');
  },
};

await runToExitCode(async () => {
  const chosen = chooseSuites(process.argv.slice(2));
  const began = performance.now();
  await ensureNpmPackages();
  await ensureSystemPackages();

  const results = [];
  for (const name of chosen) {
    const suiteBegan = performance.now();
    const counts = await countsOf(name);
    results.push({ name, counts, milliseconds: performance.now() - suiteBegan });
  }
  return summarize(results, performance.now() - began);
});

/** @param {string[]} words */
function chooseSuites(words) {
  const unknown = words.find(word => !(word in suites));
  if (unknown !== undefined) {
    throw new CommandError(`There is no suite "${unknown}"; there are ${Object.keys(suites).join(', ')}.`, 2);
  }
  return Object.keys(suites).filter(name => words.length === 0 || words.includes(name));
}

/** What fails on the way counts as one failure, and the other suites go on. @param {string} name */
async function countsOf(name) {
  try {
    return (await suites[name]?.()) ?? nothing;
  } catch (error) {
    if (error instanceof InterruptedError) throw error;
    console.error(error instanceof Error ? error.message : String(error));
    return { ...nothing, failed: 1 };
  }
}

/**
 * A program that finds fault or does not.
 * @param {string} title
 * @param {[string, ...string[]]} parameters
 */
async function check(title, parameters) {
  const [script] = parameters;
  await step(title, () =>
    runLogged([toolsNode(), ...parameters], {
      what: title,
      folder: repository,
      logFile: path.join(repository, 'logs', `${path.basename(script, '.js')}.log`),
    }),
  );
  return nothing;
}

/** Runs a project of vitest.config.mts. @param {string} project */
async function vitest(project) {
  console.log(`\n${project}`);
  const file = path.join(repository, 'logs', `${project}.json`);
  await mkdir(path.dirname(file), { recursive: true });
  await rm(file, { force: true });
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${file}`];
  const exitCode = await runShown(
    [toolsNode(), 'node_modules/vitest/vitest.mjs', 'run', '--project', project, ...reporters],
    { folder: repository },
  );
  if (!existsSync(file)) throw new Error(`The suite ${project} ended with exit code ${exitCode} before it could report.`);
  const { numPassedTests, numFailedTests, numPendingTests, numTodoTests, testResults } = JSON.parse(await readFile(file, 'utf8'));
  const counts = { passed: numPassedTests, failed: numFailedTests, skipped: numPendingTests + numTodoTests, failures: failuresIn(testResults) };
  if (counts.passed + counts.failed === 0) throw new Error(`The suite ${project} ran no test.`);
  // A file that cannot be loaded fails without a test, as does an error outside of the tests.
  return exitCode === 0 || counts.failed > 0 ? counts : { ...counts, failed: 1 };
}

/**
 * What failed, and why, in the results of vitest's JSON reporter.
 * @param {{ name: string, message: string, assertionResults: { fullName: string, status: string, failureMessages: string[] }[] }[]} files
 */
function failuresIn(files) {
  return files.flatMap(({ name, message, assertionResults }) => {
    const file = path.relative(repository, name);
    const failed = assertionResults.filter(({ status }) => status === 'failed');
    const tests = failed.map(({ fullName, failureMessages }) => `${file} › ${fullName}\n${failureMessages.join('\n')}`);
    return message !== '' && failed.length === 0 ? [`${file}\n${message}`] : tests;
  });
}

/**
 * Prints what failed once more, where a long output ends, and the summary, with the sums in the last line; returns the exit code.
 * @param {readonly { name: string, counts: Counts, milliseconds: number }[]} results
 * @param {number} milliseconds
 */
function summarize(results, milliseconds) {
  console.log();
  for (const { counts } of results) for (const failure of counts.failures) console.log(`✗ ${failure}\n`);
  const sum = { ...nothing };
  for (const { name, counts, milliseconds: time } of results) {
    sum.passed += counts.passed;
    sum.failed += counts.failed;
    sum.skipped += counts.skipped;
    const tests = counts.passed + counts.failed === 0 ? '' : `${text(counts)}, `;
    console.log(`${counts.failed === 0 ? '✓' : '✗'} ${name.padEnd(8)} ${tests}${formatTime(time)}`);
  }
  console.log(`All of it took ${formatTime(milliseconds)}.`);
  console.log(text(sum));
  return sum.failed === 0 ? 0 : 1;
}

/** @param {Omit<Counts, 'failures'>} counts */
function text({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed${skipped === 0 ? '' : `, ${skipped} skipped`}`;
}
