import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { CancelledError, UserError } from '../../../src/common/errors';
import { ConfigError, TooLongError, UntrainedOriginError } from '../../../src/extension/refusals';
import { analysisProgress, analyze, getModel, listModels, renameModel, startSweep, train } from '../../../src/protocol/engine';
import { Engine, forkEngine, type EngineState } from '../../../src/extension/engine';
import { buildFakeEngine } from '../../support/buildFakeEngine';

let folder: string;
let engineFile: string;
let broken: string;
let silent: string;
const engines: Engine[] = [];

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'circuits-engine-'));
  engineFile = await buildFakeEngine(folder);
  broken = path.join(folder, 'broken.js');
  await writeFile(broken, 'throw new Error("broken bundle");');
  silent = path.join(folder, 'silent.js');
  await writeFile(silent, 'process.on("message", () => undefined);');
});
afterEach(() => engines.splice(0).forEach(engine => engine.dispose()));
afterAll(() => rm(folder, { recursive: true }));

interface Started {
  readonly engine: Engine;
  readonly lines: string[];
  readonly states: EngineState['kind'][];
  forks(): number;
}

function engineOn(file: string, store = '/models', patience = 20_000): Started {
  const lines: string[] = [];
  let forks = 0;
  const write = (line: string) => void lines.push(line);
  const engine = new Engine({
    fork() {
      forks++;
      return forkEngine(file);
    },
    settings: () => ({ store, device: 'auto', threads: 0, trusted: true }),
    log: { trace: write, info: write, warn: write, error: write },
    now: () => 0,
    patience,
  });
  engines.push(engine);
  const states: EngineState['kind'][] = [];
  engine.onStateChange(state => states.push(state.kind));
  return { engine, lines, states, forks: () => forks };
}

/** Resolves when the engine has come to `kind`. */
function reaches(engine: Engine, kind: EngineState['kind']): Promise<EngineState> {
  return new Promise(resolve => {
    const listening = engine.onStateChange(state => {
      if (state.kind !== kind) return;
      listening.dispose();
      resolve(state);
    });
  });
}

function processIdOf({ state }: Engine): number {
  if (state.kind !== 'ready') throw new Error(`the engine is ${state.kind}`);
  return state.info.processId;
}

