import { measuredText } from '../engine/words/verifications';
import type { IndexedOutcome, Verification } from '../protocol/engine';

/** A verification with the seconds that each of its claims took, one for each. */
export interface TimedVerification extends Verification {
  readonly seconds: readonly number[];
}

/**
 * Verifications as JUnit writes the results of tests, in XML: a suite for each model, a test case for each claim. A claim
 * that does not hold is a failure, and one that could not be measured an error.
 */
export function junitText(verifications: readonly TimedVerification[]): string {
  const suites = verifications.map(suiteOf);
  const total = { tests: sum(suites.map(({ counts }) => counts.tests)), failures: sum(suites.map(({ counts }) => counts.failures)), errors: sum(suites.map(({ counts }) => counts.errors)) };
  const time = sum(verifications.flatMap(({ seconds }) => seconds));
  return `<?xml version="1.0" encoding="UTF-8"?>\n${element('testsuites', { name: 'circuits verify', ...total, time: timeText(time) }, suites.map(({ xml }) => xml))}\n`;
}

interface Suite {
  readonly counts: { readonly tests: number; readonly failures: number; readonly errors: number };
  readonly xml: string;
}

function suiteOf({ name, id, seed, claims, problem, seconds }: TimedVerification): Suite {
  const suite = `${name}, seed ${seed}`;
  const cases = claims.map((outcome, at) => element('testcase', { classname: suite, name: outcome.claim, time: timeText(seconds[at] ?? 0) }, contentOf(outcome)));
  // What keeps a model that nothing is claimed of from being trained would be told nowhere else.
  if (problem !== undefined && claims.length === 0) cases.push(element('testcase', { classname: suite, name: 'is trained', time: timeText(0) }, [element('error', { message: problem })]));
  const errors = claims.filter(({ measured }) => measured === null).length + (cases.length - claims.length);
  const counts = { tests: cases.length, failures: claims.filter(({ ok, measured }) => !ok && measured !== null).length, errors };
  const model = element('properties', {}, [element('property', { name: 'model', value: id })]);
  return { counts, xml: element('testsuite', { name: suite, ...counts, time: timeText(sum(seconds)) }, [model, ...cases]) };
}

function contentOf(outcome: IndexedOutcome): readonly string[] {
  const { ok, measured, expect, finding, problem } = outcome;
  if (ok) return [];
  if (measured === null) return [element('error', { message: problem ?? 'It could not be measured.' })];
  const message = `measured ${measuredText(outcome)}, expected ${expect.trim()}`;
  return [element('failure', { message, ...(finding !== undefined && { type: finding }) })];
}

function element(name: string, attributes: Readonly<Record<string, string | number>>, content: readonly string[] = []): string {
  const start = [name, ...Object.entries(attributes).map(([attribute, value]) => `${attribute}="${attributeText(String(value))}"`)].join(' ');
  if (content.length === 0) return `<${start}/>`;
  // Only here do lines end so: other ends of lines may stand in a name.
  const lines = content.flatMap(each => each.split('\n').map(line => `  ${line}`));
  return [`<${start}>`, ...lines, `</${name}>`].join('\n');
}

/** What XML 1.0 may hold (section 2.2), without the control characters that steer a terminal, and without half of a pair. */
const unwritable = /[^\t\n\r\u0020-\u007e\u00a0-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu;

/** Ends of lines too are written as references: as they are, whoever reads an attribute makes spaces of them. */
function attributeText(text: string): string {
  return text.replace(unwritable, '\ufffd').replace(/[&<>"\t\n\r]/g, character => `&#${character.charCodeAt(0)};`);
}

function timeText(seconds: number): string {
  return seconds.toFixed(3);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
