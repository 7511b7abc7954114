import assert from 'node:assert/strict';
import childProcess from 'node:child_process';
import { performance } from 'node:perf_hooks';
import process from 'node:process';
import { Script } from 'node:vm';
import * as vscode from 'vscode';

/** On a machine that compiles the text of `compile` in a twelfth of it, as usual ones do; a slower one has as much more. */
const millisecondsToActivate = 100;

/** Checks of the extension from inside the extension host, in this order: a later one finds what an earlier one did. */
const checks: Readonly<Record<string, (extension: vscode.Extension<unknown>) => Promise<void>>> = {
  async 'is not active before it is needed'(extension) {
    assert.equal(extension.isActive, false);
  },
  async 'activates quickly, and without starting the engine'(extension) {
    await untilIdle();
    const forks = await forksDuring(async () => {
      const compiling = await processorTime(async () => compile());
      const milliseconds = await processorTime(() => extension.activate());
      const limit = Math.max(millisecondsToActivate, 12 * compiling);
      assert.ok(milliseconds < limit, `it took ${milliseconds.toFixed(0)} ms, and ${limit.toFixed(0)} ms are the most`);
    });
    assert.deepEqual(forks, []);
  },
  async 'registers every command that it contributes'(extension) {
    const { contributes } = extension.packageJSON as { contributes: { commands: { command: string }[] } };
    const registered = await vscode.commands.getCommands(true);
    assert.deepEqual(contributes.commands.map(({ command }) => command).filter(command => !registered.includes(command)), []);
  },
  async 'starts the engine when a command asks for it'() {
    const forks = await forksDuring(async () => vscode.commands.executeCommand('circuits.refresh'));
    assert.equal(forks.length, 1);
    assert.match(forks[0] ?? '', /engine\.js$/);
  },
  async 'answers language models through its tools'(extension) {
    const { contributes } = extension.packageJSON as { contributes: { languageModelTools: { name: string; modelDescription: string }[] } };
    const offered = new Map(vscode.lm.tools.map(({ name, description }) => [name, description]));
    for (const { name, modelDescription } of contributes.languageModelTools) assert.equal(offered.get(name), modelDescription, name);
    const { content } = await vscode.lm.invokeTool('circuits_list_experiments', { input: {}, toolInvocationToken: undefined });
    const said = content.map(part => (part instanceof vscode.LanguageModelTextPart ? part.value : '')).join('');
    assert.match(said, /array-update/);
  },
};

/** Runs the checks. `@vscode/test-electron` calls it by its name, and takes what it throws as the failure. */
export async function run(): Promise<void> {
  const extension = vscode.extensions.getExtension('circuit-explorer.circuit-explorer');
  assert.ok(extension, 'The extension is not installed.');
  for (const [name, check] of Object.entries(checks)) {
    try {
      await check(extension);
    } catch (error) {
      throw new Error(`The extension ${name}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
    }
  }
}

/** Resolves when the host has done little for half a second: at its start it activates the extensions of VS Code. */
async function untilIdle(): Promise<void> {
  let quiet = 0;
  while (quiet < 10) {
    const before = performance.eventLoopUtilization();
    await new Promise(resolve => setTimeout(resolve, 50));
    quiet = performance.eventLoopUtilization(before).utilization < 0.1 ? quiet + 1 : 0;
  }
}

/** The host's processor time in milliseconds, since other processes may keep it waiting. */
async function processorTime(work: () => Thenable<unknown>): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

/** Compiles and runs about as much text as the extension has. */
function compile(): void {
  const functions = Array.from({ length: 3000 }, (_, at) => `(a, b) => { const made = { name: 'f${at}', value: a.map(each => each * ${at} + b) }; return made.value.length > ${at} ? made : undefined; }`);
  new Script(`[${functions.join(',\n')}].map(each => ({ each, name: each.name }));`).runInThisContext();
}

/** The modules that are forked meanwhile; it shares the host's `child_process` with the extension. */
async function forksDuring(work: () => Thenable<void>): Promise<readonly string[]> {
  const forks: string[] = [];
  const { fork } = childProcess;
  childProcess.fork = new Proxy(fork, {
    apply(target, self, parameters: Parameters<typeof fork>) {
      forks.push(String(parameters[0]));
      return Reflect.apply(target, self, parameters) as ReturnType<typeof fork>;
    },
  });
  try {
    await work();
  } finally {
    childProcess.fork = fork;
  }
  return forks;
}
