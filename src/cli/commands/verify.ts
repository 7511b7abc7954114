import { UserError } from '../../common/errors';
import { printable } from '../../common/printable';
import type { Engine } from '../../engine/engine';
import type { TrainOrder } from '../../engine/runs';
import { readClaimed, verifyClaimed, type ClaimedExperiment, type VerifyWatch } from '../../engine/verifying';
import { verificationText } from '../../engine/words/verifications';
import type { Device, Verification } from '../../protocol/engine';
import { junitText, type TimedVerification } from '../junit';
import { answer, explain, FailedAnswer, type Output } from '../output';
import { withEngine, type CommonOptions, type Session } from '../session';
import { orderOf, watchOf, type ExperimentChanges } from '../training';

/** How it is told what became of the claims: to people, as `--json` does, or as results of tests to a program that collects those. */
export const reporters = ['text', 'json', 'junit'] as const;

export interface VerifyOptions extends CommonOptions, ExperimentChanges {
  readonly device?: Device;
  /** Absent: as `--json` says. */
  readonly reporter?: (typeof reporters)[number];
}

/**
 * `circuits verify EXPERIMENT…`: trains what is not trained to its end, going on with what was stopped, and checks every
 * claim; of an experiment with a sweep, those of each of its runs. Whatever is wrong with an experiment or its claims is
 * said before anything is trained.
 */
export async function verify(session: Session, references: readonly string[], options: VerifyOptions): Promise<void> {
  const { reporter = options.json ? 'json' : 'text' } = options;
  if (options.json && reporter !== 'json') throw new UserError(`--json is the same as --reporter json, and cannot be given with --reporter ${reporter}; leave one of them out.`);
  await withEngine(session, options, async engine => {
    const experiments = await readAll(engine, references, options);
    const verifications: TimedVerification[] = [];
    for (const experiment of experiments) verifications.push(...(await verifyOne(session, engine, experiment)));
    report(session.output, reporter, verifications);
    if (!verifications.every(hasHeld)) throw new FailedAnswer();
  }, options.device === undefined ? {} : { device: options.device });
}

/** @throws UserError a sentence for each thing that is wrong, in any of them. */
async function readAll(engine: Engine, references: readonly string[], changes: ExperimentChanges): Promise<readonly ClaimedExperiment[]> {
  const read: ClaimedExperiment[] = [];
  const problems: string[] = [];
  for (const reference of references) {
    try {
      read.push(await readOne(engine, await orderOf(engine, reference, changes)));
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      problems.push(...error.message.split('\n').map(line => (references.length > 1 ? `${reference}: ${line}` : line)));
    }
  }
  if (problems.length > 0) throw new UserError(problems.join('\n'));
  return read;
}

async function readOne(engine: Engine, order: TrainOrder): Promise<ClaimedExperiment> {
  const claimed = await readClaimed(engine, order);
  const { problems } = claimed;
  if (problems.length > 0) throw new UserError(problems.map(({ path, message }) => `${path.join('.')}: ${message}`).join('\n'));
  checkChanges(order, claimed);
  return claimed;
}

/** @throws UserError where a change of the experiment would leave the others that its claims are about as they are. */
function checkChanges({ steps, set = [] }: TrainOrder, { models }: ClaimedExperiment): void {
  const isOfModel = (pair: string) => !/^claims[.=]/.test(pair);
  const changes = [...(steps === undefined ? [] : ['--steps']), ...(set.some(isOfModel) ? ['--set'] : [])];
  const others = new Set(models.flatMap(({ experiment }) => experiment.claims.flatMap(({ of }) => of ?? [])));
  if (changes.length === 0 || others.size === 0) return;
  const [what, change] = [changes.join(' and '), changes.length > 1 ? 'change' : 'changes'];
  const named = [...others].map(other => `"${other}"`).join(' and ');
  throw new UserError(`${what} ${change} this experiment alone, and not ${named}, which some of its claims are about; make the change in a copy of the file without those claims.`);
}

async function verifyOne(session: Session, engine: Engine, experiment: ClaimedExperiment): Promise<readonly TimedVerification[]> {
  const { output } = session;
  // Claims that share an analysis wait for it once.
  let since: number | undefined;
  const seconds = new Map<string, number>();
  const keyOf = (id: string, index: number) => `${id} ${index}`;
  const watch: VerifyWatch = {
    ...watchOf(session),
    measuring: ({ name }, analysis) => {
      since ??= performance.now();
      output.err.write(printable(`${name}: ${analysis}…`) + '\n');
    },
    measured: ({ id }, { index }) => {
      seconds.set(keyOf(id, index), since === undefined ? 0 : (performance.now() - since) / 1000);
      since = undefined;
    },
    // What keeps one experiment from being verified keeps no other from it.
    failed: error => explain(output, error),
  };
  const verifications = await verifyClaimed(engine, experiment, { train: true }, watch);
  return verifications.map(verification => ({ ...verification, seconds: verification.claims.map(({ index }) => seconds.get(keyOf(verification.id, index)) ?? 0) }));
}

function report(output: Output, reporter: (typeof reporters)[number], timed: readonly TimedVerification[]): void {
  switch (reporter) {
    case 'junit':
      output.out.write(junitText(timed));
      return;
    case 'json':
    case 'text': {
      const experiments = timed.map(({ seconds: _, ...verification }) => verification);
      return answer({ ...output, json: reporter === 'json' }, { experiments }, () => verificationText(experiments));
    }
    default:
      reporter satisfies never;
  }
}

function hasHeld({ claims, problem }: Verification): boolean {
  return problem === undefined && claims.every(claim => claim.ok);
}
