import { createHash } from 'node:crypto';
import * as v from 'valibot';
import { Emitter } from '../../common/event';
import type { Disposable } from '../../common/lifetime';
import { outlineOf, type ExperimentOutline, type OutlinedItem } from '../experiments/experimentOutline';
import type { Memory } from '../memory';

const memoryKey = 'circuits.claims';
/** Claims that are kept; those measured longest ago are forgotten. */
const most = 2000;

const OutcomeSchema = v.object({
  /** The id of the model that the experiment trained; absent where it has a sweep, of whose models none is the experiment's own. */
  trained: v.exactOptional(v.string()),
  /** The id of the model that it was measured on: of the experiment, of the run of its sweep that decided, or of another experiment. */
  model: v.string(),
  measured: v.pipe(v.number(), v.finite()),
  /** The bound that decided: the claim's own, or that of an alternative which holds. */
  expect: v.string(),
  ok: v.boolean(),
  finding: v.exactOptional(v.string()),
  /** Milliseconds since 1970. */
  at: v.number(),
});
/** What was last measured of a claim. */
export type KeptOutcome = v.InferOutput<typeof OutcomeSchema>;

/** A claim as its file has it, with what was last measured of it. */
export interface MeasuredClaim extends OutlinedItem {
  readonly outcome?: KeptOutcome;
  /** Whether the experiment would train another model by now than what was measured then. */
  readonly isStale: boolean;
}

/** `content` and `subject` are what the claim says, and what the experiment says beside its claims, as hashes. */
const EntrySchema = v.object({ file: v.string(), content: v.string(), subject: v.string(), outcome: OutcomeSchema });
type Entry = v.InferOutput<typeof EntrySchema>;
const Kept = v.fallback(v.array(EntrySchema), []);

/**
 * What was last measured of the claims of experiment files, kept in the workspace. An outcome belongs to a claim as it is
 * written: once any of its fields is changed it has none. Files go by the text of their URI.
 */
export class ClaimOutcomes implements Disposable {
  private readonly changes = new Emitter<string>();
  /** Tells of the file whose claims were measured. */
  readonly onChange = this.changes.event;

  constructor(private readonly memory: Memory) {}

  /**
   * The claims in the text of a file, in their order. `trains` is the id of the model that it would train, where that is
   * known; otherwise whatever else the file says than its claims tells whether an outcome is stale.
   */
  of(file: string, text: string, trains?: string): readonly MeasuredClaim[] {
    const outline = outlineOf(text);
    const kept = outline.claims.length === 0 ? [] : this.read().filter(entry => entry.file === file);
    const subject = subjectOf(outline);
    return outline.claims.map(claim => {
      const content = contentOf(claim);
      const entry = kept.find(each => each.content === content);
      if (!entry) return { ...claim, isStale: false };
      const { outcome } = entry;
      const isStale = trains === undefined || outcome.trained === undefined ? entry.subject !== subject : outcome.trained !== trains;
      return { ...claim, outcome, isStale };
    });
  }

  /** Keeps what was measured of claims of the text, by their indexes, and forgets claims that the file has no longer. */
  keep(file: string, text: string, outcomes: ReadonlyMap<number, KeptOutcome>): void {
    if (outcomes.size === 0) return;
    const outline = outlineOf(text);
    const subject = subjectOf(outline);
    const contents = new Set(outline.claims.map(contentOf));
    const measured = new Map(outline.claims.flatMap(claim => {
      const outcome = outcomes.get(claim.index);
      const content = contentOf(claim);
      return outcome ? [[content, { file, content, subject, outcome }] as const] : [];
    }));
    const others = this.read().filter(entry => entry.file !== file || (contents.has(entry.content) && !measured.has(entry.content)));
    this.memory.update(memoryKey, [...others, ...measured.values()].slice(-most));
    this.changes.fire(file);
  }

  dispose(): void {
    this.changes.dispose();
  }

  private read(): readonly Entry[] {
    return v.parse(Kept, this.memory.get(memoryKey));
  }
}

/** Whether one of the claims was found not to hold, and would not by now. */
export function isFailing(claims: readonly MeasuredClaim[]): boolean {
  return claims.some(({ outcome, isStale }) => outcome !== undefined && !outcome.ok && !isStale);
}

/** What a claim says, however it is laid out. */
export function contentOf({ value }: Pick<OutlinedItem, 'value'>): string {
  return hashOf(value);
}

/** What an experiment says that its models may depend on, however it is laid out. */
export function subjectOf({ fields }: Pick<ExperimentOutline, 'fields'>): string {
  return hashOf([...fields].filter(([name]) => !beside.includes(name)).map(([name, { value }]) => [name, value] as const)
    // By their names: a value of a text need not be one that can be written out as a string.
    .sort(([one], [other]) => one.localeCompare(other)));
}

const beside: readonly string[] = ['$schema', 'description', 'claims', 'breakpoints'];

function hashOf(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('base64url').slice(0, 22);
}
