import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { CallToolResultSchema } from '@modelcontextprotocol/sdk/types.js';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { toolNames, tools } from '../../../src/protocol/tools';
import { Store } from '../../../src/store/store';
import { buildBundles, trainerEntryPoints, type Bundles } from '../../support/bundles';
import { eventually } from '../../support/eventually';
import { ended, isRunning } from '../../support/processes';
import { tinyExperiment } from '../engine/experiments';
import { runHere } from './commandLine';

const claims = [
  { claim: 'it learns', analysis: 'training-curves', scalar: 'trainLoss', expect: '< 100' },
  { claim: 'it flies', analysis: 'training-curves', scalar: 'trainLoss', expect: '< 0' },
];

describe('circuits mcp', () => {
  let bundles: Bundles;
  let folder: string;
  let store: string;
  let id: string;

  beforeAll(async () => {
    // A trainer that only counts: what is tested here is who is told of it.
    bundles = await buildBundles({ cli: 'src/cli/main.ts', mcp: 'src/cli/mcpServer.ts', trainer: 'test/unit/engine/fakeTrainer.ts', taskModule: trainerEntryPoints.taskModule });
    folder = await mkdtemp(path.join(tmpdir(), 'mcp-'));
    store = path.join(folder, 'store');
    await mkdir(path.join(folder, 'studies'));
    await writeFile(path.join(folder, 'studies', 'tiny.circuit.json'), JSON.stringify({ ...JSON.parse(tinyExperiment({ description: 'A small one.' })), claims }));
    await writeFile(path.join(folder, 'long.circuit.json'), tinyExperiment({ name: 'long', steps: 1_000_000 }));
    const { out } = await runHere(bundles.folder, ['train', path.join(folder, 'studies', 'tiny.circuit.json'), '--store', store, '--json']);
    id = JSON.parse(out).id;
  });
  afterAll(async () => {
    await bundles.dispose();
    await rm(folder, { recursive: true });
  });

  async function connect(...words: readonly string[]) {
    const transport = new StdioClientTransport({
      command: process.execPath, args: [path.join(bundles.folder, 'cli.js'), 'mcp', '--store', store, ...words], cwd: folder, stderr: 'pipe',
    });
    const lines: string[] = [];
    transport.stderr?.on('data', (chunk: Buffer) => lines.push(...chunk.toString().split('\n')));
    const messagesEnded = transport.stderr && once(transport.stderr, 'end');
    const client = new Client({ name: 'a test', version: '1' });
    await client.connect(transport);
    onTestFinished(() => client.close());
    return {
      client,
      lines,
      messagesEnded,
      processId: transport.pid ?? 0,
      async call(name: string, input: Record<string, unknown> = {}) {
        const { content: [first], isError = false } = CallToolResultSchema.parse(await client.callTool({ name, arguments: input }));
        return { text: first?.type === 'text' ? first.text : '', isError };
      },
    };
  }

  test('offers what only reads, and what changes something where that is allowed', async () => {
    const { client: reading } = await connect();
    const offered = (await reading.listTools()).tools;
    expect(offered.map(({ name }) => name)).toEqual(['list_models', 'show_model', 'list_analyses', 'list_experiments', 'run_analysis', 'verify_claims']);
    for (const tool of offered) expect(tool).toMatchObject({ inputSchema: { type: 'object', additionalProperties: false }, annotations: { readOnlyHint: true, destructiveHint: false } });
    expect(offered.find(({ name }) => name === 'run_analysis')?.inputSchema).toMatchObject({ required: ['model', 'analysis'], properties: { checkpoint: { type: 'integer' } } });

    const { client: training } = await connect('--allow-training');
    const all = (await training.listTools()).tools;
    expect(all.map(({ name }) => name)).toEqual(toolNames);
    for (const { name, annotations } of all) expect(annotations?.readOnlyHint).toBe(!tools[toolNames.find(each => each === name) ?? 'list_models'].changes);
  });

  test('says nothing of a call that was cancelled', async () => {
    const { client, lines, processId, messagesEnded } = await connect();
    const cancelled = new AbortController();
    const called = client.callTool({ name: 'run_analysis', arguments: { model: id, analysis: 'ablation' } }, undefined, { signal: cancelled.signal });
    cancelled.abort();
    await expect(called).rejects.toThrow();
    await client.callTool({ name: 'run_analysis', arguments: { model: id, analysis: 'attention' } });
    await client.close();
    await ended(processId);
    await messagesEnded;
    expect(lines.filter(line => line !== '')).toEqual([]);
  });

  test('lists models and experiments, and shows what a model is made of', async () => {
    const { call } = await connect();
    expect((await call('list_models')).text).toMatch(new RegExp(`^id .*name.*\\n${id} +tiny +modular-arithmetic .*finished`));
    const experiments = (await call('list_experiments')).text;
    expect(experiments).toMatch(/^modular-subtraction +11 +One layer groks subtraction/m);
    expect(experiments).toMatch(/^studies\/tiny\.circuit\.json +2 +A small one\.$/m);
    const shown = (await call('show_model', { model: 'tiny' })).text;
    expect(shown).toContain(`tiny (${id}), finished, step 20 of 20, seed 0\ntask: modular-arithmetic`);
    expect(shown).toContain('\ncheckpoints: 10 20\n');
    expect(shown).toMatch(/\npositions: a b = ?[^\n]*; answers are at 2\n/);
    expect(shown).toMatch(/\nblocks\.0\.attn\.W_Q +\[2, 8, 4\] +yes\n/);
    expect((await call('list_analyses', { model: id })).text).toMatch(/^Training:\n\ntraining-curves\n[^]*→ trainLoss: /);
  });

  test('runs an analysis at a checkpoint, and says what it cut of a large figure', async () => {
    const { call } = await connect();
    const { text, isError } = await call('run_analysis', { model: 'tiny', analysis: 'attention', params: { examples: 3 }, checkpoint: 10 });
    expect(isError).toBe(false);
    expect(text).toMatch(new RegExp(`^attention of tiny \\(${id}\\) at step 10\\n\\nscalar +value\\nentropy +\\d`));
    expect(text).toMatch(/\ndestination +L0H0 +L0H1\n0 a /);
    const here = JSON.parse((await runHere(bundles.folder, ['analyze', 'tiny', 'attention', '--param', 'examples=3', '--checkpoint', '10', '--store', store, '--json'])).out);
    expect(Number(/entropy +([\d.]+)/.exec(text)?.[1])).toBeCloseTo(here.scalars.entropy, 3);

    const curves = (await call('run_analysis', { model: 'tiny', analysis: 'training-curves' })).text;
    expect(curves).not.toContain('Cut:');
    await runHere(bundles.folder, ['train', 'list-copy', '--steps', '10', '--store', store]);
    const large = (await call('run_analysis', { model: 'list-copy', analysis: 'ov-circuit' })).text;
    expect(large).toMatch(/\nCut: shown are the first 30 of 101 rows, and the first 16 of 102 columns\./);
  });

  test('verifies what is trained, and trains nothing for it', async () => {
    const { call } = await connect();
    const verified = (await call('verify_claims', { experiment: 'studies/tiny.circuit.json' })).text;
    expect(verified).toMatch(new RegExp(`^tiny \\(${id}\\), seed 0\\n[^\\n]*\\n✓ +it learns +[\\d.]+ +< 100\\n✗ +it flies +[\\d.]+ +< 0\\n\\n1 of 2 claims hold\\.$`));
    expect((await call('verify_claims', { experiment: 'studies/tiny.circuit.json', claims: [1] })).text).toContain('\n\n0 of 1 claim holds.');
    expect((await call('verify_claims', { experiment: 'studies/tiny.circuit.json', seed: 8 })).text).toContain('"tiny" (seed 8) is not trained yet.');
    expect((await (await Store.open(store)).list()).every(({ experiment }) => experiment.seed !== 8)).toBe(true);
  });

  test.each([
    ['show_model', { model: 'tinny' }, 'There is no model "tinny"; the nearest is "tiny".'],
    ['run_analysis', { model: 'tiny', analysis: 'atention' }, /^There is no analysis "atention"; the nearest [^\n]*"attention"/],
    ['run_analysis', { model: 'tiny', analysis: 'attention', params: { exampels: 2 } }, /^There is no parameter [^\n]*"exampels"[^\n]*"examples"/],
    ['run_analysis', { model: 'tiny', analysis: 'attention', checkpoint: 11 }, /^"tiny" has no checkpoint at step 11; /],
    ['run_analysis', { model: 'tiny' }, 'run_analysis needs analysis.'],
    ['show_model', { modle: 'tiny' }, 'There is no input of show_model called "modle"; the nearest is "model".'],
    ['show_model', { model: 7 }, /^The input "model" of show_model is wrong: /],
    ['verify_claims', { experiment: 'modular-substraction' }, /^There is no experiment "modular-substraction"; the nearest [^\n]*"modular-subtraction"/],
    ['verify_claims', { experiment: 'studies/tinny.circuit.json' }, /^There is no experiment file [^\n]*tinny[^\n]*nearest [^\n]*tiny\.circuit\.json/],
    ['verify_claims', { experiment: 'studies/tiny.circuit.json', claims: [2] }, 'This experiment has no claim 2, counted from 0.'],
    ['verify_claims', { experiment: 'studies/tiny.circuit.json', claims: [] }, /^The input "claims" of verify_claims is wrong: /],
    ['list_model', {}, /^There is no tool "list_model"; the nearest [^\n]*"list_models"/],
    ['start_training', { experiment: 'long.circuit.json' }, 'This server only reads; start_training is there where it is started with --allow-training.'],
  ])('answers %s %j with an error for people', async (name, input, sentence) => {
    const { call, lines } = await connect();
    const { text, isError } = await call(name, input);
    expect(isError).toBe(true);
    expect(text).toMatch(sentence);
    expect(lines.join('')).toBe('');
  });

  test('runs code of the folder only where it may train', async () => {
    await cp(path.join(import.meta.dirname, '..', '..', '..', 'media', 'task-module'), path.join(folder, 'parity'), { recursive: true });
    const verifying = ['verify_claims', { experiment: 'parity/parity.circuit.json' }] as const;
    const { call } = await connect();
    expect(await call(...verifying)).toEqual({ isError: true, text: expect.stringMatching(/runs only in a trusted workspace\.$/) });
    const { call: allowed } = await connect('--allow-training');
    expect((await allowed(...verifying)).text).toMatch(/is not trained yet|makes no claims/);
  });

  test('starts and stops a training where that is allowed', async () => {
    const { call } = await connect('--allow-training');
    expect((await call('start_training', { experiment: 'studies/tiny.circuit.json' })).text).toBe(`"tiny" (${id}) is trained already.`);
    const { text } = await call('start_training', { experiment: 'long.circuit.json', seed: 4 });
    expect(text).toMatch(/^"long" \([0-9a-f]{16}\) is being trained, step [\d\s]+ of 1\s000\s000; show_model tells how far it is\.$/);
    expect((await call('start_training', { experiment: 'long.circuit.json', seed: 4 })).text).toContain('is being trained already');
    expect((await call('stop_training', { model: 'long' })).text).toMatch(/is stopped at step [\d\s]+ of [\d\s]+, and keeps what it has learned\.$/);
    expect((await call('stop_training', { model: 'long' }))).toEqual({ isError: true, text: '"long" is not being trained.' });
    expect((await call('start_training', { experiment: 'long.circuit.json', seed: 4 })).text).toContain('goes on from there');
  });

  test('ends when its input does, and leaves no process and a model that can go on', async () => {
    const { call, client, lines, processId } = await connect('--allow-training');
    const { text } = await call('start_training', { experiment: 'long.circuit.json', seed: 5 });
    const trainer = await eventually('the number of its process', () => Promise.resolve(/: trainer (\d+)/.exec(lines.join('\n'))?.[1]));
    expect(await isRunning(Number(trainer))).toBe(true);
    await client.close();
    await ended(processId);
    await ended(Number(trainer));
    const [model = ''] = /[0-9a-f]{16}/.exec(text) ?? [];
    expect(await (await Store.open(store)).summary(await (await Store.open(store)).read(model))).toMatchObject({ status: 'stopped', resumable: true });
  });

  test('writes nothing but the protocol on standard output, whatever it reads', async () => {
    const server = spawn(process.execPath, [path.join(bundles.folder, 'cli.js'), 'mcp', '--store', store, '--allow-training'], { cwd: folder, stdio: ['pipe', 'pipe', 'pipe'] });
    const [out, err] = [text(server.stdout), text(server.stderr)];
    const say = (message: object) => server.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
    say({ id: 1, method: 'initialize', params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'raw', version: '1' } } });
    say({ method: 'notifications/initialized' });
    server.stdin.write('this is no message\n');
    say({ id: 2, method: 'tools/call', params: { name: 'start_training', arguments: { experiment: 'studies/tiny.circuit.json', seed: 6 } } });
    await once(server.stdout, 'data');
    await eventually('the trained model', async () => ((await (await Store.open(store)).list()).some(({ experiment, status }) => experiment.seed === 6 && status === 'finished') ? true : undefined));
    server.stdin.end();
    const [code] = await once(server, 'exit');
    expect(code, await err).toBe(0);
    const messages = (await out).trim().split('\n').map(line => JSON.parse(line));
    expect(messages.map(({ id }) => id)).toEqual([1, 2]);
    expect(messages[1].result.content[0].text).toContain('is being trained');
    expect(await err).toMatch(/JSON/);
  });
});
