import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import * as v from 'valibot';
import { CancelledError, UserError } from '../../../../src/common/errors';
import { Emitter } from '../../../../src/common/event';
import { distinctName } from '../../../../src/extension/distinctName';
import { HeadSelections } from '../../../../src/extension/models/headSelections';
import type { ModelListChange } from '../../../../src/extension/models/modelList';
import { PanelSession } from '../../../../src/extension/panels/panelSession';
import { SharedCheckpoints } from '../../../../src/extension/panels/sharedCheckpoints';
import type { AnalysisInfo, AnalysisRequest, AnalysisResult } from '../../../../src/protocol/analysis';
import { applicableAnalyses, getCode, getWords } from '../../../../src/protocol/engine';
import { ClaimSchema } from '../../../../src/protocol/experiment';
import type { Figure } from '../../../../src/protocol/figure';
import type { ModelSummary, ModelWords } from '../../../../src/protocol/model';
import type { PanelState, ToPanel } from '../../../../src/protocol/panel';
import { memory } from '../memory';
import { modelDetails, modelSummary } from '../models/models';

/** One analysis that the engine was asked for, to be answered by the test. */
interface Asked {
  readonly request: AnalysisRequest;
  readonly signal: AbortSignal | undefined;
  progress(value: { readonly fraction: number; readonly partial?: AnalysisResult }): void;
  answer(result: AnalysisResult): Promise<void>;
  refuse(error: Error): Promise<void>;
}

const attention: AnalysisInfo = {
  id: 'attention', title: 'Attention', description: '', group: 'Attention', scalars: { step: 'steps done' }, badges: false, live: false, atCheckpoint: true,
  params: {
    prompt: { kind: 'prompt', title: 'Prompt', description: '', default: '' },
    head: { kind: 'head', title: 'Head', description: '', default: '' },
  },
};
const curves: AnalysisInfo = { ...attention, id: 'training-curves', title: 'Training curves', params: {}, atCheckpoint: false };
const words: ModelWords = { positions: ['BOS', '0'], answerPositions: [1], vocabulary: ['BOS', 'a'], corruptions: ['swap'] };
const figure: Figure = { kind: 'table', title: 'Weights', columns: [], rows: [] };
const result = (step: number): AnalysisResult => ({ figures: [], scalars: { step } });
/** Lets everything that waits for an answered promise go on. */
async function settle(): Promise<void> {
  await vi.advanceTimersByTimeAsync(0);
}

interface Opening {
  readonly live?: boolean;
  readonly checkpoint?: number;
  readonly params?: PanelState['params'];
  /** Given where panels are to be linked. */
  readonly checkpoints?: SharedCheckpoints;
  /** What the engine answers who asks for code. */
  readonly coded?: (request: unknown) => { readonly code: string };
}

