import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { runForOutput, runLogged } from '../../support/commands.mjs';
import { repository } from '../../support/repository.mjs';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'circuits-commands-'));
});

afterEach(() => rm(folder, { recursive: true, force: true }));

const node = (script: string): [string, ...string[]] => [process.execPath, '--input-type=module', '--eval', script];

describe('a logged command', () => {
  test('leaves what it printed in the log, in a folder that is made for it', async () => {
    const logFile = path.join(folder, 'logs', 'greeting.log');
    await runLogged(node('console.log("out"); console.error("err")'), { what: 'Greeting', logFile });
    expect(await readFile(logFile, 'utf8')).toBe('out\nerr\n');
  });

  test('that fails says so with its exit code and the end of the log', async () => {
    const logFile = path.join(folder, 'greeting.log');
    const script = 'for (let line = 0; line < 100; line++) console.log(`line ${line}.`); process.exitCode = 3';
    const failure = runLogged(node(script), { what: 'Greeting', logFile });
    await expect(failure).rejects.toMatchObject({
      exitCode: 3,
      message: expect.stringMatching(/^Greeting failed with exit code 3; the end of .*greeting\.log:\nline 70\.[^]*line 99\.$/),
    });
  });

  test('that is not there says so', async () => {
    const failure = runLogged([path.join(folder, 'nothing')], { what: 'Nothing', logFile: path.join(folder, 'log') });
    await expect(failure).rejects.toMatchObject({ exitCode: 127, message: expect.stringContaining('cannot be started') });
  });
});

test('a command that is run for its output gives what it prints on standard output', async () => {
  expect(await runForOutput(node('console.log("grüß", "dich")'), { what: 'Greeting' })).toBe('grüß dich\n');
});

test('a program that is terminated ends its command first, and then itself', async () => {
  const commands = pathToFileURL(path.join(repository, 'test', 'support', 'commands.mjs')).href;
  const steps = pathToFileURL(path.join(repository, 'test', 'support', 'steps.mjs')).href;
  const command = node('console.log(process.pid); setInterval(() => {}, 1000)');
  const program = spawn(process.execPath, node(`
    import { runShown } from ${JSON.stringify(commands)};
    import { runToExitCode } from ${JSON.stringify(steps)};
    await runToExitCode(() => runShown(${JSON.stringify(command)}));
  `).slice(1));
  const ended = once(program, 'close');
  const [pid] = await once(createInterface({ input: program.stdout }), 'line');
  program.kill('SIGTERM');
  expect(await ended).toEqual([143, null]);
  expect(() => process.kill(Number(pid), 0)).toThrow('ESRCH');
});
