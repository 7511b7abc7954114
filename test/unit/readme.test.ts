import { existsSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { settings } from '../../src/extension/contributions';
import { readExperiment } from '../../src/training/experiment';
import { repository } from '../support/repository.mjs';

const at = (...place: string[]) => path.join(repository, ...place);
const readme = readFileSync(at('README.md'), 'utf8');
const manifest = JSON.parse(readFileSync(at('package.json'), 'utf8'));
const all = (pattern: RegExp) => [...readme.matchAll(pattern)].map(([, found = '']) => found.replace(/\s+/g, ' '));

describe('README', () => {
  test('shows pictures and links to files that are there', () => {
    const links = all(/\]\((?!https:)([^)]+)\)/g);
    expect(links.length).toBeGreaterThan(2);
    expect(links.filter(link => !existsSync(at(link)))).toEqual([]);
    const pictures = links.filter(link => link.endsWith('.png'));
    expect(pictures.filter(picture => statSync(at(picture)).size > 200_000)).toEqual([]);
  });

  test('names npm scripts, commands and settings that exist', () => {
    const scripts = all(/npm run ([\w:]+)/g);
    expect(scripts.filter(script => !(script in manifest.scripts))).toEqual([]);
    const titles = manifest.contributes.commands.map(({ title }: { title: string }) => `Circuits: ${title}`);
    const commands = all(/\*\*(Circuits: [^*]+)\*\*/g);
    expect(commands.length).toBeGreaterThan(3);
    expect(commands.filter(command => !titles.includes(command))).toEqual([]);
    expect(all(/^\| `(circuits\.[\w.]+)` \|/gm)).toEqual(Object.keys(settings));
  });

  test('has an experiment that can be trained', () => {
    const [experiment = ''] = all(/```json\n([^`]+)```/g);
    expect(readExperiment(experiment)).toMatchObject({ ok: true });
  });
});
