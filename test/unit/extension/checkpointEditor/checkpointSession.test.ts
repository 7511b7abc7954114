import { describe, expect, test } from 'vitest';
import { UserError } from '../../../../src/common/errors';
import { Emitter } from '../../../../src/common/event';
import { CheckpointSession } from '../../../../src/extension/checkpointEditor/checkpointSession';
import { EngineDown, type EngineState } from '../../../../src/extension/engine';
import type { CheckpointFile } from '../../../../src/protocol/checkpointFile';
import type { ToCheckpointPage } from '../../../../src/protocol/checkpointPage';
import { getTensorSlice, getTensorStatistics, openCheckpointFile } from '../../../../src/protocol/engine';

const file: CheckpointFile = { path: '/w/model.safetensors', format: 'safetensors', size: 10, metadata: [], tensors: [], recognised: { as: 'TransformerLens, 1 layer' } };
const statistics = { elements: 0, sampled: 0, nan: 0, positiveInfinities: 0, negativeInfinities: 0, zeros: 0, histogram: [] };
const slice = { tensor: 'a', index: [], rows: { from: 0, count: 1 }, columns: { from: 0, count: 2 } };
const [opens, measures, slices] = [openCheckpointFile, getTensorStatistics, getTensorSlice].map(({ method }) => method);

interface Question {
  readonly method: string;
  readonly params: { readonly tensor?: string };
  readonly signal: AbortSignal;
  answer(value: unknown): Promise<void>;
  refuse(error: Error): Promise<void>;
}

/** `local` is whether the file lies on the machine of the engine. */
function opened(local = true) {
  const sent: ToCheckpointPage[] = [];
  const questions: Question[] = [];
  const imports: string[] = [];
  const saved: unknown[] = [];
  const warnings: string[] = [];
  const states = new Emitter<EngineState>();
  let state = { kind: 'ready' } as EngineState;
  let restarts = 0;
  const settle = () => new Promise<void>(resolve => { setImmediate(resolve); });
  const become = (kind: EngineState['kind']) => {
    state = { kind } as EngineState;
    states.fire(state);
  };
  const session = new CheckpointSession({
    engine: {
      onStateChange: states.event,
      get state() { return state; },
      restart: async () => {
        restarts++;
        become('ready');
      },
      request: (({ method }: { readonly method: string }, params: Question['params'], signal: AbortSignal) => new Promise((resolve, reject) => questions.push({
        method, params, signal,
        answer(value) { resolve(value); return settle(); },
        refuse(error) { reject(error); return settle(); },
      }))) as never,
    },
    file: local ? file.path : undefined,
    send: message => sent.push(message),
    importFile: () => imports.push('import'),
    save: (...all) => saved.push(all),
    explain: error => `defect: ${String(error)}`,
    warn: message => warnings.push(message),
  });
  const last = (): Question => {
    const question = questions.at(-1);
    if (!question) throw new Error('nothing was asked');
    return question;
  };
  return { session, sent, questions, imports, saved, warnings, become, last, settle, restarts: () => restarts, asked: () => questions.map(({ method, params }) => params.tensor ?? method) };
}

