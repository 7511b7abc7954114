import { describe, expect, test } from 'vitest';
import { CancelledError, UserError } from '../../../src/common/errors';
import { claimProblems, verifyClaims } from '../../../src/engine/claims';
import type { AnalysisRequest, AnalysisResult } from '../../../src/protocol/analysis';
import type { Claim } from '../../../src/protocol/experiment';
import { prepared } from '../../support/experiments';

const claim = (changes: Partial<Claim> = {}): Claim => ({
  claim: 'it looks around', analysis: 'attention', params: {}, scalar: 'entropy', expect: '>= 0.5', ...changes,
});

/** What is wrong with a claim about the tiny model (one layer of two heads, positions a, b and =), with where it is. */
function problemsOf(changes: Partial<Claim>): string[] {
  return claimProblems(prepared({ claims: [claim(), claim(changes)] })).map(({ path, message }) => `${path.join('.')}: ${message}`);
}

describe('before anything is trained', () => {
  test('claims about what exists have no problems', () => {
    expect(problemsOf({ params: { head: '0.1', examples: 3, prompt: '1 2 =' } })).toEqual([]);
    expect(claimProblems(prepared())).toEqual([]);
  });

  test.each<[string, Partial<Claim>, string[]]>([
    ['an analysis', { analysis: 'atention', params: { colour: 'red' } }, [expect.stringMatching(/^claims\.1\.analysis: There is no analysis "atention"; the nearest [^\n]*"attention"/)]],
    ['a scalar', { scalar: 'entropie' }, ['claims.1.scalar: There is no scalar of analysis "attention" called "entropie"; the nearest is "entropy".']],
    ['a parameter', { params: { haed: '0.1' } }, ['claims.1.params.haed: There is no parameter of analysis "attention" called "haed"; the nearest is "head".']],
    ['a head', { params: { head: '3.1' } }, ['claims.1.params.head: There is no head "L3H1"; the nearest are "L0H1", "L0H0".']],
    ['a token', { params: { prompt: '1 9 =' } }, [expect.stringMatching(/^claims\.1\.params\.prompt: There is no token "9"/)]],
    ['a value', { params: { examples: 0 } }, [expect.stringMatching(/^claims\.1\.params\.examples: "examples" of analysis "attention"/)]],
    ['a number', { expect: '>= 1e999' }, ['claims.1.expect: ">= 1e999" is not a bound; one is written like ">= 0.99".']],
  ])('%s that does not exist is found where it is', (_, changes, problems) => {
    expect(problemsOf(changes)).toEqual(problems);
  });

  test.each([
    ['corruption', 'elemnt', /There is no corruption "elemnt"; the nearest is "element"/],
    ['clean', 'BOS 1 2 3', undefined],
    ['path', 'W_E · OV(0.1) · W_U', undefined],
    ['path', 'W_E · OV(0.3) · W_U', /There is no head "L0H3"/],
    ['path', 'W_E · W_O(0.0)', /W_O/],
    ['path', 'W_E · OU(0.0)', /OU/],
    ['path', 'W_E · W_in(1)', /There is no MLP "MLP 1"; the nearest is "MLP 0"/],
    ['path', 'W_pos · W_in(0)', undefined],
    ['corruption', ' element ', undefined],
  ])('a %s, as in "%s", is read as its analysis reads it', (name, value, sentence) => {
    const about = name === 'path' ? { analysis: 'path-circuit', scalar: 'blockLargest' } : { analysis: 'activation-patching', scalar: 'largest' };
    const experiment = prepared({ task: 'array-update', training: { batch: 8 }, claims: [claim({ ...about, params: { [name]: value } })] });
    const problems = claimProblems(experiment);
    if (!sentence) expect(problems).toEqual([]);
    else expect(problems).toMatchObject([{ path: ['claims', 0, 'params', name], message: expect.stringMatching(sentence) }]);
    // A path is more than the name in it that is wrong, and cannot be replaced by another one.
    expect(problems.some(({ nearest }) => nearest)).toBe(sentence !== undefined && name !== 'path');
  });

  test.each<[string, object | string, string, string | undefined]>([
    ['edges between its vertices', { name: 'shortest-paths', vertices: 10, largest: 10 }, '1-3 3-4', undefined],
    ['a vertex that it has not', { name: 'shortest-paths', vertices: 10, largest: 10 }, '1-99', 'The edge 1-99 has the vertex 99; the vertices of this model are 1 to 10.'],
    ['more edges than it reads', { name: 'shortest-paths', vertices: 3, largest: 3 }, '1-2 1-3 2-3 1-2', 'The graph has 4 edges; this model reads at most 3.'],
    ['a vertex that it has not, by its neighbours', { name: 'shortest-paths-adjacency', vertices: 4 }, '1-5', 'The edge 1-5 has the vertex 5; the vertices of this model are 1 to 4.'],
    ['edges, of a task without graphs', 'array-update', '1-3', 'The prompts of this task are no graphs, so that none can be given.'],
  ])('a graph must be one that the task can pose: %s', (_, task, graph, message) => {
    const of = claim({ analysis: 'graph-playground', scalar: 'error', params: { graph } });
    const fields = typeof task === 'string' ? task : { modulus: undefined, trainFraction: undefined, ...task };
    const problems = claimProblems(prepared({ task: fields, model: { attention_dir: 'bidirectional' }, training: { batch: 8 }, claims: [of] }));
    expect(problems).toEqual(message === undefined ? [] : [{ path: ['claims', 0, 'params', 'graph'], message }]);
  });

  test('what a claim may hold in its place is checked as the claim is', () => {
    const other = { found: 'the other', analysis: 'attention', params: {}, scalar: 'entropie', expect: '>= 0' };
    expect(problemsOf({ or: [{ ...other, scalar: 'entropy' }, other] })).toEqual([expect.stringMatching(/^claims\.1\.or\.1\.scalar: There is no scalar/)]);
  });

  test('everything that is wrong with a claim is said at once', () => {
    expect(problemsOf({ scalar: 'entropie', expect: '> 1e999', params: { head: '7.0', prompt: 'x' } })).toHaveLength(4);
  });
});

