import { describe, expect, test } from 'vitest';
import * as v from 'valibot';
import manifest from '../../../package.json';
import { claimController, commandArgument, commands, contextKeys, failedClaim, panelType, settings, sweepPanelType, views, weightsEditors, type Setting } from '../../../src/extension/contributions';
import { readableManifest, words } from '../../support/manifest';

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

  test('on the editors of files of weights: safetensors open in theirs, files of PyTorch by choice', () => {
    expect(contributes.customEditors.map(({ viewType }) => viewType)).toEqual([...weightsEditors]);
    expect(contributes.customEditors.map(({ priority, selector }) => [priority, ...selector.map(({ filenamePattern }) => filenamePattern)])).toEqual([
      ['default', '*.safetensors'], ['option', '*.pt', '*.pth', '*.bin'],
    ]);
  });

  test('in menus, welcome texts and conditions, which name nothing else', () => {
    const known: readonly string[] = [
      ...Object.keys(commands), ...Object.keys(settings), ...Object.values(views), ...contextKeys, panelType, sweepPanelType, claimController, failedClaim, ...weightsEditors,
      // VS Code's own for each view.
      ...Object.values(views).map(view => `${view}.focus`),
    ];
    const used = JSON.stringify(readableManifest.contributes).match(/(?<!\/)\bcircuits(?:\.[a-zA-Z]+)+/g) ?? [];
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

  test('on the rows that a training can be stepped on: paused ones, where a breakpoint can be added as on all that run', () => {
    const rows = ['model paused running', 'model training running', 'model stopped ended resumable', 'checkpoint'];
    const written = ['experiment paused modelled running resumable', 'experiment training modelled running', 'experiment stopped modelled resumable', 'experiment untrained trainable'];
    const shownOn = (wanted: string, view = 'models', rowsOf = rows) => contributes.menus['view/item/context']
      .filter(({ command, when }) => command === wanted && when.includes(`view == circuits.${view} `))
      .map(({ when }) => rowsOf.filter(row => new RegExp(/viewItem =~ \/(.*)\/$/.exec(when)?.[1] ?? '^$').test(row)));
    expect(shownOn('circuits.stepToCheckpoint')).toEqual([[rows[0]], [rows[0]]]);
    expect(shownOn('circuits.addBreakpoint')).toEqual([[rows[0], rows[1]]]);
    expect(shownOn('circuits.stepToCheckpoint', 'experiments', written)).toEqual([[written[0]], [written[0]]]);
    expect(shownOn('circuits.addBreakpoint', 'experiments', written)).toEqual([[written[0], written[1]]]);
  });

  describe('on when the palette offers a command', () => {
    /** Why each is offered at any time. */
    const always: Readonly<Record<string, string>> = {
      'circuits.train': 'the bundled experiments can always be trained',
      'circuits.sweep': 'one of the bundled experiments is a sweep',
      'circuits.importModel': 'it asks for a file',
      'circuits.newExperiment': 'it is made of a bundled one, and saved anywhere',
      'circuits.refresh': 'it starts the engine where there is none',
      'circuits.restartEngine': 'it starts the engine where there is none',
      'circuits.openLog': 'the log is there from the start',
      'circuits.collectDiagnostics': 'it says what there is, if only why there is little',
      'circuits.openWalkthrough': 'it is part of the extension',
      'circuits.openSampleWorkspace': 'it comes with the extension',
    };
    const palette = new Map(contributes.menus.commandPalette.map(({ command, when }) => [command, when]));

    test('each has a condition, once, or a reason to need none', () => {
      expect(contributes.menus.commandPalette).toHaveLength(palette.size);
      expect([...palette.keys(), ...Object.keys(always)].sort()).toEqual(Object.keys(commands).sort());
    });

    test.each([...palette])('%s: by what is known of the editor and of the models', (_, when) => {
      const ofEditor = ['isWorkspaceTrusted', 'workspaceFolderCount', 'resourceFilename', 'activeWebviewPanelId'];
      const values = ['false', '0', 'ready', 'impossible'];
      const words = when.replace(/\/.*?[^\\]\/|'[^']*'/g, '').match(/[\w.]+/g) ?? [];
      expect(words.filter(word => ![...contextKeys, ...ofEditor, ...values].includes(word))).toEqual([]);
    });

    test.each([...palette].filter(([, when]) => /circuits\.(can|hasModels|hasSweeps)/.test(when)))(
      '%s: of models and sweeps nothing is known before the engine has answered', (_, when) => {
        expect(when).toContain('circuits.engine != ready ||');
      },
    );
  });

  test('on the rows of models that can be pinned, and unpinned', () => {
    const rows = ['model finished ended tunable', 'model training running pinned', 'checkpoint'];
    const shownOn = (command: string) => new Set(contributes.menus['view/item/context'].filter(each => each.command === command)
      .flatMap(({ when }) => rows.filter(row => new RegExp(/viewItem =~ \/(.*)\/$/.exec(when)?.[1] ?? '^$').test(row))));
    expect([shownOn('circuits.pinModel'), shownOn('circuits.unpinModel')]).toEqual([new Set([rows[0]]), new Set([rows[1]])]);
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

test('F12 stays with language servers wherever one may know more', () => {
  expect(contributes.keybindings.filter(({ key }) => key === 'f12').map(({ when }) => when)).toEqual(['editorTextFocus && circuits.onTensor == string']);
});

describe('settings that choose folders and programs', () => {
  test('cannot come from a workspace', () => {
    const { properties } = contributes.configuration;
    const ofMachine = Object.entries(properties).filter(([, { scope }]) => scope === 'machine').map(([name]) => name);
    const harmless = ['circuits.hooks.enabled'];
    expect(Object.keys(properties).filter(name => !harmless.includes(name)).sort()).toEqual(ofMachine.sort());
    expect([...manifest.capabilities.untrustedWorkspaces.restrictedConfigurations].sort()).toEqual(ofMachine.sort());
    // Settings are read for the window, not for one of its files.
    expect(Object.values(properties).map(({ scope }) => scope).filter(scope => scope !== 'machine' && scope !== 'window')).toEqual([]);
  });
});

describe('the words of the manifest', () => {
  /** The texts at fields of these names, wherever they stand. */
  function textsAt(names: readonly string[], value: unknown): readonly string[] {
    if (typeof value !== 'object' || value === null) return [];
    return Object.entries(value).flatMap(([name, inner]) => {
      if (!names.includes(name)) return textsAt(names, inner);
      return typeof inner === 'string' ? [inner] : Array.isArray(inner) ? inner.filter(text => typeof text === 'string') : textsAt(names, inner);
    });
  }

  test('all stand in package.nls.json', () => {
    const shown = [
      'title', 'category', 'description', 'markdownDescription', 'enumDescriptions', 'contents', 'contextualTitle', 'displayName', 'userDescription',
      'modelDescription', 'altText',
    ];
    const texts = [
      ...textsAt(shown, contributes), ...textsAt(['name'], contributes.views), manifest.displayName, manifest.description,
      manifest.capabilities.untrustedWorkspaces.description,
    ];
    expect(texts.filter(text => !/^%[\w.]+%$/.test(text))).toEqual([]);
  });

  test('each have a key that is there, and every key is used', () => {
    const used = JSON.stringify(manifest).match(/(?<="%)[^%"]+(?=%")/g) ?? [];
    expect([...new Set(used)].sort()).toEqual(Object.keys(words).sort());
  });
});

describe('the argument of a command', () => {
  test('is what a row of the tree hands over, without the rest', () => {
    const row = { kind: 'head', model: 'abc', layer: 1, head: 0 };
    expect(commandArgument('circuits.openAttention', row)).toEqual({ model: 'abc', layer: 1, head: 0 });
  });

  test('is the claim that a lens, a test or the message of one stands for', () => {
    const claim = { file: 'file:///a.circuit.json', claim: '["It learns",1]' };
    const item = { id: claim.claim, uri: { scheme: 'file', path: '/a.circuit.json', toString: () => claim.file }, label: 'It learns' };
    for (const given of [claim, item, { test: item, message: {} }]) expect(commandArgument('circuits.openClaimFigure', given)).toEqual(claim);
    expect(commandArgument('circuits.openClaimFigure', { message: {} })).toBeUndefined();
  });

  test('counts as none when it does not fit', () => {
    for (const wrong of [undefined, null, 'abc', { model: 3 }, { model: '' }, { model: 'abc', layer: -1 }, ['abc']]) {
      expect(commandArgument('circuits.delete', wrong)).toBeUndefined();
    }
    expect(commandArgument('circuits.train', { model: 'abc' })).toBeUndefined();
  });
});
