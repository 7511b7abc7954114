import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { repository } from '../support/repository.mjs';

const map = readFileSync(path.join(repository, 'src', 'README.md'), 'utf8');
const at = (place: string) => path.join(repository, place);
const isFolder = (place: string) => existsSync(at(place)) && statSync(at(place)).isDirectory();

/** The first column of the table of rooms. */
const rooms = [...map.matchAll(/^\| `([^`]+)` \|/gm)].map(([, room = '']) => room);
/** Everything in code font that looks like a path. `<name>` stands for what is yet to come. */
const places = [...map.matchAll(/`([\w./-]+\/[\w.-]+)`/g)].map(([, place = '']) => place);

describe('the map', () => {
  test('names rooms that are there', () => {
    expect(rooms.filter(room => !isFolder(room))).toEqual([]);
  });

  test('has every room on it', () => {
    const folders = readdirSync(at('src')).map(name => `src/${name}`).filter(isFolder);
    expect([...rooms].sort()).toEqual([...folders, 'media', 'test', 'webview'].sort());
  });

  test('names files and folders that are there, below src or with their whole path', () => {
    expect(places.length).toBeGreaterThan(10);
    const gone = places.filter(place => ![place, `${place}.ts`, `src/${place}`, `src/${place}.ts`].some(each => existsSync(at(each))));
    expect(gone).toEqual([]);
  });
});
