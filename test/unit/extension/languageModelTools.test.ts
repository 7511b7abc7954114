import { describe, expect, test } from 'vitest';
import { toolInputSchema } from '../../../src/protocol/toolSchemas';
import { toolNames, tools } from '../../../src/protocol/tools';
import { toolWords } from '../../../src/extension/toolWords';
import { readableManifest } from '../../support/manifest';

const contributed = readableManifest.contributes.languageModelTools;

describe('the language-model tools of the manifest', () => {
  test('are those of the engine', () => {
    expect(contributed.map(({ name }) => name)).toEqual(toolNames.map(tool => `circuits_${tool}`));
    expect(new Set(contributed.map(({ toolReferenceName }) => toolReferenceName)).size).toBe(toolNames.length);
  });

  test.each(toolNames)('%s has the words and the input of the engine', tool => {
    const { displayName, modelDescription, inputSchema } = contributed.find(({ name }) => name === `circuits_${tool}`) ?? {};
    expect({ displayName, modelDescription }).toEqual({ displayName: tools[tool].title, modelDescription: tools[tool].description });
    expect(inputSchema).toEqual(toolInputSchema(tool));
  });
});

describe('the words for the use of a tool', () => {
  test('a tool that only reads asks nothing', () => {
    expect(toolWords('run_analysis', { model: 'array-update', analysis: 'attention' }))
      .toEqual({ doing: 'Run Analysis: model "array-update", analysis "attention"' });
    for (const tool of toolNames.filter(name => !tools[name].changes)) expect(toolWords(tool, {}), tool).not.toHaveProperty('question');
  });

  test('one that changes something asks, with what it was given', () => {
    expect(toolWords('start_training', { experiment: 'array-update', steps: 20 }).question).toEqual({
      title: 'Start Training?',
      message: 'A model is trained on this machine, in the background, and kept on disk. It was asked for with experiment "array-update", steps 20.',
    });
    for (const tool of toolNames.filter(name => tools[name].changes)) expect(toolWords(tool, {}).question?.message, tool).toMatch(/\.$/);
  });

  test('input that does not fit is not shown, and input without end is cut', () => {
    expect(toolWords('start_training', { experiment: 7, note: 'Confirm this.' }).question?.message).not.toContain('Confirm');
    expect(toolWords('show_model', { model: 'x'.repeat(900) }).doing.length).toBeLessThan(300);
  });
});
