import { describe, expect, test } from 'vitest';
import { TaskSnapshotSchema } from '../../../src/protocol/taskModule';
import * as v from 'valibot';
import { promptsSnapshot } from '../../../src/tasks/prompts';
import { moduleTask } from '../../../src/tasks/moduleTask';
import { tokenizerOf } from '../../../src/tasks/tokenizer';
import { Random } from '../../../src/common/random';

const sizes = { d_vocab: 10, d_vocab_out: 10, n_ctx: 4 };
const tokenizer = tokenizerOf({ format: 1, vocabulary: ['a', 'b', 'Ġ', 'Ġa', 'ab'], merges: ['Ġ a', 'a b'] });
const read = (value: unknown, words?: typeof tokenizer) =>
  promptsSnapshot({ name: 'prompts.json', folder: '/files', text: JSON.stringify(value), value }, sizes, words, text => `hash of ${text.length}`);

const capitals = {
  vocabulary: ['Paris', 'Rome', 'France', 'Italy', 'is'],
  positions: ['country', 'verb'],
  prompts: [{ prompt: 'France is', answer: 'Paris', corrupted: 'Italy is' }, { prompt: ['Italy', 'is'].join(' '), answer: 1, corrupted: { prompt: [2, 4], answer: 'Paris' } }],
};

describe('a file of prompts', () => {
  test('becomes a task with its words, positions, answers and pairs', () => {
    const snapshot = read(capitals);
    expect(v.parse(TaskSnapshotSchema, JSON.parse(JSON.stringify(snapshot)))).toEqual(snapshot);
    const task = moduleTask(snapshot);
    expect(task.positions).toEqual(['country', 'verb']);
    expect(task.answerPositions).toEqual([1]);
    expect(task.allExamples).toEqual({ tokens: { dtype: 'int32', shape: [2, 2], data: Int32Array.of(2, 4, 3, 4) }, labels: { dtype: 'int32', shape: [2, 1], data: Int32Array.of(0, 1) } });
    expect(task.corruptions['corrupted']?.([2, 4], new Random(0, 'test'))).toEqual([3, 4]);
    expect(task.answers([3, 4])).toEqual([1]);
  });

  test('without words has those of the tokenizer, or else token ids', () => {
    expect(read({ prompts: [{ prompt: 'ab a', answer: 'b' }] }, tokenizer).examples).toEqual({ tokens: [4, 3], answers: [1] });
    const ids = read({ prompts: [{ prompt: '7 3', answers: { 0: 3, 1: 9 } }] });
    expect(ids.examples).toEqual({ tokens: [7, 3], answers: [3, 9] });
    expect(ids.answerPositions).toEqual([0, 1]);
    expect(ids.vocabulary).toHaveLength(10);
  });

  test('of other words is another task', () => {
    const file = { prompts: [{ prompt: [0, 1], answer: 1 }] };
    expect(read(file).parameters).not.toEqual(read(file, tokenizer).parameters);
  });

  const prompts = (...list: unknown[]) => ({ ...capitals, prompts: list });
  test.each([
    [prompts({ prompt: 'France is', answer: 'Paris' }, { prompt: 'Italy', answer: 'Rome' }), 'prompts[1].prompt: it has 1 tokens, and that of prompts[0] has 2; all prompts are of one length.'],
    [prompts({ prompt: 'France iss', answer: 'Paris' }), 'prompts[0].prompt: There is no token "iss"'],
    [prompts({ prompt: 'France is', answer: 'Pariss' }), 'prompts[0].answer: There is no answer "Pariss"'],
    [prompts({ prompt: [2, 5], answer: 0 }), 'prompts[0].prompt: there is no token 5; the 5 words are numbered from 0.'],
    [prompts({ prompt: 'France is' }), 'prompts[0]: it takes one of "answer", at the last position, and "answers", by position.'],
    [prompts({ prompt: 'France is', answers: { noun: 'Paris' } }), 'prompts[0].answers["noun"]: There is no position "noun"'],
    [prompts({ prompt: 'France is', answers: ['Paris'] }), 'prompts[0].answers: an answer for each position by its name or number is expected, not a list.'],
    [prompts({ prompt: 'France is', answers: { country: 'Paris', 0: 'Rome' } }), 'prompts[0].answers: one position stands there twice.'],
    [prompts({ prompt: 'France is', answers: { country: 'Paris' } }, { prompt: 'Italy is', answer: 'Rome' }), 'prompts[1]: it is answered at the positions 1, and prompts[0] at 0'],
    [prompts({ prompt: 'France is', answer: 'Paris' }, { prompt: 'France is', answer: 'Rome' }), 'prompts[1].prompt: it is the same as that of prompts[0].'],
    [prompts({ prompt: 'France is', answer: 'Paris', corrupted: 'Italy is' }), 'prompts[0].corrupted: it is none of the prompts'],
    [prompts({ prompt: 'France is', answer: 'Paris', corrupted: 'Italy is' }, { prompt: 'Italy is', answer: 'Rome' }), 'prompts[1]: it has no "corrupted" and prompts[0] has one'],
    [prompts({ prompt: 'France is', answer: 'Paris', corrupted: 'France is' }), 'prompts[0].corrupted: it is the prompt itself.'],
    [{ ...capitals, vocabulary: ['a', 'a'] }, 'vocabulary: "a" stands there twice.'],
    [{ ...capitals, positions: ['one'] }, 'positions: there are 1, and the prompts have 2 tokens.'],
    [{ prompts: [{ prompt: '1 2 3 4 5', answer: 1 }] }, 'prompts[0].prompt: it has 5 tokens, and the model reads 4 at most.'],
    [{ prompts: [] }, 'prompts: '],
    [{ prompts: [{ prompt: 'a', answer: 1, reply: 2 }] }, 'prompts[0].reply: '],
    [JSON.parse('{ "prompts": [{ "prompt": [1], "answers": { "__proto__": 1 } }] }'), 'prompts[0].answers: there is none.'],
    ['text', 'the file: '],
  ])('that is wrong is refused with the place: %o', (value, message) => {
    expect(() => read(value)).toThrow(message);
  });
});
