/** The name of a task module to be, of the last part of a path that was chosen: without its suffix. */
export function taskModuleName(base: string): string {
  return base.replace(/(\.circuit)?\.\w+$/, '');
}

/** Why a task module may not have this name, or nothing. */
export function problemOfTaskModuleName(name: string): string | undefined {
  if (name === '') return 'A task module needs a name.';
  return /^task-module$|\.d$/.test(name) ? `"${name}.ts" would hide the typings of task modules; choose another name.` : undefined;
}

/** The example of a task module, or its experiment, in which the module has another name. */
export function renamedParity(text: string, name: string): string {
  // As JSON writes it, as it stands within quotes.
  return text.replaceAll('"./parity.ts"', () => JSON.stringify(`./${name}.ts`)).replace('"name": "parity"', () => `"name": ${JSON.stringify(name)}`);
}