describe('the engine', () => {
  test('starts at the first request, once for all that come together', async () => {
    const { engine, states, forks } = engineOn(engineFile);
    expect(forks()).toBe(0);
    const answers = await Promise.all([engine.request(listModels), engine.request(listModels)]);
    expect(answers).toEqual([[], []]);
    expect(forks()).toBe(1);
    expect(states).toEqual(['starting', 'ready']);
  });

  test('carries typed arrays as they are, and progress before the answer', async () => {
    const { engine } = engineOn(engineFile);
    const { model } = await engine.request(train, { experiment: { bundled: 'array-update' } });
    const fractions: number[] = [];
    const request = { model: model.id, analysis: 'attention', params: {}, progress: 'a' };
    const result = await engine.requestWithProgress(analyze, request, {
      type: analysisProgress, token: 'a', listener: ({ fraction }) => fractions.push(fraction),
    });
    const [figure] = result.figures;
    expect(figure?.kind === 'attention' && figure.heads[0]?.pattern).toBeInstanceOf(Float32Array);
    expect(figure?.kind === 'attention' && figure.heads[0]?.pattern[4]).toBe(0.75);
    expect(fractions).toEqual([0.5]);
  });

  test("tells the user's mistakes from its own", async () => {
    const { engine } = engineOn(engineFile);
    const refused = engine.request(train, { experiment: { bundled: 'refuse' } });
    await expect(refused).rejects.toThrow(new UserError('There is no experiment "refuse".'));
    await expect(refused).rejects.toBeInstanceOf(UserError);
    const defect = engine.request(train, { experiment: { bundled: 'defect' } });
    await expect(defect).rejects.toThrow('undefined is not a function');
    await expect(defect).rejects.not.toBeInstanceOf(UserError);
  });

  test('tells that more has to be said of a config', async () => {
    const { engine } = engineOn(engineFile);
    await expect(engine.request(train, { experiment: { bundled: 'unconfigured' } })).rejects.toBeInstanceOf(ConfigError);
  });

  test('tells refusals to train that can be answered', async () => {
    const { engine } = engineOn(engineFile);
    const asked = (bundled: string) => engine.request(train, { experiment: { bundled } });
    await expect(asked('slow')).rejects.toBeInstanceOf(TooLongError);
    await expect(asked('untrained')).rejects.toMatchObject({ message: 'It starts from "base".', origin: { id: 'b', name: 'base' } });
    await expect(asked('untrained')).rejects.toBeInstanceOf(UntrainedOriginError);
  });

  test('throws a cancellation for what was cancelled', async () => {
    const { engine } = engineOn(engineFile);
    const { model } = await engine.request(train, { experiment: { bundled: 'array-update' } });
    const abort = new AbortController();
    const running = engine.request(analyze, { model: model.id, analysis: 'attention', params: {} }, abort.signal);
    abort.abort();
    await expect(running).rejects.toBeInstanceOf(CancelledError);
  });

  test('forwards changes of models', async () => {
    const { engine } = engineOn(engineFile);
    const { model } = await engine.request(train, { experiment: { bundled: 'array-update' } });
    const named = new Promise(resolve => {
      engine.onModelsChanged(({ changed }) => changed.forEach(({ name }) => name === 'mine' && resolve(name)));
    });
    await engine.request(renameModel, { model: model.id, name: 'mine' });
    await expect(named).resolves.toBe('mine');
  });

  test('forwards changes of sweeps', async () => {
    const { engine } = engineOn(engineFile);
    const changed = new Promise(resolve => { engine.onSweepChanged(({ summary, rows }) => resolve([summary.name, rows.length])); });
    await engine.request(startSweep, { experiment: { bundled: 'seeds' }, options: { executor: 'local', parallel: 1 } });
    await expect(changed).resolves.toEqual(['seeds', 1]);
  });

  test('comes back after a crash, and rejects what was being asked', async () => {
    const { engine, forks } = engineOn(engineFile);
    await engine.start();
    const first = processIdOf(engine);
    const back = reaches(engine, 'ready');
    await expect(engine.request(train, { experiment: { bundled: 'crash' } })).rejects.toThrow('The engine ended before it answered.');
    await back;
    expect(processIdOf(engine)).not.toBe(first);
    expect(forks()).toBe(2);
  });

  test('gives up after four restarts in three minutes, and starts again when told to', async () => {
    const { engine, forks, lines } = engineOn(broken);
    await expect(engine.start()).rejects.toThrow('The engine ended 5 times within 3 minutes');
    expect(forks()).toBe(5);
    expect(engine.state.kind).toBe('failed');
    expect(lines.join('\n')).toContain('broken bundle');
    await expect(engine.request(listModels)).rejects.toBeInstanceOf(UserError);
    expect(forks()).toBe(5);
    await expect(engine.restart()).rejects.toBeInstanceOf(UserError);
    expect(forks()).toBe(10);
  });

  test('does not try again by itself what the engine refuses', async () => {
    const { engine, forks } = engineOn(engineFile, '/refuse');
    await expect(engine.request(listModels)).rejects.toThrow('The models folder cannot be written.');
    expect(forks()).toBe(1);
    expect(engine.state).toEqual({ kind: 'failed', problem: 'The models folder cannot be written.' });
  });

  test('does not wait for ever for one that does not answer', async () => {
    const { engine, forks } = engineOn(silent, '/models', 100);
    await expect(engine.start()).rejects.toThrow('The engine does not answer');
    expect([forks(), engine.state.kind]).toEqual([1, 'failed']);
  });

  test('a restart while it starts serves those who wait', async () => {
    const { engine } = engineOn(engineFile);
    const waiting = engine.request(listModels);
    await engine.restart();
    await expect(waiting).resolves.toEqual([]);
  });

  test('ends its process when disposed, and starts no other', async () => {
    const { engine, forks } = engineOn(engineFile);
    await engine.start();
    const processId = processIdOf(engine);
    const asked = engine.request(getModel, { model: 'x' });
    engine.dispose();
    await expect(asked).rejects.toThrow();
    await expect(engine.request(listModels)).rejects.toBeInstanceOf(CancelledError);
    await expect.poll(() => isAlive(processId)).toBe(false);
    expect(forks()).toBe(1);
  });
});

function isAlive(processId: number): boolean {
  try {
    return process.kill(processId, 0);
  } catch {
    return false;
  }
}
