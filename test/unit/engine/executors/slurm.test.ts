import { appendFile, mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { UserError } from '../../../../src/common/errors';
import { slurmExecutor, type SlurmExecutorOptions } from '../../../../src/engine/executors/slurm';
import type { SweepJob } from '../../../../src/engine/executors/executor';
import { experimentOf } from '../../../../src/engine/runs';
import { versions } from '../../../../src/engine/versions';
import type { ModelStatus } from '../../../../src/protocol/model';
import { Store } from '../../../../src/store/store';
import { eventually } from '../../../support/eventually';
import { tinyExperiment } from '../experiments';
import { FakeSlurm } from './fakeSlurm';
import { jobOf, RememberingHost } from './sweepHost';

const jobs = [0, 1, 2].map(seed => jobOf(seed, tinyExperiment({ name: `run ${seed}`, seed })));
const [first, second, third] = jobs;
if (!first || !second || !third) throw new Error('three jobs');

describe.skipIf(process.platform === 'win32')('a sweep on a Slurm cluster', () => {
  let slurm: FakeSlurm;
  let store: Store;
  let folder: string;
  let options: SlurmExecutorOptions;

  beforeEach(async () => {
    slurm = await FakeSlurm.make();
    const home = await mkdtemp(path.join(tmpdir(), 'slurm-sweep-'));
    onTestFinished(() => rm(home, { recursive: true, force: true }));
    store = await Store.open(path.join(home, 'models'));
    folder = path.join(store.folder, 'sweeps', 'some');
    await mkdir(folder, { recursive: true });
    options = {
      store, options: {}, parallel: 0, threads: 0, device: 'cpu', command: ['/usr/bin/node', '/opt/cli.js'], environment: slurm.environment,
      pace: { first: 5, most: 20, settling: 0, silence: 60_000 },
    };
  });

  /** What a task leaves in the store. */
  async function trained({ model, name, text }: SweepJob, status: ModelStatus, problem?: string): Promise<void> {
    const { resolved, config } = experimentOf({ text });
    await store.create({
      format: 1, id: model, name, experiment: resolved, config, status, progress: { step: 20, steps: 20 }, metrics: {}, createdAt: 0, versions,
      ...(problem !== undefined && { problem }),
    }, { replace: true });
  }

  async function told(host: RememberingHost, index: number, status: string): Promise<void> {
    await eventually(`run ${index} to be ${status}`, async () => (host.row(index).status === status ? true : undefined));
  }

  test('is one array with a file for each task, and follows it with one call for all of them', async () => {
    await slurm.queue('42 0 RUNNING', '42 1 RUNNING', '42 2 PENDING 0 Resources');
    const host = new RememberingHost(folder);
    const sweeping = slurmExecutor({ ...options, parallel: 2, options: { partition: 'main', time: '1:00:00' } })(jobs, host);
    await told(host, 0, 'training');
    await told(host, 2, 'queued');
    await Promise.all(jobs.map(job => trained(job, 'finished')));
    await slurm.queue('42 0 COMPLETED', '42 1 COMPLETED', '42 2 COMPLETED');
    await sweeping;

    expect(await slurm.calls('sbatch')).toEqual([`--parsable ${path.join(folder, 'array-0.sh')}`]);
    const script = await readFile(path.join(folder, 'array-0.sh'), 'utf8');
    expect(script).toContain('#SBATCH --array=0-2%2\n#SBATCH --partition=main\n#SBATCH --time=1:00:00\n');
    expect(await readdir(path.join(folder, 'tasks'))).toEqual(['0.json', '1.json', '2.json']);
    expect(JSON.parse(await readFile(path.join(folder, 'tasks', '1.json'), 'utf8')))
      .toEqual({ store: store.folder, model: second.model, text: second.text, device: 'cpu', threads: 0 });
    const looks = await slurm.calls('squeue');
    expect(new Set(looks).size).toBe(1);
    expect(looks[0]).toContain('--jobs=42 ');
    expect(await slurm.calls('sacct')).toEqual([]);
    expect(host.statuses(0)).toEqual(['queued', 'training', 'finished']);
    expect(host.statuses(2)).toEqual(['queued', 'finished']);
    expect(host.keptStates).toEqual([JSON.stringify({ arrays: [{ id: '42', offset: 0, tasks: '0-2' }] }), undefined]);
  });

  /** `left`: what the task has left in the store. */
  const endings: readonly { readonly state: string; readonly status: string; readonly problem: RegExp; readonly left?: ModelStatus }[] = [
    { state: 'OUT_OF_MEMORY 9 OutOfMemory', status: 'failed', problem: /^Slurm killed the run for memory; ask for more with --memory\.$/ },
    { state: 'TIMEOUT 0 TimeLimit', status: 'interrupted', problem: /time limit of its job; ask for more with --time/, left: 'interrupted' },
    { state: 'NODE_FAIL 0 NodeDown', status: 'interrupted', problem: /^The node of the run failed/, left: 'interrupted' },
    { state: 'CANCELLED 0 None', status: 'cancelled', problem: /told to cancel the job of the run before it began/ },
    { state: 'CANCELLED 15 None', status: 'stopped', problem: /told to cancel the job/, left: 'stopped' },
    { state: 'FAILED 768 NonZeroExitCode', status: 'failed', problem: /^The job failed with exit code 3; its log is .*\/logs\/0\.log\.$/ },
    { state: 'FAILED 9 JobLaunchFailure', status: 'interrupted', problem: /^The job was ended by signal 9; its log/, left: 'interrupted' },
    { state: 'FAILED 4021 JobLaunchFailure', status: 'failed', problem: /^Slurm could not start the job, or not write its log \(JobLaunchFailure\)/ },
    { state: 'COMPLETED 0 None', status: 'failed', problem: /^The job ended, and its model is not trained to its end; its log/ },
  ];
  test.each(endings)('of a run that ended as $state says why, and the others go on', async ({ state, status, problem, left }) => {
    if (left) await trained(first, left);
    await trained(second, 'finished');
    await slurm.queue(`42 0 ${state}`, '42 1 COMPLETED');
    const host = new RememberingHost(folder);
    await slurmExecutor(options)([first, second], host);
    expect(host.row(0)).toEqual({ status, problem: expect.stringMatching(problem) });
    expect(host.row(1)).toEqual({ status: 'finished' });
  });

  test('quotes the end of a log, without what could steer a terminal, and knows its words for memory', async () => {
    await mkdir(path.join(folder, 'logs'));
    await appendFile(path.join(folder, 'logs', '0.log'), `\n${'x'.repeat(9000)}\nCannot find module \u001b[31m'onnx'\n\n`);
    await appendFile(path.join(folder, 'logs', '1.log'), 'slurmstepd-node7: error: Detected 1 oom_kill event in StepId=42.batch.\n');
    await trained(third, 'failed', 'The disk that holds the models is full.');
    await appendFile(path.join(folder, 'logs', '2.log'), 'The disk that holds the models is full.\n');
    await slurm.queue('42 0 FAILED 256 NonZeroExitCode', '42 1 FAILED 9 None', '42 2 FAILED 256 NonZeroExitCode');
    const host = new RememberingHost(folder);
    await slurmExecutor(options)(jobs, host);
    expect(host.row(0).problem).toMatch(/^The job failed with exit code 1; its log .*\/logs\/0\.log ends with "Cannot find module {2}\[31m'onnx'"\.$/);
    expect(host.row(1).problem).toBe('Slurm killed the run for memory; ask for more with --memory.');
    expect(host.row(2)).toEqual({ status: 'failed', problem: 'The disk that holds the models is full.' });
  });

  test('a run that is put back into the queue is queued again', async () => {
    await slurm.queue('42 0 RUNNING');
    const host = new RememberingHost(folder);
    const sweeping = slurmExecutor(options)([first], host);
    await told(host, 0, 'training');
    await slurm.queue('42 0 PREEMPTED');
    await told(host, 0, 'queued');
    await slurm.queue('42 0 RUNNING');
    await told(host, 0, 'training');
    await trained(first, 'finished');
    await slurm.queue('42 0 COMPLETED');
    await sweeping;
    expect(host.statuses(0)).toEqual(['queued', 'training', 'queued', 'training', 'finished']);
  });

  test('asks accounting, once for all, how jobs ended that the queue has forgotten', async () => {
    await trained(first, 'finished');
    await slurm.queue();
    await slurm.answer('sacct', 'printf "42_0|COMPLETED|0:0\\n42_1|CANCELLED by 1000|0:15\\n42_2|PREEMPTED|0:0\\n"');
    const host = new RememberingHost(folder);
    await slurmExecutor(options)(jobs, host);
    expect(await slurm.calls('sacct')).toEqual(['--allocations --noheader --parsable2 --jobs=42 --format=JobID,State,ExitCode']);
    expect([0, 1, 2].map(index => host.row(index).status)).toEqual(['finished', 'cancelled', 'interrupted']);
  });

  test('without accounts, takes the word of the models, once they have had time to be seen', async () => {
    await slurm.queue();
    const host = new RememberingHost(folder);
    const sweeping = slurmExecutor({ ...options, pace: { first: 5, most: 20, settling: 400, silence: 60_000 } })([first, second], host);
    await eventually('a look', async () => ((await slurm.calls('squeue')).length > 1 ? true : undefined));
    await trained(first, 'finished');
    await sweeping;
    expect(host.row(0)).toEqual({ status: 'finished' });
    expect(host.row(1)).toEqual({ status: 'failed', problem: expect.stringMatching(/^Slurm knows nothing of the job any more/) });
    expect(await slurm.calls('sacct')).toHaveLength(1);
  });

  test('asks again when the queue does not answer, and says so after a while', async () => {
    await slurm.answer('squeue', 'echo "slurm_load_jobs error: Unable to contact slurm controller (connect failure)" >&2; exit 1');
    const host = new RememberingHost(folder);
    const sweeping = slurmExecutor(options)([first], host);
    await eventually('a word', async () => (host.lines.some(line => line.includes('Unable to contact')) ? true : undefined));
    expect((await slurm.calls('squeue')).length).toBeGreaterThanOrEqual(3);
    await trained(first, 'finished');
    await slurm.queue('42 0 COMPLETED');
    await sweeping;
    expect(host.row(0)).toEqual({ status: 'finished' });
  });

  test('gives up on a cluster that answers nothing for long, keeps its array, and says how to go on', async () => {
    await slurm.answer('squeue', 'echo "squeue: error: Unable to contact slurm controller" >&2; exit 1');
    const host = new RememberingHost(folder);
    await expect(slurmExecutor({ ...options, pace: { first: 5, most: 20, silence: 100 } })([first], host))
      .rejects.toThrow(new UserError(`Slurm's squeue failed: Unable to contact slurm controller. The runs go on at the cluster (42); resume the sweep to follow them again.`));
    expect(host.keptStates).toHaveLength(1);
  });

  test('says which command is missing', async () => {
    const empty = await mkdtemp(path.join(tmpdir(), 'empty-'));
    onTestFinished(() => rm(empty, { recursive: true }));
    await expect(slurmExecutor({ ...options, environment: { PATH: empty } })([first], new RememberingHost(folder)))
      .rejects.toThrow(/^Slurm's command \w+ is not on the PATH of this machine/);
  });

  test('says what Slurm has against it, and keeps nothing', async () => {
    await slurm.answer('sbatch', 'printf "sbatch: error: invalid partition specified: no\\nsbatch: error: Batch job submission failed: Invalid partition name specified\\n" >&2; exit 1');
    const host = new RememberingHost(folder);
    await expect(slurmExecutor(options)(jobs, host)).rejects.toThrow(`Slurm's sbatch failed: invalid partition specified: no; Batch job submission failed: Invalid partition name specified.`);
    expect(host.keptStates).toEqual([]);
    await slurm.answer('sbatch', 'echo "Welcome to the cluster"');
    await expect(slurmExecutor(options)(jobs, host)).rejects.toThrow(/"Welcome to the cluster" in place of a job's number/);
  });

  test('is submitted in several arrays where the cluster takes small ones, which take turns under a limit', async () => {
    await slurm.answer('scontrol', 'echo "MaxArraySize            = 2"');
    await Promise.all(jobs.map(job => trained(job, 'finished')));
    await slurm.queue('42 0 COMPLETED', '42 1 COMPLETED', '43 0 COMPLETED');
    const host = new RememberingHost(folder);
    const away = jobs.map(job => ({ ...job, model: 'f'.repeat(16) }));
    await slurmExecutor({ ...options, parallel: 1 })(away, host);
    expect(await readFile(path.join(folder, 'array-0.sh'), 'utf8')).toContain('#SBATCH --array=0-1%1\n');
    const second = await readFile(path.join(folder, 'array-2.sh'), 'utf8');
    expect(second).toContain('#SBATCH --array=0%1\n#SBATCH --dependency=afterany:42\n');
    expect(second).toContain('/2+%a.log"');
    expect(second).toContain(`/tasks/'"$((SLURM_ARRAY_TASK_ID + 2))".json`);
    expect(host.lines[0]).toBe('The cluster takes at most 2 tasks in an array, so the sweep is submitted as 2 arrays.');
    expect((await slurm.calls('squeue'))[0]).toContain('--jobs=42,43 ');
    expect(host.row(2).problem).toContain(`${path.join(folder, 'logs', '2+0.log')}`);
  });

  test('is refused before anything is submitted when it would be more arrays than can be followed', async () => {
    await slurm.answer('scontrol', 'echo "MaxArraySize            = 1"');
    const many = Array.from({ length: 1001 }, (_, index) => ({ ...first, index }));
    await expect(slurmExecutor(options)(many, new RememberingHost(folder)))
      .rejects.toThrow('The cluster takes at most 1 tasks in an array, so the sweep would be 1,001 arrays, more than can be followed; make several smaller sweeps of it.');
    expect(await slurm.calls('sbatch')).toEqual([]);
    expect(await readdir(folder)).toEqual([]);
  });

  test('follows what Slurm has taken when it takes no more', async () => {
    await slurm.answer('scontrol', 'echo "MaxArraySize            = 2"');
    await slurm.answer('sbatch', 'if [ -e "$d/taken" ]; then echo "sbatch: error: QOSMaxSubmitJobPerUserLimit" >&2; exit 1; fi; touch "$d/taken"; echo 42');
    await slurm.queue('42 0 OUT_OF_MEMORY', '42 1 OUT_OF_MEMORY');
    const host = new RememberingHost(folder);
    await expect(slurmExecutor(options)(jobs, host)).rejects.toThrow('Slurm has not taken all runs: QOSMaxSubmitJobPerUserLimit. Resume the sweep to submit the others.');
    expect([0, 1, 2].map(index => host.row(index).status)).toEqual(['failed', 'failed', undefined]);
  });

  test('is cancelled with one call, again when that fails, and waits until all has ended', async () => {
    await trained(first, 'training');
    await slurm.queue('42 0 RUNNING', '42 1 PENDING');
    const host = new RememberingHost(folder);
    const sweeping = slurmExecutor(options)([first, second], host);
    await told(host, 0, 'training');
    await slurm.answer('scancel', 'echo "scancel: error: Unable to contact slurm controller" >&2; exit 1');
    host.cancel();
    await eventually('a second try', async () => ((await slurm.calls('scancel')).length > 1 ? true : undefined));
    await slurm.answer('scancel', 'echo done >> "$d/cancelled"');
    await slurm.queue('42 0 COMPLETING', '42 1 CANCELLED');
    await told(host, 1, 'cancelled');
    expect(host.row(0).status).toBe('training');
    await slurm.queue('42 0 CANCELLED', '42 1 CANCELLED');
    await sweeping;
    expect(host.row(0)).toEqual({ status: 'stopped' });
    const calls = await slurm.calls('scancel');
    expect(new Set(calls)).toEqual(new Set(['42']));
    expect(host.keptStates.at(-1)).toBeUndefined();
  });

  test('is cancelled with one call when it is only found again for that', async () => {
    await trained(first, 'stopped');
    await slurm.queue('7 0 CANCELLED', '7 1 CANCELLED');
    const host = new RememberingHost(folder, JSON.stringify({ arrays: [{ id: '7', offset: 0, tasks: '0-1' }] }), false);
    host.cancel();
    await slurmExecutor(options)(jobs, host);
    expect(await slurm.calls('scancel')).toEqual(['7']);
    expect(await slurm.calls('sbatch')).toEqual([]);
    expect([0, 1, 2].map(index => host.row(index))).toEqual([{ status: 'stopped' }, { status: 'cancelled' }, { status: 'cancelled' }]);
    expect(host.keptStates).toEqual([undefined]);
  });

  test('is left without a trace of its going: nothing is cancelled, and what was kept stays', async () => {
    await slurm.queue('42 0 RUNNING');
    const host = new RememberingHost(folder);
    const sweeping = slurmExecutor({ ...options, pace: { first: 600_000, most: 600_000 } })([first], host);
    await told(host, 0, 'training');
    host.leave();
    await sweeping;
    expect(await slurm.calls('scancel')).toEqual([]);
    expect(host.keptStates).toHaveLength(1);
  });

  test('goes on with the array that was kept, and submits only what is not in it any more', async () => {
    await trained(first, 'finished');
    await slurm.queue('7 1 RUNNING', '7 2 FAILED 256 NonZeroExitCode', '42 2 PENDING 0 Resources');
    const host = new RememberingHost(folder, JSON.stringify({ arrays: [{ id: '7', offset: 0, tasks: '0-2' }] }));
    const sweeping = slurmExecutor(options)(jobs, host);
    await told(host, 2, 'queued');
    expect(await readFile(path.join(folder, 'array-0.sh'), 'utf8')).toContain('#SBATCH --array=2\n');
    expect(host.keptStates).toEqual([JSON.stringify({ arrays: [{ id: '7', offset: 0, tasks: '0-2' }, { id: '42', offset: 0, tasks: '2' }] })]);
    await trained(second, 'finished');
    await trained(third, 'finished');
    await slurm.queue('7 1 COMPLETED', '7 2 FAILED 256 NonZeroExitCode', '42 2 COMPLETED');
    await sweeping;
    expect([0, 1, 2].map(index => host.row(index))).toEqual([{ status: 'finished' }, { status: 'finished' }, { status: 'finished' }]);
  });

  test('submits nothing that nobody has asked for: what has ended says how, and what never was submitted waits', async () => {
    await slurm.queue('7 1 RUNNING', '7 2 FAILED 256 NonZeroExitCode');
    await slurm.answer('sacct', 'echo "7_0|TIMEOUT|0:0"');
    await trained(first, 'interrupted');
    const never = jobOf(3, tinyExperiment({ name: 'never', seed: 3 }));
    const host = new RememberingHost(folder, JSON.stringify({ arrays: [{ id: '7', offset: 0, tasks: '0-2' }] }), false);
    const sweeping = slurmExecutor(options)([...jobs, never], host);
    await told(host, 1, 'training');
    await trained(second, 'finished');
    await slurm.queue('7 1 COMPLETED', '7 2 FAILED 256 NonZeroExitCode');
    await sweeping;
    expect(host.row(0)).toEqual({ status: 'interrupted', problem: expect.stringContaining('time limit') });
    expect(host.row(1)).toEqual({ status: 'finished' });
    expect(host.row(2)).toEqual({ status: 'failed', problem: expect.stringContaining('exit code 1') });
    expect(host.row(3)).toEqual({ status: 'cancelled' });
    expect(await slurm.calls('sbatch')).toEqual([]);
    expect(host.keptStates).toEqual([undefined]);
  });

  test('does nothing about what it cannot read before somebody asks for it', async () => {
    const host = new RememberingHost(folder, 'not JSON', false);
    await slurmExecutor(options)(jobs, host);
    expect(host.lines).toEqual([expect.stringContaining('nothing can be done about them here')]);
    expect(host.news.size).toBe(0);
    expect(host.keptStates).toEqual([]);
    for (const command of ['sbatch', 'squeue', 'scancel'] as const) expect(await slurm.calls(command)).toEqual([]);
    host.cancel();
    await slurmExecutor(options)(jobs, host);
    expect(host.keptStates).toEqual([undefined]);
  });

  test('does not submit again what it cannot ask for', async () => {
    await slurm.answer('squeue', 'echo "squeue: error: Unable to contact slurm controller" >&2; exit 1');
    const host = new RememberingHost(folder, JSON.stringify({ arrays: [{ id: '7', offset: 0, tasks: '0-2' }] }));
    const sweeping = slurmExecutor(options)([first], host);
    await eventually('some tries', async () => ((await slurm.calls('squeue')).length > 3 ? true : undefined));
    await trained(first, 'finished');
    await slurm.queue('7 0 COMPLETED');
    await sweeping;
    expect(await slurm.calls('sbatch')).toEqual([]);
  });

  test.each(['', 'not JSON', '{"arrays":[{"id":"7; rm -rf /","offset":0,"tasks":"0"}]}', '{"arrays":[{"id":"7","offset":0,"tasks":"0-999999999"}]}', '{"arrays":[{"id":"7","offset":-1,"tasks":"0"}]}'])(
    'what was kept is not believed: %s',
    async kept => {
      await trained(first, 'finished');
      await trained(second, 'finished');
      const host = new RememberingHost(folder, kept);
      await slurmExecutor(options)([first, second], host);
      expect(host.lines[0]).toMatch(/cannot be read; they are submitted again/);
      expect(await slurm.calls('squeue')).toEqual([]);
    },
  );

  test('tells once of a reason to wait that waiting does not end', async () => {
    await slurm.queue('42 0 PENDING 0 JobHeldUser', '42 1 PENDING 0 Priority');
    const host = new RememberingHost(folder);
    const sweeping = slurmExecutor(options)([first, second], host);
    await eventually('some looks', async () => ((await slurm.calls('squeue')).length > 3 ? true : undefined));
    host.cancel();
    await slurm.queue();
    await sweeping;
    expect(host.lines.filter(line => line.includes('wait'))).toEqual(['Slurm lets runs wait for a reason that somebody has to see to: JobHeldUser.']);
  });

  test('options that are none are refused before anything is written', async () => {
    const host = new RememberingHost(folder);
    await expect(slurmExecutor({ ...options, options: { gres: 'gpu:1\n#SBATCH --uid=0' } })(jobs, host)).rejects.toThrow(/^--gres .* is nothing that Slurm reads/);
    expect(await readdir(folder)).toEqual([]);
    expect(await slurm.calls('sbatch')).toEqual([]);
  });

  test('variables for sbatch and squeue do not change what the sweep asks for', async () => {
    await slurm.answer('sbatch', 'env > "$d/sbatch.env"; echo 42');
    await slurm.answer('squeue', 'env > "$d/squeue.env"; echo "42|0|OUT_OF_MEMORY|0|None|"');
    const environment: NodeJS.ProcessEnv = { ...slurm.environment, SBATCH_ARRAY_INX: '5', SBATCH_TIMELIMIT: '1', SBATCH_ACCOUNT: 'mine', SQUEUE_FORMAT: '%i', SBATCH_PARTITION: 'theirs' };
    await slurmExecutor({ ...options, environment, options: { time: '30' } })([first], new RememberingHost(folder));
    const [fakes = ''] = environment['PATH']?.split(':') ?? [];
    const seen = await readFile(path.join(fakes, 'sbatch.env'), 'utf8');
    expect(seen).toContain('SBATCH_ACCOUNT=mine');
    expect(seen).toContain('SBATCH_PARTITION=theirs');
    expect(seen).not.toMatch(/SBATCH_(ARRAY_INX|TIMELIMIT)/);
    expect(await readFile(path.join(fakes, 'squeue.env'), 'utf8')).not.toContain('SQUEUE_FORMAT');
  });
});
