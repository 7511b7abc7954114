import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checkSlurmOptions, logFile, overridingVariables, shellQuoted, slurmScript, type SlurmSetup } from '../../../../src/engine/executors/slurmScript';

const setup: SlurmSetup = { options: {}, parallel: 0, threads: 0, command: ['/usr/bin/node', '/opt/circuits/cli.js'] };
/** Characters that mean something to a shell, to Slurm or to printf, among others. */
const awkward = fc.string({ unit: fc.constantFrom(...` '"\`$\\\n\t#;&|<>(){}[]*?!~%=-aé `), maxLength: 30 });

/** The words that a shell makes of a line. */
function wordsOf(line: string, environment: Readonly<Record<string, string>> = {}): readonly string[] {
  return execFileSync('/bin/sh', ['-c', line], { env: { PATH: '/nowhere', HOME: '/home', ...environment }, encoding: 'utf8' }).split('\0').slice(0, -1);
}

describe('the script of an array', () => {
  test('asks for all that was chosen, and gives each task its file', () => {
    const chosen: SlurmSetup = { ...setup, options: { partition: 'gpu', time: '1-12', memory: '4G', gres: 'gpu:a100:1' }, parallel: 4, threads: 2 };
    expect(slurmScript(chosen, { runs: [0, 1, 2, 3, 7], offset: 0 }, '/home/me/models/sweeps/abc')).toBe([
      '#!/bin/sh',
      '#SBATCH --job-name=circuits-sweep',
      '#SBATCH --array=0-3,7%4',
      '#SBATCH --partition=gpu',
      '#SBATCH --time=1-12',
      '#SBATCH --mem=4G',
      '#SBATCH --gres=gpu:a100:1',
      '#SBATCH --cpus-per-task=2',
      '#SBATCH --requeue',
      '#SBATCH --open-mode=append',
      '#SBATCH --signal=B:USR2@60',
      '#SBATCH --output="/home/me/models/sweeps/abc/logs/%a.log"',
      `exec '/usr/bin/node' '/opt/circuits/cli.js' 'sweep-task' '/home/me/models/sweeps/abc/tasks/'"$SLURM_ARRAY_TASK_ID".json`,
      '',
    ].join('\n'));
  });

  test('leaves to the cluster what was not chosen', () => {
    const script = slurmScript(setup, { runs: [0], offset: 0 }, '/s');
    expect(script.match(/--[a-z-]+/g)).toEqual(['--job-name', '--array', '--requeue', '--open-mode', '--signal', '--output']);
    expect(script).toContain('--array=0\n');
  });

  test('numbers the tasks of a later array from its offset', () => {
    const script = slurmScript(setup, { runs: [1001, 1002], offset: 1001, after: '42' }, '/s');
    expect(script).toContain('#SBATCH --array=0-1\n#SBATCH --dependency=afterany:42\n');
    const line = (script.split('\n').find(text => text.startsWith('exec ')) ?? '').replace("exec '/usr/bin/node'", `printf '%s\\0'`);
    expect(wordsOf(line, { SLURM_ARRAY_TASK_ID: '1' })).toEqual(['/opt/circuits/cli.js', 'sweep-task', '/s/tasks/1002.json']);
    expect(script).toContain('--output="/s/logs/1001+%a.log"');
    expect(logFile('/s', 1002, 1001)).toBe('/s/logs/1001+1.log');
  });

  test.runIf(process.platform !== 'win32')('a shell gives every word as it is, whatever is in it', () => {
    fc.assert(fc.property(fc.array(awkward, { minLength: 1, maxLength: 5 }), words => {
      expect(wordsOf(`printf '%s\\0' ${words.map(shellQuoted).join(' ')}`)).toEqual(words);
    }), { numRuns: 150 });
    expect(() => shellQuoted('a\0b')).toThrow(/NUL/);
  });

  test.runIf(process.platform !== 'win32')('run by a shell, whatever the paths, it starts the program with the file of its task and nothing else', () => {
    fc.assert(fc.property(awkward, awkward.filter(text => !/[\\\p{Cc}]/u.test(text)), (program, home) => {
      const folder = `/x${home}`;
      const script = slurmScript({ ...setup, command: ['printf', '%s\\0', program] }, { runs: [7], offset: 0 }, folder);
      const line = script.split('\n').slice(script.split('\n').findIndex(text => text.startsWith('exec '))).join('\n').replace(`exec 'printf'`, 'printf');
      expect(wordsOf(line, { SLURM_ARRAY_TASK_ID: '7' })).toEqual([program, 'sweep-task', `${folder.replace(/\/+$/, '')}/tasks/7.json`]);
      // Before its one command there is nothing but the options.
      expect(script.slice(0, script.indexOf('exec ')).split('\n').slice(1, -1).every(text => text.startsWith('#SBATCH --'))).toBe(true);
    }), { numRuns: 100 });
  });

  test('quotes the place of the logs as Slurm reads it, and refuses one that it cannot read', () => {
    expect(slurmScript(setup, { runs: [0], offset: 0 }, `/it's "100%"`)).toContain(`--output="/it's \\"100%%\\"/logs/%a.log"`);
    for (const folder of ['/a\nb', '/a\\b', '/a\tb']) {
      expect(() => slurmScript(setup, { runs: [0], offset: 0 }, folder)).toThrow(/^Slurm cannot write logs in .*choose another folder/);
    }
  });
});

