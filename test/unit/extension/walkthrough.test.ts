import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { contextKeys } from '../../../src/extension/contributions';
import { readableManifest } from '../../support/manifest';
import { repository } from '../../support/repository.mjs';

const [walkthrough] = readableManifest.contributes.walkthroughs;
const steps = (walkthrough?.steps ?? []).map(step => [step.id, step] as const);
const pictureOf = (file: string) => readFileSync(path.join(repository, file), 'utf8');

describe('the walkthrough', () => {
  test('goes from a training to a claim', () => {
    expect(steps.map(([id]) => id)).toEqual(['train', 'browse', 'attention', 'patch', 'claim']);
  });

  test.each(steps)('%s has a button, and is complete by what has happened', (_, { description, completionEvents }) => {
    // A line that is a link alone is a button.
    expect(description).toMatch(/^\[[^\]]+\]\(command:[\w.]+\)$/m);
    expect(completionEvents).toHaveLength(1);
    expect(contextKeys.map(key => `onContext:${key}`)).toContain(completionEvents[0]);
  });

  test.each(steps)('%s says in few words what to do', (_, { title, description }) => {
    expect(title.length).toBeLessThanOrEqual(30);
    expect(description.replace(/\]\(.*?\)/g, ']').length).toBeLessThanOrEqual(280);
  });

  test.each(steps)('the picture of %s has the colours of the theme alone, in attributes, as no style may be in it', (_, { media }) => {
    const picture = pictureOf(media.svg);
    expect(media.altText).not.toBe('');
    expect(picture).not.toMatch(/<style|style=|<script|href=/);
    const colours = [...picture.matchAll(/(?:fill|stroke)="([^"]*)"/g)].map(([, colour = '']) => colour);
    expect(colours.length).toBeGreaterThan(10);
    expect(colours.filter(colour => !/^(none|var\(--vscode-.+\)|url\(#masked\))$/.test(colour))).toEqual([]);
  });
});
