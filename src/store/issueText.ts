import * as v from 'valibot';

/** Where a value does not fit its schema and why, to end a sentence with: ` ("training.steps"): Invalid type: …`. */
export function issueText(issue: v.BaseIssue<unknown>): string {
  const field = v.getDotPath(issue);
  return `${field === null ? '' : ` ("${field}")`}: ${issue.message}`;
}
