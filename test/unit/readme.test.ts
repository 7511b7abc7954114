import { existsSync, readFileSync, statSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { Random } from '../../src/common/random';
import { readPrompts } from '../../src/engine/promptsFile';
import { settings } from '../../src/extension/contributions';
import { moduleTask } from '../../src/tasks/moduleTask';
import { readExperiment } from '../../src/training/experiment';
import { readableManifest } from '../support/manifest';
import { repository } from '../support/repository.mjs';
import { runHere } from './cli/commandLine';
import { temporaryFolder } from './store/folders';

const at = (...place: string[]) => path.join(repository, ...place);
const readme = readFileSync(at('README.md'), 'utf8');
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
    expect(scripts.filter(script => !(script in readableManifest.scripts))).toEqual([]);
    const titles = readableManifest.contributes.commands.map(({ title }) => `Circuits: ${title}`);
    const commands = all(/\*\*(Circuits: [^*]+)\*\*/g);
    expect(commands.length).toBeGreaterThan(3);
    expect(commands.filter(command => !titles.includes(command))).toEqual([]);
    expect(all(/^\| `(circuits\.[\w.]+)` \|/gm)).toEqual(Object.keys(settings));
  });

  test('has an experiment that can be trained', () => {
    const [experiment = ''] = all(/```json\n([^`]+)```/g);
    expect(readExperiment(experiment)).toMatchObject({ ok: true });
  });

  test('has a file of prompts that a model that adds modulo 7 can be bound to, with the right answers', async () => {
    const example = [...readme.matchAll(/```json\n([^`]+)```/g)].map(([, text = '']) => text).find(text => text.includes('"prompts"')) ?? '';
    const file = path.join(await temporaryFolder(), 'example.prompts.json');
    await writeFile(file, example);
    const task = moduleTask(await readPrompts(file, { d_vocab: 8, d_vocab_out: 8, n_ctx: 3 }));
    const rows = Array.from(task.allExamples?.labels.data ?? [], (answer, row) => [...task.allExamples?.tokens.data.subarray(3 * row, 3 * row + 3) ?? [], answer]);
    expect(rows.length).toBeGreaterThan(1);
    expect(rows).toEqual(rows.map(([a = 0, b = 0]) => [a, b, 7, (a + b) % 7]));
    expect(task.corruptions['corrupted']?.(rows[0]?.slice(0, 3) ?? [], new Random(0, 'test'))).toEqual(rows[1]?.slice(0, 3));
  });

  test('lists the commands of the program', async () => {
    const { out } = await runHere('no bundles', ['--help']);
    const there = [...out.slice(out.indexOf('Commands:')).matchAll(/^ {2}([a-z]+)/gm)].map(([, name = '']) => name).filter(name => name !== 'help');
    expect(there.length).toBeGreaterThan(10);
    const listed = [...readme.matchAll(/^circuits ([a-z]+)(?: \| ([a-z]+))?/gm)].flatMap(([, ...names]) => names.filter(name => name !== undefined));
    expect([...new Set(listed)].sort()).toEqual(there.sort());
  });
});
