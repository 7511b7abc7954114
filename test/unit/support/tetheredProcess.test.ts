import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { eventually } from '../../support/eventually';
import { ended } from '../../support/processes';

const tetheredProcess = path.join(import.meta.dirname, '../../support/tetheredProcess.mjs');

/** A command with a child of its own, both of which ignore polite requests; writes both process ids to a file. */
const stubbornFamily = `
  process.on('SIGTERM', () => {});
  setInterval(() => {}, 1000);
  if (process.argv[2] === 'child') {
    require('node:fs').renameSync(process.argv[1] + '.new', process.argv[1]);
  } else {
    const child = require('node:child_process').spawn(process.execPath, ['-e', process.env.FAMILY, process.argv[1], 'child']);
    require('node:fs').writeFileSync(process.argv[1] + '.new', JSON.stringify([process.pid, child.pid]));
  }
`;

let folder: string;
let idsFile: string;
const started: ChildProcess[] = [];

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'circuits-tether-'));
  idsFile = path.join(folder, 'ids.json');
});

afterEach(async () => {
  for (const child of started.splice(0)) child.kill('SIGKILL');
  await rm(folder, { recursive: true });
});

describe('a tethered process', () => {
  test('ends with its children when it is disconnected', async () => {
    const tether = start(tetheredProcess, [process.execPath, '-e', stubbornFamily, idsFile]);
    const family = await familyIds();
    const exit = once(tether, 'exit');
    tether.disconnect();
    await exit;
    for (const member of family) await ended(member);
  });

  test('ends with its children when whoever started it is killed', async () => {
    const owner = path.join(folder, 'owner.mjs');
    await writeFile(
      owner,
      `import { fork } from 'node:child_process';
      fork(${JSON.stringify(tetheredProcess)}, [process.execPath, '-e', process.env.FAMILY, ${JSON.stringify(idsFile)}]);`,
    );
    const parent = start(owner, []);
    const family = await familyIds();
    parent.kill('SIGKILL');
    for (const member of family) await ended(member);
  });

  test('exits as its command does, and leaves no children behind', async () => {
    const family = `${stubbornFamily}; setInterval(() => require('node:fs').existsSync(process.argv[1]) && process.exit(3), 20);`;
    const tether = start(tetheredProcess, [process.execPath, '-e', family, idsFile]);
    expect(await once(tether, 'exit')).toEqual([3, null]);
    for (const member of await familyIds()) await ended(member);
  });
});

function start(script: string, parameters: readonly string[]): ChildProcess {
  const child = fork(script, parameters, { env: { ...process.env, FAMILY: stubbornFamily } });
  started.push(child);
  return child;
}

async function familyIds(): Promise<readonly number[]> {
  const ids: unknown = await eventually('the family to run', async () => JSON.parse(await readFile(idsFile, 'utf8')));
  const numbers = Array.isArray(ids) ? ids.map(Number) : [];
  expect(numbers).toHaveLength(2);
  return numbers;
}
