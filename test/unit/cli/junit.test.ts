import fc from 'fast-check';
import { expect, test } from 'vitest';
import { junitText, type TimedVerification } from '../../../src/cli/junit';
import type { IndexedOutcome } from '../../../src/protocol/engine';

const held: IndexedOutcome = { index: 0, claim: 'it copies', measured: 0.995, expect: '>= 0.99', ok: true };

function verification(claims: readonly IndexedOutcome[], more: Partial<TimedVerification> = {}): TimedVerification {
  return { name: 'copying', id: '0123456789abcdef', seed: 3, claims, seconds: claims.map(() => 0.25), ...more };
}

interface Element {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: Element[];
}

/** Reads a document of elements and attributes alone, as strictly as XML 1.0 asks of them; throws where it is not well formed. */
function parse(xml: string): Element {
  const root: Element = { name: '', attributes: {}, children: [] };
  const open = [root];
  const token = /<\?xml version="1\.0" encoding="UTF-8"\?>|<(\/?)([a-z]+)((?: [a-z]+="(?:[^<&"]|&#\d+;)*")*)(\/?)>|\s+/uy;
  while (token.lastIndex < xml.length) {
    const at = token.lastIndex;
    const match = token.exec(xml);
    if (!match) throw new Error(`not well formed at ${xml.slice(at, at + 50)}`);
    const [whole, closes, name = '', given = '', isEmpty] = match;
    if (whole.startsWith('<?') && at !== 0) throw new Error('a declaration inside');
    if (name === '') continue;
    if (closes) {
      if (open.pop()?.name !== name) throw new Error(`${name} is closed, and not open`);
      continue;
    }
    const pairs = [...given.matchAll(/ ([a-z]+)="([^"]*)"/g)].map(([, key = '', value = '']) => [key, value.replace(/&#(\d+);/g, (_, code) => String.fromCharCode(Number(code)))] as const);
    const attributes = Object.fromEntries(pairs);
    if (Object.keys(attributes).length !== pairs.length) throw new Error('an attribute is there twice');
    const element = { name, attributes, children: [] };
    open.at(-1)?.children.push(element);
    if (!isEmpty) open.push(element);
  }
  if (open.length !== 1 || root.children.length !== 1 || !root.children[0]) throw new Error('not one whole element');
  return root.children[0];
}

test('a suite for each model, a case for each claim, with its time and what is wrong', () => {
  const claims: readonly IndexedOutcome[] = [
    held,
    { index: 1, claim: 'it sorts', measured: 0.98997, expect: ' >= 0.99 ', ok: false, finding: 'almost' },
    { index: 2, claim: 'it flies', measured: null, expect: '> 0', ok: false, problem: 'There is no analysis "wings".' },
  ];
  const document = parse(junitText([verification(claims), verification([held], { name: 'other', seed: 0 })]));
  expect(document).toMatchObject({ name: 'testsuites', attributes: { tests: '4', failures: '1', errors: '1', time: '1.000' } });
  const [first, second] = document.children;
  expect(first?.attributes).toEqual({ name: 'copying, seed 3', tests: '3', failures: '1', errors: '1', time: '0.750' });
  expect(second?.attributes).toMatchObject({ name: 'other, seed 0', tests: '1', failures: '0', errors: '0' });
  const [properties, ...cases] = first?.children ?? [];
  expect(properties?.children).toEqual([{ name: 'property', attributes: { name: 'model', value: '0123456789abcdef' }, children: [] }]);
  expect(cases.map(({ name, attributes }) => [name, attributes['classname'], attributes['name'], attributes['time']])).toEqual([
    ['testcase', 'copying, seed 3', 'it copies', '0.250'], ['testcase', 'copying, seed 3', 'it sorts', '0.250'], ['testcase', 'copying, seed 3', 'it flies', '0.250'],
  ]);
  expect(cases.map(({ children }) => children)).toEqual([
    [],
    // With so many digits that it is seen not to be 0.99.
    [{ name: 'failure', attributes: { message: 'measured 0.98997, expected >= 0.99', type: 'almost' }, children: [] }],
    [{ name: 'error', attributes: { message: 'There is no analysis "wings".' }, children: [] }],
  ]);
});

test('a model that nothing is claimed of fails where it could not be trained', () => {
  const document = parse(junitText([verification([], { problem: 'The loss stopped being a number.' })]));
  expect(document.attributes).toMatchObject({ tests: '1', errors: '1' });
  expect(document.children[0]?.children[1]).toMatchObject({ name: 'testcase', children: [{ name: 'error', attributes: { message: 'The loss stopped being a number.' } }] });
  expect(parse(junitText([verification([])])).children[0]?.attributes).toMatchObject({ tests: '0', errors: '0' });
});

test('no name breaks the document, or puts a control character into it', () => {
  const hostile = fc.oneof(
    fc.string({ unit: 'binary' }), fc.string({ unit: 'grapheme' }),
    fc.array(fc.constantFrom('<', '>', '&', '"', '\'', ']]>', '&#0;', '-->', '\u0000', '\u001b[2J', '\ud800', '\uffff', '\r\n', '\u2028')).map(parts => parts.join('')),
  );
  fc.assert(fc.property(hostile, text => {
    const xml = junitText([verification([{ ...held, claim: text, ok: false, finding: text }, { ...held, index: 1, measured: null, ok: false, problem: text }], { name: text })]);
    expect(xml).not.toMatch(/[^\n\u0020-\u007e\u00a0-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u);
    // What XML may hold comes back as it was, ends of lines too.
    const kept = text.replace(/[^\t\n\r\u0020-\u007e\u00a0-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, '\ufffd');
    const [suite] = parse(xml).children;
    expect(suite?.attributes['name']).toBe(`${kept}, seed 3`);
    expect(suite?.children[1]).toMatchObject({ attributes: { name: kept }, children: [{ name: 'failure', attributes: { type: kept } }] });
    expect(suite?.children[2]).toMatchObject({ children: [{ name: 'error', attributes: { message: kept } }] });
  }));
});
