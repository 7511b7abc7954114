import { expect, test } from 'vitest';
import { freeName, nameClash, nameIn, type NamedFile } from '../../../../src/extension/experiments/experimentNames';

function file(name: string, text: string): NamedFile {
  return { file: `file:///${name}`, path: name, text, name: nameIn(text) };
}

const one = file('one.circuit.json', '{ "name": "clock", "seed": 1 }');
const two = file('two.circuit.json', '{ "seed": 2, "name": "clock" }');
const third = file('third.circuit.json', '{ "name": "clock-2" }');

test('two files that claim one name are told of each other, and offered a name that nobody has', () => {
  const all = [one, two, third];
  const clash = nameClash(one, all);
  expect(clash).toMatchObject({ message: expect.stringContaining('two.circuit.json'), free: 'clock-3' });
  expect(one.text.slice(clash?.span.start, clash?.span.end)).toBe('"clock"');
  expect(nameClash(two, all)?.message).toContain('one.circuit.json');
  expect(nameClash(third, all)).toBeUndefined();
});

test('files that say the same are told so, with a name and without', () => {
  const copy = file('copy.circuit.json', one.text);
  expect(nameClash(copy, [one, copy])).toMatchObject({ message: 'This file says the same as one.circuit.json.', free: 'clock-2' });
  const [nameless, alike] = [file('a', '{ "seed": 1 }'), file('b', '{ "seed": 1 }')];
  expect(nameClash(nameless, [nameless, alike])).toEqual({ span: { start: 0, end: 1 }, message: 'This file says the same as b.' });
  expect(nameClash(file('a', ''), [file('a', ''), file('b', '')])).toBeUndefined();
});

test('files without a name claim none', () => {
  expect(nameIn('{ "name": ')).toBeUndefined();
  expect(nameClash(file('a', '{ "seed": 1 }'), [file('a', '{ "seed": 1 }'), file('b', '{ "seed": 2 }')])).toBeUndefined();
});

test('a name is free as it is, or with the lowest number', () => {
  expect(freeName('clock', [])).toBe('clock');
  expect(freeName('clock', ['clock', 'clock-2'])).toBe('clock-3');
  expect(freeName('clock-2', ['clock-2'])).toBe('clock-3');
  expect(freeName('clock-7', ['clock-7'])).toBe('clock-2');
});
