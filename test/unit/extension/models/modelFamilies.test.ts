import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ModelFamilies } from '../../../../src/extension/models/modelFamilies';
import { familyOf, topNodes } from '../../../../src/extension/models/modelNodes';

/** Models by their ids; `tune<base` comes from another one. */
function models(...written: readonly string[]) {
  return written.map(one => {
    const [id = '', base] = one.split('<');
    return { id, ...(base === undefined ? {} : { from: { id: base, name: `then ${base}` } }) };
  });
}

function familiesOf(all: ReturnType<typeof models>) {
  const families = new ModelFamilies(all);
  return { families, top: topNodes(all, families).map(({ model }) => model) };
}

test('a fine-tuned model stands below its base, and what is fine-tuned from that below it in turn', () => {
  const { families, top } = familiesOf(models('b<a', 'c<b', 'd<a', 'a', 'other'));
  expect(top).toEqual(['a', 'other']);
  expect([families.tunedFrom('a'), families.tunedFrom('b'), families.tunedFrom('other')]).toEqual([['b', 'd'], ['c'], []]);
  expect([families.baseOf('c'), families.baseOf('a')]).toEqual(['b', undefined]);
});

test('a model whose base is gone stands at the top, with those that were fine-tuned from it', () => {
  const { families, top } = familiesOf(models('c<b', 'b<a'));
  expect(top).toEqual(['b']);
  expect(families.tunedFrom('b')).toEqual(['c']);
});

test('every model is found from the top exactly once, whatever the files say', () => {
  const name = fc.constantFrom('a', 'b', 'c', 'd', 'gone');
  const written = fc.uniqueArray(fc.tuple(fc.constantFrom('a', 'b', 'c', 'd'), fc.option(name, { nil: undefined })), { selector: ([id]) => id });
  fc.assert(fc.property(written, pairs => {
    const all = models(...pairs.map(([id, base]) => (base === undefined ? id : `${id}<${base}`)));
    const { families, top } = familiesOf(all);
    const below = (model: string): readonly string[] => [model, ...families.tunedFrom(model).flatMap(below)];
    expect(top.flatMap(below).sort()).toEqual(all.map(({ id }) => id).sort());
    for (const { id } of all) for (const tune of families.tunedFrom(id)) expect(families.baseOf(tune)).toBe(id);
  }));
});

test('only a model that others come from has a row for them, and only that row has them below', () => {
  const { families } = familiesOf(models('b<a', 'c<a', 'a'));
  expect(familyOf({ kind: 'model', model: 'a' }, families)).toEqual([{ kind: 'tuned', model: 'a' }]);
  expect(familyOf({ kind: 'tuned', model: 'a' }, families)).toEqual([{ kind: 'model', model: 'b' }, { kind: 'model', model: 'c' }]);
  expect(familyOf({ kind: 'model', model: 'b' }, families)).toEqual([]);
  expect(familyOf({ kind: 'layer', model: 'a', layer: 0 }, families)).toEqual([]);
});
