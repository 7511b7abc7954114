import { beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { CancelledError } from '../../../../src/common/errors';
import { Emitter } from '../../../../src/common/event';
import type { EngineState } from '../../../../src/extension/engine';
import { ClaimOutcomes } from '../../../../src/extension/claims/claimOutcomes';
import { ExperimentStandings, type SourceChange, type SourceFile } from '../../../../src/extension/experiments/experimentStandings';
import type { ModelListChange } from '../../../../src/extension/models/modelList';
import type { SweepListChange } from '../../../../src/extension/sweeps/sweepList';
import type { ExperimentStanding, ExperimentText } from '../../../../src/protocol/engine';
import type { ModelSummary } from '../../../../src/protocol/model';
import { memory } from '../memory';
import { modelSummary } from '../models/models';

const one = '{ "name": "one" }';
const ready: EngineState = { kind: 'ready', info: { version: '1', processId: 1, analyses: [], tasks: [], experiments: [] } };

/** An engine that answers once it is told to, and files that change when they are told to. */
class Surroundings {
  readonly states = new Emitter<EngineState>();
  readonly modelChanges = new Emitter<ModelListChange>();
  readonly sweepChanges = new Emitter<SweepListChange>();
  readonly sourceChanges = new Emitter<SourceChange>();
  readonly files = new Map<string, SourceFile>();
  readonly models = new Map<string, ModelSummary>();
  readonly asked: string[] = [];
  readonly warnings: string[] = [];
  readonly told: string[] = [];
  readonly outcomes = new ClaimOutcomes(memory());
  cancelled = 0;
  /** Held until it is released. */
  gate: Promise<void> = Promise.resolve();
  answer: (text: string) => ExperimentStanding = () => ({ problems: [], trains: { id: 'm', name: 'one', seed: 0, steps: 10 } });
  readonly engine = {
    state: { kind: 'stopped' } as EngineState,
    onStateChange: this.states.event,
    request: async (_: unknown, { text }: ExperimentText, signal?: AbortSignal): Promise<never> => {
      this.asked.push(text);
      await this.gate;
      if (signal?.aborted) {
        this.cancelled++;
        throw new CancelledError();
      }
      return this.answer(text) as never;
    },
  };

  standings(): ExperimentStandings {
    const { files, models } = this;
    const made = new ExperimentStandings({
      engine: this.engine as never,
      models: { find: id => models.get(id), onChange: this.modelChanges.event },
      sweeps: { onChange: this.sweepChanges.event },
      outcomes: this.outcomes,
      sources: { onChange: this.sourceChanges.event, get all() { return [...files.values()]; }, get: file => files.get(file) },
      log: { warn: message => this.warnings.push(message) },
      textOf: ({ text }) => ({ text }),
    });
    onTestFinished(() => made.dispose());
    made.onChange(file => this.told.push(file));
    return made;
  }

  write(file: string, text: string, { isOpen = true, typed = false } = {}): void {
    this.files.set(file, { file, text, isOpen });
    this.sourceChanges.fire({ file, typed });
  }

  start(): void {
    this.engine.state = ready;
    this.states.fire(ready);
  }

  changed(model: ModelSummary, before?: ModelSummary): void {
    this.models.set(model.id, model);
    this.modelChanges.fire({ structure: !before, changed: [model], before: new Map(before && [[model.id, before]]), removed: [] });
  }
}

let around: Surroundings;
beforeEach(() => {
  around = new Surroundings();
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
});
/** Lets all that is waiting happen. */
const settle = () => vi.advanceTimersByTimeAsync(0);

describe('the engine is asked', () => {
  test('about a file in an editor at once, which may start it', async () => {
    const standings = around.standings();
    around.write('a', one);
    await settle();
    expect(around.asked).toEqual([one]);
    expect(standings.of('a')).toMatchObject({ standing: { trains: { id: 'm' } }, about: one });
    expect(around.told).toContain('a');
  });

  test('about other files only when somebody looks at them, and once it runs', async () => {
    around.files.set('a', { file: 'a', text: one, isOpen: false });
    const standings = around.standings();
    await settle();
    standings.want('a');
    await settle();
    expect(around.asked).toEqual([]);
    around.start();
    await settle();
    expect(around.asked).toEqual([one]);
    standings.want('a');
    await settle();
    expect(around.asked).toHaveLength(1);
  });

  test('when somebody rests from typing, about what they typed last', async () => {
    around.standings();
    around.write('a', one);
    await settle();
    for (const letter of 'xyz') {
      around.write('a', `{ "name": "${letter}" }`, { typed: true });
      await vi.advanceTimersByTimeAsync(100);
    }
    expect(around.asked).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(300);
    expect(around.asked.slice(1)).toEqual(['{ "name": "z" }']);
  });

  test('anew where the text changed while it was asked, whose answer then counts for nothing', async () => {
    let open = () => undefined as void;
    around.gate = new Promise(resolve => (open = resolve));
    const standings = around.standings();
    around.write('a', one);
    await settle();
    around.write('a', '{ "name": "two" }');
    open();
    await settle();
    expect(around.cancelled).toBe(1);
    expect(around.asked).toEqual([one, '{ "name": "two" }']);
    expect(standings.of('a')?.about).toBe('{ "name": "two" }');
    expect(around.warnings).toEqual([]);
  });

  test('again about a text that it is being asked about, which is answered nevertheless', async () => {
    const standings = around.standings();
    let open = () => undefined as void;
    around.gate = new Promise(resolve => { open = resolve; });
    around.write('a', one);
    await settle();
    around.sourceChanges.fire({ file: undefined, typed: false });
    open();
    await settle();
    expect(around.cancelled).toBe(0);
    expect(around.asked).toEqual([one, one]);
    expect(standings.of('a')?.about).toBe(one);
  });

  test('not about half a text, of which what was last said stays', async () => {
    const standings = around.standings();
    around.write('a', one);
    await settle();
    around.write('a', '{ "name": ', { typed: true });
    await vi.advanceTimersByTimeAsync(1000);
    expect(around.asked).toEqual([one]);
    expect(standings.of('a')?.about).toBe(one);
  });

  test('again when models come, go or end, all files in one round; not for every step of a training', async () => {
    around.standings();
    around.write('a', one);
    around.write('b', one);
    await settle();
    const training = modelSummary({ status: 'training', progress: { step: 1, steps: 10 } });
    around.changed(training);
    await settle();
    expect(around.asked).toHaveLength(4);
    for (let step = 2; step < 9; step++) around.changed({ ...training, progress: { step, steps: 10 } }, training);
    await vi.advanceTimersByTimeAsync(2000);
    expect(around.asked).toHaveLength(4);
    around.changed(modelSummary(), training);
    await vi.advanceTimersByTimeAsync(2000);
    expect(around.asked).toHaveLength(6);
  });
});

test('the model is shown as it is now, and each of its steps is told', async () => {
  const standings = around.standings();
  around.answer = () => ({ problems: [], trains: { id: 'm', name: 'one', seed: 0, steps: 10 }, model: modelSummary({ status: 'training', progress: { step: 1, steps: 10 } }) });
  around.write('a', one);
  await settle();
  const told = around.told.length;
  around.changed(modelSummary({ status: 'training', progress: { step: 4, steps: 10 } }), modelSummary({ status: 'training' }));
  expect(standings.of('a')?.standing.model?.progress.step).toBe(4);
  expect(around.told.length).toBeGreaterThan(told);
});

test('a file that is gone is forgotten, also while it is asked about', async () => {
  let open = () => undefined as void;
  around.gate = new Promise(resolve => (open = resolve));
  const standings = around.standings();
  around.write('a', one);
  await settle();
  around.files.delete('a');
  around.sourceChanges.fire({ file: 'a', typed: false });
  open();
  await settle();
  expect(standings.of('a')).toBeUndefined();
  expect(around.warnings).toEqual([]);
});

test('an engine that fails is said in the log, and the next file is asked about all the same', async () => {
  const standings = around.standings();
  around.answer = text => {
    if (text === one) throw new Error('It is down.');
    return { problems: [] };
  };
  around.write('a', one);
  around.write('b', '{}');
  await settle();
  expect(around.warnings).toEqual([expect.stringContaining('It is down.')]);
  expect(standings.of('b')?.standing).toEqual({ problems: [] });
});

test('claims come with what was last measured of them', async () => {
  const text = '{ "name": "one", "claims": [{ "claim": "it learns" }] }';
  const standings = around.standings();
  around.write('a', text);
  await settle();
  around.outcomes.keep('a', text, new Map([[0, { trained: 'm', model: 'm', measured: 1, expect: '> 0', ok: true, at: 0 }]]));
  expect(around.told.at(-1)).toBe('a');
  expect(standings.of('a')?.claims).toMatchObject([{ outcome: { ok: true }, isStale: false }]);
});