/** An engine's analyses that count their runs. */
class CountingAnalyses {
  readonly requests: AnalysisRequest[] = [];

  constructor(private readonly answer: (request: AnalysisRequest) => AnalysisResult) {}

  run(request: AnalysisRequest): Promise<AnalysisResult> {
    this.requests.push(request);
    return Promise.resolve().then(() => this.answer(request));
  }
}

const signal = new AbortController().signal;

describe('on a trained model', () => {
  const analyses = () => new CountingAnalyses(({ params }) => ({
    figures: [], scalars: { entropy: params['head'] === '0.1' ? 0.25 : 0.75, largest: 0.9 }, finding: 'looks back',
  }));

  test('a claim is measured and compared, with what was found', async () => {
    expect(await verifyClaims(analyses(), 'model', [claim(), claim({ claim: 'so does head 1', params: { head: '0.1' } })], { signal })).toEqual([
      { claim: 'it looks around', measured: 0.75, expect: '>= 0.5', ok: true, finding: 'looks back' },
      { claim: 'so does head 1', measured: 0.25, expect: '>= 0.5', ok: false, finding: 'looks back' },
    ]);
  });

  test('of several things that may hold, the first that does is named; where none does, the claim\'s own number stands', async () => {
    const or = [
      { found: 'narrow', analysis: 'attention', params: {}, scalar: 'largest', expect: '>= 0.95' },
      { found: 'wide', analysis: 'attention', params: {}, scalar: 'largest', expect: '>= 0.5' },
    ];
    const outcomes = await verifyClaims(analyses(), 'model', [
      claim({ found: 'spread', or }), claim({ found: 'spread', expect: '> 1', or }), claim({ expect: '> 1', or: or.slice(0, 1) }),
    ], { signal });
    expect(outcomes).toEqual([
      { claim: 'it looks around', measured: 0.75, expect: '>= 0.5', ok: true, finding: 'spread' },
      { claim: 'it looks around', measured: 0.9, expect: '>= 0.5', ok: true, finding: 'wide' },
      { claim: 'it looks around', measured: 0.75, expect: '> 1', ok: false, finding: 'looks back' },
    ]);
  });

  test('a claim about another experiment names the model that it was measured on, if there is one', async () => {
    const others = new Map<string, string | UserError>([['tuned', 'tuned-id'], ['lost', new UserError('It failed.')]]);
    const counting = analyses();
    const outcomes = await verifyClaims(counting, 'model', [claim(), claim({ of: 'tuned' }), claim({ of: 'lost' })], { signal, others });
    expect(outcomes.map(({ of, model, measured }) => [of, model, measured])).toEqual([
      [undefined, undefined, 0.75], ['tuned', 'tuned-id', 0.75], ['lost', undefined, null],
    ]);
    expect(counting.requests.map(({ model }) => model)).toEqual(['model', 'tuned-id']);
  });

  test('claims about the same analysis with the same parameters share a run of it', async () => {
    const counting = analyses();
    const told: string[] = [];
    const claims = [
      claim(), claim({ scalar: 'largest' }), claim({ params: { head: '' } }), claim({ params: { sample: 0, examples: 64 } }),
      claim({ params: { head: '0.1' } }), claim({ params: { examples: 64, head: '0.1' }, scalar: 'largest' }),
    ];
    const outcomes = await verifyClaims(counting, 'model', claims, { signal, onRun: ({ id }) => told.push(id) });
    expect(outcomes.map(({ measured }) => measured)).toEqual([0.75, 0.9, 0.75, 0.75, 0.25, 0.9]);
    expect(counting.requests.map(({ model, params }) => [model, params['head']])).toEqual([['model', ''], ['model', '0.1']]);
    expect(told).toEqual(['attention', 'attention']);
  });

  test('what keeps one claim from being measured keeps no other', async () => {
    const failing = new CountingAnalyses(({ params }) => {
      if (params['head'] === '0.1') throw new UserError('There is no head 0.1 any more.');
      return { figures: [], scalars: { entropy: 1 } };
    });
    const claims = [claim({ params: { head: '0.1' } }), claim({ params: { head: '0.1' }, scalar: 'largest' }), claim({ scalar: 'largest' }), claim()];
    expect(await verifyClaims(failing, 'model', claims, { signal })).toEqual([
      { claim: 'it looks around', measured: null, expect: '>= 0.5', ok: false, problem: 'There is no head 0.1 any more.' },
      { claim: 'it looks around', measured: null, expect: '>= 0.5', ok: false, problem: 'There is no head 0.1 any more.' },
      { claim: 'it looks around', measured: null, expect: '>= 0.5', ok: false, problem: 'The analysis "attention" has no "largest" of this model with these parameters.' },
      { claim: 'it looks around', measured: 1, expect: '>= 0.5', ok: true },
    ]);
    expect(failing.requests).toHaveLength(2);
  });

  test('a defect of an analysis is no outcome', async () => {
    const broken = new CountingAnalyses(() => { throw new TypeError('undefined is not a function'); });
    await expect(verifyClaims(broken, 'model', [claim()], { signal })).rejects.toThrow(TypeError);
  });

  test('it can be cancelled', async () => {
    const controller = new AbortController();
    const cancelling = new CountingAnalyses(() => {
      controller.abort();
      return { figures: [], scalars: { entropy: 1 } };
    });
    await expect(verifyClaims(cancelling, 'model', [claim(), claim({ params: { head: '0.1' } })], { signal: controller.signal })).rejects.toThrow(CancelledError);
    expect(cancelling.requests).toHaveLength(1);
  });
});
