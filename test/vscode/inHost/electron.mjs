// Runs the suite in a desktop VS Code, which it downloads:  npm run test:electron
import path from 'node:path';
import { ensureNpmPackages } from '../../support/npmPackages.mjs';
import { ensureBundles } from '../../support/products.mjs';
import { repository } from '../../support/repository.mjs';
import { runToExitCode } from '../../support/steps.mjs';

await runToExitCode(async () => {
  await ensureNpmPackages();
  await ensureBundles();
  const { runTests } = await import('@vscode/test-electron');
  const { bundleForHost } = await import('./bundle.mjs');
  const extensionTestsPath = path.join(repository, '.vscode-test', 'in-host', 'suite.js');
  await bundleForHost('test/vscode/inHost/suite.ts', extensionTestsPath);
  return runTests({ extensionDevelopmentPath: repository, extensionTestsPath, launchArgs: ['--disable-extensions'] });
});
