import { execFile, fork, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import os, { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { eventually } from './eventually';
import { slurmPrograms } from './systemPackages.mjs';

const run = promisify(execFile);

/** A Slurm cluster of one node, this machine, whose daemons are this process' own. */
export interface SlurmCluster {
  /** For Slurm's commands. */
  readonly environment: NodeJS.ProcessEnv;
  readonly version: string;
  /** Runs one of Slurm's commands and returns what it prints. */
  command(program: string, ...words: readonly string[]): Promise<string>;
  /** Cancels all jobs, and ends all daemons once they are gone. */
  dispose(): Promise<void>;
}

/** Why there can be no cluster here, in words; nothing where there can be one. */
export function slurmProblem(): string | undefined {
  const missing = Object.keys(slurmPrograms()).filter(name => slurmPrograms()[name] === undefined);
  return missing.length === 0 ? undefined : `there is no ${missing.join(', ')} (Debian's packages slurmctld, slurmd, slurm-client and munge bring them)`;
}

/**
 * Starts a cluster and resolves when its node takes jobs. The daemons end with this process at the latest.
 * Jobs run as the user of this process, who need not be root.
 */
export async function startSlurmCluster(): Promise<SlurmCluster> {
  const folder = await mkdtemp(path.join(tmpdir(), 'slurm-'));
  const logs = path.join(folder, 'logs');
  const [node] = os.hostname().split('.');
  const configuration = path.join(folder, 'slurm.conf');
  const key = path.join(folder, 'munge.key');
  const socket = path.join(folder, 'munge.socket');
  await mkdir(logs);
  await mkdir(path.join(folder, 'controller'));
  await mkdir(path.join(folder, 'node'));
  await writeFile(key, randomBytes(1024), { mode: 0o400 });
  await writeFile(configuration, await slurmConfiguration(folder, node ?? 'localhost', socket));
  const environment = { ...process.env, SLURM_CONF: configuration };
  const command = async (program: string, ...words: readonly string[]) => (await run(program, words, { env: environment })).stdout.trim();

  const daemons: ChildProcess[] = [];
  const end = async () => {
    for (const daemon of daemons.reverse()) await ended(daemon);
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  };
  const start = async (program: string, ...words: readonly string[]) => {
    daemons.push(await startTethered(environment, path.join(logs, `${program}.log`), [slurmPrograms()[program] ?? program, ...words]));
  };
  try {
    const { uid } = os.userInfo();
    const ofMunge = ['pid', 'log', 'seed'].map(what => `--${what}-file=${path.join(folder, `munge.${what}`)}`);
    // In a folder that is not root's it warns about its place, and stops there without `--force`.
    await start('munged', '--foreground', '--force', `--key-file=${key}`, `--socket=${socket}`, ...ofMunge);
    await eventually('munged to answer', () => run('munge', ['--no-input', `--socket=${socket}`]), 10_000);
    await start('slurmctld', '-D');
    await start('slurmd', '-D');
    await eventually('the node to take jobs', async () => ((await command('sinfo', '--noheader', '--format=%T')) === 'idle' ? true : undefined), 30_000);
    return {
      environment,
      version: await command('sinfo', '--version'),
      command,
      dispose: async () => {
        await command('scancel', `--user=${uid}`).catch(() => undefined);
        await eventually('the last job to end', async () => ((await command('squeue', '--noheader')) === '' ? true : undefined), 20_000).catch(() => undefined);
        await end();
      },
    };
  } catch (error) {
    const said = await Promise.all(['munged', 'slurmctld', 'slurmd'].map(async name => `${name}:\n${(await readFile(path.join(logs, `${name}.log`), 'utf8').catch(() => '')).slice(-2000)}`));
    await end();
    throw new Error(`The Slurm cluster did not come up.\n${said.join('\n')}`, { cause: error });
  }
}

async function slurmConfiguration(folder: string, node: string, socket: string): Promise<string> {
  const [controllerPort, nodePort] = await freePorts(2);
  const user = os.userInfo().username;
  return Object.entries({
    ClusterName: 'circuits',
    SlurmctldHost: `${node}(127.0.0.1)`,
    SlurmUser: user,
    SlurmdUser: user,
    AuthType: 'auth/munge',
    // How long a credential lives is how long a requeued job waits before it may start again: two minutes without this.
    AuthInfo: `socket=${socket},cred_expire=5`,
    SlurmctldPort: controllerPort,
    SlurmdPort: nodePort,
    SlurmctldPidFile: path.join(folder, 'slurmctld.pid'),
    SlurmdPidFile: path.join(folder, 'slurmd.pid'),
    StateSaveLocation: path.join(folder, 'controller'),
    SlurmdSpoolDir: path.join(folder, 'node'),
    ProctrackType: 'proctrack/linuxproc',
    TaskPlugin: 'task/none',
    SelectType: 'select/cons_tres',
    SelectTypeParameters: 'CR_CPU_Memory',
    // Looks for jobs to start every second, in place of twice a minute.
    SchedulerParameters: 'sched_interval=1,bf_interval=1',
    AccountingStorageType: 'accounting_storage/none',
    // Kills a job that has more memory than it asked for, within a second or two, as clusters do with control groups.
    JobAcctGatherType: 'jobacct_gather/linux',
    JobAcctGatherFrequency: 'task=1',
    JobAcctGatherParams: 'OverMemoryKill',
    MpiDefault: 'none',
    KillWait: 5,
    ReturnToService: 2,
    // The node has the processors that it says, on a machine with fewer as well.
    SlurmdParameters: 'config_overrides',
    NodeName: `${node} NodeAddr=127.0.0.1 CPUs=4 RealMemory=4000 State=UNKNOWN`,
    PartitionName: 'main Nodes=ALL Default=YES MaxTime=INFINITE DefMemPerCPU=500 State=UP',
  }).map(([name, value]) => `${name}=${value}\n`).join('');
}

async function startTethered(environment: NodeJS.ProcessEnv, logFile: string, command: readonly string[]): Promise<ChildProcess> {
  const log = await open(logFile, 'w');
  try {
    return fork(path.join(import.meta.dirname, 'tetheredProcess.mjs'), command, { env: environment, execArgv: [], stdio: ['ignore', log.fd, log.fd, 'ipc'] });
  } finally {
    await log.close();
  }
}

async function ended(daemon: ChildProcess): Promise<void> {
  if (daemon.exitCode !== null || daemon.signalCode !== null) return;
  const end = once(daemon, 'exit');
  if (daemon.connected) daemon.disconnect();
  await end;
}

/** Ports that nobody listens on, held together so that they are different ones. */
async function freePorts(count: number): Promise<readonly number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map(server => once(server, 'listening')));
  const ports = servers.map(server => {
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    return address.port;
  });
  await Promise.all(servers.map(server => new Promise(resolve => server.close(resolve))));
  return ports;
}
