import { describe, expect, test } from 'vitest';
import * as v from 'valibot';
import manifest from '../../../package.json';
import { commandArgument, commands, contextKeys, panelType, settings, sweepPanelType, views, type Setting } from '../../../src/extension/contributions';

const { contributes } = manifest;

describe('the manifest and the table of contributions agree', () => {
  test('on the commands', () => {
    expect(contributes.commands.map(({ command }) => command).sort()).toEqual(Object.keys(commands).sort());
  });

  test('on the settings and what they are by default', () => {
    const properties: Readonly<Record<string, { readonly default: unknown }>> = contributes.configuration.properties;
    expect(Object.keys(properties).sort()).toEqual(Object.keys(settings).sort());
    for (const name of Object.keys(settings) as Setting[]) {
      expect(v.parse(settings[name], undefined), name).toBe(properties[name]?.default);
      expect(v.parse(settings[name], properties[name]?.default), name).toBe(properties[name]?.default);
    }
    expect(contributes.configuration.properties['circuits.device'].enum).toEqual(['auto', 'cpu', 'webgpu', 'tensorflow']);
  });

  test('on the views and the panels', () => {
    expect(contributes.views.circuits.map(({ id }) => id)).toEqual(Object.values(views));
    for (const type of [panelType, sweepPanelType]) expect(manifest.activationEvents).toContain(`onWebviewPanel:${type}`);
  });

  test('in menus, welcome texts and conditions, which name nothing else', () => {
    const known: readonly string[] = [
      ...Object.keys(commands), ...Object.keys(settings), ...Object.values(views), ...contextKeys, panelType, sweepPanelType,
    ];
    const used = JSON.stringify(contributes).match(/(?<!\/)\bcircuits(?:\.[a-zA-Z]+)+/g) ?? [];
    expect(used.filter(name => !known.includes(name))).toEqual([]);
  });

  test('on the rows that an analysis can be opened on: beside the name of heads and MLPs, in the menu of models and checkpoints too', () => {
    const rows = ['model finished ended', 'checkpoint', 'head', 'mlp', 'layer', 'attention', 'embedding', 'parameter', 'problem'];
    const shownOn = (inline: boolean) => contributes.menus['view/item/context']
      .filter(({ command, group }) => command === 'circuits.openAnalysis' && group.startsWith('inline') === inline)
      .flatMap(({ when }) => rows.filter(row => new RegExp(/viewItem =~ \/(.*)\/$/.exec(when)?.[1] ?? '^$').test(row)));
    expect(shownOn(true)).toEqual(['head', 'mlp']);
    expect(shownOn(false)).toEqual(['model finished ended', 'checkpoint', 'head', 'mlp']);
  });

  test('on the rows that a model can be fine-tuned from: what is trained to its end, and every checkpoint', () => {
    const rows = ['model finished ended tunable', 'checkpoint', 'model training running', 'model stopped ended resumable', 'checkpoints', 'tuned', 'head'];
    const shown = contributes.menus['view/item/context'].filter(({ command }) => command === 'circuits.fineTuneFromHere');
    expect(shown.map(({ when }) => rows.filter(row => new RegExp(/viewItem =~ \/(.*)\/$/.exec(when)?.[1] ?? '^$').test(row)))).toEqual([
      ['model finished ended tunable', 'checkpoint'], ['model finished ended tunable', 'checkpoint'],
    ]);
  });

  test('on when a waiting training can be cancelled: while one waits, and on the row that it waits for', () => {
    const { menus } = contributes;
    const rows = ['model training running awaited', 'model training running', 'checkpoint'];
    const shown = menus['view/item/context'].filter(({ command }) => command === 'circuits.cancelWaiting');
    expect(shown.map(({ when }) => rows.filter(row => new RegExp(/viewItem =~ \/(.*)\/$/.exec(when)?.[1] ?? '^$').test(row)))).toEqual([[rows[0]]]);
    expect(menus.commandPalette.find(({ command }) => command === 'circuits.cancelWaiting')?.when).toBe('circuits.waiting');
  });

  test('and every command has an icon where it stands inline or in a title', () => {
    const { menus } = contributes;
    const shown = [
      ...menus['view/title'], ...menus['editor/title'], ...menus['editor/title/run'],
      ...menus['view/item/context'].filter(({ group }) => group.startsWith('inline')),
    ];
    const withIcon = contributes.commands.filter(command => 'icon' in command).map(({ command }) => command);
    expect(shown.map(({ command }) => command).filter(command => !withIcon.includes(command))).toEqual([]);
  });
});

describe('settings that choose folders and programs', () => {
  test('cannot come from a workspace', () => {
    for (const [name, property] of Object.entries(contributes.configuration.properties)) {
      expect(property.scope, name).toBe('machine');
    }
    expect([...manifest.capabilities.untrustedWorkspaces.restrictedConfigurations].sort()).toEqual(Object.keys(settings).sort());
  });
});

describe('the argument of a command', () => {
  test('is what a row of the tree hands over, without the rest', () => {
    const row = { kind: 'head', model: 'abc', layer: 1, head: 0 };
    expect(commandArgument('circuits.openAttention', row)).toEqual({ model: 'abc', layer: 1, head: 0 });
  });

  test('counts as none when it does not fit', () => {
    for (const wrong of [undefined, null, 'abc', { model: 3 }, { model: '' }, { model: 'abc', layer: -1 }, ['abc']]) {
      expect(commandArgument('circuits.delete', wrong)).toBeUndefined();
    }
    expect(commandArgument('circuits.train', { model: 'abc' })).toBeUndefined();
  });
});
