import { describe, expect, test } from 'vitest';
import { Emitter } from '../../../src/common/event';
import { Lifetime, toDisposable } from '../../../src/common/lifetime';

describe('a lifetime', () => {
  const ending = (ended: string[], name: string) => toDisposable(() => ended.push(name));

  test('ends what it owns in reverse, once', () => {
    const [ended, lifetime]: [string[], Lifetime] = [[], new Lifetime()];
    for (const name of ['first', 'second', 'third']) lifetime.add(ending(ended, name));
    lifetime.dispose();
    lifetime.dispose();
    expect(ended).toEqual(['third', 'second', 'first']);
    expect(lifetime.isEnded).toBe(true);
  });

  test('ends at once what comes too late', () => {
    const [ended, lifetime]: [string[], Lifetime] = [[], new Lifetime()];
    lifetime.dispose();
    const late = ending(ended, 'late');
    expect(lifetime.add(late)).toBe(late);
    expect(ended).toEqual(['late']);
  });

  test('ends one thing early, and not again', () => {
    const [ended, lifetime]: [string[], Lifetime] = [[], new Lifetime()];
    const [early] = [lifetime.add(ending(ended, 'early')), lifetime.add(ending(ended, 'other'))];
    lifetime.release(early);
    expect(ended).toEqual(['early']);
    lifetime.release(early);
    lifetime.dispose();
    expect(ended).toEqual(['early', 'other']);
  });

  test('does not end what it never owned', () => {
    const ended: string[] = [];
    new Lifetime().release(ending(ended, 'stranger'));
    expect(ended).toEqual([]);
  });

  test('can be disposed by what it ends', () => {
    const [ended, lifetime]: [string[], Lifetime] = [[], new Lifetime()];
    lifetime.add(ending(ended, 'first'));
    lifetime.add(toDisposable(() => lifetime.dispose()));
    lifetime.dispose();
    expect(ended).toEqual(['first']);
  });
});

describe('an emitter', () => {
  test('tells every listener, in order, until each is disposed', () => {
    const [emitter, heard]: [Emitter<number>, string[]] = [new Emitter(), []];
    const first = emitter.event(value => heard.push(`first ${value}`));
    emitter.event(value => heard.push(`second ${value}`));
    emitter.fire(1);
    first.dispose();
    emitter.fire(2);
    expect(heard).toEqual(['first 1', 'second 1', 'second 2']);
  });

  test('the same function listens twice if it is added twice', () => {
    const [emitter, heard]: [Emitter<number>, number[]] = [new Emitter(), []];
    const listener = (value: number) => heard.push(value);
    const first = emitter.event(listener);
    emitter.event(listener);
    emitter.fire(1);
    first.dispose();
    emitter.fire(2);
    expect(heard).toEqual([1, 1, 2]);
  });

  test('a round under way is not disturbed by who comes and goes', () => {
    const [emitter, heard]: [Emitter<number>, string[]] = [new Emitter(), []];
    const first = emitter.event(() => {
      heard.push('first');
      first.dispose();
      emitter.event(() => heard.push('late'));
    });
    emitter.event(() => heard.push('second'));
    emitter.fire(1);
    expect(heard).toEqual(['first', 'second']);
    emitter.fire(2);
    expect(heard).toEqual(['first', 'second', 'second', 'late']);
  });

  test('tells nobody once it is disposed', () => {
    const [emitter, heard]: [Emitter<number>, number[]] = [new Emitter(), []];
    emitter.event(value => heard.push(value));
    emitter.dispose();
    emitter.fire(1);
    expect(heard).toEqual([]);
  });
});