function opened({ live = false, checkpoint, params = {}, checkpoints = new SharedCheckpoints(), coded = () => ({ code: '' }) }: Opening = {}) {
  const asked: Asked[] = [];
  const requested: unknown[] = [];
  const sent: ToPanel[] = [];
  const titles: string[] = [];
  const saved: unknown[] = [];
  const others: PanelState[] = [];
  const copied: { readonly what: string; readonly text: string; readonly said: string }[] = [];
  const remembered: PanelState[] = [];
  const shown: unknown[] = [];
  const warnings: string[] = [];
  const comparisons = { count: 0 };
  const changes = new Emitter<ModelListChange>();
  const selections = new HeadSelections(memory());
  let model = modelSummary();
  const namesakes: ModelSummary[] = [];
  const engine = {
    start: async () => ({ analyses: [{ ...attention, live }, curves] }),
    request: async (type: unknown, asked?: unknown) => {
      requested.push(type);
      if (type === getCode) return coded(asked);
      return type === getWords ? words : type === applicableAnalyses ? [attention, curves] : undefined;
    },
    requestWithProgress: (_type: unknown, request: AnalysisRequest, progress: { listener: Asked['progress'] }, signal?: AbortSignal) =>
      new Promise((resolve, reject) => {
        signal?.addEventListener('abort', () => reject(new CancelledError()));
        asked.push({
          request, signal,
          progress: value => progress.listener(value),
          answer(answer) {
            resolve(answer);
            return settle();
          },
          refuse(error) {
            reject(error);
            return settle();
          },
        });
      }),
  };
  const session = new PanelSession({ model: 'm', analysis: 'attention', params, ...(checkpoint === undefined ? {} : { checkpoint }) }, {
    engine: engine as never,
    models: {
      find: () => model,
      nameOf: ({ name }) => distinctName({ id: 'm', name }, namesakes),
      get: async () => model,
      details: async () => modelDetails({ layers: 1, heads: 1, attentionOnly: true, checkpoints: [5] }),
      onChange: changes.event,
    },
    selections,
    checkpoints,
    send: message => sent.push(message),
    title: title => titles.push(title),
    save: (...all) => saved.push(all),
    compare: () => void comparisons.count++,
    open: state => others.push(state),
    copy: (what, text, said) => copied.push({ what, text, said }),
    remember: state => remembered.push(state),
    show: error => shown.push(error),
    explain: error => `defect: ${String(error)}`,
    warn: message => warnings.push(message),
  });
  const change = async (now: Partial<ModelSummary>) => {
    const before = model;
    model = modelSummary(now);
    changes.fire({ structure: false, changed: [model], before: new Map([['m', before]]), removed: [] });
    await settle();
  };
  const kinds = () => sent.splice(0).map(({ kind }) => kind);
  const last = (): Asked => {
    const newest = asked.at(-1);
    if (!newest) throw new Error('no analysis was asked for');
    return newest;
  };
  const ready = async () => {
    session.receive({ kind: 'ready' });
    await settle();
  };
  const name = async (other: ModelSummary) => {
    namesakes.splice(0, 1, other);
    changes.fire({ structure: true, changed: [other], before: new Map(), removed: [] });
    await settle();
  };
  return { name, comparisons, others, copied, remembered, shown, session, asked, requested, sent, titles, saved, warnings, changes, selections, change, kinds, last, ready };
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('a panel', () => {
  test('is shown what there is to know once it is ready, then the result', async () => {
    const { session, kinds, last, ready, titles, asked, sent } = opened();
    await settle();
    expect([asked.length, sent]).toEqual([1, []]);
    await ready();
    expect(asked).toHaveLength(1);
    expect(sent[0]).toEqual({
      kind: 'show', state: { model: 'm', analysis: 'attention', params: {} }, analysis: attention, model: modelSummary(), words,
      applicable: [attention, curves], checkpoints: [5],
    });
    expect(kinds()).toEqual(['show', 'working']);
    last().progress({ fraction: 0.5, partial: result(1) });
    await last().answer(result(2));
    expect(sent).toMatchObject([{ kind: 'working', fraction: 0.5 }, { kind: 'result', partial: true }, { kind: 'result', result: result(2), partial: false }]);
    expect(titles.at(-1)).toBe('Attention: array-update');
    expect(session.figures).toEqual([]);
  });

  test('has a title of its own also among models of one name, from when there are some', async () => {
    const { name, titles } = opened();
    await settle();
    await name(modelSummary({ id: 'another' }));
    expect(titles).toEqual(['Attention: array-update', 'Attention: array-update (m)']);
    await name(modelSummary({ id: 'another', name: 'renamed' }));
    expect(titles.at(-1)).toBe('Attention: array-update');
  });

  test('cancels what it asked for when it asks for something else, and drops what still comes', async () => {
    const { session, kinds, asked, ready, sent } = opened();
    await ready();
    session.receive({ kind: 'change', params: { prompt: 'a b' }, checkpoint: 5 });
    await settle();
    expect(asked.map(({ signal }) => signal?.aborted)).toEqual([true, false]);
    expect(asked[1]?.request).toMatchObject({ params: { prompt: 'a b' }, checkpoint: 5 });
    expect(session.state).toEqual({ model: 'm', analysis: 'attention', params: { prompt: 'a b' }, checkpoint: 5 });
    kinds();
    asked[0]?.progress({ fraction: 1 });
    await asked[0]?.answer(result(0));
    expect(sent).toEqual([]);
    await asked[1]?.answer(result(1));
    expect(kinds()).toEqual(['result']);
  });

  test('is told what is wrong, in the words of the engine or of a defect', async () => {
    const { session, last, ready, sent } = opened();
    await ready();
    await last().refuse(new UserError('"x" is not in the vocabulary.'));
    expect(sent.at(-1)).toEqual({ kind: 'problem', message: '"x" is not in the vocabulary.' });
    session.receive({ kind: 'change', params: {} });
    await last().refuse(new TypeError('oops'));
    expect(sent.at(-1)).toEqual({ kind: 'problem', message: 'defect: TypeError: oops' });
  });

  test('is told what went wrong before it was ready', async () => {
    const { last, ready, sent, asked } = opened();
    await settle();
    await last().refuse(new UserError('too early'));
    await ready();
    expect(asked).toHaveLength(2);
    await last().refuse(new UserError('"x" is not in the vocabulary.'));
    expect(sent.at(-1)).toEqual({ kind: 'problem', message: '"x" is not in the vocabulary.' });
  });

  test('can be cancelled', async () => {
    const { session, last, ready, kinds } = opened();
    await ready();
    kinds();
    session.receive({ kind: 'cancel' });
    await settle();
    expect(last().signal?.aborted).toBe(true);
    expect(kinds()).toEqual(['problem']);
  });

  test('says which analyses there are when its own is gone', async () => {
    const panel = opened();
    const other = new PanelSession({ model: 'm', analysis: 'attentoin', params: {} }, {
      engine: { start: async () => ({ analyses: [attention] }), requestWithProgress: () => Promise.reject(new UserError('no')) } as never,
      models: { find: () => modelSummary(), nameOf: ({ name }) => name, get: async () => modelSummary(), details: async () => modelDetails({ layers: 1, heads: 1, attentionOnly: true, checkpoints: [] }), onChange: panel.changes.event },
      selections: panel.selections,
      checkpoints: new SharedCheckpoints(),
      send: message => panel.sent.push(message), title: () => undefined, save: () => undefined, compare: () => undefined, open: () => undefined, copy: () => undefined, remember: () => undefined, show: () => undefined, explain: String, warn: () => undefined,
    });
    other.receive({ kind: 'ready' });
    await settle();
    expect(panel.sent.at(-1)).toEqual({ kind: 'problem', message: 'There is no analysis "attentoin"; the nearest is "attention".' });
  });

  test('shares the head that is picked with every other', async () => {
    const { session, ready, selections, sent } = opened();
    await ready();
    session.receive({ kind: 'select', layer: 1, head: 2 });
    expect(selections.of('m')).toEqual({ model: 'm', layer: 1, head: 2 });
    expect(sent.at(-1)).toEqual({ kind: 'select', selection: { model: 'm', layer: 1, head: 2 } });
    selections.pick({ model: 'other', layer: 0, head: 0 });
    expect(sent.at(-1)).toMatchObject({ selection: { model: 'm' } });
    await ready();
    expect(sent.filter(({ kind }) => kind === 'show').at(-1)).toMatchObject({ selection: { layer: 1, head: 2 } });
  });

  test('is not believed when it talks nonsense', async () => {
    const { session, saved, warnings, asked } = opened();
    session.receive({ kind: 'save', name: 'x', format: 'exe', content: '' });
    session.receive('ready');
    await settle();
    expect([saved, asked.length, warnings.length]).toEqual([[], 1, 2]);
  });

  test('brought back into sight shows the result it had', async () => {
    const { session, last, ready, kinds, asked } = opened();
    await ready();
    await last().answer(result(1));
    session.hide();
    session.exportFigure('png', 0);
    kinds();
    await ready();
    expect(kinds()).toEqual(['show', 'result']);
    expect(asked).toHaveLength(1);
  });
});

describe('while its model trains', () => {
  const training = (step: number): Partial<ModelSummary> => ({ status: 'training', progress: { step, steps: 1000 } });

  test('a live analysis follows at most three times a second, one run at a time', async () => {
    const { change, ready, last, asked, kinds } = opened({ live: true });
    await ready();
    await last().answer(result(0));
    kinds();
    await change(training(1));
    expect(asked).toHaveLength(2);
    for (const step of [2, 3, 4]) await change(training(step));
    await vi.advanceTimersByTimeAsync(333);
    expect(asked).toHaveLength(2);
    await last().answer(result(1));
    await vi.advanceTimersByTimeAsync(333);
    expect(asked).toHaveLength(3);
    await last().answer(result(4));
    await vi.advanceTimersByTimeAsync(2000);
    expect(asked).toHaveLength(3);
    const seen = kinds();
    expect(seen.filter(kind => kind === 'result')).toHaveLength(2);
    expect(seen).not.toContain('working');
  });

  test('any other is run again when it pauses, as at a breakpoint, and at the next pause that is stepped to', async () => {
    const { change, ready, last, asked, sent } = opened();
    await ready();
    await last().answer(result(0));
    await change(training(300));
    expect(asked).toHaveLength(1);
    await change({ ...training(300), status: 'paused' });
    await vi.advanceTimersByTimeAsync(333);
    expect(asked).toHaveLength(2);
    await last().answer(result(300));
    expect(sent.at(-1)).toMatchObject({ kind: 'result', result: result(300) });
    await change({ ...training(300), status: 'paused', metrics: {} });
    await vi.advanceTimersByTimeAsync(333);
    expect(asked).toHaveLength(2);
    await change({ ...training(400), status: 'paused' });
    await vi.advanceTimersByTimeAsync(333);
    expect(asked).toHaveLength(3);
  });

  test('or waits for its end', async () => {
    const { change, ready, last, asked, sent } = opened();
    await ready();
    await last().answer(result(0));
    await change(training(1));
    await vi.advanceTimersByTimeAsync(333);
    expect(asked).toHaveLength(1);
    expect(sent.at(-1)).toMatchObject({ kind: 'model', model: { progress: { step: 1 } } });
    await change({ status: 'finished', progress: { step: 1000, steps: 1000 } });
    await vi.advanceTimersByTimeAsync(333);
    expect(asked).toHaveLength(2);
  });

  test('a checkpoint stays as it is', async () => {
    const { change, ready, last, asked } = opened({ live: true, checkpoint: 5 });
    await ready();
    await last().answer(result(0));
    await change(training(1));
    await change({ status: 'finished' });
    await vi.advanceTimersByTimeAsync(1000);
    expect(asked).toHaveLength(1);
  });

  test('a panel out of sight rests, and catches up', async () => {
    const { session, change, ready, last, asked, kinds } = opened({ live: true });
    await ready();
    await last().answer(result(0));
    session.hide();
    kinds();
    await change(training(1));
    await vi.advanceTimersByTimeAsync(1000);
    expect([asked.length, kinds()]).toEqual([1, []]);
    await ready();
    expect(asked).toHaveLength(2);
  });

  test('nothing is asked or sent after the end', async () => {
    const { session, change, ready, last, asked, kinds, changes } = opened({ live: true });
    await ready();
    const running = last();
    kinds();
    session.dispose();
    expect(running.signal?.aborted).toBe(true);
    await change(training(1));
    changes.fire({ structure: true, changed: [], before: new Map(), removed: ['m'] });
    await vi.advanceTimersByTimeAsync(1000);
    expect([asked.length, kinds()]).toEqual([1, []]);
  });

  test('says when its model is deleted', async () => {
    const { changes, ready, sent } = opened();
    await ready();
    changes.fire({ structure: true, changed: [], before: new Map(), removed: ['m'] });
    expect(sent.at(-1)).toEqual({ kind: 'problem', message: 'The model was deleted.' });
  });
});

describe('a model with another task', () => {
  test.each([undefined, 5])('is shown anew with the words of that, and its analysis is run again (checkpoint %s)', async checkpoint => {
    const { change, ready, last, asked, kinds, requested, session } = opened(checkpoint === undefined ? {} : { checkpoint });
    await change({ taskKey: 'a' });
    await ready();
    await last().answer(result(1));
    kinds();
    const before = requested.filter(type => type === getWords).length;
    await change({ taskKey: 'b' });
    await vi.advanceTimersByTimeAsync(1000);
    expect(requested.filter(type => type === getWords)).toHaveLength(before + 1);
    expect([kinds(), session.found]).toEqual([['show', 'working'], undefined]);
    const runs = asked.length;
    await last().answer(result(2));
    await vi.advanceTimersByTimeAsync(1000);
    expect([kinds(), session.found, asked.length]).toEqual([['result'], result(2), runs]);
  });
});

describe('beside its figures', () => {
  test('another analysis is opened for the same model and checkpoint, with the parameters that are named', async () => {
    const { session, ready, others, shown } = opened({ checkpoint: 5 });
    await ready();
    session.receive({ kind: 'open', analysis: 'attention', params: { head: '1.0' } });
    session.receive({ kind: 'open', analysis: 'training-curves', params: {} });
    await settle();
    expect(others).toEqual([
      { model: 'm', analysis: 'attention', params: { head: '1.0' }, checkpoint: 5 },
      // This one is the same at every checkpoint.
      { model: 'm', analysis: 'training-curves', params: {} },
    ]);
    expect(shown).toEqual([]);
  });

  test.each([
    ['an analysis that does not exist', { analysis: 'atention', params: {} }, 'There is no analysis "atention"; the nearest is "attention".'],
    ['a parameter that it does not have', { analysis: 'attention', params: { haed: '1.0' } }, /nearest is "head"/],
    ['a value that does not fit', { analysis: 'attention', params: { head: 'first' } }, /a head is written layer\.head/],
  ])('%s is not opened, which is said outside of the panel', async (_, asked, message) => {
    const { session, ready, others, shown, kinds, last } = opened();
    await ready();
    await last().answer(result(1));
    kinds();
    session.receive({ kind: 'open', ...asked });
    await settle();
    expect(shown).toMatchObject([{ message: typeof message === 'string' ? message : expect.stringMatching(message) }]);
    expect([others, kinds()]).toEqual([[], []]);
  });

  test('a claim of what a figure shows is copied', async () => {
    const { session, ready, last, copied } = opened({ params: { head: '1.0' } });
    await ready();
    await last().answer({ figures: [figure], scalars: { step: 12 } });
    session.receive({ kind: 'claim', figure: 0 });
    await settle();
    expect(copied.map(({ said }) => said)).toEqual(['Copied a claim']);
    expect(v.parse(ClaimSchema, JSON.parse(copied[0]?.text ?? ''))).toEqual({
      claim: 'Weights: steps done', analysis: 'attention', params: { head: '1.0' }, scalar: 'step', expect: '>= 12',
    });
  });

  test('a claim from a checkpoint is said to be measured there', async () => {
    const { session, ready, last, copied } = opened({ checkpoint: 5 });
    await ready();
    await last().answer({ figures: [figure], scalars: { step: 12 } });
    session.receive({ kind: 'claim', figure: 0 });
    await settle();
    expect(copied[0]?.said).toBe('Copied a claim, measured at step 5; it will be checked on the newest weights');
  });

  test('no claim is copied of figures that are not there, or that measure nothing', async () => {
    const { session, ready, last, copied, shown } = opened();
    await ready();
    session.receive({ kind: 'claim', figure: 0 });
    await settle();
    await last().answer({ figures: [figure], scalars: {} });
    session.receive({ kind: 'claim', figure: 0 });
    await settle();
    expect(shown).toMatchObject([{ message: expect.stringMatching(/being made anew/) }, { message: '"Attention" measured nothing that a claim could assert.' }]);
    expect(copied).toEqual([]);
  });
});

describe('code of a figure', () => {
  test('is asked for with what the panel shows, and copied', async () => {
    const coded = vi.fn(() => ({ code: 'figure = model.W_E' }));
    const { session, ready, last, copied } = opened({ params: { head: '1.0' }, checkpoint: 5, coded });
    await ready();
    await last().answer({ figures: [figure, figure], scalars: {} });
    session.receive({ kind: 'code', figure: 1 });
    await settle();
    expect(coded.mock.calls).toEqual([[{ model: 'm', analysis: 'attention', params: { head: '1.0' }, checkpoint: 5, figure: 1 }]]);
    expect(copied).toEqual([{ what: 'code', text: 'figure = model.W_E', said: 'Copied TransformerLens code' }]);
  });

  test('is refused in the engine\'s words, and while the figure is made anew', async () => {
    const refusal = new UserError('"Weights" has no TransformerLens code: it was drawn by hand.');
    const { session, ready, last, copied, shown } = opened({ coded: () => { throw refusal; } });
    await ready();
    session.receive({ kind: 'code', figure: 0 });
    await settle();
    await last().answer({ figures: [figure], scalars: {} });
    session.receive({ kind: 'code', figure: 0 });
    await settle();
    expect(shown).toMatchObject([{ message: expect.stringMatching(/being made anew/) }, refusal]);
    expect(copied).toEqual([]);
  });
});

describe('its parameters', () => {
  test('are remembered from the beginning, and whenever they change', async () => {
    const { session, ready, remembered } = opened({ params: { head: '0.1' } });
    await ready();
    session.receive({ kind: 'change', params: { prompt: 'a' }, checkpoint: 5 });
    session.receive({ kind: 'change', params: { prompt: 'a', head: '1.0' } });
    expect(remembered.map(({ params }) => params)).toEqual([{ head: '0.1' }, { prompt: 'a' }, { prompt: 'a', head: '1.0' }]);
  });

  test('are left out where the analysis no longer takes them', async () => {
    const { session, last, ready, sent } = opened({ params: { prompt: 'a', head: 'first', gone: 3, toString: 'x' } });
    await ready();
    expect(last().request.params).toEqual({ prompt: 'a' });
    expect(session.state.params).toEqual({ prompt: 'a' });
    expect(sent.find(({ kind }) => kind === 'show')).toMatchObject({ state: { params: { prompt: 'a' } } });
  });

  test('that are named from outside are shown, and the others stay', async () => {
    const { session, asked, last, ready, kinds, sent } = opened({ params: { prompt: 'a', head: '0.1' } });
    await ready();
    await last().answer(result(1));
    kinds();
    session.showWith({ head: '1.0' }, undefined);
    await settle();
    expect(sent[0]).toMatchObject({ kind: 'show', state: { params: { prompt: 'a', head: '1.0' } } });
    expect(kinds()).toEqual(['show', 'working']);
    expect(last().request.params).toEqual({ prompt: 'a', head: '1.0' });
    await last().answer(result(2));
    session.showWith({ head: '1.0' }, undefined);
    await settle();
    expect(asked).toHaveLength(2);
  });
});

describe('a comparison', () => {
  test('is asked of the engine until it is stopped, whatever else changes', async () => {
    const { session, ready, last, sent, comparisons } = opened({ checkpoint: 5 });
    await ready();
    session.receive({ kind: 'compare' });
    expect(comparisons.count).toBe(1);
    session.compareWith({ model: 'other', checkpoint: 7 });
    await settle();
    expect(last().request).toMatchObject({ model: 'm', checkpoint: 5, against: { model: 'other', checkpoint: 7 } });
    expect(sent.filter(({ kind }) => kind === 'show').at(-1)).toMatchObject({ state: { against: { model: 'other', checkpoint: 7 } } });
    session.receive({ kind: 'change', params: { prompt: 'a' } });
    await settle();
    expect(last().request).toMatchObject({ params: { prompt: 'a' }, against: { model: 'other', checkpoint: 7 } });
    session.receive({ kind: 'stopComparing' });
    await settle();
    expect(last().request).not.toHaveProperty('against');
    expect(session.state).toEqual({ model: 'm', analysis: 'attention', params: { prompt: 'a' } });
  });

  test('stays where it is while the panel moves through training', async () => {
    const { session, ready, last, asked } = opened();
    await ready();
    session.compareWith({ model: 'm' });
    await settle();
    await last().answer(result(1));
    session.receive({ kind: 'move', checkpoint: 5 });
    await settle();
    expect(asked.at(-1)?.request).toMatchObject({ checkpoint: 5, against: { model: 'm' } });
  });

  test('is shown in the way that the reader chose, which takes no other run', async () => {
    const { session, ready, asked } = opened();
    await ready();
    const runs = asked.length;
    session.receive({ kind: 'view', view: 'difference' });
    await settle();
    expect([session.state.view, asked.length]).toEqual(['difference', runs]);
    expect(asked.at(-1)?.request).not.toHaveProperty('view');
  });

  test('runs again when the newest weights move that it is compared with, and when they are gone', async () => {
    const { session, ready, last, asked, changes } = opened({ checkpoint: 5 });
    await ready();
    session.compareWith({ model: 'other' });
    await settle();
    await last().answer(result(1));
    const runs = asked.length;
    const other = (status: ModelSummary['status'], step: number) => modelSummary({ id: 'other', status, progress: { step, steps: 100 } });
    const tell = async (now: ModelSummary[], removed: string[] = []) => {
      changes.fire({ structure: false, changed: now, before: new Map([['other', other('training', 50)]]), removed });
      await vi.advanceTimersByTimeAsync(1000);
    };
    await tell([other('training', 50)]);
    expect(asked.length).toBe(runs);
    await tell([other('finished', 100)]);
    expect(asked.length).toBe(runs + 1);
    await last().answer(result(2));
    await tell([], ['other']);
    expect(asked.length).toBe(runs + 2);
  });
});

describe('scrubbing', () => {
  test('lets what is under way end, shows it, and goes on with the newest wish', async () => {
    const { session, asked, ready, last, sent } = opened();
    await ready();
    await last().answer(result(0));
    for (const checkpoint of [1, 2, 3]) session.receive({ kind: 'move', checkpoint });
    await settle();
    expect(asked.map(({ request }) => request.checkpoint)).toEqual([undefined, 1]);
    await last().answer(result(1));
    expect(sent.findLast(({ kind }) => kind === 'result')).toEqual({ kind: 'result', result: result(1), partial: false, checkpoint: 1 });
    expect(asked.map(({ request, signal }) => [request.checkpoint, signal?.aborted])).toEqual([[undefined, false], [1, false], [3, false]]);
    await last().answer(result(3));
    expect(sent.at(-1)).toEqual({ kind: 'result', result: result(3), partial: false, checkpoint: 3 });
    expect(session.state.checkpoint).toBe(3);
  });

  test('goes back to the newest weights, and asks for nothing where it already is', async () => {
    const { session, asked, ready, last } = opened({ checkpoint: 5 });
    await ready();
    await last().answer(result(5));
    session.receive({ kind: 'move', checkpoint: 5 });
    session.receive({ kind: 'move' });
    await settle();
    expect(asked.map(({ request }) => request)).toMatchObject([{ checkpoint: 5 }, expect.not.objectContaining({ checkpoint: 5 })]);
    expect(session.state).not.toHaveProperty('checkpoint');
  });

  test('makes no claim of figures that the reader has moved on from', async () => {
    const { session, ready, last, shown, copied } = opened();
    await ready();
    session.receive({ kind: 'move', checkpoint: 5 });
    await last().answer({ figures: [figure], scalars: { step: 12 } });
    session.receive({ kind: 'claim', figure: 0 });
    await settle();
    expect([shown.length, copied]).toEqual([1, []]);
  });
});

describe('linked panels', () => {
  async function two() {
    const checkpoints = new SharedCheckpoints();
    const panels = [opened({ checkpoints, checkpoint: 5 }), opened({ checkpoints })] as const;
    for (const { ready, last } of panels) {
      await ready();
      await last().answer(result(0));
    }
    return { checkpoints, one: panels[0], other: panels[1] };
  }

  test('all go where one of them is, and wherever one of them moves; only the others are told', async () => {
    const { one, other } = await two();
    one.session.receive({ kind: 'link', linked: true });
    await settle();
    expect(other.sent).toContainEqual({ kind: 'state', state: { model: 'm', analysis: 'attention', params: {}, checkpoint: 5, linked: true } });
    expect(other.last().request.checkpoint).toBe(5);
    await other.last().answer(result(5));
    one.kinds();
    other.session.receive({ kind: 'move', checkpoint: 8 });
    await settle();
    expect([one.session.state, one.last().request.checkpoint]).toEqual([{ model: 'm', analysis: 'attention', params: {}, checkpoint: 8, linked: true }, 8]);
    expect(one.kinds()).toEqual(['state']);
    expect(other.sent.filter(({ kind }) => kind === 'state')).toHaveLength(1);
  });

  test('follow a checkpoint that is opened from the tree, and stay where they are when none is named', async () => {
    const { one, other } = await two();
    one.session.receive({ kind: 'link', linked: true });
    one.session.showWith({}, 8);
    other.session.showWith({ prompt: 'a' }, undefined);
    expect([one, other].map(({ session }) => session.state.checkpoint)).toEqual([8, 8]);
  });

  test('out of sight catch up when they are shown', async () => {
    const { one, other } = await two();
    one.session.receive({ kind: 'link', linked: true });
    await other.last().answer(result(5));
    other.session.hide();
    const before = other.asked.length;
    for (const checkpoint of [6, 7, 8]) one.session.receive({ kind: 'move', checkpoint });
    await settle();
    expect(other.asked).toHaveLength(before);
    await other.ready();
    expect(other.asked.slice(before).map(({ request }) => request.checkpoint)).toEqual([8]);
  });

  test('are left where they are when they are unlinked', async () => {
    const { one, other } = await two();
    one.session.receive({ kind: 'link', linked: true });
    other.session.receive({ kind: 'link', linked: false });
    one.session.receive({ kind: 'move', checkpoint: 8 });
    expect(one.session.state).toMatchObject({ checkpoint: 8, linked: false });
    expect(other.session.state).toMatchObject({ checkpoint: 5, linked: false });
  });
});
