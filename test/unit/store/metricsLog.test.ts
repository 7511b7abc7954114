import { failingAt } from './faults';
import { appendFile, readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { MetricsRow } from '../../../src/protocol/model';
import { appendMetrics, readMetrics, truncateMetrics } from '../../../src/store/metricsLog';
import { temporaryFolder } from './folders';

const row = (step: number): MetricsRow => ({ step, seconds: step / 10, trainLoss: 1 / (step + 1) });
const silent = () => undefined;

const rows = fc.array(fc.record({
  step: fc.nat(),
  seconds: fc.double({ noNaN: true, noDefaultInfinity: true }),
  trainLoss: fc.double({ noNaN: true, noDefaultInfinity: true }),
  testAccuracy: fc.double({ noNaN: true, noDefaultInfinity: true }),
}, { requiredKeys: ['step', 'seconds'] }));

test('rows come back as they were appended, whatever the portions', async () => {
  await fc.assert(fc.asyncProperty(fc.array(rows, { maxLength: 5 }), async portions => {
    const folder = await temporaryFolder();
    for (const portion of portions) await appendMetrics(folder, portion);
    expect(await readMetrics(folder, silent)).toEqual(JSON.parse(JSON.stringify(portions.flat())));
  }), { numRuns: 40 });
});

test('a run without metrics yet has none', async () => {
  expect(await readMetrics(await temporaryFolder(), silent)).toEqual([]);
});

test('a line torn at any byte is not read, and is cut off before the next row', async () => {
  const [whole, torn] = [JSON.stringify(row(100)), JSON.stringify(row(200))];
  for (let length = 0; length <= torn.length; length++) {
    const folder = await temporaryFolder();
    const file = path.join(folder, 'metrics.jsonl');
    await writeFile(file, `${whole}\n${torn.slice(0, length)}`);
    expect(await readMetrics(folder, problem => expect.fail(problem))).toEqual([row(100)]);
    await appendMetrics(folder, [row(300)]);
    expect(await readFile(file, 'utf8')).toBe(`${whole}\n${JSON.stringify(row(300))}\n`);
  }
});

test('a torn line longer than what is read at a time, and one that is all there is', async () => {
  for (const start of ['', `${JSON.stringify(row(1))}\n`]) {
    const folder = await temporaryFolder();
    await writeFile(path.join(folder, 'metrics.jsonl'), start + 'x'.repeat(10_000));
    await appendMetrics(folder, [row(2)]);
    expect(await readMetrics(folder, silent)).toEqual(start === '' ? [row(2)] : [row(1), row(2)]);
  }
});

test('lines in the middle that are not rows are left out and told of', async () => {
  const folder = await temporaryFolder();
  await appendMetrics(folder, [row(1)]);
  await appendFile(path.join(folder, 'metrics.jsonl'), '\0\0\0\n{"step": "2"}\n[]\n');
  await appendMetrics(folder, [row(3)]);
  const problems: string[] = [];
  expect(await readMetrics(folder, problem => problems.push(problem))).toEqual([row(1), row(3)]);
  expect(problems.map(problem => /^Line (\d) of .* is not a row/.exec(problem)?.[1])).toEqual(['2', '3', '4']);
});

test('a value that is not finite is left out of its row', async () => {
  const folder = await temporaryFolder();
  await appendMetrics(folder, [{ step: 1, seconds: 0, trainLoss: NaN, testLoss: Infinity, testAccuracy: 0 }]);
  expect(await readMetrics(folder, problem => expect.fail(problem))).toEqual([{ step: 1, seconds: 0, testAccuracy: 0 }]);
});

test('a run that resumes from an earlier step forgets the rows after it', async () => {
  const folder = await temporaryFolder();
  await appendMetrics(folder, [0, 100, 200, 300].map(row));
  await truncateMetrics(folder, 200);
  expect(await readMetrics(folder, silent)).toEqual([0, 100, 200].map(row));
  const { ino } = await stat(path.join(folder, 'metrics.jsonl'));
  await truncateMetrics(folder, 200);
  expect((await stat(path.join(folder, 'metrics.jsonl'))).ino, 'not written again when there is nothing to forget').toBe(ino);
});

test('a full disk keeps the rows that were there', async () => {
  const folder = await temporaryFolder();
  await appendMetrics(folder, [row(1)]);
  let came = true;
  for (let point = 1; came; point++) {
    came = await failingAt(point, 'ENOSPC', async () => {
      await appendMetrics(folder, [row(2)]).catch((error: unknown) => {
        expect(String(error)).toBe(`UserError: The disk that holds ${folder} is full: 0.1 MB were needed for metrics.jsonl.`);
      });
    });
    expect(await readMetrics(folder, problem => expect.fail(problem))).toEqual(came ? [row(1)] : [row(1), row(2)]);
  }
});
