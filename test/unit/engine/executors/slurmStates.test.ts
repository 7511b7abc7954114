import { describe, expect, test } from 'vitest';
import { needsSomebody, parseAccounts, parseQueue, standingOf } from '../../../../src/engine/executors/slurmStates';

describe('what squeue prints', () => {
  // As Slurm 22.05 printed it.
  test('has a line for each task, with the status that its script ended with', () => {
    const text = ['1|0|COMPLETED|0|None|', '1|2|FAILED|9|JobLaunchFailure|', '1|1|FAILED|768|NonZeroExitCode|', '1|4|PENDING|0|Resources|', '1|3|RUNNING|0|None|', ''].join('\n');
    expect(parseQueue(text)).toEqual([
      { array: '1', task: 0, state: 'COMPLETED', exit: { code: 0, signal: 0 } },
      { array: '1', task: 2, state: 'FAILED', exit: { code: 0, signal: 9 }, reason: 'JobLaunchFailure' },
      { array: '1', task: 1, state: 'FAILED', exit: { code: 3, signal: 0 }, reason: 'NonZeroExitCode' },
      { array: '1', task: 4, state: 'PENDING', exit: { code: 0, signal: 0 }, reason: 'Resources' },
      { array: '1', task: 3, state: 'RUNNING', exit: { code: 0, signal: 0 } },
    ]);
  });

  test('can have blanks in a reason, and other lines about it, which tell of no task', () => {
    const text = 'CLUSTER: north\n12|3|PENDING||launch failed requeued held|\n\n12|N/A|RUNNING|0|None|\nslurm_load_jobs error\n12|[4-7]|PENDING|0|None|\n';
    expect(parseQueue(text)).toEqual([{ array: '12', task: 3, state: 'PENDING', reason: 'launch failed requeued held' }]);
    expect(parseQueue('')).toEqual([]);
  });
});

describe('what sacct prints', () => {
  test('has a line for each task that began, and one for those that wait', () => {
    const text = ['12_0|COMPLETED|0:0', '12_1|CANCELLED by 1000|0:15', '12_2|FAILED|3:0', '12_[4-5,8%2]|PENDING|0:0', '12_2.batch|FAILED|3:0', '13|RUNNING|0:0', ''].join('\n');
    expect(parseAccounts(text)).toEqual([
      { array: '12', task: 0, state: 'COMPLETED', exit: { code: 0, signal: 0 } },
      { array: '12', task: 1, state: 'CANCELLED', exit: { code: 0, signal: 15 } },
      { array: '12', task: 2, state: 'FAILED', exit: { code: 3, signal: 0 } },
      ...[4, 5, 8].map(task => ({ array: '12', task, state: 'PENDING', exit: { code: 0, signal: 0 } })),
    ]);
  });

  test('cannot make more tasks than a sweep has runs', () => {
    expect(parseAccounts('12_[0-999999999]|PENDING|0:0')).toEqual([]);
  });
});

describe('a state', () => {
  test.each([
    ['PENDING', 'queued'], ['CONFIGURING', 'queued'], ['REQUEUED', 'queued'], ['PREEMPTED', 'queued'], ['RUNNING', 'training'], ['COMPLETING', 'training'], ['SUSPENDED', 'training'],
    ['COMPLETED', 'ended'], ['FAILED', 'ended'], ['OUT_OF_MEMORY', 'ended'], ['TIMEOUT', 'ended'], ['NODE_FAIL', 'ended'], ['CANCELLED', 'ended'],
    // One that a later Slurm may have is no end.
    ['EXPEDITING', 'training'],
  ])('%s is %s', (state, standing) => {
    expect(standingOf(state, false)).toBe(standing);
  });

  test('of a preempted task is its end once the queue has forgotten it', () => {
    expect(standingOf('PREEMPTED', true)).toBe('ended');
  });

  test.each([['JobHeldUser', true], ['launch failed requeued held', true], ['BadConstraints', true], ['PartitionTimeLimit', true], ['Resources', false], ['Priority', false], ['JobArrayTaskLimit', false], ['BeginTime', false], ['Dependency', false]])(
    'for the reason %s needs somebody: %s',
    (reason, needs) => expect(needsSomebody(reason)).toBe(needs),
  );
});