describe('options for Slurm', () => {
  test.each([
    { partition: 'gpu' }, { partition: 'main,long-2' }, { time: '30' }, { time: '30:00' }, { time: '2:00:00' }, { time: '1-12' }, { time: '1-12:30' }, { time: '7-00:00:00' },
    { memory: '4000' }, { memory: '4G' }, { memory: '512M' }, { gres: 'gpu' }, { gres: 'gpu:1' }, { gres: 'gpu:a100:2,shard:1' },
  ])('can be $partition$time$memory$gres', options => {
    expect(() => checkSlurmOptions(options)).not.toThrow();
  });

  test.each([
    { partition: '' }, { partition: '-p' }, { partition: 'a b' }, { partition: 'a\n#SBATCH --uid=0' }, { partition: '$(id)' }, { time: 'soon' }, { time: '1:2:3:4' }, { time: '-1' },
    { memory: '4GB' }, { memory: '4 G' }, { memory: '-4' }, { gres: 'gpu:1;id' }, { gres: '--help' }, { gres: 'gpu:1 --uid=0' },
  ])('cannot be $partition$time$memory$gres', options => {
    expect(() => checkSlurmOptions(options)).toThrow(/^--\w+ ".*" is nothing that Slurm reads; write it as in --\w+ \S+\.$/s);
  });

  test('that pass hold nothing that ends a word or a line, or begins an option', () => {
    const value = fc.string({ unit: fc.constantFrom(...'gpu1-:,._4GM \n\'"$;#`=%'), maxLength: 8 });
    fc.assert(fc.property(fc.constantFrom('partition', 'time', 'memory', 'gres'), value, (name, text) => {
      try {
        checkSlurmOptions({ [name]: text });
      } catch {
        return;
      }
      expect(text).toMatch(/^[\w][\w:.,-]*$/);
    }), { numRuns: 2000 });
  });

  test('have their way over variables of the same meaning, which else stay', () => {
    expect(overridingVariables({})).not.toContain('SBATCH_PARTITION');
    expect(overridingVariables({ partition: 'gpu', memory: '4G' })).toEqual(expect.arrayContaining(['SBATCH_PARTITION', 'SBATCH_MEM_PER_CPU', 'SBATCH_ARRAY_INX']));
    expect(overridingVariables({ partition: 'gpu' })).not.toContain('SBATCH_ACCOUNT');
  });
});