describe('the editor of a file of weights', () => {
  test('is told what the file holds once it is ready, and again whenever that has changed', async () => {
    const { session, sent, last, questions } = opened();
    session.changed();
    expect(questions).toEqual([]);
    session.receive({ kind: 'ready' });
    expect(last()).toMatchObject({ method: opens, params: { file: file.path } });
    await last().answer(file);
    session.changed();
    await last().answer({ ...file, size: 20 });
    expect(sent).toEqual([{ kind: 'file', file, changed: false }, { kind: 'file', file: { ...file, size: 20 }, changed: true }]);
  });

  test('is told no answer that another version of the file has overtaken', async () => {
    const { session, sent, questions } = opened();
    session.receive({ kind: 'ready' });
    session.receive({ kind: 'slice', slice });
    session.receive({ kind: 'statistics', tensors: ['a'] });
    session.changed();
    expect(questions.map(({ signal }) => signal.aborted)).toEqual([true, true, true, false]);
    for (const question of questions.slice(0, 3)) await question.answer(file);
    expect(sent).toEqual([]);
    await questions[3]?.answer(file);
    expect(sent).toHaveLength(1);
  });

  test('is told statistics one tensor after the other, and no more of those that went out of sight', async () => {
    const { session, sent, questions, last, asked } = opened();
    session.receive({ kind: 'statistics', tensors: ['a', 'b', 'c'] });
    session.receive({ kind: 'ready' });
    session.receive({ kind: 'statistics', tensors: ['a', 'b', 'c'] });
    expect(asked()).toEqual(['a', opens, 'a']);
    await last().answer(statistics);
    expect(last()).toMatchObject({ method: measures, params: { file: file.path, tensor: 'b' } });
    // What is being read is still wanted: it goes on, and the others come after it.
    session.receive({ kind: 'statistics', tensors: ['d', 'b'] });
    expect(last().signal.aborted).toBe(false);
    await last().answer(statistics);
    expect(asked().at(-1)).toBe('d');
    const abandoned = last();
    session.receive({ kind: 'statistics', tensors: ['e'] });
    expect(abandoned.signal.aborted).toBe(true);
    await abandoned.refuse(new Error('cancelled'));
    await last().refuse(new UserError('It is cut short.'));
    expect(sent).toEqual([
      { kind: 'statistics', tensor: 'a', statistics }, { kind: 'statistics', tensor: 'b', statistics }, { kind: 'noStatistics', tensor: 'e', message: 'It is cut short.' },
    ]);
    expect(questions).toHaveLength(6);
  });

  test('is told the slice that it asked for last', async () => {
    const { session, sent, questions, last } = opened();
    session.receive({ kind: 'ready' });
    session.receive({ kind: 'slice', slice });
    const next = { ...slice, rows: { from: 3, count: 1 } };
    session.receive({ kind: 'slice', slice: next });
    expect(last()).toMatchObject({ method: slices, params: { file: file.path, ...next } });
    await questions[1]?.answer('overtaken');
    await last().answer('numbers');
    session.receive({ kind: 'slice', slice });
    await last().refuse(new UserError('a [1] has no rows.'));
    expect(sent).toEqual([{ kind: 'slice', asked: next, slice: 'numbers' }, { kind: 'noSlice', asked: slice, message: 'a [1] has no rows.' }]);
  });

  test('is told in a sentence why a file cannot be shown, and tries again', async () => {
    const { session, sent, last, restarts } = opened();
    session.receive({ kind: 'ready' });
    await last().refuse(new UserError('It is cut short.'));
    session.receive({ kind: 'again' });
    await last().refuse(new TypeError('undefined is not a function'));
    session.receive({ kind: 'again' });
    await last().answer(file);
    expect(sent).toEqual([
      { kind: 'problem', message: 'It is cut short.', final: false }, { kind: 'problem', message: 'defect: TypeError: undefined is not a function', final: false },
      { kind: 'file', file, changed: false },
    ]);
    expect(restarts()).toBe(0);
  });

  test('starts an engine that is down when it is asked to try again', async () => {
    const { session, sent, last, become, restarts } = opened();
    session.receive({ kind: 'ready' });
    become('failed');
    await last().refuse(new EngineDown('The engine ended 5 times.'));
    expect(sent).toMatchObject([{ kind: 'problem', message: 'The engine ended 5 times.' }]);
    session.receive({ kind: 'again' });
    await new Promise<void>(resolve => { setImmediate(resolve); });
    expect(restarts()).toBe(1);
    await last().answer(file);
    expect(sent.at(-1)).toMatchObject({ kind: 'file' });
  });

  test('asks an engine that has started again for what the last one did not answer, and for nothing else', async () => {
    const { session, sent, last, become, questions } = opened();
    session.receive({ kind: 'ready' });
    await last().answer(file);
    become('starting');
    become('ready');
    expect(questions).toHaveLength(1);
    session.receive({ kind: 'statistics', tensors: ['a'] });
    become('starting');
    await last().refuse(new UserError('The engine ended before it answered.'));
    become('ready');
    await last().answer(file);
    expect(sent.map(({ kind }) => kind)).toEqual(['file', 'noStatistics', 'file']);
  });

  test('that cannot be seen asks for nothing more, and is told all of it when it is back', async () => {
    const { session, sent, last, questions } = opened();
    session.receive({ kind: 'ready' });
    session.hide();
    expect(last().signal.aborted).toBe(true);
    session.changed();
    expect(questions).toHaveLength(1);
    session.receive({ kind: 'ready' });
    await last().answer(file);
    session.dispose();
    session.receive({ kind: 'statistics', tensors: ['a'] });
    expect(sent).toEqual([{ kind: 'file', file, changed: false }]);
  });

  test('of a file that is not on this machine says so, and asks for nothing', () => {
    const { session, sent, questions, imports } = opened(false);
    for (const message of [{ kind: 'ready' }, { kind: 'statistics', tensors: ['a'] }, { kind: 'slice', slice }, { kind: 'import' }]) session.receive(message);
    expect(sent).toMatchObject([{ kind: 'problem', final: true }]);
    expect([questions, imports]).toEqual([[], []]);
  });

  test('imports and saves, and believes no other message', () => {
    const { session, imports, saved, warnings, questions } = opened();
    session.receive({ kind: 'import' });
    session.receive({ kind: 'save', name: 'Values', format: 'csv', content: 'a,b' });
    for (const message of [undefined, 'import', { kind: 'delete' }, { kind: 'slice', slice: { ...slice, rows: { from: 0, count: 100_000 } } }, { kind: 'import', file: '/etc/passwd' }]) session.receive(message);
    session.receive({ kind: 'failed', message: 'undefined is not a function' });
    expect(imports).toEqual(['import']);
    expect(saved).toEqual([['Values', 'csv', 'a,b']]);
    expect(warnings).toHaveLength(6);
    expect(questions).toEqual([]);
  });
});
